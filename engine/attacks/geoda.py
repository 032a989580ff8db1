"""GeoDA. Source: A. Rahmati, S.-M. Moosavi-Dezfooli, P. Frossard, H. Dai (2020), "GeoDA: a geometric framework for
black-box adversarial attacks"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.cosines import Cosines
from engine.attacks.tools.decision import beginning, bisect, first_success, straight
from engine.attacks.tools.normals import boundary_normal
from engine.attacks.tools.probes import Probes, made_unit, normal
from engine.attacks.tools.queries import Budget
from engine.specs import GeoDaSpec

FEWEST = 50  # looks for the first estimate, at least
SEARCH = 25  # queries set aside for what follows an estimate
FARTHER, MOST_FARTHER = 1.5, 12


def geoda(batch: Batch, spec: GeoDaSpec) -> Steps:
    """From the sample along the estimated normal (L-inf: along its signs) until the class changes, and back to the boundary.

    The normal is the sum of all looks so far. Each estimate takes ``ratio^(-2/3)`` times as many as the one before, the
    last what is left. A point's step number counts estimates.
    """
    budget, plan = Budget(batch, spec.queries), looks_planned(spec)
    waves = Cosines(batch.x.shape[1:], spec.frequencies, batch.x)
    probes = Probes(batch.question.seed, "geoda", normal, waves.kept, batch.x)
    gap, reach = max(spec.sigma / 2, 1e-5), spec.sigma * math.sqrt(waves.kept.numel())

    def looks(first: int, count: int) -> Tensor:
        return made_unit(waves.synthesis(probes.take(first, count)))

    x, logits = yield from beginning(batch, spec, budget)
    total = torch.zeros_like(x)
    for number in range(len(plan) + 1):
        if len(batch) == 0:
            return
        x, logits = yield from bisect(batch, budget, straight(batch.x, x), logits, gap)
        yield batch.at(x, logits, step=number, steps=len(plan))
        if number == len(plan):
            return
        counts = budget.left - SEARCH
        if number < len(plan) - 1:
            counts = counts.clamp(max=plan[number])
        batch.finish(counts < 1)
        x, logits, total, counts = batch.live(x, logits, total, counts)
        if len(batch) == 0:
            return
        delta = reach * torch.linalg.vector_norm((x - batch.x).flatten(1), dim=1)
        total = total + (yield from boundary_normal(batch, x, delta, counts, looks, sum(plan[:number])))
        direction = total.sign() if spec.norm == "Linf" else made_unit(total)
        length = batch.distance(x)  # were the boundary a plane, it would not be farther along its normal
        x, logits = yield from first_success(
            batch, budget, batch.x, direction, length, FARTHER, MOST_FARTHER, x, logits
        )


def looks_planned(spec: GeoDaSpec) -> list[int]:
    """How many looks each estimate takes: as many estimates as leave at least :data:`FEWEST` for the first."""
    growth = spec.ratio ** (-2 / 3)
    number = 1
    while (spec.queries - SEARCH * (number + 1)) / sum(growth**k for k in range(number + 1)) >= FEWEST:
        number += 1
    first = max(1.0, (spec.queries - SEARCH * number) / sum(growth**k for k in range(number)))
    return [int(first * growth**k) for k in range(number)]
