"""Training by mini-batches, reshuffled every epoch, by whatever method the settings name."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer

from engine.data import Dataset
from engine.errors import TrainingError
from engine.seeds import generator
from engine.specs import FastTrainingSpec, PgdTrainingSpec, TradesTrainingSpec, TrainingBase, TrainingSpecs
from engine.training.fast import FastTraining
from engine.training.noise import noisy_inputs, noisy_labels
from engine.training.objective import Objective, Standard
from engine.training.overfitting import Check, Watch
from engine.training.pgd_at import PgdTraining
from engine.training.trades import TradesTraining


class StepResult(NamedTuple):
    """One optimiser step: ``step`` in 1 .. ``steps``, ``epoch`` from 1; loss (nats) and accuracy of its batch, before the update.

    The accuracy of PGD and fast training is that on the perturbed batch, of TRADES that on the clean one.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: float
    check: Check | None = None
    """Of fast training, now and then: whether it has overfitted catastrophically."""


def fit(model: nn.Module, dataset: Dataset, spec: TrainingSpecs, seed: int) -> Generator[StepResult | None, None, None]:
    """Train in place, one result for each optimiser step, None for a breath within one. To stop early, close the generator.

    The order of the samples comes from ``seed`` alone: equal arguments give equal weights, bit for bit, whatever is
    done between the steps, as long as it leaves the weights alone; and trainings of different methods see the same
    batches. The last batch of an epoch holds what is left. The model is in train mode within a step only, and not while
    an inner attack looks for perturbations. Adam: Kingma & Ba 2015; momentum as torch.optim.SGD; the weight decay is the
    L2 penalty added to the gradient of every parameter. Fast training that has overfitted ends early where the settings
    say so: its last result names the step whose weights the model has then.

    Raises TrainingError when the loss is not finite, before that step changes the weights.
    """
    x, bounds = dataset.x_train, dataset.bounds
    y = noisy_labels(dataset.y_train, spec.label_noise, dataset.n_classes, seed)
    per_epoch = math.ceil(len(x) / spec.batch_size)
    steps = spec.epochs * per_epoch
    optimizer = _optimizer(model, spec)
    rng, noise = generator(seed, "training order"), generator(seed, "input noise")
    objective = _objective(spec, dataset, seed)
    watch = None
    if isinstance(spec, FastTrainingSpec) and spec.eps > 0:
        watch = Watch(model, dataset, spec, seed, per_epoch)
    switches = _mode_switches(model)
    step = 0
    try:
        for epoch in range(1, spec.epochs + 1):
            for chosen in torch.split(torch.randperm(len(x), generator=rng), spec.batch_size):
                step += 1
                inputs, labels = x.index_select(0, chosen), y.index_select(0, chosen)
                if spec.input_noise:
                    inputs = noisy_inputs(inputs, spec.input_noise, bounds, noise)
                x_adv = yield from objective.perturb(model, inputs, labels)
                for switch in switches:
                    switch["training"] = True
                try:
                    loss, logits = objective.loss(model, inputs, x_adv, labels)
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
                check = (yield from watch.check(step)) if watch is not None and watch.due(step) else None
                yield StepResult(step, steps, epoch, value, right / len(labels), check)
                if check is not None and check.restored is not None:
                    return
    finally:
        optimizer.zero_grad()


def _objective(spec: TrainingSpecs, dataset: Dataset, seed: int) -> Objective:
    draws = generator(seed, "training perturbations")
    match spec:
        case PgdTrainingSpec():
            return PgdTraining(spec, dataset.bounds, draws)
        case TradesTrainingSpec():
            return TradesTraining(spec, dataset.bounds, draws)
        case FastTrainingSpec():
            return FastTraining(spec, dataset.bounds, draws)
        case _:
            return Standard(spec.label_smoothing)


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
