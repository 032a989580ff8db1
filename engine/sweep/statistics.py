"""Does one quantity of a sweep go with another? A rank correlation over its networks."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.generators import drain

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Relation:
    """Spearman's rank correlation of two columns; NaN where it has no meaning (too few networks, or one that never varies)."""

    rho: float
    p: float
    """Two-sided, by permutation of the networks."""
    low: float
    """95% bootstrap interval over the networks."""
    high: float
    n: int
    """Networks that have a number in every column."""


def relate(
    columns: Mapping[str, np.ndarray],
    x: str,
    y: str,
    given: Sequence[str] = (),
    permutations: int = RESAMPLES,
    seed: int = 0,
) -> Relation:
    """How ``y`` goes with ``x`` over networks, what the ranks of ``given`` explain taken away from both.

    ``columns`` are those of :meth:`engine.sweep.store.SweepStore.column`; a column of texts has no ranks, and one that is not
    there no numbers. Sources: as in :mod:`engine.geometry.association`.
    """
    return drain(relating(columns, x, y, given, permutations, seed))


def relating(
    columns: Mapping[str, np.ndarray],
    x: str,
    y: str,
    given: Sequence[str] = (),
    permutations: int = RESAMPLES,
    seed: int = 0,
) -> Generator[None, None, Relation]:
    """:func:`relate` with pauses for breath."""
    from engine.geometry.association import resampling_spearman

    taken = [columns.get(name) for name in (x, y, *given)]
    if any(column is None or column.dtype == object for column in taken):
        return Relation(math.nan, math.nan, math.nan, math.nan, 0)
    first, second, *others = (np.asarray(column, np.float64) for column in taken)
    found = yield from resampling_spearman(first, second, others, seed=seed, resamples=permutations)
    return Relation(found.rho, found.p, found.low, found.high, found.n)
