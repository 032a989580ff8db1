"""One rank correlation in each of several networks, measured on the same inputs: its median, and whether that is chance.

The networks share the inputs, so these are resampled for all networks together: what is tested is the median over the
networks, with the input as the unit. NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from engine.geometry.association import LEAST

Array = NDArray[np.float64]

_NUMBERS = 20_000  # that are ranked between two breaths


@dataclass(frozen=True, eq=False)
class Within:
    """Median over N networks of a rank correlation over inputs; NaN where it has no meaning."""

    rho: float
    p: float
    """Two-sided, by permutation of the inputs, the same in every network."""
    low: float
    """95% bootstrap interval of the median, over inputs."""
    high: float
    n: int
    """Inputs that counted: those with a number in every network that has any."""
    each: Array
    """Every network's own correlation ``[N]``, NaN for one without."""


def resampling_within(
    x: ArrayLike, y: ArrayLike, given: Sequence[ArrayLike] = (), *, seed: int, resamples: int = 2000
) -> Generator[None, None, Within]:
    """Spearman's correlation of ``x`` and ``y`` ``[N, M]`` (or ``[M]``, the same in every network) in each of N networks.

    What a line in the ranks of ``given`` explains is taken away from the ranks of both first (partial correlation); the
    permutation is of the ranks of ``x`` that are left. Pauses for breath.
    """
    shape = np.broadcast_shapes(np.atleast_2d(x).shape, np.atleast_2d(y).shape)
    columns = np.stack([np.broadcast_to(np.asarray(v, np.float64), shape) for v in (x, y, *given)])  # [k, N, M]
    finite: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(columns), axis=0)
    measured = finite.any(1)
    each = np.full(shape[0], math.nan)
    if not measured.any():
        return Within(math.nan, math.nan, math.nan, math.nan, 0, each)
    columns = columns[:, measured][:, :, finite[measured].all(0)]
    n = columns.shape[2]
    if n < LEAST + len(given):
        return Within(math.nan, math.nan, math.nan, math.nan, n, each)
    first, second = _residuals(columns)
    each[measured] = _cosines(first, second)
    rho = _median(each)
    if math.isnan(rho):
        return Within(math.nan, math.nan, math.nan, math.nan, n, each)
    rng = np.random.default_rng(seed)
    every = max(1, _NUMBERS // columns.size)
    beyond = 0
    for number in range(resamples):
        beyond += abs(_median(_cosines(first[:, rng.permutation(n)], second))) >= abs(rho) - 1e-12
        if number % every == 0:
            yield
    drawn = []
    for number in range(resamples):
        drawn.append(_median(_cosines(*_residuals(columns[:, :, rng.integers(0, n, n)]))))
        if number % every == 0:
            yield
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Within(rho, (beyond + 1) / (resamples + 1), float(low), float(high), n, each)


def _median(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _residuals(columns: Array) -> tuple[Array, Array]:
    """Centred ranks of the first two of k columns ``[k, N, M]``, without what a line in the ranks of the others explains."""
    ranks = rankdata(columns, axis=-1) - (columns.shape[-1] + 1) / 2
    if len(columns) == 2:
        return ranks[0], ranks[1]
    design = np.moveaxis(ranks[2:], 0, -1)  # [N, M, g]
    both = np.moveaxis(ranks[:2], 0, -1)  # [N, M, 2]
    left = both - design @ (np.linalg.pinv(design) @ both)
    return left[..., 0], left[..., 1]


def _cosines(a: Array, b: Array) -> Array:
    """Of the rows of ``a`` and ``b`` ``[N, M]``; NaN where either does not vary."""
    own = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    varies = own > 1e-9 * a.shape[1]
    found: Array = np.where(varies, (a * b).sum(1) / np.where(varies, own, 1.0), math.nan)
    return found
