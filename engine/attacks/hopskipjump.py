"""HopSkipJump. Source: J. Chen, M. Jordan, M. Wainwright (2020), "HopSkipJumpAttack: a query-efficient decision-based
attack"."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.decision import beginning, bisect, clipped, first_success, straight
from engine.attacks.tools.normals import boundary_normal
from engine.attacks.tools.probes import Probes, even, made_unit, normal
from engine.attacks.tools.queries import Budget
from engine.specs import HopSkipJumpSpec

FINEST, COARSEST = 1e-5, 1e-3  # finer than float32 can tell apart, or too coarse for few dimensions
MOST_HALVINGS = 30


def hop_skip_jump(batch: Batch, spec: HopSkipJumpSpec) -> Steps:
    """Each point lies on the boundary, where a search from a step along the estimated normal back to the sample ends.

    The search is as exact as in the paper, within :data:`FINEST` and :data:`COARSEST`; looks are as long as in the paper
    for that exactness. A sample's last estimate takes as many looks as leave enough for the search after it. A point's step
    number counts estimates.
    """
    budget, linf, dimension = Budget(batch, spec.queries), spec.norm == "Linf", batch.x[0].numel()
    gap = min(max(spec.gamma / dimension ** (2 if linf else 1.5), FINEST), COARSEST)
    reach = gap * (dimension if linf else math.sqrt(dimension))
    reserve = 2 + math.ceil(math.log2(1 / gap))
    probes = Probes(batch.question.seed, "hopskipjump", even if linf else normal, batch.x.shape[1:], batch.x)

    def looks(first: int, count: int) -> Tensor:
        return made_unit(probes.take(first, count))

    used, most = 0, _most_estimates(spec)
    x, logits = yield from beginning(batch, spec, budget)
    for number in itertools.count():
        if len(batch) == 0:
            return
        path = clipped(batch.x, x) if linf else straight(batch.x, x)
        x, logits = yield from bisect(batch, budget, path, logits, gap)
        yield batch.at(x, logits, step=number, steps=most)
        wanted = _wanted(spec, number)
        counts = (budget.left - reserve).clamp(max=wanted)
        batch.finish(counts < 1)
        x, logits, counts = batch.live(x, logits, counts)
        if len(batch) == 0:
            return
        distance = batch.distance(x)
        delta = reach * distance
        if number == 0:  # the first point may be far off, and its looks are long
            delta = (
                0.1 * distance if batch.box is None else torch.full_like(distance, 0.1 * float(batch.box.width.mean()))
            )
        direction = yield from boundary_normal(batch, x, delta.to(x.dtype), counts, looks, used)
        used += wanted
        direction = direction.sign() if linf else made_unit(direction)
        length = distance / math.sqrt(number + 1)
        x, logits = yield from first_success(batch, budget, x, direction, length, 0.5, MOST_HALVINGS, x, logits)


def _wanted(spec: HopSkipJumpSpec, number: int) -> int:
    return min(int(spec.probes * math.sqrt(number + 1)), max(spec.probes, spec.most_probes))


def _most_estimates(spec: HopSkipJumpSpec) -> int:
    """How many estimates the queries allow at most."""
    spent = 0
    for number in itertools.count():
        if spent >= spec.queries:
            return number
        spent += _wanted(spec, number)
    raise AssertionError
