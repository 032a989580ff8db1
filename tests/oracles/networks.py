"""Networks that attacks are compared on, trained in seconds from a seed alone: standard ones and adversarially trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.data import Dataset, balanced_order, drain, load
from engine.models import build
from engine.seeds import generator
from engine.specs import CnnSpec, DigitsSpec, IdxSpec, MlpSpec, ModelSpec, TrainingSpec
from engine.training import fit

SEED = 0
SAMPLES = 200
STANDARD = {"Linf": 0.08, "L2": 0.5, "L1": 1.2}
ROBUST = {"Linf": 0.15, "L2": 0.7, "L1": 1.5}
FEW = {
    2: {"Linf": 0.3, "L2": 1.2, "L1": 2.8},
    3: {"Linf": 0.25, "L2": 0.9, "L1": 2.0},
    4: {"Linf": 0.22, "L2": 0.8, "L1": 1.4},
}
MLP = MlpSpec(depth=2, width=64)
CNN = CnnSpec(depth=2, channels=8, width=64)


@dataclass(frozen=True, eq=False)
class Victim:
    """A trained network in eval mode and the test samples it is attacked at: x ``[n, C, H, W]`` in [0, 1], y int64 ``[n]``."""

    model: nn.Module
    x: Tensor
    y: Tensor
    n_classes: int
    eps: dict[str, float]
    """By norm the radius of a ball in which some samples withstand attack and some do not."""

    def first(self, n: int) -> Victim:
        """The same network at fewer samples, for slow peers."""
        return self.only(torch.arange(n))

    def correct(self) -> Victim:
        """The same network at the samples that it tells right."""
        return self.only(self.predict(self.x) == self.y)

    def only(self, rows: Tensor) -> Victim:
        """The same network at some of its samples."""
        return replace(self, x=self.x[rows], y=self.y[rows])

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """int64 ``[n]``"""
        return self.model(x).argmax(1)

    def accuracy(self, x: Tensor) -> float:
        """Share of the samples, moved to ``x``, that the network still tells right."""
        return (self.predict(x) == self.y).double().mean().item()


@cache
def standard_mlp() -> Victim:
    """An MLP trained the usual way."""
    return trained(MLP, _digits(), STANDARD)


@cache
def standard_cnn() -> Victim:
    """A small CNN trained the usual way."""
    return trained(CNN, _digits(), STANDARD)


@cache
def robust_mlp() -> Victim:
    """An MLP trained on the points that a PGD attack of L-inf radius 0.1 finds."""
    return hardened(MLP, _digits(), 0.1, ROBUST)


@cache
def robust_cnn() -> Victim:
    """A small CNN trained in the same way."""
    return hardened(CNN, _digits(), 0.1, ROBUST)


@cache
def colour_cnn() -> Victim:
    """A small CNN on digits in three channels: peers that take only colour images are compared here."""
    plain = _digits()
    x_train, x_test = (torch.cat([x, 1 - x, x.flip(3)], 1) for x in (plain.x_train, plain.x_test))
    return trained(CNN, replace(plain, x_train=x_train, x_test=x_test), {"Linf": 0.08, "L2": 0.7, "L1": 2.5})


@cache
def few_classes(k: int) -> Victim:
    """An MLP that tells the digits below k apart, trained on points that PGD finds, so that some samples withstand."""
    plain = _digits()
    train, test = plain.y_train < k, plain.y_test < k
    chosen = replace(
        plain,
        x_train=plain.x_train[train],
        y_train=plain.y_train[train],
        x_test=plain.x_test[test],
        y_test=plain.y_test[test],
        classes=plain.classes[:k],
    )
    return hardened(MLP, chosen, 0.2, FEW[k])


@cache
def mnist_cnn(folder: Path) -> Victim:
    """A small CNN after two passes over part of MNIST."""
    return trained(CNN, _mnist(folder), {"Linf": 0.12, "L2": 1.6, "L1": 12.0}, epochs=2)


@cache
def _mnist(folder: Path) -> Dataset:
    return drain(load(IdxSpec(folder=str(folder), train_limit=6000, test_limit=1000), SEED))


@cache
def _digits() -> Dataset:
    return drain(load(DigitsSpec(), SEED))


def trained(spec: ModelSpec, dataset: Dataset, eps: dict[str, float], epochs: int = 15) -> Victim:
    """A network trained the usual way, at test samples of the data; ``eps`` are the radii it is to be attacked with."""
    with _one_thread():
        model = build(spec, dataset, SEED)
        for _ in fit(model, dataset, TrainingSpec(epochs=epochs), SEED):
            pass
    return _victim(model, dataset, eps)


def hardened(
    spec: ModelSpec, dataset: Dataset, radius: float, eps: dict[str, float], *, epochs: int = 25, steps: int = 5
) -> Victim:
    """Adversarial training in L-inf (Madry et al. 2018), written out here: it shares no code with the attacks under test."""
    with _one_thread():
        model = build(spec, dataset, SEED)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        draw = generator(SEED, "adversarial training")
        for _ in range(epochs):
            for chosen in torch.randperm(len(dataset.x_train), generator=draw).split(64):
                x, y = dataset.x_train[chosen], dataset.y_train[chosen]
                x_adv = (x + radius * (2 * torch.rand(x.shape, generator=draw) - 1)).clamp(0, 1)
                for _ in range(steps):
                    x_adv.requires_grad_()
                    (gradient,) = torch.autograd.grad(cross_entropy(model(x_adv), y), x_adv)
                    x_adv = (
                        (x_adv.detach() + 2.5 * radius / steps * gradient.sign())
                        .clamp(x - radius, x + radius)
                        .clamp(0, 1)
                    )
                optimizer.zero_grad()
                cross_entropy(model(x_adv), y).backward()
                optimizer.step()
        optimizer.zero_grad()
    return _victim(model, dataset, eps)


def _victim(model: nn.Module, dataset: Dataset, eps: dict[str, float]) -> Victim:
    chosen = balanced_order(dataset.y_test, SEED, "peers")[:SAMPLES]
    return Victim(model.eval(), dataset.x_test[chosen], dataset.y_test[chosen], dataset.n_classes, eps)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The same weights on every machine of one kind, however many cores it has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
