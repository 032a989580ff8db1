"""What attacks share that read nothing but the predicted class: a point beyond the boundary, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, column
from engine.attacks.tools.queries import Budget
from engine.specs.attacks.decision import DecisionSpec

EXAMPLES_AT_ONCE = 512
WIDEST_DOUBLINGS = 30
Path: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(shares float64 ``[m]`` in [0, 1], rows int64 ``[m]``) -> points ``[m, ...]``: the sample at 0, a success at 1."""


def beginning(batch: Batch, spec: DecisionSpec, budget: Budget) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """A successful point ``[n, ...]`` of each sample and its logits; samples for which none is found leave as failures.

    Untargeted, half of the tries are noise and half are the nearest examples with another label; towards a target all are
    the nearest examples of that class. Where there are no examples, or too few, noise takes their place.
    """
    nearest = yield from _nearest(batch, spec.tries)
    x, found = batch.x.clone(), torch.zeros(len(batch), dtype=torch.bool, device=batch.x.device)
    logits = x.new_zeros(len(batch), batch.n_classes)
    first = batch.targeted or spec.begin == "example"
    halfway = spec.tries if batch.targeted else (spec.tries + 1) // 2
    examples_tried = 0
    for number in range(spec.tries):
        rows = (~found & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            break
        points = _noise(batch, rows, number - examples_tried)
        if batch.question.examples is not None and (first if number < halfway else not first):
            which = nearest[rows, examples_tried]
            points = torch.where(column(which >= 0, points), batch.question.examples[0][which], points)
            examples_tried += 1
        seen = batch.logits(points, rows)
        won = batch.succeeded(seen, rows)
        done = rows[won]
        x[done], logits[done], found[done] = points[won], seen[won], True
        yield None
    batch.finish(~found)
    x, logits = batch.live(x, logits)
    return x, logits


def _noise(batch: Batch, rows: Tensor, number: int) -> Tensor:
    """Random points ``[m, ...]``; each ``number`` gives others.

    In a box every second is uniform, the others hold nothing but its two ends, in a random proportion. Without a box
    they lie around the sample, at first within half of the range of its values, and twice as wide each time.
    """
    draws = batch.draws.rows(rows)
    share = draws.uniform("begin", number, batch.x.shape[1:]).to(batch.x.dtype)
    if batch.box is not None:
        if number % 2 == 1:
            share = (share < column(draws.uniform("begin proportion", number), share)).to(share.dtype)
        return batch.box.clamp(batch.box.lower + batch.box.width * share)
    x = batch.x[rows]
    flat = x.flatten(1)
    spread = flat.amax(1) - flat.amin(1)
    spread = torch.where(spread > 0, spread, flat.abs().amax(1).clamp_min(1.0))
    return x + column(spread * 2.0 ** min(number, WIDEST_DOUBLINGS), x) * (share - 0.5)


def _nearest(batch: Batch, count: int) -> Generator[None, None, Tensor]:
    """int64 ``[n, count]``: the examples nearest to each sample (L2) whose label promises success; -1 where there are no more."""
    x, examples = batch.x.flatten(1).double(), batch.question.examples
    best = x.new_full((len(x), count), torch.inf)
    which = torch.full((len(x), count), -1, dtype=torch.int64, device=x.device)
    if examples is None:
        return which
    for start in range(0, len(examples[0]), EXAMPLES_AT_ONCE):
        inputs, labels = (part[start : start + EXAMPLES_AT_ONCE] for part in examples)
        some = inputs.flatten(1).double()
        wanted = labels != batch.y[:, None] if batch.target is None else labels == batch.target[:, None]
        apart = x.square().sum(1)[:, None] + some.square().sum(1) - 2 * x @ some.T
        # compared in float32, so that distances which differ by rounding alone keep the order of the examples
        apart = torch.where(wanted, apart, torch.inf).float().double()
        numbers = torch.arange(start, start + len(some), device=x.device).expand(len(x), -1)
        best, order = torch.cat([best, apart], 1).sort(dim=1, stable=True)
        which = torch.cat([which, numbers], 1).gather(1, order)[:, :count]
        best = best[:, :count]
        yield None
    return torch.where(best.isfinite(), which, -1)


def bisect(
    batch: Batch, budget: Budget, path: Path, logits: Tensor, gap: float
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """The way back to the boundary: the nearest success ``[n, ...]`` that is found on each path, and its logits.

    ``logits`` ``[n, K]`` are those at the paths' ends. The share of the way is halved down to ``gap``, or until a
    sample's queries are spent.
    """
    everyone = torch.arange(len(batch), device=logits.device)
    low = torch.zeros(len(batch), dtype=torch.float64, device=logits.device)
    high, logits = torch.ones_like(low), logits.clone()
    while True:
        rows = ((high - low > gap) & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            return path(high, everyone), logits
        middle = (low[rows] + high[rows]) / 2
        seen = batch.logits(path(middle, rows), rows)
        won = batch.succeeded(seen, rows)
        high[rows[won]], logits[rows[won]], low[rows[~won]] = middle[won], seen[won], middle[~won]
        yield None


def straight(x: Tensor, far: Tensor) -> Path:
    """The straight way from each sample of ``x`` to ``far``, both ``[n, ...]``."""

    def at(share: Tensor, rows: Tensor) -> Tensor:
        return torch.lerp(x[rows], far[rows], column(share.to(x.dtype), x))

    return at


def clipped(x: Tensor, far: Tensor) -> Path:
    """The way on which no value differs from the sample's by more than a share of the greatest difference at ``far``."""
    radius = (far - x).flatten(1).abs().amax(1)

    def at(share: Tensor, rows: Tensor) -> Tensor:
        here, there = x[rows], far[rows]
        reach = column(share.to(x.dtype) * radius[rows], here)
        return torch.where(column(share >= 1, here), there, torch.clamp(there, here - reach, here + reach))

    return at


def inside(batch: Batch, points: Tensor) -> Tensor:
    """The nearest valid inputs."""
    return points if batch.box is None else batch.box.clamp(points)


def first_success(
    batch: Batch,
    budget: Budget,
    start: Tensor,
    direction: Tensor,
    length: Tensor,
    factor: float,
    most: int,
    stay: Tensor,
    logits: Tensor,
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """The first success among ``start + length direction`` with the length multiplied by ``factor`` each time, and its logits.

    A sample for which ``most`` tries find none, or whose queries are spent, gets ``stay`` with ``logits``.
    """
    found, logits, length = stay.clone(), logits.clone(), length.to(start.dtype)
    pending = torch.ones(len(start), dtype=torch.bool, device=start.device)
    for _ in range(most):
        rows = (pending & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            break
        points = inside(batch, start[rows] + column(length[rows], start) * direction[rows])
        seen = batch.logits(points, rows)
        won = batch.succeeded(seen, rows)
        done = rows[won]
        found[done], logits[done], pending[done] = points[won], seen[won], False
        length = length * factor
        yield None
    return found, logits
