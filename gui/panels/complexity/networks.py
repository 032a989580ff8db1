"""The networks that the panel draws, a row each, from a sweep's file or from a frame; and how a column is laid on an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.sweep.columns import BY_NAME, Column
from engine.sweep.curves import codes, distinct
from engine.sweep.networks import numbers, reach_of, told_apart

if TYPE_CHECKING:
    from engine.events import Frame

SWEEP, SESSION = "sweep", "session"
LOG_FROM = 8.0  # a column of positive numbers whose largest is so many times its least is drawn logarithmically
MOST_VALUES = 60  # of a column that curves can be drawn for, one for each or for ranges of them


@dataclass(frozen=True)
class Networks:
    """Columns of equal length, one value a network. ``ids`` are the points of the sweep."""

    source: str
    columns: tuple[Column, ...]
    arrays: dict[str, np.ndarray]
    ids: np.ndarray
    statistics: tuple[dict[str, Any], ...] = ()
    says: str = ""
    """What the frame says of itself."""

    @property
    def n(self) -> int:
        return len(self.ids)

    def of(self, *names: str) -> np.ndarray:
        """Which network each row is, of those that some columns speak of.

        Points of a sweep that differ only in attack or measurement are one, and so are those that only their training
        tells apart where the columns are known before it.
        """
        trained = "trained" if "test_accuracy" in self.arrays else "initial"
        return self._of[reach_of(names, trained)]

    @cached_property
    def _of(self) -> dict[str, np.ndarray]:
        if self.source != SWEEP:
            return dict.fromkeys(("initial", "trained"), np.arange(self.n))
        axes = [column.name for column in self.columns if column.kind == "axis"]
        held = {**self.arrays, "id": self.ids}
        return {reach: numbers(held, told_apart(axes, reach)) for reach in ("initial", "trained")}

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def text(self, name: str) -> str:
        """What a column is called on an axis, with its unit."""
        column = self.column(name)
        return f"{column.label} ({column.unit})" if column.unit else column.label

    def varied(self) -> list[str]:
        """Columns that have more than one value, in order; what says the same as an axis is left to the axis."""
        found = [column for column in self.columns if distinct(self.arrays[column.name]) > 1]
        axes = [self.arrays[column.name] for column in found if column.kind == "axis"]
        return [
            column.name
            for column in found
            if column.kind != "complexity" or not any(_same(self.arrays[column.name], axis) for axis in axes)
        ]

    def axes(self) -> list[str]:
        """Fields that vary, the seed last: over it one averages."""
        found = [name for name in self.varied() if self.column(name).kind == "axis"]
        return sorted(found, key=lambda name: name == "seed")


def of_sweep(columns: Sequence[Column], arrays: dict[str, np.ndarray]) -> Networks:
    """The finished points of a sweep."""
    kept = tuple(column for column in columns if column.name in arrays)
    return Networks(SWEEP, kept, arrays, np.asarray(arrays["id"], dtype=int))


def of_frame(frame: Frame) -> Networks:
    """A frame of networks: arrays by column, of one length."""
    known = {str(_named(each)): each for each in frame.info.get("columns", ())}
    arrays = {name: _plain(values) for name, values in frame.arrays.items() if np.ndim(values) == 1}
    lengths = [len(arrays[name]) for name in known if name in arrays]
    n = lengths[0] if lengths else 0
    arrays = {name: values for name, values in arrays.items() if len(values) == n}
    columns = tuple(_column(name, each) for name, each in known.items() if name in arrays)
    return Networks(
        SESSION, columns, arrays, np.arange(n), tuple(frame.info.get("statistics", ())), str(frame.info.get("says", ""))
    )


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype != object and other.dtype != object and np.array_equal(one, other, equal_nan=True)


def _named(each: Any) -> str:
    return each["name"] if isinstance(each, dict) else each


def _column(name: str, each: Any) -> Column:
    if name in BY_NAME and not isinstance(each, dict):
        return BY_NAME[name]
    given = each if isinstance(each, dict) else {}
    words = name.replace("_", " ")
    return Column(
        name,
        str(given.get("label") or words[:1].upper() + words[1:]),
        str(given.get("unit", "")),
        given.get("kind", "complexity"),
        str(given.get("help", "")),
    )


def _plain(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values.astype(object) if values.dtype.kind in "USO" else values.astype(float)


@dataclass(frozen=True)
class Laid:
    """A column as it is drawn: numbers, their log10, or places of names."""

    values: np.ndarray
    log: bool
    names: tuple[str, ...]

    def drawn(self, raw: np.ndarray) -> np.ndarray:
        """Numbers of the column where they stand on the axis."""
        return np.log10(raw) if self.log else raw


def laid(networks: Networks, name: str) -> Laid:
    """How a column stands on an axis."""
    values = networks.arrays[name]
    if values.dtype == object:
        places, names = codes(values)
        return Laid(places, False, tuple(names))
    known = values[np.isfinite(values)]
    column = networks.column(name)
    share = column.kind == "accuracy" and not column.unit  # is read as it is, and may be 0 in the next network
    log = not share and bool(len(known)) and known.min() > 0 and known.max() / known.min() >= LOG_FROM
    return Laid(np.log10(values) if log else values, log, ())
