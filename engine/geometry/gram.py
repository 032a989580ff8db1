"""Rapidity of all pairs at once: the Gram matrix where it is exact enough, the chords themselves where it is not."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.pairs import unit_rows

POLE = 1e-6
"""Where ``1 - |C|`` is below this, C has lost too many digits and the chord is computed from the vectors."""

_BLOCK = 2**21  # numbers held at a time beyond input and output: 16 MB of float64
_CACHE = 2**18  # the same for differences of vectors, which are made and measured at once: 2 MB stay in the cache


def all_pairs(x: Tensor, y: Tensor) -> Tensor:
    """Rapidity of every row of ``x`` ``[P, D]`` with every row of ``y`` ``[Q, D]``: float64 ``[P, Q]``.

    Accurate to about 1e-10 everywhere. NaN where a row is dead, +-inf where a pair is exactly parallel or opposite.
    """
    a, b = unit_rows(x)[0], unit_rows(y)[0]
    eta = a.new_empty(len(a), len(b))
    for rows in _row_blocks(len(a), len(b)):
        c = a[rows] @ b.T
        eta[rows] = torch.atanh(c)
        i, j = torch.nonzero(near_pole(c), as_tuple=True)
        eta[i + rows.start, j] = pole_rapidities(a[rows], b, i, j, c[i, j].sign())
    return eta


def upper_pairs(x: Tensor) -> Tensor:
    """Rapidity of all P(P-1)/2 pairs of rows of ``x`` ``[P, D]``, float64, in ``numpy.triu_indices(P, 1)`` order."""
    a = unit_rows(x)[0]
    etas = [a.new_empty(0)]
    for rows in _row_blocks(len(a), len(a)):
        b = a[rows.start :]
        i, j = torch.triu_indices(rows.stop - rows.start, len(b), offset=1, device=a.device)
        c = (a[rows] @ b.T).flatten().index_select(0, i * len(b) + j)
        eta = torch.atanh(c)
        near = torch.nonzero(near_pole(c)).flatten()
        eta[near] = pole_rapidities(a[rows], b, i[near], j[near], c[near].sign())
        etas.append(eta)
    return torch.cat(etas)


def near_pole(c: Tensor) -> Tensor:
    """Which cosines say too little; never a NaN, so that dead pairs stay NaN."""
    return c.abs() > 1 - POLE


def pole_rapidities(a: Tensor, b: Tensor, i: Tensor, j: Tensor, sign: Tensor) -> Tensor:
    """Rapidity of the pairs ``(i, j)`` from the short chord; the long one follows from ``d**2 + d'**2 = 4``."""
    parts = [a.new_empty(0)]
    size = max(1, _CACHE // a.shape[1])
    for start in range(0, len(i), size):
        part = slice(start, start + size)
        difference = b.index_select(0, j[part]).mul_(sign[part, None]).sub_(a.index_select(0, i[part]))
        short = torch.linalg.vector_norm(difference, dim=1)
        parts.append(torch.log((4 - short.square()).sqrt() / short))
    return sign * torch.cat(parts)


def _row_blocks(rows: int, columns: int) -> list[slice]:
    size = max(1, _BLOCK // max(1, columns))
    return [slice(start, min(rows, start + size)) for start in range(0, rows, size)]
