"""Does complexity go with boost, rank and robustness over networks, beyond depth, beyond accuracy, and beyond initialisation?"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.complexity.columns import LABELS
from engine.experiments.statistic import Statistic
from engine.geometry.association import resampling_spearman
from engine.seeds import derive

Array = NDArray[np.float64]

COMPLEXITY = ("parameters", "width", "depth")
OUTCOMES = ("change", "initial_change", "added", "rank", "test_accuracy", "robust_accuracy")
TESTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    *((outcome, measure, ()) for outcome in OUTCOMES for measure in COMPLEXITY),
    ("change", "proper_depth", ()),
    ("change", "parameters", ("depth",)),
    ("added", "parameters", ("depth",)),
    ("robust_accuracy", "change", ()),
    ("robust_accuracy", "change", ("depth",)),
    ("robust_accuracy", "change", ("test_accuracy",)),
    ("test_accuracy", "change", ()),
)
"""Outcome, what it is related to, and what is given."""


def name(outcome: str, measure: str, given: Sequence[str] = ()) -> str:
    """As a test is named in the frame: ``change ~ parameters | depth``."""
    return f"{outcome} ~ {measure}" + (f" | {', '.join(given)}" if given else "")


def related(
    columns: Mapping[str, Array], seed: int, resamples: int
) -> Generator[Statistic | None, None, list[Statistic]]:
    """Every test of :data:`TESTS` over networks, columns ``[N]``; each is yielded once it is made, None for breath."""
    found = []
    for outcome, measure, given in TESTS:
        if not all(np.isfinite(columns[each]).any() for each in (outcome, measure, *given)):
            continue  # proper depth, say, is that of linear networks alone
        told_as = name(outcome, measure, given)
        tested = yield from resampling_spearman(
            columns[measure],
            columns[outcome],
            [columns[each] for each in given],
            seed=derive(seed, "complexity", told_as),
            resamples=resamples,
        )
        label = f"{short(measure)} and {short(outcome)}"
        if given:
            label += f", given {' and '.join(short(each) for each in given)}"
        label = label[0].upper() + label[1:]
        found.append(
            Statistic(told_as, label, "network", tested.rho, tested.p, tested.low, tested.high, tested.n, given)
        )
        yield found[-1]
    return found


SHORT = {
    "change": "boost as trained",
    "initial_change": "boost before training (control)",
    "added": "boost that training adds",
    "rank": "effective rank as trained",
    "proper_depth": "proper depth",
}


def short(column: str) -> str:
    """A column within a sentence."""
    return SHORT.get(column, LABELS[column].lower())


def holm(p: Sequence[float]) -> list[float]:
    """p values after Holm: the chance of any false find among all of them. NaN stays NaN.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    order = sorted((value, k) for k, value in enumerate(p) if math.isfinite(value))
    found, most = [math.nan] * len(p), 0.0
    for rank, (value, k) in enumerate(order):
        most = max(most, min(1.0, value * (len(order) - rank)))
        found[k] = most
    return found


def told_with_holm(statistics: Sequence[Statistic]) -> list[dict[str, Any]]:
    """Plain JSON of the tests, each with its p value after Holm over all of them."""
    adjusted = holm([each.p for each in statistics])
    return [
        each.told() | {"holm": p if math.isfinite(p) else None} for each, p in zip(statistics, adjusted, strict=True)
    ]
