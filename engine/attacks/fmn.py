"""The fast minimum-norm attack. Source: M. Pintor, F. Roli, W. Brendel, B. Biggio (2021), "Fast minimum-norm adversarial
attacks through adaptive norm constraints".

Each step goes along the gradient of the margin, made a length in L2 that falls along a cosine, and is then projected onto
a ball. Its radius shrinks by a share gamma after a success, to no more than the smallest so far, and grows by it
otherwise; gamma falls along a cosine. Before a sample's first success the ball reaches to where the linearised boundary
is, if that is farther: the paper takes this distance alone, but as the box shortens the steps, many points then come to
rest in front of the boundary. In L0 the radius is a number of values, which changes by at least 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.ddn import annealed, farthest, unit
from engine.attacks.tools.losses import margin
from engine.attacks.tools.refinement import refined
from engine.attacks.tools.thresholds import dual_norms, norms, onto_ball
from engine.specs import FmnSpec

LAST_ALPHA = 0.01  # against the first
LAST_GAMMA = 0.001
LEAST = 5e-7  # what the ball reaches ahead at least, against the sample's own size, or 1: float32 just tells it apart
TINY = 1e-30


def fmn(batch: Batch, spec: FmnSpec) -> Steps:
    """A step costs a forward and a backward pass. A restart begins at the best success, of a failure at the last point."""
    reach, least = farthest(batch), LEAST * norms(batch.x, spec.norm).clamp_min(1)
    best = torch.full_like(reach, torch.inf)
    for restart in batch.restarting(spec.restarts):
        x_adv = batch.board.x_adv[batch.places] if restart else batch.x
        norm = norms(x_adv - batch.x, spec.norm)
        radius = norm.clamp_min(1) if spec.norm == "L0" else torch.full_like(norm, torch.inf)
        for step in range(spec.steps):
            logits, gain, gradient = batch.gradient(x_adv, margin)
            point = batch.at(x_adv, logits, step=step, steps=spec.steps, norm=norm)
            yield point
            best = torch.where(point.success, torch.minimum(best, norm), best)
            gamma = annealed(spec.gamma, LAST_GAMMA, step, spec.steps)
            if spec.norm == "L0":
                radius = _count(radius, point.success, best, gamma)
            else:
                ahead = norm + torch.maximum(gain.abs() / dual_norms(gradient, spec.norm).clamp_min(TINY), least)
                radius = _radius(radius, ahead, point.success, best, gamma)
            radius = torch.minimum(radius, reach)
            x_adv, gradient, radius, reach, least, best = batch.live(x_adv, gradient, radius, reach, least, best)
            alpha = annealed(spec.alpha, spec.alpha * LAST_ALPHA, step, spec.steps)
            delta = unit(gradient).mul_(alpha).add_(x_adv - batch.x)
            x_adv = batch.x + onto_ball(delta, spec.norm, radius)
            x_adv = x_adv if batch.box is None else batch.box.clamp(x_adv)
            norm = norms(x_adv - batch.x, spec.norm)
        yield batch.at(x_adv, batch.logits(x_adv), step=spec.steps, steps=spec.steps, norm=norm)
        reach, least, best = batch.live(reach, least, best)
    yield from refined(batch, spec.refine)


def _radius(radius: Tensor, ahead: Tensor, success: Tensor, best: Tensor, gamma: float) -> Tensor:
    """The next radius: float64 ``[n]``. ``ahead`` is where the linearised boundary lies."""
    grown = torch.where(radius.isfinite(), radius * (1 + gamma), 0.0)
    grown = torch.where(best.isfinite(), grown, torch.maximum(grown, ahead))
    return torch.where(success, torch.minimum(radius * (1 - gamma), best), grown)


def _count(count: Tensor, success: Tensor, best: Tensor, gamma: float) -> Tensor:
    """How many values may differ next, at least 1."""
    fewer = torch.minimum(torch.minimum(count - 1, (count * (1 - gamma)).floor()), best)
    more = torch.maximum(count + 1, (count * (1 + gamma)).floor())
    return torch.where(success, fewer, more).clamp_min(1)
