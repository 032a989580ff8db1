"""L1-APGD. Source: F. Croce, M. Hein (2021), "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers".

Steps change the values of the largest gradients alone. How many, and how long a step is, follows from how many values
the best point so far has changed. The search may begin in larger balls, whose best points are projected onto the next.

Beyond the paper, where nothing better was found since the last checkpoint the next steps change fewer values still, down
to one, and then begin anew: equal steps of the same values end where they began once they are projected. And the best
point in a larger ball is projected onto the small one every few steps and tried there: that shows how the attack is
doing, and those that succeed need not go further.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.climb import Climb, loss_of
from engine.attacks.tools.expectation import mean_gradient, mean_logits
from engine.attacks.tools.projections import L1Ball
from engine.specs import ApgdSpec

FIRST_SHARE = 0.2  # of the values are changed by the first steps
SHRINK = 1.5  # by this are divided steps, and the number of values that they change
SHORTEST = 0.1  # of the radius: no step is shorter
FEWER = 0.95  # a best point that changes less than this share of the values it changed before has become sparser
LEAST = 1e-6  # of the radius: a value that differs by less has only been rounded
LOOK_EVERY = 5  # steps in a larger ball


def ascend_l1(batch: Batch, spec: ApgdSpec, restart: int, aim: Tensor | None) -> Steps:
    """One restart; ``aim`` int64 ``[n]`` holds the classes of the targeted DLR loss."""
    width = spec.eps if batch.box is None else batch.box.width
    x = batch.x + width * batch.draws.normal("start", restart, batch.x.shape[1:]).to(batch.x.dtype)
    for factor, begin, end in phases_of(spec.steps, larger_balls=spec.larger_balls):
        x = L1Ball(batch.x, factor * spec.eps, batch.box).project(x)
        climb = SparseClimb(x, factor * spec.eps, aim, origin=batch.x if spec.larger_balls else None)
        yield from ascend_phase(batch, spec, climb, factor=factor, begin=begin, end=end)
        if len(batch) == 0:
            return
        x, aim = climb.best, climb.aim


def ascend_phase(batch: Batch, spec: ApgdSpec, climb: SparseClimb, *, factor: int, begin: int, end: int) -> Steps:
    """Steps ``begin`` to ``end`` in a ball of ``factor`` times the radius; afterwards ``climb.best`` is the best point."""
    window = max(4 * spec.steps // 100, 1)
    for step in range(begin, end):
        answer = yield from mean_gradient(batch, climb.x, loss_of(spec.loss, climb.aim), spec.eot)
        point = batch.at(climb.x, answer[0], step=step, steps=spec.steps) if factor == 1 else None
        climb.see(*answer)
        if factor == 1:
            yield point
        elif (step - begin) % LOOK_EVERY == 0:
            near = batch.ball.project(climb.best)
            logits = yield from mean_logits(batch, near, spec.eot)
            yield batch.at(near, logits, step=step, steps=spec.steps)
        else:
            yield None
        climb.live(batch)
        if len(batch) == 0:
            return
        radius = factor * spec.eps
        if step > begin and (step - begin) % window == 0:
            climb.adapt(batch.x, radius)
        climb.move(L1Ball(batch.x, radius, batch.box))
    logits = yield from mean_logits(batch, climb.x, spec.eot)
    gain = loss_of(spec.loss, climb.aim)(logits, batch.y, batch.target)
    ended = climb.end(batch, logits, gain)
    yield batch.at(*ended, step=end, steps=spec.steps) if factor == 1 else None


class SparseClimb(Climb):
    """Steps that change few values: fewer and longer ones again as soon as the best point has become sparser."""

    def __init__(self, x: Tensor, size: float, aim: Tensor | None, *, origin: Tensor | None) -> None:
        """``origin``: the samples, when the first steps are to change as few values as ``x`` lets them."""
        super().__init__(x, size, aim)
        self.reference = self.best_gain
        """The largest loss at the last checkpoint."""
        if origin is None:
            self.changed = self.size.new_full((len(x),), x[0].numel())
            self.count = (FIRST_SHARE * self.changed).ceil()
        else:
            self.changed = self._changed(origin, size)
            """How many values the best point changes."""
            self.count = (self.changed / SHRINK).floor()
            """How many the next step changes; one at least."""

    def adapt(self, origin: Tensor, radius: float) -> None:
        """At a checkpoint: where the best point has become sparser, go on from it with long steps, else shorten them."""
        before, self.changed = self.changed, self._changed(origin, radius)
        sparser = self.changed < FEWER * before
        stuck = (self.best_gain <= self.reference) & (self.count > 1)
        self.count = (torch.where(stuck, self.count, self.changed) / SHRINK).floor()
        self.size = torch.where(sparser, radius, (self.size / SHRINK).clamp_min(SHORTEST * radius))
        self.reference = self.best_gain
        self.go_back(sparser)

    def move(self, ball: L1Ball) -> None:
        """One step within the ball."""
        sparsity = 1 - self.count.double() / self.x[0].numel()
        step = ball.ascent(self.gradient, self.x, sparsity=sparsity)
        self.x = ball.project(step.mul_(column(self.size, self.x)).add_(self.x))

    def _changed(self, origin: Tensor, radius: float) -> Tensor:
        return ((self.best - origin).abs() > LEAST * radius).flatten(1).sum(1).to(self.size)


def phases_of(steps: int, *, larger_balls: bool) -> list[tuple[int, int, int]]:
    """(factor on the radius, first step, last step) of each phase that has any steps."""
    first, second = (3 * steps // 10, 6 * steps // 10) if larger_balls else (0, 0)
    phases = [(3, 0, first), (2, first, second), (1, second, steps)]
    return [(factor, begin, end) for factor, begin, end in phases if end > begin]
