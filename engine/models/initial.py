"""Gaussian initialisation: weights of variance sigma_w^2 / fan-in, biases of variance sigma_b^2.

Sources: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp (sigma_w^2 = 1); He, Zhang, Ren & Sun 2015, Delving Deep
into Rectifiers (sigma_w^2 = 2); Poole et al. 2016, Exponential expressivity in deep neural networks (sigma_w, sigma_b).
"""

from __future__ import annotations

import math

import torch
from torch import nn

from engine.seeds import generator
from engine.specs import NetworkSpec


def scales(spec: NetworkSpec) -> tuple[float, float]:
    """``sigma_w, sigma_b`` of a spec; without biases sigma_b is 0, whatever is asked for."""
    match spec.init:
        case "he":
            return math.sqrt(2), 0.0
        case "lecun":
            return 1.0, 0.0
        case "sigma":
            return spec.sigma_w, spec.sigma_b if spec.bias else 0.0


@torch.no_grad()
def initialise(model: nn.Module, spec: NetworkSpec, seed: int) -> None:
    """Draw the weights and biases of every linear map and convolution, in place, from one generator, layer by layer.

    Networks of one seed that differ in depth alone therefore share their first layers.
    """
    sigma_w, sigma_b = scales(spec)
    rng = generator(seed, "initial weights")
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0.0, sigma_w / math.sqrt(fan_in), generator=rng)
            if module.bias is not None:
                if sigma_b > 0:
                    module.bias.normal_(0.0, sigma_b, generator=rng)
                else:
                    module.bias.zero_()
