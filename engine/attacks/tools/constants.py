"""The search for each sample's constant c, by which C&W and EAD weigh their loss against the distance.

Source: N. Carlini, D. Wagner (2017), "Towards evaluating the robustness of neural networks".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, column
from engine.specs import ConfidentSpec

LARGEST = 1e10
REPEATED = 10  # from this many searches on, the last one repeats each sample's least c that succeeded
PROGRESS = 0.9999


class Constants:
    """For each of n samples the next c to try: tenfold as long as none succeeds, then halfway between failure and success."""

    def __init__(self, n: int, spec: ConfidentSpec, device: torch.device) -> None:
        self._searches = spec.searches
        self._next = torch.full((n,), spec.initial_const, dtype=torch.float64, device=device)
        self._lower = torch.zeros_like(self._next)
        self._upper = torch.full_like(self._next, torch.inf)

    def of(self, search: int) -> Tensor:
        """float64 ``[n]``: the c of this search, counted from 0."""
        if search == self._searches - 1 and self._searches >= REPEATED:
            self._next = torch.minimum(self._upper, torch.full_like(self._upper, LARGEST))
        return self._next

    def learn(self, batch: Batch, found: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """``found`` bool ``[n]``: the last c led to a success. The batch's :meth:`~Batch.live` for the tensors given."""
        tried = self._next
        self._upper = torch.where(found, tried, self._upper)
        self._lower = torch.where(found, self._lower, tried)
        following = torch.where(self._upper.isinf(), tried * 10, (self._lower + self._upper) / 2).clamp_max(LARGEST)
        self._next, self._lower, self._upper, *others = batch.live(following, self._lower, self._upper, *tensors)
        return tuple(others)


class Race:
    """The samples of a batch that one search still moves: those whose objective keeps falling.

    All tensors have a row for each sample that still runs; ``rows`` are their indices in the batch, None while all run.
    """

    def __init__(self, batch: Batch, spec: ConfidentSpec, c: Tensor) -> None:
        self._batch, self._kappa = batch, spec.kappa
        self.aborts = spec.abort_early
        self._every = math.ceil(spec.steps / 10)
        self.rows: Tensor | None = None
        self.x = batch.x
        """``[n, ...]``: the samples themselves."""
        self._c = c.to(batch.x.dtype)
        self.found = torch.zeros(len(batch), dtype=torch.bool, device=batch.x.device)
        """bool, of all samples of the batch: this c has led to a success."""
        self._before = torch.full_like(c, torch.inf)
        self._idle = torch.zeros_like(self.found)

    def __len__(self) -> int:
        return len(self.x)

    def pull(self, gain: Tensor, gradient: Tensor) -> Tensor:
        """The gradient of the loss ``c max(kappa - gain, 0)``, given the ``gain`` ``[n]`` and its gradient ``[n, ...]``."""
        # at a gain of just kappa too: with a kappa of 0 that is a tie, which is no success
        return gradient * column(torch.where(gain <= self._kappa, -self._c, 0.0), gradient)

    def succeed(self, success: Tensor, rows: Tensor | None) -> None:
        """bool: which of the samples ``rows`` (None: all) have reached their goal."""
        if rows is None:
            self.found |= success
        else:
            self.found[rows] |= success

    def idle(self, step: int, gain: Tensor, distance: Callable[[], Tensor]) -> Tensor | None:
        """bool ``[n]``: whose objective, ``distance`` float64 ``[n]`` and loss, has not fallen in two tenths of the search in
        turn. After one alone EAD's L1 norms are 5 % larger than those of an attack that waits for the whole batch.

        None at most steps, and without early aborts: then nobody is asked to stop.
        """
        if step % self._every or not self.aborts:
            return None
        objective = distance() + self._c * (self._kappa - gain).clamp_min(0)
        idle = objective > PROGRESS * self._before
        stopping = idle & self._idle
        self._before, self._idle = objective, idle
        return stopping

    def stop(self, stopping: Tensor | None, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of the tensors for samples that go on: not those of ``stopping`` (bool ``[n]``)."""
        if stopping is None:
            return tensors
        rows = torch.arange(len(self._batch), device=self.x.device) if self.rows is None else self.rows
        stopping = stopping | self._batch.board.invalid[self._batch.places[rows]]
        if not bool(stopping.any()):
            return tensors
        stopped, going = torch.zeros_like(self.found), ~stopping
        stopped[rows[stopping]] = True
        self._batch.flush(stopped)
        self.rows, self.x, self._c = rows[going], self.x[going], self._c[going]
        self._before, self._idle = self._before[going], self._idle[going]
        return tuple(tensor[going] for tensor in tensors)
