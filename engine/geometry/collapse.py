"""Neural collapse: how far the last features of a trained network are from one simplex of class means.

Source: V. Papyan, X. Y. Han, D. L. Donoho (2020), "Prevalence of neural collapse during the terminal phase of deep learning
training".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Collapse:
    """The four signs; each is 0 at complete collapse, NaN where it has no meaning (a single class, no spread of the means)."""

    nc1: float
    """``tr(S_W pinv(S_B)) / K``: spread within the classes against that between them."""
    nc2_norms: float
    """Coefficient of variation of the lengths of the centred class means."""
    nc2_angles: float
    """Mean ``|cos + 1/(K-1)|`` over pairs of centred class means."""
    nc3: float
    """``|W/|W| - M/|M||_F`` of classifier and centred class means; NaN without a classifier of these features."""
    nc4: float
    """Share of samples whose prediction is not the nearest class mean; NaN without predictions."""
    mean_cosine: float
    """Of pairs of centred class means: never below ``-1/(K-1)``, the simplex's, which single pairs may lie below."""
    classes: int


def collapse(
    features: Tensor, y: Tensor, *, weight: Tensor | None = None, prediction: Tensor | None = None
) -> Collapse:
    """Features ``[N, D]`` with labels int64 ``[N]``; ``weight`` ``[K, D]`` is the classifier's, ``prediction`` ``[N]`` its answer.

    Classes count with equal weight; those without a sample do not count. ``weight`` has a row for each class of 0 .. K - 1.
    """
    h = features.double().flatten(1)
    present = torch.unique(y)
    k = len(present)
    nan = float("nan")
    if k < 2 or not bool(h.isfinite().all()):
        return Collapse(nan, nan, nan, nan, nan, nan, k)
    means = torch.stack([h[y == c].mean(0) for c in present])
    m = means - means.mean(0)
    lengths = m.norm(dim=1)
    cosines = _cosines(m)
    return Collapse(
        nc1=_within_over_between(h, y, present, means, m),
        nc2_norms=float(lengths.std(correction=0) / lengths.mean()),
        nc2_angles=float((cosines + 1 / (k - 1)).abs().mean()),
        nc3=nan if weight is None else _apart(weight.double()[present], m),
        nc4=nan if prediction is None else _disagreement(h, present, means, prediction),
        mean_cosine=float(cosines.mean()),
        classes=k,
    )


def _within_over_between(h: Tensor, y: Tensor, present: Tensor, means: Tensor, m: Tensor) -> float:
    """tr(S_W pinv(S_B)) / K, in the K-dimensional space of the class means, where S_B lives."""
    # S_B = V diag(s^2) V^T / K with V the right singular vectors of m: pinv needs the within-class spread along V alone
    _, s, v = torch.linalg.svd(m, full_matrices=False)
    kept = s > s.max() * 1e-10
    if not bool(kept.any()):
        return float("nan")
    total = 0.0
    for c, mean in zip(present, means, strict=True):
        along = (h[y == c] - mean) @ v[kept].T
        total += float((along.square().mean(0) / s[kept].square()).sum())
    return total / len(present)  # the K of S_B and the 1/K of the mean over classes cancel


def _cosines(m: Tensor) -> Tensor:
    """Of all pairs of rows."""
    unit = m / m.norm(dim=1, keepdim=True)
    i, j = torch.triu_indices(len(m), len(m), offset=1)
    cosines: Tensor = (unit @ unit.T)[i, j]
    return cosines


def _apart(weight: Tensor, m: Tensor) -> float:
    if weight.shape != m.shape:
        return float("nan")
    return float((weight / weight.norm() - m / m.norm()).norm())


def _disagreement(h: Tensor, present: Tensor, means: Tensor, prediction: Tensor) -> float:
    nearest = present[torch.cdist(h, means).argmin(1)]
    return float((nearest != prediction).double().mean())
