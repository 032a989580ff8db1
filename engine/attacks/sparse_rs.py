"""Sparse-RS. Source: F. Croce, M. Andriushchenko, N. D. Singh, N. Flammarion, M. Hein (2022), "Sparse-RS: a versatile
framework for query-efficient sparse black-box adversarial attacks", its attack in L0."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.losses import Loss, improves, log_odds, margin
from engine.attacks.tools.pixels import as_pixels, at_places, ends
from engine.attacks.tools.queries import Budget
from engine.specs import SparseRsSpec

EVERY = 10  # looks between two points of the trajectory, unless a sample succeeds
SCHEDULE = ((0, 1), (50, 2), (200, 4), (500, 5), (1000, 6), (2000, 8), (4000, 10), (6000, 12), (8000, 15))
LAST = 20
PUBLISHED = 10_000  # queries that the schedule is made for


def sparse_rs(batch: Batch, spec: SparseRsSpec) -> Steps:
    """Each look exchanges some of the changed pixels for others, with random colours from the corners of the input range.

    What lowers the margin, or raises the target's probability, is kept. Which pixels of its list a sample exchanges, and
    for which colours, is drawn once for all samples; the lists soon differ. A point's step number is what has been asked
    of each sample.
    """
    budget = Budget(batch, spec.queries)
    budget.live()
    if len(batch) == 0:
        return
    search = _Search(batch, min(spec.pixels, as_pixels(batch.x).shape[2]))
    x = search.begin(batch)
    loss: Loss = margin if batch.target is None else log_odds
    logits = batch.logits(x)
    gain, asked, told = loss(logits.double(), batch.y, batch.target), 2, 0
    while True:
        won = batch.succeeded(logits)
        if asked >= told + EVERY or told == 0 or asked >= spec.queries or bool(won.any()):
            yield batch.at(x, logits, step=asked, steps=spec.queries)
            told = asked
        else:
            yield None
        x, logits, gain, *search.lists = budget.live(x, logits, gain, *search.lists)
        if len(batch) == 0:
            return
        tried = search.exchanged(batch, x, asked - 1, exchanged_at(asked - 1, spec))
        seen = batch.logits(tried)
        asked += 1
        seen_gain = loss(seen.double(), batch.y, batch.target)
        better = improves(seen_gain, batch.succeeded(seen), gain, batch.succeeded(logits))
        x = torch.where(column(better, x), tried, x)
        logits, gain = torch.where(better[:, None], seen, logits), torch.where(better, seen_gain, gain)
        search.accept(better)


def exchanged_at(look: int, spec: SparseRsSpec) -> int:
    """How many pixels the ``look``-th exchange concerns, counted from 1: fewer and fewer, at least one."""
    scaled = int(look / spec.queries * PUBLISHED)
    divisor = next((by for until, by in SCHEDULE if scaled <= until), LAST)
    return max(1, int(spec.alpha_init / divisor * spec.pixels))


class _Search:
    """For each sample the pixels that are changed, and all others; both in an order of its own."""

    def __init__(self, batch: Batch, count: int) -> None:
        size = as_pixels(batch.x).shape[2]
        self._draws = Draws(batch.question.seed, torch.zeros_like(batch.places[:1]))
        self._count = count
        order = self._draws.permutation(size, "sparse-rs places").expand(len(batch), -1)
        self.lists = [order[:, :count].clone(), order[:, count:].clone()]
        self._leave = self._enter = order[0, :0]

    def begin(self, batch: Batch) -> Tensor:
        """``[n, ...]``: the samples with their first pixels changed."""
        return self._coloured(batch, as_pixels(batch.x).clone(), self.lists[0], 0).reshape(batch.x.shape)

    def exchanged(self, batch: Batch, x: Tensor, look: int, count: int) -> Tensor:
        """``[n, ...]``: some changed pixels are restored, as many others are changed; where all are, they are recoloured."""
        changed, others = self.lists
        count = min(count, self._count, others.shape[1] or self._count)
        self._leave = self._draws.permutation(self._count, "sparse-rs leave", look)[0, :count]
        leaving = changed[:, self._leave]
        moved = as_pixels(x).clone()
        if others.shape[1] == 0:
            return self._coloured(batch, moved, leaving, look).reshape(x.shape)
        self._enter = self._draws.permutation(others.shape[1], "sparse-rs enter", look)[0, :count]
        clean = as_pixels(batch.x)
        moved.scatter_(2, leaving[:, None].expand(-1, clean.shape[1], -1), at_places(clean, leaving))
        return self._coloured(batch, moved, others[:, self._enter], look).reshape(x.shape)

    def accept(self, better: Tensor) -> None:
        """The last exchange stands for these samples: bool ``[n]``."""
        changed, others = self.lists
        if others.shape[1] == 0:
            return
        leaving, entering = changed[:, self._leave], others[:, self._enter]
        changed[:, self._leave] = torch.where(better[:, None], entering, leaving)
        others[:, self._enter] = torch.where(better[:, None], leaving, entering)

    def _coloured(self, batch: Batch, pixels: Tensor, places: Tensor, look: int) -> Tensor:
        """``pixels`` ``[n, C, L]``, changed in place: those at ``places`` ``[n, k]`` get random corners for colours, but
        not the one that the sample has there."""
        channels, count = pixels.shape[1], places.shape[1]
        low, high = (at_places(end, places) for end in ends(batch))
        clean = at_places(as_pixels(batch.x), places)
        upper = self._draws.signs("sparse-rs colours", look, (channels, count)) > 0
        same = (torch.where(upper, high, low) == clean).all(1, keepdim=True)
        turned = self._draws.integers(channels, "sparse-rs other colour", look, (count,))[:, None]
        numbers = torch.arange(channels, device=places.device)[None, :, None]
        upper = upper ^ (same & (numbers == turned))
        return pixels.scatter_(2, places[:, None].expand(-1, channels, -1), torch.where(upper, high, low))
