"""What can be done for the successes of any attack for the smallest norm: look for a nearer one on the way back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.losses import margin
from engine.attacks.tools.thresholds import keep_largest
from engine.specs import Norm

CLOSEST = 0.05  # a look is at least this share of the bracket away from its ends, so that each tells something


def refined(
    batch: Batch,
    looks: int,
    *,
    among: Tensor | None = None,
    step: int = 1,
    steps: int = 1,
    size: Callable[[Tensor], Tensor] | None = None,
) -> Steps:
    """Look between each sample and its nearest success so far; the board keeps what is nearer.

    ``among`` bool ``[n]``: these samples alone. ``step`` of ``steps``: how much of the attack is done. ``size``: what the
    attack makes small, of perturbations ``[m, ...]``, if it is not the norm.
    """
    if looks == 0:
        return
    broken = batch.board.success[batch.places]
    rows = torch.nonzero(broken if among is None else broken & among)[:, 0]
    if len(rows) == 0:
        return
    assert batch.board.logits is not None
    places = batch.places[rows]
    way = _Way(batch, rows, batch.board.x_adv[places], batch.board.logits[places])
    yield None
    for _ in range(looks):
        x_adv, logits = way.middle()
        measured = None if size is None else size(x_adv - batch.x[rows])
        point = batch.at(x_adv, logits, step=step, steps=steps, rows=rows, size=measured)
        way.narrow(point.success, logits)
        yield point


class _Way:
    """The ways from samples to successes, on which the boundary is closed in on by the secant of the gain.

    In L0 the way leads through perturbations of fewer and fewer values: the largest changes stay.
    """

    def __init__(self, batch: Batch, rows: Tensor, far: Tensor, logits: Tensor) -> None:
        self._batch, self._rows, self._x, self._far = batch, rows, batch.x[rows], far
        self._count = (far != self._x).flatten(1).sum(1)
        self._at_low, self._at_high = self._gain(batch.logits(self._x, rows)), self._gain(logits)
        self._low, self._high = torch.zeros_like(self._at_low), torch.ones_like(self._at_low)
        self._middle = self._high

    def middle(self) -> tuple[Tensor, Tensor]:
        """Points in between ``[n, ...]``, and what the model says there ``[n, K]``."""
        share = (self._at_low / (self._at_low - self._at_high)).nan_to_num(0.5, 0.5, 0.5)
        self._middle = torch.lerp(self._low, self._high, share.clamp(CLOSEST, 1 - CLOSEST))
        x_adv = self._between(self._middle, self._batch.question.norm)
        return x_adv, self._batch.logits(x_adv, self._rows)

    def narrow(self, success: Tensor, logits: Tensor) -> None:
        """Which of the points in between are successes."""
        gain = self._gain(logits)
        self._low = torch.where(success, self._low, self._middle)
        self._high = torch.where(success, self._middle, self._high)
        self._at_low = torch.where(success, self._at_low, gain)
        self._at_high = torch.where(success, gain, self._at_high)

    def _between(self, share: Tensor, norm: Norm) -> Tensor:
        """Points at a share of the way; they lie in every box that both its ends lie in."""
        if norm == "L0":
            kept = keep_largest(self._far - self._x, (self._count * share).long())
            return torch.where(kept != 0, self._far, self._x)
        x_adv = torch.lerp(self._x, self._far, column(share, self._x))
        return x_adv if self._batch.box is None else self._batch.box.clamp(x_adv)

    def _gain(self, logits: Tensor) -> Tensor:
        target = self._batch.target
        gain = margin(logits, self._batch.y[self._rows], None if target is None else target[self._rows])
        return gain - self._batch.question.least_margin
