"""HopSkipJump. Source: J. Chen, M. Jordan, M. Wainwright (2020), "HopSkipJumpAttack: a query-efficient decision-based
attack"."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.decision import beginning, bisect, clipped, straight
from engine.attacks.probes import Probes, even, made_unit, normal
from engine.attacks.queries import Budget
from engine.specs import HopSkipJumpSpec

Looks = Callable[[int, int], Tensor]
FINEST = 1e-5  # float32 tells points on the way apart down to here
MOST_HALVINGS = 30


def hop_skip_jump(batch: Batch, spec: HopSkipJumpSpec) -> Steps:
    """Each point lies on the boundary: found by a step along the estimated direction and a search back towards the sample.

    The direction is the mean of the looks on this side less that on the other (paper, equation 16). Where the paper's
    accuracy of the search is finer than float32 can tell, :data:`FINEST` is taken, and the looks grow in proportion.
    A sample's last estimate takes as many looks as leave enough for the search after it.
    """
    dimension, box_norm = batch.x[0].numel(), spec.norm == "Linf"
    theta = max(spec.gamma / dimension ** (2 if box_norm else 1.5), FINEST)
    reach = theta * (dimension if box_norm else math.sqrt(dimension))
    reserve = 2 + math.ceil(math.log2(1 / theta)) if theta < 1 else 2
    way = clipped if box_norm else straight
    probes = Probes(batch.question.seed, "hopskipjump", even if box_norm else normal, batch.x.shape[1:], batch.x)

    def looks(first: int, count: int) -> Tensor:
        return made_unit(probes.take(first, count))

    budget = Budget(batch, spec.queries)
    far, logits = yield from beginning(batch, spec, budget)
    used = 0
    for number in itertools.count():
        path = way(batch.x, far)
        share, logits = yield from bisect(batch, budget, path, torch.ones_like(batch.distance(far)), logits, theta)
        x = path(share, torch.arange(len(batch), device=share.device))
        yield batch.at(x, logits, step=number, steps=_most_steps(spec))
        x, logits = budget.live(x, logits)
        wanted = min(int(spec.probes * math.sqrt(number + 1)), spec.most_probes)
        counts = (budget.left - reserve).clamp(max=wanted)
        batch.finish(counts < 1)
        x, logits, counts = batch.live(x, logits, counts)
        if len(batch) == 0:
            return
        distance = batch.distance(x)
        delta = reach * distance
        if number == 0:
            delta = torch.full_like(distance, 0.1 * float(batch.box.width.mean())) if batch.box else 0.1 * distance
        direction = yield from boundary_normal(batch, x, delta.to(x.dtype), counts, looks, used)
        used += wanted
        direction = direction.sign() if box_norm else made_unit(direction)
        far, logits = yield from _step(batch, budget, x, logits, direction, distance / math.sqrt(number + 1))


def _step(
    batch: Batch, budget: Budget, x: Tensor, logits: Tensor, direction: Tensor, length: Tensor
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """Go along the direction, half as far until that succeeds; where it never does, stay."""
    far, logits, pending = x.clone(), logits.clone(), torch.ones_like(length, dtype=torch.bool)
    length = length.clone()
    for _ in range(MOST_HALVINGS):
        rows = (pending & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            break
        points = x[rows] + column(length[rows].to(x.dtype), x) * direction[rows]
        points = points if batch.box is None else batch.box.clamp(points)
        seen = batch.logits(points, rows)
        won = batch.succeeded(seen, rows)
        done = rows[won]
        far[done], logits[done], pending[done] = points[won], seen[won], False
        length[rows] /= 2
        yield None
    return far, logits


def boundary_normal(
    batch: Batch, x: Tensor, delta: Tensor, counts: Tensor, looks: Looks, first: int
) -> Generator[None, None, Tensor]:
    """Estimated direction ``[n, ...]`` from the boundary into the region of success, not made unit.

    ``counts`` int64 ``[n]`` looks are taken a sample at distance ``delta`` ``[n]`` from ``x``, along ``looks``, numbered from
    ``first`` on. Each look counts 1 where it succeeds and -1 elsewhere, less the mean of all unless all are equal.
    """
    n, most = len(x), int(counts.max())
    at_once = max(1, batch.question.most_rows // n)
    weighed = x.new_zeros(n, 2, x[0].numel())
    total = x.new_zeros(n)
    for start in range(0, most, at_once):
        count = min(at_once, most - start)
        along = looks(first + start, count)
        points = x[:, None] + delta.reshape(-1, *[1] * x.ndim) * along[None]
        if batch.box is not None:
            points = batch.box.clamp(points)
        taken = counts[:, None] > torch.arange(start, start + count, device=x.device)
        rows = torch.arange(n, device=x.device).repeat_interleave(taken.sum(1))
        asked = points.flatten(0, 1)
        everything = len(rows) == len(asked)
        seen = batch.logits(asked if everything else asked[taken.flatten()], rows)
        votes = x.new_zeros(n * count)
        votes[taken.flatten()] = batch.succeeded(seen, rows).to(x.dtype) * 2 - 1
        votes = votes.reshape(n, count)
        moved = (points - x[:, None]).flatten(2)
        weighed += torch.stack([votes, taken.to(x.dtype)], 1) @ moved
        total += votes.sum(1)
        yield None
    mean = total / counts.to(x.dtype)
    baseline = torch.where(mean.abs() == 1, 0.0, mean)
    found = weighed[:, 0] - baseline[:, None] * weighed[:, 1]
    return (found / delta[:, None]).reshape(x.shape)


def _most_steps(spec: HopSkipJumpSpec) -> int:
    """How many estimates the queries allow at most."""
    spent, number = 0, 0
    while spent < spec.queries:
        number += 1
        spent += min(int(spec.probes * math.sqrt(number)), spec.most_probes)
    return max(1, number)
