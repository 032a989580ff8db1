"""Intervals of a number that belongs to a whole set: leave out one group of its members after the other.

What is no mean (an effective rank) is not to be resampled with replacement: members drawn twice make a set look smaller than it is.

Source: M. H. Quenouille (1956), "Notes on bias in estimation"; J. W. Tukey (1958), "Bias and confidence in not-quite large
samples"; the delete-a-group form: P. S. Kott (2001), "The delete-a-group jackknife".
"""

from __future__ import annotations

import math

import torch
from scipy.stats import t as student
from torch import Tensor


def left_out(n: int, groups: int) -> list[Tensor]:
    """Of n members those that stay when each group is left out: ``groups`` index tensors; every group takes each so many-th."""
    position = torch.arange(n)
    return [torch.nonzero(position % groups != group).flatten() for group in range(groups)]


def jackknife(whole: Tensor, parts: Tensor, level: float = 0.95) -> tuple[Tensor, Tensor]:
    """Low and high end, ``[...]``, of the interval about ``whole`` ``[...]``; ``parts`` ``[G, ...]`` are without one group each.

    Variance ``(G - 1) / G sum (parts - mean)^2``, Student's t with G - 1 degrees. NaN where any part is.
    """
    g = len(parts)
    error = ((g - 1) / g * (parts - parts.mean(0)).square().sum(0)).sqrt()
    reach = float(student.ppf((1 + level) / 2, g - 1)) if g > 1 else math.nan
    return whole - reach * error, whole + reach * error
