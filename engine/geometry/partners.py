"""Rapidity of each row with some partners of its own, where all pairs would be many times too many."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.gram import near_pole, pole_rapidities


def partner_pairs(a: Tensor, b: Tensor, partners: Tensor) -> Tensor:
    """Rapidity of unit row i of ``a`` ``[P, D]`` with the unit rows ``partners[i]`` of ``b`` ``[Q, D]``.

    Float64 ``[P, m]`` for int64 ``partners`` ``[P, m]``; unit rows come from :func:`engine.geometry.pairs.unit_rows`.
    As accurate as :func:`engine.geometry.gram.all_pairs`, without its logarithms for pairs that nobody asked for.
    """
    c = (a @ b.T).gather(1, partners)
    eta = torch.atanh(c)
    i, k = torch.nonzero(near_pole(c), as_tuple=True)
    if len(i):
        eta[i, k] = pole_rapidities(a, b, i, partners[i, k], c[i, k].sign())
    return eta
