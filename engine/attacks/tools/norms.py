"""The size of a perturbation."""

from __future__ import annotations

from torch import Tensor

from engine.specs import Norm


def sizes(x_adv: Tensor, x: Tensor, norm: Norm) -> Tensor:
    """How far each sample ``[n, ...]`` has been moved: float64 ``[n]``; for L0 the number of values that differ."""
    delta = (x_adv.double() - x.double()).reshape(len(x), -1)
    match norm:
        case "Linf":
            return delta.abs().amax(1)
        case "L2":
            return delta.square().sum(1).sqrt()
        case "L1":
            return delta.abs().sum(1)
        case "L0":
            return (delta != 0).sum(1).double()
