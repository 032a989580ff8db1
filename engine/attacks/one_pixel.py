"""The one-pixel attack: differential evolution over places and colours. Source: J. Su, D. V. Vargas, K. Sakurai (2019),
"One pixel attack for fooling deep neural networks"."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.losses import improves, log_odds
from engine.attacks.tools.pixels import as_pixels, at_places, ends, sides
from engine.specs import OnePixelSpec

TOGETHER = 20  # candidates of a sample that are asked about before it is seen whether one succeeds


def one_pixel(batch: Batch, spec: OnePixelSpec) -> Steps:
    """A candidate is a row of numbers for each pixel: its place along each axis, and its colours as shares of the range.

    Its child is another one plus F times the difference of two more, and takes its place if the true class is no likelier
    there, or the target no less likely. The random numbers are the same for all samples. A point's step number is what
    has been asked of each sample.
    """
    if len(batch) == 0:
        return
    evolution = _Evolution(batch, spec)
    steps = 1 + spec.population * (spec.generations + 1)
    for generation in range(spec.generations + 1):
        evolution.breed(generation)
        for first in range(0, spec.population, TOGETHER):
            asked = 1 + generation * spec.population + min(first + TOGETHER, spec.population)
            success = yield from evolution.compete(batch, slice(first, first + TOGETHER))
            if asked == 1 + (generation + 1) * spec.population or (spec.stop and bool(success.any())):
                yield batch.at(evolution.best_points(batch), evolution.best_logits, step=asked, steps=steps)
                evolution.live(batch)
            if len(batch) == 0:
                return


class _Evolution:
    """The candidates of n samples, ``[n, P, k, axes + channels]`` in all, and what is known of each."""

    def __init__(self, batch: Batch, spec: OnePixelSpec) -> None:
        self._spec = spec
        self._sides = torch.tensor(sides(batch.x), device=batch.x.device)
        channels = as_pixels(batch.x).shape[1]
        self._draws = Draws(batch.question.seed, torch.zeros_like(batch.places[:1]))
        n, p, k = len(batch), spec.population, spec.pixels
        colours = self._draws.normal("one-pixel colours", 0, (p, k, channels)).mul_(0.5).add_(0.5).clamp_(0, 1)
        first = torch.cat([self._somewhere(0), colours], 3)
        self._candidates = first.expand(n, -1, -1, -1).clone()
        self._children = self._candidates
        self._worth = torch.full((n, p), -torch.inf, dtype=torch.float64, device=batch.x.device)
        self._best = self._candidates[:, 0].clone()
        self._best_worth, self._best_success = self._worth[:, 0].clone(), torch.zeros_like(batch.y, dtype=torch.bool)
        self.best_logits = batch.x.new_zeros(n, batch.n_classes)

    def breed(self, generation: int) -> None:
        """Make the children of this generation; the first is what the population begins with."""
        if generation == 0:
            return
        base, plus, minus = self._parents(generation).unbind(1)
        start = self._candidates[:, base]
        if self._spec.strategy == "best":
            start = self._candidates[torch.arange(len(start), device=start.device), self._worth.argmax(1)][:, None]
        children = start + self._spec.scale * (self._candidates[:, plus] - self._candidates[:, minus])
        axes = len(self._sides)
        where, colours = children[..., :axes], children[..., axes:]
        fresh = self._somewhere(generation)  # instead of a place beyond an edge; at the edge itself too many would meet
        where = torch.where((where < 0) | (where > self._sides), fresh, where)
        self._children = torch.cat([where, colours.clamp(0, 1)], 3)

    def compete(self, batch: Batch, members: slice) -> Generator[None, None, Tensor]:
        """Ask about some children, which take their parents' places if they are no worse; bool ``[n]``: one succeeds."""
        logits = yield from self._asked(batch, self._children[:, members])
        n, m, classes = logits.shape
        rows = torch.arange(n, device=logits.device).repeat_interleave(m)
        flat = logits.reshape(-1, classes)
        worth = log_odds(flat.double(), batch.y[rows], None if batch.target is None else batch.target[rows]).reshape(
            n, m
        )
        success = batch.succeeded(flat, rows).reshape(n, m)
        better = worth >= self._worth[:, members]
        self._worth[:, members] = torch.where(better, worth, self._worth[:, members])
        kept = torch.where(better[..., None, None], self._children[:, members], self._candidates[:, members])
        self._candidates[:, members] = kept
        # a success comes before any other; of several the first, where a sample then rests
        rank = torch.where(success | ~success.any(1, keepdim=True), worth, -torch.inf)
        top = torch.where(success, torch.inf, worth).argmax(1) if self._spec.stop else rank.argmax(1)
        own = torch.arange(n, device=logits.device)
        won, reached = success[own, top], worth[own, top]
        ahead = improves(reached, won, self._best_worth, self._best_success)
        self._best = torch.where(ahead[:, None, None], self._children[:, members][own, top], self._best)
        self.best_logits = torch.where(ahead[:, None], logits[own, top], self.best_logits)
        self._best_worth = torch.where(ahead, reached, self._best_worth)
        self._best_success = torch.where(ahead, won, self._best_success)
        return success.any(1)

    def best_points(self, batch: Batch) -> Tensor:
        """``[n, ...]``"""
        rows = torch.arange(len(batch), device=batch.x.device)
        return self._painted(batch, self._best, rows)

    def live(self, batch: Batch) -> None:
        """Forget the samples that leave the batch."""
        self._candidates, self._children, self._worth, self._best, *rest = batch.live(
            self._candidates,
            self._children,
            self._worth,
            self._best,
            self._best_worth,
            self._best_success,
            self.best_logits,
        )
        self._best_worth, self._best_success, self.best_logits = rest

    def _somewhere(self, generation: int) -> Tensor:
        """Random places, the same for all samples: ``[1, P, k, axes]``."""
        shape = (self._spec.population, self._spec.pixels, len(self._sides))
        return self._draws.uniform("one-pixel places", generation, shape) * self._sides

    def _parents(self, generation: int) -> Tensor:
        """int64 ``[P, 3]``: three candidates for each, all different and none its own."""
        p = self._spec.population
        others = torch.arange(p, device=self._sides.device)[:, None]
        for k in range(3):
            pick = self._draws.integers(p - 1 - k, f"one-pixel parent {k}", generation, (p,))[0]
            for taken in others.sort(1).values.unbind(1):  # pass over those that are taken, from the lowest
                pick = pick + (pick >= taken)
            others = torch.cat([others, pick[:, None]], 1)
        return others[:, 1:]

    def _asked(self, batch: Batch, candidates: Tensor) -> Generator[None, None, Tensor]:
        """Class scores ``[n, m, K]`` of the points that ``candidates`` ``[n, m, k, ...]`` stand for."""
        n, m = candidates.shape[:2]
        samples = max(1, batch.question.most_rows // m)
        told = []
        for first in range(0, n, samples):
            rows = torch.arange(first, min(first + samples, n), device=batch.x.device).repeat_interleave(m)
            points = self._painted(batch, candidates[first : first + samples].flatten(0, 1), rows)
            told.append(batch.logits(points, rows))
            yield None
        return torch.cat(told).reshape(n, m, -1)

    def _painted(self, batch: Batch, candidates: Tensor, rows: Tensor) -> Tensor:
        """The samples ``rows`` with the pixels of ``candidates`` ``[m, k, ...]``: ``[m, ...]``."""
        axes = len(self._sides)
        cells = torch.minimum(candidates[..., :axes].long(), self._sides - 1)
        places = cells[..., 0]
        for axis in range(1, axes):
            places = places * self._sides[axis] + cells[..., axis]
        pixels = as_pixels(batch.x)[rows]
        low, high = (at_places(end[rows], places) for end in ends(batch))
        colours = torch.lerp(low, high, candidates[..., axes:].transpose(1, 2).to(low.dtype))
        for k in range(places.shape[1]):  # one after another: of two at the same place the later is seen
            index = places[:, None, k : k + 1].expand(-1, pixels.shape[1], -1)
            pixels.scatter_(2, index, colours[:, :, k : k + 1])
        return pixels.reshape(len(rows), *batch.x.shape[1:])
