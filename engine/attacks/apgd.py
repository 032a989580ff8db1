"""Auto-PGD. Source: F. Croce, M. Hein (2020), "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks". In L1 it is another attack: :mod:`engine.attacks.apgd_l1`.

Beyond the paper a sample rests at its first success (``spec.stop``), so that only survivors cost anything, and the
gradient at the last point, which nobody uses, is not taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.apgd_l1 import ascend_l1
from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.climb import Climb, loss_of
from engine.attacks.tools.expectation import mean_gradient, mean_logits
from engine.attacks.tools.projections import Ball
from engine.specs import ApgdSpec

INERTIA = 0.25  # how much of the step before it is repeated in each step


def apgd(batch: Batch, spec: ApgdSpec) -> Steps:
    """Restarts of one ascent, each from a random start; with the targeted DLR loss for each target class in turn.

    The last point of a restart is its best one: a success, or the point of the largest loss.
    """
    ascend = ascend_l1 if spec.norm == "L1" else ascend_in_ball
    if spec.loss != "targeted-dlr" or batch.targeted:
        for restart in batch.restarting(spec.restarts):
            yield from ascend(batch, spec, restart, None)
        return
    home = batch.places
    order = likeliest_others(batch.clean, batch.y)[:, : spec.n_target_classes]
    targets = order.shape[1]
    for restart in batch.restarting(targets * spec.restarts):
        here = (batch.places[:, None] == home).nonzero()[:, 1]
        yield from ascend(batch, spec, restart, order[here, restart % targets])


def ascend_in_ball(batch: Batch, spec: ApgdSpec, restart: int, aim: Tensor | None) -> Steps:
    """One restart in L-inf or L2; ``aim`` int64 ``[n]`` holds the classes of the targeted DLR loss."""
    climb = SmoothClimb(batch.ball.draw(batch.draws, restart), 2 * spec.eps, aim)
    checkpoints = checkpoints_of(spec.steps)
    last = 0
    for step in range(spec.steps):
        answer = yield from mean_gradient(batch, climb.x, loss_of(spec.loss, climb.aim), spec.eot)
        point = batch.at(climb.x, answer[0], step=step, steps=spec.steps)
        climb.see(*answer)
        yield point
        climb.live(batch)
        if step in checkpoints:
            climb.halve(spec.rho * (step - last))
            last = step
        climb.move(batch.ball)
    logits = yield from mean_logits(batch, climb.x, spec.eot)
    gain = loss_of(spec.loss, climb.aim)(logits, batch.y, batch.target)
    yield batch.at(*climb.end(batch, logits, gain), step=spec.steps, steps=spec.steps)


class SmoothClimb(Climb):
    """Steps along the gradient with inertia, halved where the loss no longer rises."""

    def __init__(self, x: Tensor, size: float, aim: Tensor | None) -> None:
        super().__init__(x, size, aim)
        self.moves = 0
        self.rises = x.new_zeros(len(x))
        """In how many steps since the last checkpoint the loss rose."""
        self.halved = torch.ones(len(x), dtype=torch.bool, device=x.device)
        """Whether the step was halved at the last checkpoint; the start counts as such."""
        self.reference = self.best_gain
        """The largest loss at the last checkpoint."""

    def see(self, logits: Tensor, gain: Tensor, gradient: Tensor) -> None:
        self.rises = self.rises + (gain > self.gain)  # not at the start, where the gain before it is infinite
        super().see(logits, gain, gradient)

    def halve(self, enough: float) -> None:
        """At a checkpoint: halve the step and go back where the loss rose in at most ``enough`` of the steps since the
        last one, or where a step that was not halved then has found nothing better."""
        which = (self.rises <= enough) | (~self.halved & (self.best_gain <= self.reference))
        self.size = torch.where(which, self.size / 2, self.size)
        self.go_back(which)
        self.rises, self.halved, self.reference = torch.zeros_like(self.rises), which, self.best_gain

    def move(self, ball: Ball) -> None:
        """One step within the ball."""
        step = ball.ascent(self.gradient).mul_(column(self.size, self.x))
        x = ball.project(step.add_(self.x))
        if self.moves > 0:
            x = ball.project(torch.lerp(self.x, x, 1 - INERTIA).add_(self.x - self.before, alpha=INERTIA))
        self.x, self.before, self.moves = x, self.x, self.moves + 1


def checkpoints_of(steps: int) -> frozenset[int]:
    """The steps at which step sizes are looked at: of 100 these are 22, 41, 57, 70, 80, 87, 93 and 99.

    The first window is 22 % of all steps, each further one 3 % shorter, but at least 6 %; all are rounded down to whole
    steps, of which a window has one at least.
    """
    window, shorter, least = (max(percent * steps // 100, 1) for percent in (22, 3, 6))
    found = [window]
    while found[-1] < steps:
        window = max(window - shorter, least)
        found.append(found[-1] + window)
    return frozenset(found[:-1])


def likeliest_others(logits: Tensor, y: Tensor) -> Tensor:
    """int64 ``[n, K - 1]``: all classes but ``y``, the one of the largest logit first."""
    return logits.scatter(1, y[:, None], -torch.inf).argsort(dim=1, descending=True, stable=True)[:, :-1]
