"""The points of a sweep as rows of its file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.specs.sweep import Value
from engine.sweep.cells import plain
from engine.sweep.file import quoted
from engine.sweep.points import Points

Status = Literal["waiting", "running", "finished", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("waiting", "running", "finished", "failed", "cancelled")
TOUCHED = "SELECT id FROM points WHERE status != 'waiting'"
"""The points that anything has happened to."""
AMONG = "SELECT value FROM json_each(?)"
"""The numbers that :func:`listed` makes a parameter of."""
_HEAD = 7


@dataclass(frozen=True, slots=True)
class PointRow:
    """One point of a sweep as it stands."""

    id: int
    values: Mapping[str, Value]
    """The values of the axes, by field."""
    status: Status
    row: Mapping[str, float | int | str | None]
    """What was measured, by column; what is missing or undefined is left out."""
    error: str
    started: float | None
    """Seconds since the epoch."""
    seconds: float | None
    attempts: int
    traceback: str = ""


def listed(ids: Iterable[int]) -> str:
    """Numbers of points as one parameter, for :data:`AMONG`."""
    return json.dumps(list(ids))


def ids_of(connection: sqlite3.Connection, query: str, *given: Any) -> list[int]:
    """The numbers that a query gives."""
    return [index for (index,) in connection.execute(query, given)]


def result_columns(connection: sqlite3.Connection) -> list[str]:
    """The columns of the table of results but the number, the axes first."""
    found = (name for _, name, *_ in connection.execute("PRAGMA table_info(results)"))
    return [name for name in found if name != "id"]


def read_rows(connection: sqlite3.Connection, points: Points, ids: list[int]) -> list[PointRow]:
    """Some points, in the order of their numbers in ``ids``; those without a row wait."""
    cursor = connection.execute(
        "SELECT p.id, p.status, p.error, p.started, p.seconds, p.attempts, p.traceback, r.* "
        f"FROM points p LEFT JOIN results r ON r.id = p.id WHERE p.id IN ({AMONG})",
        (listed(ids),),
    )
    names = [each[0] for each in cursor.description][_HEAD:]
    found = {each[0]: each for each in cursor.fetchall()}
    left_out = {"id", *points.fields}
    return [_point_row(index, points.values(index), found.get(index), names, left_out) for index in ids]


def _point_row(
    index: int, values: Mapping[str, Value], found: tuple[Any, ...] | None, names: list[str], left_out: set[str]
) -> PointRow:
    if found is None:
        return PointRow(index, values, "waiting", {}, "", None, None, 0)
    _, status, error, started, seconds, attempts, traceback = found[:_HEAD]
    pairs = zip(names, found[_HEAD:], strict=True)
    row = {name: value for name, value in pairs if value is not None and name not in left_out}
    return PointRow(index, values, status, row, error, started, seconds, attempts, traceback)


def put_row(connection: sqlite3.Connection, index: int, row: Mapping[str, Any]) -> None:
    """Replace the results of a point; a quantity that is new gets a column."""
    there = result_columns(connection)
    for name in row:
        if name not in there:
            connection.execute(f"ALTER TABLE results ADD COLUMN {quoted(name)}")
    names = ["id", *(quoted(name) for name in row)]
    connection.execute(
        f"INSERT OR REPLACE INTO results ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [index, *(plain(value) for value in row.values())],
    )
