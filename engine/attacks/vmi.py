"""VMI-FGSM. Source: X. Wang, K. He (2021), "Enhancing the transferability of adversarial attacks through variance tuning"."""

from __future__ import annotations

import torch

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.losses import cross_entropy
from engine.attacks.transfer import of_mean_one
from engine.specs import VmiSpec


def vmi(batch: Batch, spec: VmiSpec) -> Steps:
    """MI-FGSM whose gradient at each iterate is corrected by what the mean gradient around the last one differed by.

    The neighbours are uniform in a cube of half-width ``beta eps``, in the box or not.
    """
    x, reach = batch.x, spec.beta * spec.eps
    momentum, variance = torch.zeros_like(x), torch.zeros_like(x)
    for step in range(spec.steps):
        logits, _, gradient = batch.gradient(x, cross_entropy)
        yield batch.at(x, logits, step=step, steps=spec.steps)
        x, gradient, momentum, variance = batch.live(x, gradient, momentum, variance)
        momentum = spec.mu * momentum + of_mean_one(gradient + variance)
        if step + 1 < spec.steps:
            mean = torch.zeros_like(x)
            for neighbour in range(spec.neighbours):
                noise = batch.draws.uniform("neighbour", step * spec.neighbours + neighbour, x.shape[1:]).to(x.dtype)
                near = torch.add(x, noise.mul_(2).sub_(1), alpha=reach)
                mean.add_(batch.gradient(near, cross_entropy)[2])
                yield None
            variance = mean.div_(spec.neighbours).sub_(gradient)
        x = batch.ball.project(torch.add(x, batch.ball.ascent(momentum, x), alpha=spec.step_size))
    yield batch.at(x, batch.logits(x), step=spec.steps, steps=spec.steps)
