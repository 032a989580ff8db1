"""Which pairs belong together, and means over a group of partners."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SAME, DIFFERENT = 0, 1
"""Group numbers that :func:`class_groups` gives."""


@dataclass(frozen=True, eq=False)
class PartnerMeans:
    """Mean of each input over its partners, and how many partners stood for it."""

    mean: Tensor
    """float64 ``[..., n]``; NaN where no partner had a finite value."""
    count: Tensor
    """int64 ``[..., n]``: partners with a finite value."""
    saturated: Tensor
    """int64 ``[..., n]``: partners left out because their value was infinite."""


def class_groups(labels: Tensor) -> Tensor:
    """Group of each pair of ``labels`` ``[P]``: SAME or DIFFERENT class; int64 ``[P(P-1)/2]`` in triu order."""
    i, j = torch.triu_indices(len(labels), len(labels), offset=1, device=labels.device)
    return (labels[i] != labels[j]).long()


def partner_means(values: Tensor, mask: Tensor) -> PartnerMeans:
    """Mean of ``values`` ``[..., n, R]`` over the partners that ``mask`` ``[n, R]`` picks for each of n inputs.

    These are the per-input values that :func:`engine.geometry.bootstrap.input_means` resamples. Entries that are not
    finite (dead or saturated pairs) are left out and counted.
    """
    values = values.double()
    used = mask & values.isfinite()
    count = used.sum(-1)
    total = values.masked_fill(~used, 0.0).sum(-1)
    return PartnerMeans(total / count, count, (mask & values.isinf()).sum(-1))  # 0/0 is NaN
