"""Catastrophic overfitting of fast training: the network learns to fool the single step, and falls to any attack of several.

Sources: E. Wong, L. Rice, J. Z. Kolter (2020), "Fast is better than free: revisiting adversarial training", who watch the
accuracy to PGD on training samples and stop; M. Andriushchenko, N. Flammarion (2020), "Understanding and improving fast
adversarial training".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from engine.data import Dataset
from engine.seeds import generator
from engine.specs import FastTrainingSpec
from engine.training.withstanding import withstanding

CHECKED = 100  # training samples, the same each time
PGD_STEPS = 5
PGD_STEP = 0.5  # length of each, as a multiple of eps
EVERY = 200  # steps between checks within a long epoch; the end of an epoch is checked always

LEAST = 0.2  # robust accuracy that a network must have reached: one that never was robust does not collapse
FALLEN = 0.5  # of the best robust accuracy so far: below it the network has collapsed,
GAP = 0.2  # if it still withstands the single step by so much more
ROBUST = 0.8  # of the best: from here on a network is worth going back to


class Check(NamedTuple):
    """Shares of the checked training samples that withstand the training's own step, and PGD."""

    single_step: float
    pgd: float
    collapsed: bool
    """Robust accuracy has fallen below half the best before, and the single step no longer sees it."""
    restored: int | None
    """The step whose weights were put back, after which the training ends; None where it goes on."""


class Watch:
    """Looks at a network in training now and then, and keeps the last one that was robust."""

    def __init__(self, model: nn.Module, dataset: Dataset, spec: FastTrainingSpec, seed: int, per_epoch: int) -> None:
        chosen = torch.randperm(len(dataset.x_train), generator=generator(seed, "overfitting"))[:CHECKED]
        self._x, self._y = dataset.x_train[chosen], dataset.y_train[chosen]
        self._model, self._bounds, self._spec, self._seed = model, dataset.bounds, spec, seed
        self._per_epoch, self._pieces = per_epoch, max(1, per_epoch // EVERY)
        self._best = 0.0
        self._kept: tuple[int, dict[str, Tensor]] | None = None

    def due(self, step: int) -> bool:
        """Whether to check after this step (from 1)."""
        done = (step - 1) % self._per_epoch
        return (done + 1) * self._pieces // self._per_epoch > done * self._pieces // self._per_epoch

    def check(self, step: int) -> Generator[None, None, Check]:
        """Check now; where the training asks for it, a collapsed network is put back to where it was robust last."""
        spec = self._spec
        single = yield from self._withstanding(spec.alpha, 1)
        pgd = yield from self._withstanding(PGD_STEP, PGD_STEPS)
        collapsed = self._best >= LEAST and pgd < FALLEN * self._best and single >= pgd + GAP
        self._best = max(self._best, pgd)
        if not collapsed and pgd > 0 and pgd >= ROBUST * self._best and spec.overfitting == "restore":
            self._kept = step, {name: value.clone() for name, value in self._model.state_dict().items()}
        restored = None
        if collapsed and self._kept is not None:
            restored = self._kept[0]
            self._model.load_state_dict(self._kept[1])
        return Check(single, pgd, collapsed, restored)

    def _withstanding(self, share: float, steps: int) -> Generator[None, None, float]:
        spec = self._spec
        right = yield from withstanding(
            self._model,
            self._x,
            self._y,
            norm=spec.norm,
            eps=spec.eps,
            bounds=self._bounds,
            alpha=share * spec.eps,
            steps=steps,
            seed=self._seed,
        )
        return float(right.double().mean())
