"""SurFree. Source: T. Maho, T. Furon, E. Le Merrer (2021), "SurFree: a fast surrogate-free black-box attack"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.cosines import Cosines
from engine.attacks.tools.decision import beginning, bisect, inside, straight
from engine.attacks.tools.probes import Probes, normal
from engine.attacks.tools.queries import Budget
from engine.specs import SurFreeSpec

START_GAP = 1e-3  # how exactly, as a share of the way, the boundary is found at first
ENOUGH = 0.01  # a turn is found when it and a failing one beyond it differ by so much in the distance, as a share
WIDEST = math.radians(89.0)
EVERY = 10  # looks between two points of the trajectory
MOST_REMEMBERED = 2**16  # numbers a sample


def surfree(batch: Batch, spec: SurFreeSpec) -> Steps:
    """In the plane of the way u to the boundary point, d long, and a random direction v at right angles to it, a turn by
    theta leads to ``x + d cos(theta) (u cos(theta) + v sin(theta))``: were the boundary a plane, the point of it nearest to
    the sample would be among these. The widest turn that succeeds gives the next boundary point.

    Each look takes every sample one turn further, wherever it is in its own search. A point's step number is the most that
    has been asked of a sample.
    """
    budget = Budget(batch, spec.queries)
    x, logits = yield from beginning(batch, spec, budget)
    x, logits = yield from bisect(batch, budget, straight(batch.x, x), logits, START_GAP)
    if len(batch) == 0:
        return
    search, look = _Search(batch, spec, x), 0
    while True:
        if look % EVERY == 0 or bool((budget.left <= 0).any()):
            yield batch.at(x, logits, step=spec.queries - int(budget.left.min()), steps=spec.queries)
        else:
            yield None
        x, logits, *search.state = budget.live(x, logits, *search.state)
        if len(batch) == 0:
            return
        angle = search.angle()
        moved = inside(batch, search.point(batch.x, angle))
        look += 1
        seen = batch.logits(moved)
        won = batch.succeeded(seen)
        nearer = won & (_apart(moved, batch.x) < _apart(x, batch.x))
        x, logits = torch.where(column(nearer, x), moved, x), torch.where(nearer[:, None], seen, logits)
        ended = search.learn(angle, won)
        if bool(ended.any()):
            search.renew(ended, x - batch.x, look)


class _Search:
    """Where each sample is in its search for the best turn; tensors of first dimension n, angles in radians."""

    def __init__(self, batch: Batch, spec: SurFreeSpec, x: Tensor) -> None:
        self._spec = spec
        self._waves = Cosines(x.shape[1:], spec.frequencies, x)
        self._probes = Probes(batch.question.seed, "surfree", normal, self._waves.kept, x)
        n, size = len(x), x[0].numel()
        share = 1 - torch.arange(spec.trials, dtype=x.dtype, device=x.device) / spec.trials
        self._turns = torch.stack([share, -share], 1).flatten()  # to both sides in turn, from the widest
        memory = min(spec.memory, self._waves.kept.numel() // 2, MOST_REMEMBERED // size)
        none = torch.zeros(n, dtype=torch.bool, device=x.device)
        zero, count = x.new_zeros(n), torch.zeros(n, dtype=torch.int64, device=x.device)
        self.towards, self.aside, self.distance = torch.zeros_like(x), torch.zeros_like(x), zero
        self.past, self.renewals = x.new_zeros(n, memory, size), count
        self.widest, self.trial = torch.full_like(zero, math.radians(spec.theta_max)), count
        self.good, self.bad = zero, zero  # the widest turn known to succeed; one beyond it that fails, or is next
        self.widening, self.halving, self.halvings = none, none, count
        self.renew(~none, x - batch.x, 0)

    _NAMES = (
        "towards", "aside", "distance", "past", "renewals", "widest", "trial", "good", "bad", "widening", "halving", "halvings",
    )  # fmt: skip

    @property
    def state(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._NAMES]

    @state.setter
    def state(self, tensors: list[Tensor]) -> None:
        for name, tensor in zip(self._NAMES, tensors, strict=True):
            setattr(self, name, tensor)

    def angle(self) -> Tensor:
        """The turn that each sample tries next."""
        trying = self._turns[self.trial] * self.widest
        settled = torch.where(self.halving, (self.good + self.bad) / 2, self.bad)
        return torch.where(self.widening | self.halving, settled, trying)

    def point(self, x: Tensor, angle: Tensor) -> Tensor:
        """Where a turn leads, ``[n, ...]``."""
        cosine = angle.cos()
        along, across = self.distance * cosine.square(), self.distance * cosine * angle.sin()
        return x + column(along, x) * self.towards + column(across, x) * self.aside

    def learn(self, angle: Tensor, won: Tensor) -> Tensor:
        """Take in whether the turns succeeded; gives bool ``[n]``: the search in this plane has ended."""
        began = won & ~self.widening & ~self.halving
        lost = ~won & ~self.widening & ~self.halving
        beyond = (angle + angle.sign() * self.widest / self._spec.trials).clamp(-WIDEST, WIDEST)
        self.bad = torch.where(won, torch.where(self.halving, self.bad, beyond), angle)
        self.good = torch.where(won, angle, self.good)
        self.halvings = self.halvings + self.halving
        # beyond the widest turn nothing has been tried yet; beyond the others the turn before them failed
        halving = self.halving | (began & (self.trial >= 2)) | (self.widening & ~won)
        self.widening = (began & (self.trial < 2)) | (self.widening & won)
        self.halving = halving
        self.trial = self.trial + lost
        failed = self.trial >= len(self._turns)
        close = (self.good.cos() - self.bad.cos()).abs() <= ENOUGH
        found = (halving & (close | (self.halvings >= self._spec.halvings))) | (self.widening & (self.good == self.bad))
        narrower, wider = self.widest * self._spec.rho, (self.widest / self._spec.rho).clamp_max(WIDEST)
        self.widest = torch.where(failed, narrower, torch.where(found, wider, self.widest))
        return failed | found

    def renew(self, ended: Tensor, away: Tensor, number: int) -> None:
        """A new plane for the samples that ``ended`` (bool ``[n]``), which are at ``x + away``."""
        rows = ended.nonzero()[:, 0]
        away = away[rows].flatten(1)
        distance = torch.linalg.vector_norm(away, dim=1)
        towards = away / distance.clamp_min(1e-30)[:, None]
        aside = self._waves.synthesis(self._probes.take(number, 1)).flatten(1).expand(len(rows), -1)
        past = self.past[rows]
        aside = aside - (past.transpose(1, 2) @ (past @ aside[:, :, None]))[:, :, 0]
        aside = aside - (aside * towards).sum(1, keepdim=True) * towards
        size = torch.linalg.vector_norm(aside, dim=1, keepdim=True)
        aside = torch.where(
            size > 1e-4, aside / size.clamp_min(1e-30), 0.0
        )  # in one dimension there is no such direction
        shape = self.aside[rows].shape
        self.towards[rows], self.aside[rows] = towards.reshape(shape), aside.reshape(shape)
        self.distance = self.distance.index_copy(0, rows, distance)
        if self.past.shape[1]:
            self.past[rows, self.renewals[rows] % self.past.shape[1]] = aside
        self.renewals, going = self.renewals + ended, ~ended
        self.trial, self.halvings = self.trial * going, self.halvings * going
        self.widening, self.halving = self.widening & going, self.halving & going


def _apart(a: Tensor, b: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm((a - b).flatten(1), dim=1)
    return length
