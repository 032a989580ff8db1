"""All samples at one step of an attack, joined only where somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from engine.attacks.core.batch import Point
from engine.attacks.core.board import Board
from engine.attacks.tools.losses import margin_of


@dataclass(frozen=True, slots=True)
class Working:
    """Part of a step is done: a moment at which to look whether anyone has cancelled."""

    step: int
    steps: int
    restart: int
    fraction: float


class Iterate:
    """All N samples at one step; tensors of first dimension N, never changed once read.

    Samples that are done rest at their best point. What is not read before the attack goes on is lost
    (RuntimeError), unless :meth:`keep` was called: nothing is copied for nobody.
    """

    def __init__(self, board: Board, points: Sequence[Point]) -> None:
        latest = points[-1] if points else None  # None: no sample needs an attack
        self.step: int = latest.step if latest else 0
        """0 is the starting point of a restart."""
        self.steps: int = latest.steps if latest else 0
        """The step at which the restart ends, as far as is known."""
        self.restart: int = latest.restart if latest else 0
        self.stage: str = latest.stage if latest else ""
        """The member of an ensemble that is at work; '' outside one."""
        self.fraction: float = min((point.fraction for point in points), default=1.0)
        """How much of the attack is done, in [0, 1]."""
        self._board, self._points, self._stale = board, tuple(points), False

    @cached_property
    def x_adv(self) -> Tensor:
        """``[N, ...]``; of an attack with a budget inside the ball, of every attack inside the box."""
        return self._joined(self._board.x_adv, "x")

    @cached_property
    def logits(self) -> Tensor:
        """``[N, K]``"""
        self._still()
        assert self._board.logits is not None
        return self._joined(self._board.logits, "logits")

    @cached_property
    def success(self) -> Tensor:
        """bool: the prediction is the target, or is not the true class when untargeted."""
        return self._joined(self._board.success, "success")

    @cached_property
    def active(self) -> Tensor:
        """bool: the attack goes on to move this sample in this restart."""
        self._still()
        active = torch.zeros(len(self._board.x), dtype=torch.bool, device=self._board.x.device)
        for point in self._points:
            resting = point.success if self._board.stops else torch.zeros_like(point.success)
            active[point.places] = ~resting & (point.step < point.steps)
        return active

    @property
    def loss(self) -> Tensor:
        """Cross-entropy to the target, or to the true class when untargeted."""
        return cross_entropy(self.logits, self._board.labels, reduction="none")

    @property
    def margin(self) -> Tensor:
        """Logit of the true class less the largest other one; targeted: the largest other one less the target's.

        Below 0 the attack has succeeded.
        """
        labels = self._board.labels
        return margin_of(self.logits, labels, labels if self._board.targeted else None)

    @property
    def prediction(self) -> Tensor:
        """int64"""
        return self.logits.argmax(1)

    @property
    def confidence(self) -> Tensor:
        """Softmax probability of the prediction, in [0, 1]."""
        return self.logits.softmax(1).amax(1)

    @cached_property
    def smallest(self) -> Tensor:
        """float64: the norm of the nearest success so far, of an attack for the smallest norm; infinite before any."""
        self._still()
        return self._board.smallest.clone()

    def first(self, count: int) -> Tensor:
        """``x_adv`` of the first ``count`` samples alone, which costs no more than these."""
        self._still()
        joined = self._board.x_adv[:count].clone()
        for point in self._points:
            rows = point.places < count
            if bool(rows.any()):
                joined[point.places[rows]] = point.x[rows].detach()
        return joined

    def keep(self) -> Iterate:
        """Read everything now, so that it is there later."""
        for name in ("x_adv", "logits", "success", "active", "smallest"):
            getattr(self, name)
        return self

    def expire(self) -> None:
        """The attack goes on: what has not been read is lost."""
        self._stale = True
        self._points = ()

    def _joined(self, settled: Tensor, name: str) -> Tensor:
        self._still()
        joined = settled.clone()
        for point in self._points:
            joined[point.places] = getattr(point, name).detach()
        return joined

    def _still(self) -> None:
        if self._stale:
            raise RuntimeError("the attack has gone on: read an iterate, or keep() it, before asking for the next")
