"""Projected gradient steps on a gradient estimated from scores by natural evolution strategies. Source: A. Ilyas,
L. Engstrom, A. Athalye, J. Lin (2018), "Black-box adversarial attacks with limited queries and information"."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.losses import Loss, margin
from engine.attacks.tools.probes import Probes, normal
from engine.attacks.tools.queries import Budget
from engine.attacks.tools.slopes import exact_cross_entropy, slope
from engine.specs import NesSpec

LEAST_STEP = 1 / 200  # of alpha: 5e-5 of 1e-2 in the authors' code


def nes(batch: Batch, spec: NesSpec) -> Steps:
    """L-inf steps go along the sign of the running mean of the estimates, L2 steps along it made length 1.

    A sample's step is halved when ``patience`` steps have made its gain no larger. A point's step number is what has been
    asked of each sample so far.
    """
    budget = Budget(batch, spec.queries)
    loss: Loss = margin if spec.loss == "margin" else exact_cross_entropy
    probes = Probes(batch.question.seed, "nes", normal, batch.x.shape[1:], batch.x)
    x, running = batch.x, torch.zeros_like(batch.x)
    alpha = torch.full_like(batch.x.flatten(1)[:, 0], spec.alpha)
    reference = torch.full_like(alpha, -torch.inf, dtype=torch.float64)
    since = torch.zeros_like(batch.y)
    asked, used = 1, 0
    while True:
        x, running, alpha, reference, since = budget.live(x, running, alpha, reference, since)
        if len(batch) == 0:
            return
        if used == 0:
            logits = batch.clean
        else:
            logits, asked = batch.logits(x), asked + 1
        yield batch.at(x, logits, step=asked, steps=spec.queries)
        gain = loss(logits.double(), batch.y, batch.target)
        x, running, alpha, reference, since, gain = batch.live(x, running, alpha, reference, since, gain)
        pairs = pairs_within(budget, spec.probes)
        if pairs == 0:
            return
        alpha, reference, since = _patient(spec, alpha, reference, since, gain)
        found = yield from slope(batch, x, loss, probes, used, pairs, spec.sigma)
        asked, used = asked + 2 * pairs, used + pairs
        running = spec.momentum * running + (1 - spec.momentum) * found
        x = batch.ball.project(x + column(alpha, x) * batch.ball.ascent(running, x))


def pairs_within(budget: Budget, probes: int) -> int:
    """How many pairs of looks the next estimate takes: one look is left for the step that follows."""
    return min(max(1, probes // 2), (int(budget.left.min()) - 1) // 2)


def _patient(
    spec: NesSpec, alpha: Tensor, reference: Tensor, since: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Step sizes, the gain that the next comparison is with, and how many steps ago it was; all ``[n]``."""
    if spec.patience == 0:
        return alpha, reference, since
    due = since >= spec.patience
    slower = (alpha / 2).clamp_min(spec.alpha * LEAST_STEP)
    alpha = torch.where(due & (gain <= reference), slower, alpha)
    fresh = due | (since == 0)
    return alpha, torch.where(fresh, gain, reference), torch.where(due, 1, since + 1)
