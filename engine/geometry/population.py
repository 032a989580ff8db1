"""All pairs of many samples at once, as sums and histograms: nothing of size pairs is ever kept."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.geometry.gram import near_pole, pole_rapidities
from engine.geometry.groups import DIFFERENT, SAME
from engine.geometry.pairs import unit_rows
from engine.geometry.readings import QUANTITIES, quantities

BINS = 200  # of C from -1 to 1
_BLOCK = 2**17  # pairs looked at between two breaths: a few hundredths of a second


@dataclass(frozen=True, eq=False)
class Population:
    """Pairs of the same class (0) and of different classes (1)."""

    count: NDArray[np.int64]
    """``[2]`` pairs of live samples."""
    mean: NDArray[np.float64]
    """``[2, Q]``; saturated pairs count in all but rapidity and ln gamma. NaN where there is no pair."""
    sd: NDArray[np.float64]
    """``[2, Q]``: of pairs, which are not independent: no standard error follows from it."""
    histogram: NDArray[np.int64]
    """``[2, BINS]``: pairs by C, equal bins from -1 to 1."""
    saturated: NDArray[np.int64]
    """``[2]`` pairs that are parallel or opposite at float64 precision."""
    dead: int
    """Samples without a direction, which are in no pair."""


def population(x: Tensor, labels: Tensor) -> Generator[float, None, Population]:
    """All N(N-1)/2 pairs of the rows of ``x`` ``[N, D]`` with labels int64 ``[N]``; yields the share that is done.

    Needs memory for the unit rows (8 N D bytes) and some 60 MB beside them, whatever N is.
    """
    unit, gone = unit_rows(x)
    unit, labels = unit[~gone], labels[~gone]
    n, q = len(unit), len(QUANTITIES)
    count, saturated = np.zeros(2, np.int64), np.zeros(2, np.int64)
    used, total, squares = np.zeros((2, q)), np.zeros((2, q)), np.zeros((2, q))
    histogram = np.zeros((2, BINS), np.int64)
    done, everything = 0, max(1, n * (n - 1) // 2)
    size = max(1, _BLOCK // max(1, n))
    for start in range(0, n, size):
        stop = min(n, start + size)
        c = unit[start:stop] @ unit[start:].T
        upper = torch.ones_like(c, dtype=torch.bool).triu(1)
        other = labels[start:stop, None] != labels[None, start:]
        for group, which in ((SAME, upper & ~other), (DIFFERENT, upper & other)):
            i, j = torch.nonzero(which, as_tuple=True)
            eta = _rapidities(unit[start:stop], unit[start:], c[i, j], i, j)
            finite = np.isfinite(eta)
            values = quantities(eta)
            count[group] += len(eta)
            saturated[group] += int((~finite).sum())
            known = np.isfinite(values)
            used[group] += known.sum(1)
            values = np.where(known, values, 0.0)
            total[group] += values.sum(1)
            squares[group] += (values * values).sum(1)
            bins = np.clip(((values[0] + 1) / 2 * BINS).astype(np.int64), 0, BINS - 1)
            histogram[group] += np.bincount(bins, minlength=BINS)
            yield done / everything
        done += int(upper.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / used
        sd = np.sqrt(np.maximum(squares / used - mean**2, 0))
    return Population(count, mean, sd, histogram, saturated, int(gone.sum()))


def _rapidities(a: Tensor, b: Tensor, c: Tensor, i: Tensor, j: Tensor) -> NDArray[np.float64]:
    eta = torch.atanh(c)
    near = torch.nonzero(near_pole(c)).flatten()
    if len(near):
        eta[near] = pole_rapidities(a, b, i[near], j[near], c[near].sign())
    return eta.numpy()
