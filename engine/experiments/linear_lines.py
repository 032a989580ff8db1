"""World lines of deep linear networks, exact beyond what float32 features can tell apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.geometry.frames import frame_rapidities
from engine.models import Network


def exact_rapidities(model: Network, a: Tensor, b: Tensor, reference: Tensor) -> Tensor | None:
    """Rapidity of inputs i of ``a`` and ``b`` after each linear map: float64 ``[views, L, k]``; None where the network bends.

    Centred by the mean of ``reference`` inputs, biases cancel; in the other view they must be zero, else it is NaN.
    """
    maps = [module for module in model.layers if not isinstance(module, nn.Flatten)]
    if not all(isinstance(module, nn.Linear) for module in maps):
        return None
    weights = [module.weight.detach() for module in maps if isinstance(module, nn.Linear)]
    biased = any(m.bias is not None and bool(m.bias.any()) for m in maps if isinstance(m, nn.Linear))
    with torch.no_grad():
        x, y, centre = (model.normalise(each).flatten(1).double() for each in (a, b, reference))
    found = [frame_rapidities(weights, x - centre.mean(0), y - centre.mean(0))[1:]]
    found.append(torch.full_like(found[0], torch.nan) if biased else frame_rapidities(weights, x, y)[1:])
    return torch.stack(found)
