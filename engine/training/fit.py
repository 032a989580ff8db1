"""Standard training: cross-entropy by mini-batches, reshuffled every epoch."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam, Optimizer

from engine.data import Dataset
from engine.errors import TrainingError
from engine.seeds import generator
from engine.specs import TrainingBase, TrainingSpecs


class StepResult(NamedTuple):
    """One optimiser step: ``step`` in 1 .. ``steps``, ``epoch`` from 1; loss (nats) and accuracy of its batch, before the update."""

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: float


def fit(model: nn.Module, dataset: Dataset, spec: TrainingSpecs, seed: int) -> Generator[StepResult, None, None]:
    """Train in place, one yield for each optimiser step. To stop early, close the generator.

    The order of the samples comes from ``seed`` alone: equal arguments give equal weights, bit for bit, whatever is
    done between the steps, as long as it leaves the weights alone. The last batch of an epoch holds what is left.
    The model is in train mode within a step only. Adam: Kingma & Ba 2015; momentum as torch.optim.SGD; the weight
    decay is the L2 penalty added to the gradient of every parameter.

    Raises TrainingError when the loss is not finite, before that step changes the weights.
    """
    x, y = dataset.x_train, dataset.y_train
    steps = spec.epochs * math.ceil(len(x) / spec.batch_size)
    optimizer = _optimizer(model, spec)
    rng = generator(seed, "training order")
    switches = _mode_switches(model)
    step = 0
    try:
        for epoch in range(1, spec.epochs + 1):
            for chosen in torch.split(torch.randperm(len(x), generator=rng), spec.batch_size):
                step += 1
                inputs, labels = x.index_select(0, chosen), y.index_select(0, chosen)
                for switch in switches:
                    switch["training"] = True
                try:
                    logits = model(inputs)
                    loss = cross_entropy(logits, labels)
                    value = loss.item()
                    if not math.isfinite(value):
                        raise _diverged(step, steps, value, spec)
                    optimizer.zero_grad()
                    torch.autograd.backward(loss)
                    optimizer.step()
                finally:
                    for switch in switches:
                        switch["training"] = False
                right = int(torch.count_nonzero(logits.argmax(1) == labels))
                yield StepResult(step, steps, epoch, value, right / len(labels))
    finally:
        optimizer.zero_grad()


def _mode_switches(model: nn.Module) -> list[dict[str, Any]]:
    """Where the modules that ``model.train()`` sets to train mode keep it; leaves the model in eval mode.

    Calling ``train()`` and ``eval()`` in each step would cost 7% of the step of a small network.
    """
    model.train()
    switches = [vars(module) for module in model.modules() if module.training]
    model.eval()
    return switches


def _optimizer(model: nn.Module, spec: TrainingBase) -> Optimizer:
    # fused: one kernel for all parameters instead of ten small operations for each
    if spec.optimizer == "adam":
        return Adam(model.parameters(), lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)
    return SGD(
        model.parameters(),
        lr=spec.learning_rate,
        momentum=spec.momentum,
        weight_decay=spec.weight_decay,
        fused=True,
    )


def _diverged(step: int, steps: int, loss: float, spec: TrainingBase) -> TrainingError:
    return TrainingError(
        f"Training stopped at step {step:,} of {steps:,}: the loss is {loss}. The steps have grown out of bounds. "
        f"Choose a learning rate below {spec.learning_rate:g} in the Train step"
        ", or a smaller scale of the initial weights or fewer layers in the Model step."
    )
