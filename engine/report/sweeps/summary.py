"""What a sweep came to, in numbers: its counts, and the law of untrained networks against what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.specs.sweep import Value
from engine.sweep.axes import axis_text
from engine.sweep.impossible import impossible
from engine.sweep.networks import numbers, one_each, reach_of, told_apart
from engine.sweep.store import SweepStore

REPLICATES = ("seed",)
"""Axes along which points are the same experiment over again."""
MOST = 20
"""Failed points and impossible values that a summary names."""
LAW_ROWS = 1000
"""Settings of which a summary tells the law."""
FEWEST = 5
"""Networks of one setting below which no t is given."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The networks of one setting: what theory says of their change of ln gamma, and what it is."""

    values: tuple[Value | None, ...]
    n: int
    measured: float
    """Mean over networks."""
    error: float
    """Its standard error; NaN for few networks."""
    theory: float
    t: float
    """Student's, of the mean difference from theory, with n - 1 degrees of freedom; NaN for few networks."""


def fields(store: SweepStore) -> tuple[str, ...]:
    """The axes that make different experiments."""
    return tuple(field for field in store.points.fields if field not in REPLICATES)


def network_numbers(store: SweepStore, columns: Mapping[str, np.ndarray], *names: str) -> np.ndarray:
    """The number of each point's network ``[n]``, of those that the columns named speak of; ``columns`` are to have all the axes."""
    return numbers(columns, told_apart(store.points.fields, reach_of(names, store.spec.sweep.reach)))


def law_fields(store: SweepStore) -> tuple[str, ...]:
    """The axes that make different networks before any training."""
    return told_apart(fields(store), "initial")


def cells(store: SweepStore, measured: str = "initial_change", theory: str = "theory_change") -> list[Cell]:
    """Theory against measurement of untrained networks for each setting, in the order of the points, each network once.

    None where there is no theory.
    """
    names = law_fields(store)
    columns = store.column(measured, theory, *store.points.fields)
    columns = one_each(columns, network_numbers(store, columns, measured, theory))
    there = np.isfinite(columns[measured]) & np.isfinite(columns[theory])
    groups: dict[tuple[Value | None, ...], list[int]] = {}
    for place in np.flatnonzero(there):
        key = tuple(_plain(columns[name][place]) for name in names)
        groups.setdefault(key, []).append(int(place))
    return [_cell(key, columns[measured][places], columns[theory][places]) for key, places in groups.items()]


def _cell(key: tuple[Value | None, ...], measured: np.ndarray, theory: np.ndarray) -> Cell:
    n, difference = len(measured), measured - theory
    error = t = math.nan
    if n >= FEWEST:
        error = float(measured.std(ddof=1)) / math.sqrt(n)
        spread = float(difference.std(ddof=1)) / math.sqrt(n)
        t = float(difference.mean()) / spread if spread > 0 else math.nan
    return Cell(key, n, float(measured.mean()), error, float(theory.mean()), t)


def sweep_summary(store: SweepStore) -> dict[str, Any]:
    """Plain values for a program to read."""
    found: dict[str, Any] = {
        "sweep": str(store.path),
        "points": len(store.points),
        "counts": store.counts(),
        "axes": {axis.field: axis_text(axis) for axis in store.spec.sweep.axes},
        "impossible": [
            {"field": each.field, "values": list(each.values[:MOST]), "sentence": each.sentence}
            for each in impossible(store.spec)
        ],
        "failed": [{"id": point.id, "error": point.error} for point in store.page(0, MOST, status="failed")],
    }
    settings = cells(store)
    if settings:
        found["law"] = list(_told(store, settings[:LAW_ROWS]))
        found["law_settings"] = len(settings)
    return found


def _told(store: SweepStore, settings: list[Cell]) -> Iterator[dict[str, Any]]:
    for cell in settings:
        told = {"n": cell.n, "measured": cell.measured, "error": cell.error, "theory": cell.theory, "t": cell.t}
        known = {
            name: None if isinstance(value, float) and math.isnan(value) else value for name, value in told.items()
        }
        yield {**dict(zip(law_fields(store), cell.values, strict=True)), **known}


def _plain(value: object) -> Value | None:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    return plain if isinstance(plain, bool | int | float | str) else None
