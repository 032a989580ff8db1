"""What can be done for the successes of any attack for the smallest norm: look for a nearer one on the way back."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.losses import margin
from engine.attacks.thresholds import keep_largest
from engine.specs import Norm

CLOSEST = 0.05  # a look is at least this share of the bracket away from its ends, so that each tells something


def refined(batch: Batch, looks: int) -> Steps:
    """Look between each sample and its nearest success so far; the board keeps what is nearer."""
    rows = torch.nonzero(batch.board.success[batch.places])[:, 0]
    if looks == 0 or len(rows) == 0:
        return
    assert batch.board.logits is not None
    places = batch.places[rows]
    way = _Way(batch, rows, batch.board.x_adv[places], batch.board.logits[places])
    for _ in range(looks):
        x_adv, logits, _ = way.look()
        yield batch.at(x_adv, logits, step=1, steps=1, rows=rows)


def pulled_back(batch: Batch, x_adv: Tensor, logits: Tensor, rows: Tensor, looks: int) -> tuple[Tensor, Tensor]:
    """``x_adv`` and ``logits``, but with the nearest successes found between the samples ``rows`` and their points there,
    all of which are successes."""
    if looks == 0 or len(rows) == 0:
        return x_adv, logits
    near, told = x_adv[rows], logits[rows]
    way = _Way(batch, rows, near, told)
    for _ in range(looks):
        nearer, answer, success = way.look()
        near, told = torch.where(column(success, near), nearer, near), torch.where(success[:, None], answer, told)
    return x_adv.index_copy(0, rows, near), logits.index_copy(0, rows, told)


class _Way:
    """The ways from samples to successes, on which the boundary is closed in on by the secant of the gain.

    In L0 the way leads through perturbations of fewer and fewer values: the largest changes stay.
    """

    def __init__(self, batch: Batch, rows: Tensor, far: Tensor, logits: Tensor) -> None:
        self._batch, self._rows, self._x, self._far = batch, rows, batch.x[rows], far
        self._count = (far != self._x).flatten(1).sum(1)
        self._at_low, self._at_high = self._gain(batch.logits(self._x, rows)), self._gain(logits)
        self._low, self._high = torch.zeros_like(self._at_low), torch.ones_like(self._at_low)

    def look(self) -> tuple[Tensor, Tensor, Tensor]:
        """The points in between ``[n, ...]``, what the model says there ``[n, K]``, and which are successes."""
        share = (self._at_low / (self._at_low - self._at_high)).nan_to_num(0.5, 0.5, 0.5)
        middle = torch.lerp(self._low, self._high, share.clamp(CLOSEST, 1 - CLOSEST))
        x_adv = self._between(middle, self._batch.question.norm)
        logits = self._batch.logits(x_adv, self._rows)
        success, gain = self._batch.succeeded(logits, self._rows), self._gain(logits)
        self._low, self._high = torch.where(success, self._low, middle), torch.where(success, middle, self._high)
        self._at_low = torch.where(success, self._at_low, gain)
        self._at_high = torch.where(success, gain, self._at_high)
        return x_adv, logits, success

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
