"""An attack's question, checked: this model, these samples, this ball around them, towards or away from these labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.attacks.forward import Score, all_finite, score, score_and_gradient
from engine.attacks.projections import Ball, Bounds, ball
from engine.errors import AttackError
from engine.seeds import generator
from engine.specs import BaseAttackSpec

BATCH = 128
"""Samples that go through the model at a time: at most a few hundredths of a second on the built-in models."""


@dataclass(frozen=True, eq=False)
class Part:
    """A batch of the samples; all that happens to it is independent of the other batches."""

    model: nn.Module
    x: Tensor
    labels: Tensor
    """The target class, or the true one when untargeted: the loss is the cross-entropy to these."""
    targeted: bool
    ball: Ball
    rows: slice
    """Which of all samples these are."""
    seed: int

    def random_start(self, restart: int) -> Tensor:
        """A random point of each sample's ball; it depends on the seed, the restart and the sample's place alone."""
        places = range(self.rows.start, self.rows.start + len(self.x))
        return self.ball.draw([generator(self.seed, "attack", f"restart {restart}", f"sample {i}") for i in places])

    def score(self, x_adv: Tensor) -> Score:
        """Loss, prediction and confidence at a point."""
        return score(self.model, x_adv, self.labels)

    def step(self, x_adv: Tensor, alpha: float) -> tuple[Score, Tensor]:
        """The score at a point, and the next one: alpha along the steepest direction, then back into ball and box."""
        scored, gradient = score_and_gradient(self.model, x_adv, self.labels)
        direction = self.ball.ascent(gradient)
        return scored, self.ball.project(torch.add(x_adv, direction, alpha=-alpha if self.targeted else alpha))


@dataclass(frozen=True, eq=False)
class Problem:
    """All samples of one attack, in batches."""

    parts: tuple[Part, ...]
    x: Tensor
    labels: Tensor
    targeted: bool

    def succeeded(self, prediction: Tensor) -> Tensor:
        """Boolean ``[N]``: the prediction is the target, or is not the true class when untargeted."""
        return prediction == self.labels if self.targeted else prediction != self.labels

    def gain(self, loss: Tensor) -> Tensor:
        """What an attack wants more of: the loss, or less of it when targeted."""
        return -loss if self.targeted else loss


def pose(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    spec: BaseAttackSpec,
    *,
    seed: int,
    bounds: Bounds,
    target: Tensor | None,
    batch: int,
) -> Problem:
    """Check an attack's inputs and cut them into batches; raises AttackError for what does not fit together."""
    _check_samples(x, y, bounds)
    if not (math.isfinite(spec.eps) and spec.eps >= 0):
        raise AttackError(f"eps is {spec.eps}, but the radius of a ball is a number from 0 upwards.")
    if batch < 1:
        raise AttackError(f"The attack's batch is {batch} samples; it needs at least 1.")
    labels = _labels(y, target, spec.goal != "untargeted")
    x = x.detach().clone()  # the caller may go on using theirs
    starts = range(0, len(x), batch)
    slices = [slice(start, start + batch) for start in starts]
    parts = tuple(
        Part(model, x[rows], labels[rows], target is not None, ball(spec.norm, x[rows], spec.eps, bounds), rows, seed)
        for rows in slices
    )
    return Problem(parts, x, labels, target is not None)


def _check_samples(x: Tensor, y: Tensor, bounds: Bounds) -> None:
    if len(x) == 0:
        raise AttackError("There are no samples to attack: choose at least one.")
    if x.ndim < 2 or not x.is_floating_point():
        raise AttackError(
            f"An attack needs floating-point inputs [N, C, H, W] or [N, D], but these are {x.dtype} of shape {tuple(x.shape)}."
        )
    if y.shape != x.shape[:1] or y.dtype != torch.int64:
        raise AttackError(
            f"{len(x)} samples need {len(x)} whole-number labels (int64), but these are {y.dtype} of shape {tuple(y.shape)}."
        )
    if not all_finite(x):
        broken = int((~x.isfinite()).flatten(1).any(1).sum())
        raise AttackError(f"{broken} of {len(x)} samples hold values that are not finite: remove them from the data.")
    if bounds is not None:
        low, high = bounds
        least, most = float(x.min()), float(x.max())
        if least < low or most > high:
            outside = int(((x < low) | (x > high)).flatten(1).any(1).sum())
            raise AttackError(
                f"{outside} of {len(x)} samples have values outside [{low:g}, {high:g}], the range of valid inputs "
                f"(found {least:g} to {most:g}): scale the data into it."
            )


def _labels(y: Tensor, target: Tensor | None, targeted: bool) -> Tensor:
    """The labels that the loss is about: the targets if there are any."""
    if target is None:
        if targeted:
            raise AttackError("The attack's goal is targeted, but no target classes are given: choose targets first.")
        return y.detach().clone()
    if not targeted:
        raise AttackError("The attack's goal is untargeted, but target classes are given: choose a targeted goal.")
    if target.shape != y.shape or target.dtype != torch.int64:
        raise AttackError(
            f"{len(y)} samples need {len(y)} target classes (int64), but these are {target.dtype} of shape {tuple(target.shape)}."
        )
    same = int((target == y).sum())
    if same:
        raise AttackError(
            f"For {same} of {len(y)} samples the target is the true class, so there is nothing to reach: choose another target."
        )
    return target.detach().clone()
