"""Curves through the networks of a sweep: a mean with its interval at each value of one column, for each value of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LEVEL = 0.95
MOST_PLACES = 24  # distinct values of a column across; where there are more, neighbours are taken together
BINS = 12
MOST_GROUPS = 6
FEWEST = 3  # networks that an interval is drawn from: Student's over two is some nine times as wide as they are apart
NO_LIMITS = (-np.inf, np.inf)

Array = np.ndarray


@dataclass(frozen=True)
class Groups:
    """The networks in groups, by the values of a column."""

    labels: tuple[str, ...]
    """What the value of each group is."""
    of: Array
    """The group of each network ``[n]``, -1 where the column has no value."""


@dataclass(frozen=True)
class Curve:
    """Means of a column over networks, each with its 95% interval; fewer than :data:`FEWEST` networks have none (NaN)."""

    x: Array
    mean: Array
    low: Array
    high: Array
    n: Array
    """Networks at each place."""
    few: tuple[Array, Array]
    """Where the networks stand that are too few for an interval, and their values, one a network."""


@dataclass(frozen=True)
class Places:
    """Where networks stand across: at their own value, or with their neighbours where there are many values."""

    x: Array
    of: Array
    """The place of each network, -1 where it has no value."""


def groups(values: Array | None, n: int) -> Groups:
    """The networks by the values of a column: each value a group, or where they are many and numbers, ranges of them.

    Args:
        values: ``[n]`` numbers (NaN: missing) or objects (None: missing); None puts all in one group.
    """
    if values is None:
        return Groups(("",), np.zeros(n, dtype=int))
    of = np.full(n, -1)
    if values.dtype == object:
        found = sorted({str(value) for value in values if value is not None})
        kept = found[:MOST_GROUPS]
        for k, value in enumerate(values):
            if value is not None and str(value) in kept:
                of[k] = kept.index(str(value))
        return Groups(tuple(kept), of)
    known = np.isfinite(values)
    distinct = np.unique(values[known])
    if len(distinct) <= MOST_GROUPS:
        of[known] = np.searchsorted(distinct, values[known])
        return Groups(tuple(f"{value:.4g}" for value in distinct), of)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, 4)))
    of[known] = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, len(edges) - 2)
    return Groups(tuple(f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)), of)


def places(values: Array, *, log: bool = False) -> Places:
    """Where networks stand across.

    Args:
        values: ``[n]`` numbers; NaN is missing.
        log: neighbours are taken together with equal widths of the logarithm.
    """
    of = np.full(len(values), -1)
    known = np.isfinite(values)
    distinct = np.unique(values[known])
    if len(distinct) <= MOST_PLACES:
        of[known] = np.searchsorted(distinct, values[known])
        return Places(distinct, of)
    scaled = np.log(values[known]) if log else values[known]
    edges = np.linspace(scaled.min(), scaled.max(), BINS + 1)
    bins = np.clip(np.searchsorted(edges, scaled, side="right") - 1, 0, BINS - 1)
    there, of[known] = np.unique(bins, return_inverse=True)
    x = np.array([scaled[bins == each].mean() for each in there])
    return Places(np.exp(x) if log else x, of)


def curve(
    where: Places, y: Array, among: Array, limits: tuple[float, float] = NO_LIMITS, of: Array | None = None
) -> Curve:
    """The mean of a column at each place, over the networks named, with a Student interval over networks.

    Args:
        y: ``[n]``; NaN is left out.
        among: ``[n]`` bool.
        limits: the least and the largest that the quantity can be; intervals end there.
        of: the network of each point ``[n]`` int; points of one network at one place are one, of their mean.

    Source: Student (1908), The probable error of a mean.
    """
    from scipy.special import stdtrit  # the window draws before it is loaded

    chosen = among & (where.of >= 0) & np.isfinite(y)
    at, values = where.of[chosen], y[chosen]
    if of is not None:
        at, values = _one_each(at, values, of[chosen])
    size = len(where.x)
    n = np.bincount(at, minlength=size)
    some = np.maximum(n, 1)
    mean = np.bincount(at, values, size) / some
    spread = np.bincount(at, (values - mean[at]) ** 2, size)
    error = np.sqrt(spread / np.maximum(n - 1, 1) / some)
    half = np.where(n >= FEWEST, stdtrit(np.maximum(n - 1, 1), (1 + LEVEL) / 2) * error, np.nan)
    mean = np.where(n > 0, mean, np.nan)
    low, high = (np.clip(end, *limits) for end in (mean - half, mean + half))
    there, alone = n > 0, n[at] < FEWEST
    return Curve(where.x[there], mean[there], low[there], high[there], n[there], (where.x[at[alone]], values[alone]))


def curves(
    where: Places, y: Array, split: Groups, limits: tuple[float, float] = NO_LIMITS, of: Array | None = None
) -> list[Curve]:
    """One curve for each group."""
    return [curve(where, y, split.of == k, limits, of) for k in range(len(split.labels))]


def _one_each(at: Array, values: Array, of: Array) -> tuple[Array, Array]:
    """Places and values with one for each network at each place."""
    pairs, found = np.unique(np.stack([at, of], axis=1), axis=0, return_inverse=True)
    found = found.reshape(-1)
    return pairs[:, 0], np.bincount(found, values, len(pairs)) / np.bincount(found, minlength=len(pairs))


def distinct(values: Array) -> int:
    """How many values a column has."""
    if values.dtype == object:
        return len({value for value in values if value is not None})
    return len(np.unique(values[np.isfinite(values)]))


def codes(values: Array) -> tuple[Array, Sequence[str]]:
    """A column of texts as places 0, 1, … ``[n]`` (NaN: missing) and their names, in the order of the alphabet."""
    names = sorted({str(value) for value in values if value is not None})
    place = {name: float(k) for k, name in enumerate(names)}
    return np.array([place[str(value)] if value is not None else np.nan for value in values]), names
