"""Rapidities in deep linear networks beyond the precision ceiling: the plane of a pair is carried along, not the two vectors.

Features of a deep linear network become parallel to the last digit long before theory's rapidity ends. A pair's plane stays
two-dimensional at any depth: ``[x y] = Q R``, then ``W Q = Q' S`` and ``R <- S R`` for each layer, with R rescaled. In R the
two directions are known to full relative precision, and ``sinh eta = cot theta = R12 / |R22|``.

Source: the QR method for Lyapunov exponents; G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn (1980), "Lyapunov
characteristic exponents for smooth dynamical systems".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def frame_rapidities(weights: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Rapidity of rows i of ``x`` and ``y`` ``[P, D]`` before and after each linear map ``[n, d]``: float64 ``[L + 1, P]``.

    NaN for a pair with a dead member, +-inf for one that is exactly parallel at the input or sent to one line by a map.
    """
    q, r = torch.linalg.qr(torch.stack([x.double(), y.double()], dim=-1))
    etas = [_rapidity(r)]
    for weight in weights:
        q, s = torch.linalg.qr(weight.double() @ q)
        r = s @ r
        r = r / r.abs().amax((-2, -1), keepdim=True)
        etas.append(_rapidity(r))
    return torch.stack(etas)


def _rapidity(r: Tensor) -> Tensor:
    """From upper triangular ``[P, 2, 2]``: its columns are the two vectors in their own plane."""
    along = r[:, 0, 1] * r[:, 0, 0].sign()  # of the second, along the first
    across = r[:, 1, 1].abs() if r.shape[1] > 1 else torch.zeros_like(along)
    eta = torch.asinh(along / across)
    dead = (r[:, 0, 0] == 0) | (r[:, :, 1].abs().amax(1) == 0) | ~r.flatten(1).isfinite().all(1)
    return torch.where(dead, torch.nan, eta)
