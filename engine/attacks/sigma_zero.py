"""Sigma-zero. Source: A. E. Cinà, F. Villani, M. Pintor, L. Schönherr, B. Biggio, M. Pelillo (2025), "σ-zero:
gradient-based optimization of l0-norm adversarial examples".

It makes ``max(z_y - max_{k != y} z_k, 0) + mean_i d_i^2 / (d_i^2 + sigma)`` small by Adam on gradients of largest value 1,
and after each step undoes changes ``|d_i|`` below a threshold tau, which rises after a success and falls otherwise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.losses import margin
from engine.specs import SigmaZeroSpec

LAST_STEP = 0.1  # against the first
BETA_1, BETA_2, ADAM_EPS = 0.9, 0.999, 1e-8
TINY = 1e-12


def sigma_zero(batch: Batch, spec: SigmaZeroSpec) -> Steps:
    """A step costs a forward and a backward pass."""
    x_adv = batch.x
    mean, square = torch.zeros_like(x_adv), torch.zeros_like(x_adv)
    tau = torch.full_like(batch.x.flatten(1)[:, 0], spec.tau)
    norm = torch.zeros_like(tau, dtype=torch.float64)
    eta, most = spec.eta, math.inf if batch.box is None else float(batch.box.width.max())
    for step in range(spec.steps):
        logits, _, gradient = batch.gradient(x_adv, missing)
        point = batch.at(x_adv, logits, step=step, steps=spec.steps, norm=norm)
        yield point
        x_adv, mean, square, tau, gradient, success = batch.live(x_adv, mean, square, tau, gradient, point.success)
        delta = x_adv - batch.x
        descent = _count_slope(delta, spec.sigma).sub_(gradient)
        descent /= column(descent.flatten(1).abs().amax(1).clamp_min_(TINY), descent)
        mean.lerp_(descent, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(descent, descent, value=1 - BETA_2)
        spread = (square / (1 - BETA_2 ** (step + 1))).sqrt_().add_(ADAM_EPS)
        delta.addcdiv_(mean, spread, value=-eta / (1 - BETA_1 ** (step + 1)))
        if batch.box is not None:
            delta = batch.box.clamp(delta.add_(batch.x)).sub_(batch.x)
        eta = spec.eta * (LAST_STEP + (1 - LAST_STEP) * (1 + math.cos(math.pi * (step + 1) / spec.steps)) / 2)
        tau = (tau + torch.where(success, spec.t * eta, -spec.t * eta)).clamp(0, most)
        x_adv = torch.where(delta.abs() >= column(tau, delta), batch.x + delta, batch.x)
        x_adv = x_adv if batch.box is None else batch.box.clamp(x_adv)
        norm = (x_adv != batch.x).flatten(1).sum(1).double()
    yield batch.at(x_adv, batch.logits(x_adv), step=spec.steps, steps=spec.steps, norm=norm)


def missing(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """The margin as far as it is short of a success, at most 0."""
    return margin(logits, y, target).clamp_max(0)


def _count_slope(delta: Tensor, sigma: float) -> Tensor:
    """The gradient of the mean of ``d^2 / (d^2 + sigma)``: ``2 sigma d / (d^2 + sigma)^2 / D``."""
    below = delta.square().add_(sigma)
    return delta * (2 * sigma / delta[0].numel()) / below.square_()
