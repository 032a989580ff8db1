"""Does one quantity go with another, and is that more than chance? Rank correlations whose unit is a network or an input.

Sources: C. Spearman (1904), "The proof and measurement of association between two things"; N. Mantel (1967), "The detection of
disease clustering and a generalized regression approach"; P. E. Smouse, J. C. Long, R. R. Sokal (1986), "Multiple regression and
correlation extensions of the Mantel test of matrix correspondence"; D. Freedman, D. Lane (1983), "A nonstochastic interpretation of
reported significance levels"; B. Efron (1979) for the bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from engine.generators import drain

Array = NDArray[np.float64]

LEAST = 4
"""Units below which no rank correlation is given."""
LEAST_RESAMPLED = 8
"""Units, beyond those that ``given`` takes, below which there is no interval: of normal pairs with a correlation of 0.8 the percentile
bootstrap of four units covers the truth in 73% of cases, of five in 84%; from six on it does in 93% or more."""

ROUNDING = 1e-9
"""Share of ranks, below which what is left of them is none."""
_NUMBERS = 20_000  # that are ranked between two breaths: a few milliseconds
_AT_ONCE = 50  # resamples at most, however few numbers each ranks: its fixed cost is a fraction of a millisecond


@dataclass(frozen=True)
class Association:
    """A rank correlation; NaN throughout where it has no meaning (too few units, or one that never varies)."""

    rho: float
    p: float
    """Two-sided, by permutation of the units."""
    low: float
    """95% bootstrap interval over the units; NaN for fewer than :data:`LEAST_RESAMPLED`, and for matrices, whose nodes cannot be
    resampled with repeats."""
    high: float
    n: int
    """Units that counted: those with a number everywhere."""


def spearman(
    x: ArrayLike, y: ArrayLike, given: Sequence[ArrayLike] = (), *, seed: int, resamples: int = 2000
) -> Association:
    """Spearman's rank correlation of ``x`` and ``y`` ``[n]``, what ranks of ``given`` explain taken away from both (partial).

    The p-value permutes the ranks of ``x``; what ``given`` explains is taken away from them first, and again from each permutation
    (Freedman and Lane), without which the p is too small. Units with a NaN anywhere are left out.
    """
    return drain(resampling_spearman(x, y, given, seed=seed, resamples=resamples))


def resampling_spearman(
    x: ArrayLike, y: ArrayLike, given: Sequence[ArrayLike] = (), *, seed: int, resamples: int = 2000
) -> Generator[None, None, Association]:
    """:func:`spearman` with pauses for breath between resamples."""
    columns = np.stack([np.asarray(value, np.float64) for value in (x, y, *given)])
    columns = columns[:, np.isfinite(columns).all(0)]
    n = columns.shape[1]
    if n < LEAST + len(given):
        return _nothing(n)
    rho = _partial(columns)
    if math.isnan(rho):
        return _nothing(n)
    rng = np.random.default_rng(seed)
    every = max(1, min(_AT_ONCE, _NUMBERS // columns.size))
    explained = _explained(columns)
    first, second = _residuals(columns)
    drawn_by_chance = []
    for number in range(resamples):
        permuted = rng.permutation(first)
        permuted = permuted - explained @ (explained.T @ permuted)
        drawn_by_chance.append(_pearson(permuted, second))
        if number % every == 0:
            yield
    p = _p_value(rho, drawn_by_chance)
    if n < LEAST_RESAMPLED + len(given):
        return Association(rho, p, math.nan, math.nan, n)
    found = []
    for number in range(resamples):
        found.append(_partial(columns[:, rng.integers(0, n, n)]))
        if number % every == 0:
            yield
    drawn = np.array(found)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (math.nan, math.nan)
    return Association(rho, p, float(low), float(high), n)


def mantel(
    x: ArrayLike, y: ArrayLike, given: Sequence[ArrayLike] = (), *, seed: int, resamples: int = 2000
) -> Association:
    """Spearman's rank correlation between the off-diagonal entries of matrices ``[n, n]``, tested by permuting the n nodes.

    Entries of a pair matrix are not independent: a p-value that took them to be so would be far too small. ``given``
    matrices are taken away by ranks: the correlation is of the residuals, computed anew for each permutation of ``x`` (partial Mantel
    test of Smouse, Long and Sokal). Symmetric matrices count each pair once; where one is not, both orders count, and rows are permuted
    together with columns. Entries that are NaN in any matrix are left out, and nodes without any entry do not count.
    """
    return drain(permuting_mantel(x, y, given, seed=seed, resamples=resamples))


def permuting_mantel(
    x: ArrayLike, y: ArrayLike, given: Sequence[ArrayLike] = (), *, seed: int, resamples: int = 2000
) -> Generator[None, None, Association]:
    """:func:`mantel` with pauses for breath between permutations."""
    matrices = [np.asarray(value, np.float64) for value in (x, y, *given)]
    n = len(matrices[0])
    if any(m.shape != (n, n) for m in matrices):
        raise ValueError(f"matrices of one size are needed, got {[m.shape for m in matrices]}")
    off = ~np.eye(n, dtype=bool)
    if all(np.allclose(m, m.T, equal_nan=True) for m in matrices):
        off = np.triu(off)
    for m in matrices:
        off &= np.isfinite(m)
    counted = np.flatnonzero(off.any(0) | off.any(1))
    if len(counted) < n:  # a node without a number anywhere is none, and is not permuted with the others
        matrices, n = [m[np.ix_(counted, counted)] for m in matrices], len(counted)
        off = off[np.ix_(counted, counted)]
    if n < LEAST or off.sum() < LEAST + len(given):
        return _nothing(n)

    def rho_of(order: NDArray[np.int64]) -> float:
        permuted = matrices[0][np.ix_(order, order)]
        here = off & np.isfinite(permuted)
        return _partial(np.stack([permuted[here], *(m[here] for m in matrices[1:])]))

    rho = rho_of(np.arange(n))
    if math.isnan(rho):
        return _nothing(n)
    rng = np.random.default_rng(seed)
    every = max(1, min(_AT_ONCE, _NUMBERS // (len(matrices) * n * n)))
    drawn_by_chance = []
    for number in range(resamples):
        drawn_by_chance.append(rho_of(rng.permutation(n)))
        if number % every == 0:
            yield
    return Association(rho, _p_value(rho, drawn_by_chance), math.nan, math.nan, n)


def bootstrap(
    values: Sequence[Array], statistic: Callable[..., float], *, seed: int, resamples: int = 2000
) -> tuple[float, float, float]:
    """A statistic of columns ``[n]`` resampled together over their n units, with its 95% percentile interval."""
    n = len(values[0])
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        rows = rng.integers(0, n, n)
        drawn.append(statistic(*(value[rows] for value in values)))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return statistic(*values), float(low), float(high)


def _p_value(rho: float, drawn: Sequence[float]) -> float:
    """The share of permutations that come out as far from 0, the data's own order among them.

    Those that leave nothing to correlate, as one that makes x what is given, have no value and are not counted.
    """
    known = np.abs([each for each in drawn if math.isfinite(each)])
    return float((np.sum(known >= abs(rho) - 1e-12) + 1) / (len(known) + 1))


def _partial(columns: Array) -> float:
    return _pearson(*_residuals(columns))


def _residuals(columns: Array) -> tuple[Array, Array]:
    """Ranks of the first two columns without their mean and what a line in the ranks of the others explains; 0 where that is all."""
    ranks = rankdata(columns[:2], axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    if len(columns) == 2:
        return ranks[0], ranks[1]
    explained = _explained(columns)
    left = ranks - (ranks @ explained) @ explained.T
    # what is left of a column that the others explain is rounding, and goes with nothing
    left[np.linalg.norm(left, axis=1) < ROUNDING * np.linalg.norm(ranks, axis=1)] = 0
    return left[0], left[1]


def _explained(columns: Array) -> Array:
    """What ranks of the columns behind the first two span beyond a constant: orthonormal ``[n, at most that many]``.

    A column that never varies, or that the others give, adds nothing.
    """
    ranks = rankdata(columns[2:], axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    directions, sizes, _ = np.linalg.svd(ranks.T, full_matrices=False)
    found: Array = directions[:, sizes > ROUNDING * max(1.0, float(sizes.max(initial=0.0)))]
    return found


def _pearson(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    own = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / own if own > 1e-9 * len(a) else math.nan


def _nothing(n: int) -> Association:
    return Association(math.nan, math.nan, math.nan, math.nan, n)
