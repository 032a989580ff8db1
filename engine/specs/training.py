"""How a network is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.specs.base import Spec, param


class TrainingBase(Spec):
    """What every training has: mini-batches reshuffled every epoch, the optimizer, and how labels and inputs are softened."""

    optimizer: Literal["adam", "sgd"] = param(
        "adam", "Update rule", label="Optimizer", choices={"adam": "Adam", "sgd": "SGD with momentum"}
    )
    learning_rate: float = param(0.001, "Step size of the optimizer", label="Learning rate", gt=0, le=100)
    momentum: float = param(0.9, "Momentum of SGD; Adam does not use it", label="Momentum", ge=0, lt=1, advanced=True)
    weight_decay: float = param(0.0, "L2 penalty on the weights", label="Weight decay", ge=0, le=10, advanced=True)
    batch_size: int = param(64, "Samples in each step", label="Batch size", ge=1, le=65536)
    epochs: int = param(20, "Passes over the training samples", label="Epochs", ge=1, le=100_000)
    label_smoothing: float = param(
        0.0,
        "Share of each label that is spread evenly over all classes (Szegedy et al. 2016)",
        label="Label smoothing",
        ge=0,
        lt=1,
        advanced=True,
    )
    input_noise: float = param(
        0.0,
        "Deviation of Gaussian noise added to the inputs of each step, cut to the data's range; 0 adds none",
        label="Input noise",
        unit="input units",
        ge=0,
        le=100,
        advanced=True,
    )
    label_noise: float = param(
        0.0,
        "Share of training samples whose label is another class, drawn once (Zhang et al. 2017)",
        label="Label noise",
        ge=0,
        le=1,
        advanced=True,
    )


class TrainingSpec(TrainingBase):
    """Cross-entropy training on clean samples."""

    method: Literal["standard"] = "standard"


class AdversarialTraining(TrainingBase):
    """What every adversarial training has: the perturbations that it trains against."""

    norm: Literal["Linf", "L2"] = param(
        "Linf", "How the size of a perturbation is measured", label="Norm", choices={"Linf": "L∞", "L2": "L2"}
    )
    eps: float = param(
        0.1, "Largest perturbation that is trained against", label="ε", unit="input units", ge=0, le=1000
    )


class PgdTrainingSpec(AdversarialTraining):
    """Adversarial training: the cross-entropy of samples perturbed by PGD (Madry et al. 2018)."""

    method: Literal["pgd-at"] = "pgd-at"
    steps: int = param(7, "Steps of PGD for each training step", label="PGD steps", ge=1, le=1000)
    reach: float = param(
        2.5,
        "Length of all steps of PGD together, as a multiple of eps",
        label="Reach",
        unit="eps",
        gt=0,
        le=100,
        advanced=True,
    )


class TradesTrainingSpec(AdversarialTraining):
    """TRADES: clean cross-entropy, and beta times the divergence of what is said of x_adv from what is said of x (Zhang et al. 2019)."""

    method: Literal["trades"] = "trades"
    beta: float = param(6.0, "Weight of the divergence; 0 is standard training", label="β", ge=0, le=1000)
    steps: int = param(7, "Steps of the inner attack for each training step", label="PGD steps", ge=1, le=1000)
    reach: float = param(
        2.5,
        "Length of all steps of the inner attack together, as a multiple of eps",
        label="Reach",
        unit="eps",
        gt=0,
        le=100,
        advanced=True,
    )


class FastTrainingSpec(AdversarialTraining):
    """Fast adversarial training: one step of FGSM from a random start (Wong, Rice & Kolter 2020)."""

    method: Literal["fast"] = "fast"
    alpha: float = param(
        1.25, "Length of the step, as a multiple of eps; Wong et al. take 1.25", label="Step", unit="eps", gt=0, le=100
    )
    overfitting: Literal["restore", "note"] = param(
        "restore",
        "What to do when the network learns to fool the single step only, so that robust accuracy falls to nothing: stop and restore the "
        "last robust network, or go on",
        label="Overfitting",
        choices={"restore": "stop and restore", "note": "go on, say so"},
    )


TrainingSpecs = Annotated[
    TrainingSpec | PgdTrainingSpec | TradesTrainingSpec | FastTrainingSpec, Field(discriminator="method")
]
