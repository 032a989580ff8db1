"""Rapidity of all pairs at once: the Gram matrix where it is exact enough, the chords themselves where it is not."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.pairs import lengths, unit_rows

POLE = 1e-6
"""Where ``1 - |C|`` is below this, C has lost too many digits and the chord is computed from the vectors."""

_BLOCK = 2**21  # numbers held at a time beyond input and output: 16 MB of float64


def all_pairs(x: Tensor, y: Tensor) -> Tensor:
    """Rapidity of every row of ``x`` ``[P, D]`` with every row of ``y`` ``[Q, D]``: float64 ``[P, Q]``.

    Accurate to about 1e-10 everywhere. NaN where a row is dead, +-inf where a pair is exactly parallel or opposite.
    """
    a, b = unit_rows(x)[0], unit_rows(y)[0]
    eta = a.new_empty(len(a), len(b))
    for rows in _row_blocks(len(a), len(b)):
        eta[rows] = _rapidities(a[rows], b)
    return eta


def upper_pairs(x: Tensor) -> Tensor:
    """Rapidity of all P(P-1)/2 pairs of rows of ``x`` ``[P, D]``, float64, in ``numpy.triu_indices(P, 1)`` order."""
    a = unit_rows(x)[0]
    picked = [a.new_empty(0)]
    for rows in _row_blocks(len(a), len(a)):
        block = _rapidities(a[rows], a[rows.start :])
        i, j = torch.triu_indices(*block.shape, offset=1, device=a.device)
        picked.append(block[i, j])
    return torch.cat(picked)


def _rapidities(a: Tensor, b: Tensor) -> Tensor:
    """Rapidity of unit rows ``a`` with unit rows ``b``."""
    c = a @ b.T
    eta = torch.atanh(c)
    i, j = torch.nonzero(1 - c.abs() < POLE, as_tuple=True)  # never a NaN: dead pairs stay NaN
    if len(i):
        sign = c[i, j].sign()
        eta[i, j] = sign * _pole_rapidities(a, b, i, j, sign)
    return eta


def _pole_rapidities(a: Tensor, b: Tensor, i: Tensor, j: Tensor, sign: Tensor) -> Tensor:
    """|eta| of the pairs ``(i, j)`` from the short chord; the long one follows from ``d**2 + d'**2 = 4``."""
    parts = []
    size = max(1, _BLOCK // a.shape[1])
    for start in range(0, len(i), size):
        part = slice(start, start + size)
        short = lengths(a[i[part]] - sign[part, None] * b[j[part]])
        parts.append(torch.log((4 - short.square()).sqrt() / short))
    return torch.cat(parts)


def _row_blocks(rows: int, columns: int) -> list[slice]:
    size = max(1, _BLOCK // max(1, columns))
    return [slice(start, min(rows, start + size)) for start in range(0, rows, size)]
