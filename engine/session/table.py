"""A table of records as columns of numbers, grown row by row at amortised cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.events import Scalar

_FIRST_CAPACITY = 64


class Table:
    """Rows in order, read by column.

    A column is float64, NaN where a row has no number (the field absent, or None); from the first text on it is a
    column of objects, each value as it was put, None where absent. Not safe for threads: each thread reads its own.
    """

    def __init__(self, rows: Iterable[Mapping[str, Scalar]] = ()) -> None:
        self._buffers: dict[str, np.ndarray] = {}
        self._capacity = _FIRST_CAPACITY
        self._length = 0
        self.extend(rows)

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Table({self._length} rows of {', '.join(self._buffers) or 'nothing'})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the order of their first appearance."""
        return tuple(self._buffers)

    def append(self, row: Mapping[str, Scalar]) -> None:
        """Add one row; amortised constant time for each field."""
        self.extend((row,))

    def extend(self, rows: Iterable[Mapping[str, Scalar]]) -> None:
        """Add rows in order."""
        added = rows if isinstance(rows, list | tuple) else list(rows)
        if not added:
            return
        self._reserve(self._length + len(added))
        names = dict.fromkeys(name for row in added for name in row)
        for name in names:
            self._fill(name, [row.get(name) for row in added])
        self._length += len(added)

    def column(self, name: str) -> np.ndarray:
        """A read-only view ``[len]`` of a column. It keeps showing the same rows while the table grows.

        Raises:
            KeyError: no row has such a field.
        """
        view = self._buffers[name][: self._length]
        view.flags.writeable = False
        return view

    def row(self, index: int) -> dict[str, Scalar]:
        """One row as it reads in the columns; negative indices count from the end.

        Raises:
            IndexError: there is no such row.
        """
        place = range(self._length)[index]
        return {name: _scalar(buffer[place]) for name, buffer in self._buffers.items()}

    def _reserve(self, length: int) -> None:
        if length <= self._capacity:
            return
        self._capacity = max(length, 2 * self._capacity)
        for name, old in self._buffers.items():
            self._buffers[name] = _blank(self._capacity, old.dtype == object)
            self._buffers[name][: self._length] = old[: self._length]

    def _fill(self, name: str, values: list[Any]) -> None:
        start, stop = self._length, self._length + len(values)
        buffer = self._buffers.get(name)
        if buffer is None:
            buffer = self._buffers[name] = _blank(self._capacity, objects=False)
        if buffer.dtype != object and any(isinstance(value, str) for value in values):
            texts = _blank(self._capacity, objects=True)
            numbers = buffer[:start]
            known = ~np.isnan(numbers)
            texts[:start][known] = numbers[known]
            buffer = self._buffers[name] = texts
        if buffer.dtype == object:
            for place, value in enumerate(values, start):
                buffer[place] = value
        else:
            buffer[start:stop] = [math.nan if value is None else value for value in values]


def _blank(length: int, objects: bool) -> np.ndarray:
    return np.full(length, None, dtype=object) if objects else np.full(length, math.nan)


def _scalar(value: Any) -> Scalar:
    return float(value) if isinstance(value, np.floating) else value
