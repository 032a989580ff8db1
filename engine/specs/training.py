"""How a network is trained."""

from __future__ import annotations

from typing import Literal

from engine.specs.base import Spec, param


class TrainingSpec(Spec):
    """Cross-entropy training by mini-batches, reshuffled every epoch."""

    optimizer: Literal["adam", "sgd"] = param(
        "adam", "Update rule", label="Optimizer", choices={"adam": "Adam", "sgd": "SGD with momentum"}
    )
    learning_rate: float = param(0.001, "Step size of the optimizer", label="Learning rate", gt=0, le=100)
    momentum: float = param(0.9, "Momentum of SGD; Adam does not use it", label="Momentum", ge=0, lt=1, advanced=True)
    weight_decay: float = param(0.0, "L2 penalty on the weights", label="Weight decay", ge=0, le=10, advanced=True)
    batch_size: int = param(64, "Samples in each step", label="Batch size", ge=1, le=65536)
    epochs: int = param(20, "Passes over the training samples", label="Epochs", ge=1, le=100_000)
