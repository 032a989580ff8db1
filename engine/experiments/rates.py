"""Shares of samples with their uncertainty, and comparisons of paired ones. NumPy only, so that a window may use it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.seeds import derive

Z95 = 1.959963984540054  # standard normal quantile of 0.975
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95% interval."""

    value: float
    low: float
    high: float


def wilson(successes: Any, n: Any, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a share, (low, high), elementwise; (0, 1) where n is 0.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    k, total = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    safe = np.where(total > 0, total, 1.0)
    p = k / safe
    centre = (p + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(p * (1 - p) / safe + z * z / (4 * safe * safe))
    # at the ends the formula gives 0 and 1 but for rounding
    low = np.where((total > 0) & (k > 0), centre - half, 0.0)
    high = np.where((total > 0) & (k < total), centre + half, 1.0)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def share(successes: int, n: int) -> Interval:
    """A share of n samples with its Wilson interval; NaN of none."""
    low, high = wilson(successes, n)
    return Interval(successes / n if n else math.nan, float(low), float(high))


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p value of equal success rates, from the samples on which two attacks differ; 1 where there are none.

    The smaller count is binomial with share 1/2 if the rates are equal. Source: Q. McNemar (1947), "Note on the sampling
    error of the difference between correlated proportions or percentages", with the exact distribution.
    """
    n, least = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    k = np.arange(least + 1)
    # log of C(n, k) / 2^n, by the ratio of each to the one before
    steps = np.log(np.maximum(n - k + 1, 1)) - np.log(np.maximum(k, 1))
    logs = np.cumsum(np.where(k > 0, steps, 0.0)) - n * math.log(2.0)
    top = float(logs.max())
    return min(1.0, 2.0 * math.exp(top) * float(np.exp(logs - top).sum()))


def paired_difference(both: int, only_a: int, only_b: int, neither: int) -> Interval:
    """Share of A less share of B on the same samples, with its 95% hybrid score interval; NaN of no samples.

    Source: R. G. Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based
    on paired data", method 10.
    """
    n = both + only_a + only_b + neither
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    a, b = share(both + only_a, n), share(both + only_b, n)
    correlation = _paired_correlation(both, only_a, only_b, neither)
    down = _hybrid(a.value - a.low, b.high - b.value, correlation)
    up = _hybrid(a.high - a.value, b.value - b.low, correlation)
    difference = (only_a - only_b) / n
    return Interval(difference, max(-1.0, difference - down), min(1.0, difference + up))


def _paired_correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Phi of the fourfold table, with the continuity correction of Newcombe's method 10."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    cross = float(both * neither - only_a * only_b)
    if cross > 0:
        cross = max(0.0, cross - (both + only_a + only_b + neither) / 2)
    return cross / math.sqrt(margins)


def _hybrid(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(0.0, first * first - 2 * correlation * first * second + second * second))


def median(values: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Median with its 95% percentile bootstrap interval; values may be infinite (censored), NaN of none.

    The median of a resample is a value of the sample at a random rank, and that rank's distribution is known (an order
    statistic of n uniform draws is a Beta variable): so each resample costs two draws, however many values there are.
    Of an even number of values the two in the middle are averaged; where the upper one is infinite, so is the median.

    Source: B. Efron (1979), "Bootstrap methods: another look at the jackknife".
    """
    n = len(values)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    ordered = np.sort(np.asarray(values, dtype=float))
    low_rank, high_rank = (n - 1) // 2, n // 2
    drawn = np.random.default_rng(derive(seed, "bootstrap of the median"))
    lower = drawn.beta(low_rank + 1, n - low_rank, resamples)
    upper = lower
    if high_rank > low_rank:
        # the next of the n uniform draws is the least of those that lie above
        above = n - 1 - low_rank
        upper = 1 - (1 - lower) * drawn.random(resamples) ** (1 / above)
    ranks = [np.minimum((n * u).astype(int), n - 1) for u in (lower, upper)]
    resampled = _middle(ordered[ranks[0]], ordered[ranks[1]])
    # a rank, not an interpolation: between a number and infinity there is nothing
    low, high = np.quantile(resampled, [0.025, 0.975], method="inverted_cdf")
    return Interval(float(_middle(ordered[low_rank], ordered[high_rank])), float(low), float(high))


def _middle(lower: Any, upper: Any) -> Any:
    return np.where(np.isfinite(upper), (lower + np.where(np.isfinite(upper), upper, 0.0)) / 2, upper)
