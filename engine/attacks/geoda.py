"""GeoDA. Source: A. Rahmati, S.-M. Moosavi-Dezfooli, P. Frossard, H. Dai (2020), "GeoDA: a geometric framework for
black-box adversarial attacks"."""

from __future__ import annotations

import math
from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.cosines import Cosines
from engine.attacks.decision import beginning, bisect, straight
from engine.attacks.hopskipjump import boundary_normal
from engine.attacks.probes import Probes, made_unit, normal
from engine.attacks.queries import Budget
from engine.specs import GeoDaSpec

FEWEST = 50  # looks for the first estimate, at least
SEARCH = 25  # queries set aside for the search that follows an estimate
FARTHER, MOST_FARTHER = 1.5, 12


def geoda(batch: Batch, spec: GeoDaSpec) -> Steps:
    """The normal is the sum of all estimates so far; L-inf goes along its signs. The k-th estimate takes
    ``ratio^(-2 k / 3)`` times as many looks as the first (paper, section 3.4).

    Looks lie in the waves of low frequency; their length is a share of the distance to the sample.
    """
    budget = Budget(batch, spec.queries)
    waves = Cosines(batch.x.shape[1:], spec.frequencies, batch.x)
    probes = Probes(batch.question.seed, "geoda", normal, waves.kept, batch.x)
    gap, reach = max(spec.sigma / 2, 1e-5), spec.sigma * math.sqrt(waves.kept.numel())
    plan = looks_planned(spec)
    far, logits = yield from beginning(batch, spec, budget)
    total, used = torch.zeros_like(far), 0
    for number, wanted in enumerate([0, *plan]):
        if number > 0:
            counts = (budget.left - SEARCH).clamp(max=wanted)
            batch.finish(counts < 1)
            x, logits, total, counts = batch.live(x, logits, total, counts)
            if len(batch) == 0:
                return
            delta = (reach * torch.linalg.vector_norm((x - batch.x).flatten(1), dim=1)).to(x.dtype)
            look = lambda first, count: made_unit(waves.synthesis(probes.take(first, count)))
            found = yield from boundary_normal(batch, x, delta, counts, look, used)
            used += wanted
            total = total + found
            far, logits = yield from _along(batch, budget, spec, x, logits, total)
        share = torch.ones(len(batch), dtype=torch.float64, device=far.device)
        path = straight(batch.x, far)
        share, logits = yield from bisect(batch, budget, path, share, logits, gap)
        x = path(share, torch.arange(len(batch), device=share.device))
        yield batch.at(x, logits, step=number, steps=len(plan))
        x, logits, total = budget.live(x, logits, total)
        if len(batch) == 0:
            return


def _along(
    batch: Batch, budget: Budget, spec: GeoDaSpec, x: Tensor, logits: Tensor, total: Tensor
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """From the sample along the normal, at first as far as ``x`` is, then farther until that succeeds; else stay at ``x``."""
    direction = total.sign() if spec.norm == "Linf" else made_unit(total)
    far, logits, length = x.clone(), logits.clone(), batch.distance(x)
    pending = torch.ones_like(length, dtype=torch.bool)
    for _ in range(MOST_FARTHER):
        rows = (pending & (budget.left > 0)).nonzero()[:, 0]
        if len(rows) == 0:
            break
        points = batch.x[rows] + column(length[rows].to(x.dtype), x) * direction[rows]
        points = points if batch.box is None else batch.box.clamp(points)
        seen = batch.logits(points, rows)
        won = batch.succeeded(seen, rows)
        done = rows[won]
        far[done], logits[done], pending[done] = points[won], seen[won], False
        length[rows] *= FARTHER
        yield None
    return far, logits


def looks_planned(spec: GeoDaSpec) -> list[int]:
    """How many looks each estimate takes: as many estimates as leave the first at least :data:`FEWEST`."""
    number = 1
    while True:
        weights = [spec.ratio ** (-2 * k / 3) for k in range(number + 1)]
        available = spec.queries - SEARCH * (number + 1)
        if available * weights[0] / sum(weights) < FEWEST:
            break
        number += 1
    weights = [spec.ratio ** (-2 * k / 3) for k in range(number)]
    available = max(1, spec.queries - SEARCH * number)
    return [max(1, int(available * weight / sum(weights))) for weight in weights]
