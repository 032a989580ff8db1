"""Fooling noise: pure noise, changed within a budget until the network is sure that it is of a class.

Source: A. Nguyen, J. Yosinski, J. Clune (2015), "Deep neural networks are easily fooled: high confidence predictions
for unrecognizable images"; here by projected gradient steps around the noise.
"""

from __future__ import annotations

from torch import Tensor

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.pgd import descend
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.projections import Box
from engine.specs import NoiseAttackSpec


def noise_like(x: Tensor, box: Box | None, draws: Draws) -> Tensor:
    """Uniform noise in the box, or Gaussian noise of unit variance where there is none: what the attack begins with."""
    if box is None:
        return draws.normal("noise", 0, x.shape[1:]).to(x.dtype)
    return box.clamp(box.lower + draws.uniform("noise", 0, x.shape[1:]).to(x.dtype) * box.width)


def noise(batch: Batch, spec: NoiseAttackSpec) -> Steps:
    """Raise the target's log-probability; a success is the target at the confidence asked for."""
    return descend(batch, alpha=spec.step_size, steps=spec.steps, random_start=False, restarts=1)
