"""What the training loop of the lab costs beside a loop written by hand, with the same optimiser and the same batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import Result, paired, seconds
from benchmarks.networks import SEED, images, network, networks
from engine.data import Dataset
from engine.generators import drain
from engine.seeds import generator
from engine.specs import FastTrainingSpec, PgdTrainingSpec, TrainingSpec
from engine.training import evaluate, fit

ROUNDS = 31
STEPS = {"MLP": 40, "CNN": 15}  # in a portion: some tenth of a second
EVALUATED = {"MLP": 10_000, "CNN": 1_000}  # samples, for as long a portion
BATCH = 256  # of the evaluation
TRAINING = TrainingSpec(optimizer="adam", batch_size=64, epochs=1000)
HARDENING = {  # with the steps in a portion
    "PGD-AT": (PgdTrainingSpec(optimizer="adam", batch_size=64, epochs=1000, eps=0.1, steps=7), 6),
    "fast": (FastTrainingSpec(optimizer="adam", batch_size=64, epochs=1000, eps=0.1, overfitting="note"), 20),
}


def run() -> Iterator[Result]:
    """Yield the figures."""
    dataset = images(test=max(EVALUATED.values()))
    for name, spec in networks():
        ours, plain = network(spec, dataset), network(spec, dataset)
        ratio, spread = paired(
            _timed(fit(ours, dataset, TRAINING, SEED), STEPS[name]),
            _timed(_loop(plain, dataset, TRAINING), STEPS[name]),
            ROUNDS,
        )
        _check_same(ours, plain)
        yield Result(f"{name}: training step / loop by hand", ratio, 1.05, detail=spread)
        for method, (training, count) in HARDENING.items():
            ours, plain = network(spec, dataset), network(spec, dataset)
            ratio, spread = paired(
                _timed((step for step in fit(ours, dataset, training, SEED) if step is not None), count),
                _timed(_attacked_loop(plain, dataset, training), count),
                ROUNDS,
            )
            _check_same(ours, plain)
            yield Result(f"{name}: {method} training step / loop by hand", ratio, 1.05, detail=spread)
        x, y = dataset.x_test[: EVALUATED[name]], dataset.y_test[: EVALUATED[name]]
        ratio, spread = paired(_evaluation(ours, x, y), _forward(ours, x), ROUNDS)
        yield Result(f"{name}: evaluation / bare forward pass, no loss", ratio, detail=spread)


def _timed(steps: Iterator[object], count: int) -> Callable[[], float]:
    def portion() -> float:
        return seconds(lambda: [next(steps) for _ in range(count)])

    return portion


def _loop(model: nn.Module, dataset: Dataset, spec: TrainingSpec) -> Iterator[None]:
    """The least that trains: it tells nobody its loss, and stays in train mode."""
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.learning_rate, fused=True)
    order = generator(SEED, "training order")
    model.train()
    for _ in range(spec.epochs):
        for chosen in torch.randperm(len(dataset.x_train), generator=order).split(spec.batch_size):
            loss = cross_entropy(model(dataset.x_train[chosen]), dataset.y_train[chosen])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            yield


def _attacked_loop(model: nn.Module, dataset: Dataset, spec: PgdTrainingSpec | FastTrainingSpec) -> Iterator[None]:
    """The least that trains against PGD, or one step, in L-inf; it looks for no overfitting, and breathes never."""
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.learning_rate, fused=True)
    order, draws = generator(SEED, "training order"), generator(SEED, "training perturbations")
    eps = spec.eps
    steps, alpha = (
        (spec.steps, spec.reach * eps / spec.steps) if isinstance(spec, PgdTrainingSpec) else (1, spec.alpha * eps)
    )
    for _ in range(spec.epochs):
        for chosen in torch.randperm(len(dataset.x_train), generator=order).split(spec.batch_size):
            x, y = dataset.x_train[chosen], dataset.y_train[chosen]
            low, high = (x - eps).clamp(0, 1), (x + eps).clamp(0, 1)
            x_adv = (x + (2 * eps * torch.rand(x.shape, generator=draws) - eps)).clamp(low, high)
            for _ in range(steps):
                x_adv.requires_grad_()
                (gradient,) = torch.autograd.grad(cross_entropy(model(x_adv), y, reduction="sum"), x_adv)
                x_adv = (x_adv.detach() + alpha * gradient.sign()).clamp(low, high)
            loss = cross_entropy(model(x_adv), y)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            yield


def _evaluation(model: nn.Module, x: Tensor, y: Tensor) -> Callable[[], float]:
    return lambda: seconds(lambda: drain(evaluate(model, x, y, batch=BATCH)))


def _forward(model: nn.Module, x: Tensor) -> Callable[[], float]:
    @torch.no_grad()
    def work() -> None:
        for batch in x.split(BATCH):
            model(batch)

    return lambda: seconds(work)


def _check_same(ours: nn.Module, plain: nn.Module) -> None:
    """Both have done the same work if they have come to the same weights."""
    pairs = zip(ours.parameters(), plain.parameters(), strict=True)
    if not all(torch.equal(a, b) for a, b in pairs):
        raise RuntimeError("the two loops have come to different weights, so that they cannot be compared")
