"""The boundary attack. Source: W. Brendel, J. Rauber, M. Bethge (2018), "Decision-based adversarial attacks: reliable
attacks against black-box machine learning models"."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.decision import beginning, bisect, inside, straight
from engine.attacks.tools.probes import Probes, normal
from engine.attacks.tools.queries import Budget
from engine.specs import BoundarySpec

START_GAP = 1e-3  # how exactly, as a share of the way, the boundary is found at first
EVERY = 10  # steps between two points of the trajectory
CHECKED = 5  # every so many steps the point before the step towards the sample is looked at too


def boundary(batch: Batch, spec: BoundarySpec) -> Steps:
    """A step of random direction on the sphere around the sample, then one towards it; kept if that still succeeds.

    Both steps grow where the boundary is so flat that more than half of the points on the sphere succeed, and shrink
    where fewer than a fifth do; the step towards the sample also where more than a quarter, or fewer than a tenth, of the
    final points do. A point's step number is the most that has been asked of a sample.
    """
    budget = Budget(batch, spec.queries)
    probes = Probes(batch.question.seed, "boundary", normal, batch.x.shape[1:], batch.x)
    x, logits = yield from beginning(batch, spec, budget)
    x, logits = yield from bisect(batch, budget, straight(batch.x, x), logits, START_GAP)
    sphere, both = (_Rate.fresh(batch.x, window) for window in (5, 10))
    along = torch.full_like(sphere.hits, spec.spherical_step)
    towards = torch.full_like(sphere.hits, spec.source_step)
    step = 0
    while len(batch):
        if step % EVERY == 0 or bool((budget.left <= 0).any()):
            yield batch.at(x, logits, step=spec.queries - int(budget.left.min()), steps=spec.queries)
        else:
            yield None
        x, logits, along, towards, *counts = budget.live(x, logits, along, towards, *sphere.counts, *both.counts)
        if len(batch) == 0:
            return
        sphere.counts, both.counts = counts[:2], counts[2:]
        beside, moved, distance = _proposed(batch, x, along, towards, probes.take(step, 1))
        step += 1
        seen = batch.logits(moved)
        won = batch.succeeded(seen)
        nearer = won & (torch.linalg.vector_norm((moved - batch.x).flatten(1), dim=1) < distance)
        x, logits = torch.where(column(nearer, x), moved, x), torch.where(nearer[:, None], seen, logits)
        towards = towards * both.factor(won, 0.1, 0.25, spec.adaptation)
        if step % CHECKED == 0:
            rows = (budget.left > 0).nonzero()[:, 0]
            won = torch.zeros_like(won).index_copy(0, rows, batch.succeeded(batch.logits(beside[rows], rows), rows))
            factor = sphere.factor(won, 0.2, 0.5, spec.adaptation)
            along, towards = along * factor, towards * factor


def _proposed(batch: Batch, x: Tensor, along: Tensor, towards: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The point on the sphere and the final one, both ``[n, ...]``, and how far ``x`` is ``[n]``; steps are shares of that."""
    away = (x - batch.x).flatten(1)
    distance = torch.linalg.vector_norm(away, dim=1)
    aside = drawn.flatten(1) - (away @ drawn.flatten() / distance.square())[:, None] * away
    size = torch.linalg.vector_norm(aside, dim=1).clamp_min(1e-30)
    turned = (away + (along * distance / size)[:, None] * aside) / (along.square() + 1).sqrt()[:, None]
    beside = inside(batch, batch.x + turned.reshape(x.shape))
    back = (batch.x - beside).flatten(1)
    length = torch.linalg.vector_norm(back, dim=1)
    pull = (length - (1 - towards) * distance).clamp_min(0) / length.clamp_min(1e-30)
    return beside, inside(batch, beside + (pull[:, None] * back).reshape(x.shape)), distance


class _Rate:
    """How often something succeeds, over windows of some tries; tensors ``[n]``."""

    def __init__(self, hits: Tensor, tries: Tensor, window: int) -> None:
        self.hits, self.tries, self._window = hits, tries, window

    @classmethod
    def fresh(cls, x: Tensor, window: int) -> _Rate:
        return cls(torch.zeros_like(x.flatten(1)[:, 0]), torch.zeros_like(x.flatten(1)[:, 0]), window)

    @property
    def counts(self) -> list[Tensor]:
        return [self.hits, self.tries]

    @counts.setter
    def counts(self, counts: list[Tensor]) -> None:
        self.hits, self.tries = counts

    def factor(self, won: Tensor, low: float, high: float, adaptation: float) -> Tensor:
        """By what a step is multiplied: 1 until a window is full."""
        hits, tries = self.hits + won, self.tries + 1
        full, rate = tries >= self._window, hits / self._window
        self.hits, self.tries = hits * ~full, tries * ~full
        grown = torch.where(rate > high, adaptation, torch.where(rate < low, 1 / adaptation, 1.0))
        return torch.where(full, grown, 1.0)
