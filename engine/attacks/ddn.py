"""Decoupled direction and norm. Source: J. Rony, L. G. Hafemann, L. S. Oliveira, I. Ben Ayed, R. Sabourin, E. Granger
(2019), "Decoupling direction and norm for efficient gradient-based L2 adversarial attacks and defenses".

Each step goes along the gradient's direction, its length falling from 1 to 0.01 along a cosine, and then onto the sphere
around the sample whose radius is ``1 - gamma`` times the last one after a success and ``1 + gamma`` times otherwise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.losses import cross_entropy
from engine.attacks.tools.refinement import refined
from engine.attacks.tools.thresholds import norms
from engine.specs import DdnSpec

FIRST, LAST = 1.0, 0.01  # length of a step


def ddn(batch: Batch, spec: DdnSpec) -> Steps:
    """A step costs a forward and a backward pass."""
    x_adv, reach = batch.x, farthest(batch)
    norm, radius = torch.zeros_like(reach), torch.full_like(reach, spec.init_norm)
    for step in range(spec.steps):
        logits, _, gradient = batch.gradient(x_adv, cross_entropy)
        point = batch.at(x_adv, logits, step=step, steps=spec.steps, norm=norm)
        yield point
        radius = torch.minimum(radius * torch.where(point.success, 1 - spec.gamma, 1 + spec.gamma), reach)
        x_adv, gradient, radius, reach = batch.live(x_adv, gradient, radius, reach)
        alpha = annealed(FIRST, LAST, step, spec.steps)
        delta = _direction(batch, gradient, step).mul_(alpha).add_(x_adv - batch.x)
        length = norms(delta, "L2")
        delta *= column(torch.where(length > 0, radius / length, 0.0).to(delta.dtype), delta)
        x_adv = _placed(batch, batch.x + delta, spec.levels)
        norm = norms(x_adv - batch.x, "L2")
    yield batch.at(x_adv, batch.logits(x_adv), step=spec.steps, steps=spec.steps, norm=norm)
    yield from refined(batch, spec.refine)


def annealed(first: float, last: float, step: int, steps: int) -> float:
    """From ``first`` at step 0 along half a cosine to ``last`` at step ``steps``."""
    return last + (first - last) * (1 + math.cos(math.pi * step / steps)) / 2


def farthest(batch: Batch) -> Tensor:
    """How far in the attack's norm a sample can be moved within the box: float64 ``[n]``, infinite without one."""
    if batch.box is None:
        return torch.full((len(batch),), torch.inf, dtype=torch.float64, device=batch.x.device)
    return norms(torch.maximum(batch.x - batch.box.lower, batch.box.upper - batch.x), batch.question.norm)


def unit(gradient: Tensor) -> Tensor:
    """Each sample's gradient ``[n, ...]`` made length 1 in L2; 0 where it is 0."""
    return _over(gradient, norms(gradient, "L2"))


def _over(gradient: Tensor, length: Tensor) -> Tensor:
    return gradient / column(torch.where(length > 0, length, 1.0).to(gradient.dtype), gradient)


def _direction(batch: Batch, gradient: Tensor, step: int) -> Tensor:
    """The gradient's direction, and a random one where there is no gradient."""
    length = norms(gradient, "L2")
    flat = length == 0
    if bool(flat.any()):
        noise = batch.draws.normal("flat", step, gradient.shape[1:]).to(gradient.dtype)
        return unit(torch.where(column(flat, gradient), noise, gradient))
    return _over(gradient, length)


def _placed(batch: Batch, x_adv: Tensor, levels: int) -> Tensor:
    """The nearest valid input, of ``levels`` values if that is above 1."""
    if batch.box is None:
        return x_adv
    return batch.box.rounded(x_adv, levels) if levels > 1 else batch.box.clamp(x_adv)
