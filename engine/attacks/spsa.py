"""Adam on a gradient estimated from scores by simultaneous perturbation. Source: J. Uesato, B. O'Donoghue, A. van den Oord,
P. Kohli (2018), "Adversarial risk and the dangers of evaluating against weak attacks"; the estimate is that of
J. Spall (1992), "Multivariate stochastic approximation using a simultaneous perturbation gradient approximation"."""

from __future__ import annotations

import torch

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.nes import pairs_within
from engine.attacks.tools.losses import margin
from engine.attacks.tools.probes import Probes, signs
from engine.attacks.tools.queries import Budget
from engine.attacks.tools.slopes import slope
from engine.specs import SpsaSpec

BETA_1, BETA_2, SMALL = 0.9, 0.999, 1e-8  # Adam's own


def spsa(batch: Batch, spec: SpsaSpec) -> Steps:
    """Every value takes a step of Adam, then the point is projected onto the ball.

    A point's step number is what has been asked of each sample so far.
    """
    budget = Budget(batch, spec.queries)
    probes = Probes(batch.question.seed, "spsa", signs, batch.x.shape[1:], batch.x)
    x, mean, square = batch.x, torch.zeros_like(batch.x), torch.zeros_like(batch.x)
    asked, used, step = 1, 0, 0
    while True:
        x, mean, square = budget.live(x, mean, square)
        if len(batch) == 0:
            return
        if used == 0:
            logits = batch.clean
        else:
            logits, asked = batch.logits(x), asked + 1
        yield batch.at(x, logits, step=asked, steps=spec.queries)
        x, mean, square = batch.live(x, mean, square)
        pairs = pairs_within(budget, spec.probes)
        if pairs == 0:
            return
        found = yield from slope(batch, x, margin, probes, used, pairs, spec.delta)
        asked, used, step = asked + 2 * pairs, used + pairs, step + 1
        mean = BETA_1 * mean + (1 - BETA_1) * found
        square = BETA_2 * square + (1 - BETA_2) * found.square()
        spread = (square / (1 - BETA_2**step)).sqrt_().add_(SMALL)
        x = batch.ball.project(x + (spec.alpha / (1 - BETA_1**step)) * mean / spread)
