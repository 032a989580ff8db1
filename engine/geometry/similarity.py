"""How alike two representations of the same samples are: linear CKA, debiased, between layers or between networks.

The plain estimate is no use at few samples: independent Gaussian features of 50 samples in 200 dimensions get 0.80, while
the debiased one gives 0.

Sources: S. Kornblith, M. Norouzi, H. Lee, G. Hinton (2019), "Similarity of neural network representations revisited";
L. Song, A. Smola, A. Gretton, J. Bedo, K. Borgwardt (2012), "Feature selection via dependence maximization" (the unbiased HSIC).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from torch import Tensor

LEAST_SAMPLES = 4


def cka(x: Tensor, y: Tensor, *, debiased: bool = True) -> float:
    """Linear CKA of features ``x`` ``[N, D]`` and ``y`` ``[N, E]`` of the same N samples, any real type, in float64.

    NaN where either has no variance or a value that is not finite. The debiased estimate can lie slightly below 0; with
    itself it is 1. Raises ValueError for fewer than four samples (two when not debiased) or different numbers of them.
    """
    if len(x) != len(y):
        raise ValueError(f"CKA compares features of the same samples, but there are {len(x)} and {len(y)}")
    least = LEAST_SAMPLES if debiased else 2
    if len(x) < least:
        raise ValueError(f"CKA needs at least {least} samples, but there are {len(x)}")
    prepared = _without_diagonal if debiased else _centred
    return _cosine(prepared(x), prepared(y))


def cka_matrix(first: Sequence[Tensor], second: Sequence[Tensor] | None = None) -> Generator[None, None, Tensor]:
    """Debiased CKA of every representation in ``first`` with every one in ``second`` (or in ``first``): float64 ``[P, Q]``.

    Pauses for breath between products.
    """
    left = []
    for x in first:
        left.append(_without_diagonal(x))
        yield None
    right = left if second is None else []
    for y in second or ():
        right.append(_without_diagonal(y))
        yield None
    found = torch.empty(len(left), len(right), dtype=torch.float64)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            found[i, j] = found[j, i] if second is None and j < i else _cosine(a, b)
        yield None
    return found


def _cosine(a: Tensor, b: Tensor) -> float:
    own = float((a * a).sum() * (b * b).sum())
    return float((a * b).sum()) / own**0.5 if own > 0 else float("nan")


def _centred(x: Tensor) -> Tensor:
    """The Gram matrix of the features about their mean; 0 where they vary by no more than their own rounding."""
    rounding = 4 * torch.finfo(x.dtype).eps if x.is_floating_point() else 0.0
    x = x.double().flatten(1)
    about = x - x.mean(0)
    if about.norm() <= rounding * x.norm():
        about = torch.zeros_like(about)
    return about @ about.T


def _without_diagonal(x: Tensor) -> Tensor:
    """The U-centred Gram matrix, in whose inner products the unbiased HSIC consists.

    With zero diagonal and rows that sum to 0: ``G_ij - (r_i + r_j) / (N - 2) + s / ((N - 1)(N - 2))``; G. Székely, M. Rizzo
    (2014), "Partial distance correlation with methods for dissimilarities".
    """
    n = len(x)
    gram = _centred(x)  # centring first loses no digits to a large mean, and changes nothing
    gram.fill_diagonal_(0)
    rows = gram.sum(1)
    gram = gram - (rows[:, None] + rows[None]) / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    return gram.fill_diagonal_(0)
