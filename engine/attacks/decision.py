"""What attacks share that read nothing but the predicted class: a point beyond the boundary, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from torch import Tensor

from engine.attacks.batch import Batch, column
from engine.attacks.queries import Budget
from engine.specs.attacks.decision import DecisionSpec

EXAMPLES_AT_ONCE = 512
Path = Callable[[Tensor, Tensor], Tensor]
"""(shares float64 ``[m]`` in [0, 1], rows int64 ``[m]``) -> points ``[m, ...]``: the sample at 0, a success at 1."""


def beginning(batch: Batch, spec: DecisionSpec, budget: Budget) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """A successful point ``[n, ...]`` of each sample and its logits; samples for which none is found leave as failures.

    Untargeted, half of the tries are uniform noise in the box and half are the nearest examples whose label is another;
    towards a target all are the nearest examples of that class. Where there are no examples, or too few, noise takes
    their place. Without a box the noise lies around the sample, twice as wide with each try, at first as wide as the
    sample's values are spread.
    """
    nearest = yield from _nearest(batch, spec.tries)
    x, found = batch.x.clone(), torch.zeros(len(batch), dtype=torch.bool, device=batch.x.device)
    logits = x.new_zeros(len(batch), batch.n_classes)
    first_examples = batch.targeted or spec.begin == "example"
    halfway = spec.tries if batch.targeted else (spec.tries + 1) // 2
    asked = {True: 0, False: 0}
    for number in range(spec.tries):
        rows = (~found & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            break
        from_examples = first_examples if number < halfway else not first_examples
        points = _noise(batch, rows, number, asked[False])
        if from_examples and batch.question.examples is not None:
            which = nearest[rows, asked[True]]
            points = torch.where(column(which >= 0, points), batch.question.examples[0][which], points)
        asked[from_examples] += 1
        seen = batch.logits(points, rows)
        won = batch.succeeded(seen, rows)
        x[rows[won]], logits[rows[won]], found[rows[won]] = points[won], seen[won], True
        yield None
    batch.finish(~found)
    x, logits = batch.live(x, logits)
    return x, logits


def _noise(batch: Batch, rows: Tensor, number: int, doublings: int) -> Tensor:
    share = batch.draws.rows(rows).uniform("begin", number, batch.x.shape[1:]).to(batch.x.dtype)
    if batch.box is not None:
        return batch.box.clamp(batch.box.lower + batch.box.width * share)
    x = batch.x[rows]
    flat = x.flatten(1)
    spread = flat.amax(1) - flat.amin(1)
    spread = torch.where(spread > 0, spread, flat.abs().amax(1).clamp_min(1.0))
    return x + column(spread * 2.0 ** min(doublings, 30), x) * (share - 0.5)


def _nearest(batch: Batch, count: int) -> Generator[None, None, Tensor]:
    """int64 ``[n, count]``: the examples nearest to each sample (L2) whose label promises success; -1 where there are no more."""
    x, examples = batch.x.flatten(1).double(), batch.question.examples
    best = x.new_full((len(x), count), torch.inf)
    which = torch.full((len(x), count), -1, dtype=torch.int64, device=x.device)
    if examples is None:
        return which
    inputs, labels = examples
    for start in range(0, len(inputs), EXAMPLES_AT_ONCE):
        some, theirs = inputs[start : start + EXAMPLES_AT_ONCE].flatten(1).double(), labels[start : start + EXAMPLES_AT_ONCE]
        wanted = theirs[None] == batch.target[:, None] if batch.target is not None else theirs[None] != batch.y[:, None]
        apart = x.square().sum(1)[:, None] + some.square().sum(1)[None] - 2 * x @ some.T
        # in float32, so that distances which are equal but for rounding keep the order of the examples
        apart = torch.where(wanted, apart, torch.inf).float().double()
        numbers = torch.arange(start, start + len(some), device=x.device).expand(len(x), -1)
        best, order = torch.cat([best, apart], 1).sort(dim=1, stable=True)
        which = torch.cat([which, numbers], 1).gather(1, order)[:, :count]
        best = best[:, :count]
        yield None
    return torch.where(best.isfinite(), which, -1)


def bisect(
    batch: Batch, budget: Budget, path: Path, high: Tensor, logits: Tensor, gap: float
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """The way back to the boundary: the least share of each path that is known to succeed, and its logits.

    ``high`` float64 ``[n]`` is a share that succeeds, with ``logits`` ``[n, K]``. The interval is halved down to ``gap``,
    or until a sample's queries are spent.
    """
    high, logits, low = high.clone(), logits.clone(), torch.zeros_like(high)
    while True:
        rows = ((high - low > gap) & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            return high, logits
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
