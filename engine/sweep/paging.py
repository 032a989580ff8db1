"""Which points stand on a page of a table, without making a list of all points."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice

from engine.sweep.columns import BY_NAME
from engine.sweep.file import SweepDatabase, quoted
from engine.sweep.gaps import absent
from engine.sweep.points import Points
from engine.sweep.rows import TOUCHED, Status, ids_of, result_columns

_OF_POINTS = ("id", "status", "started", "attempts")


def page_ids(
    database: SweepDatabase,
    points: Points,
    offset: int,
    limit: int,
    order: str | None,
    descending: bool,
    status: Status | None,
) -> list[int]:
    """The numbers of the points of a page, as :meth:`engine.sweep.store.SweepStore.page` orders them.

    Raises:
        KeyError: there is no such column.
    """
    total = len(points)
    offset, limit, descending = max(offset, 0), max(limit, 0), descending and order is not None
    if status is None and order in (None, "id"):
        chosen = range(total)[::-1] if descending else range(total)
        return list(chosen[offset : offset + limit])
    if status is None and order in points.fields and not points.random:
        places = range(total)[offset : offset + limit]
        return [points.in_order_of(str(order), place, descending) for place in places]
    with _one_state(database) as connection:
        table, column = _place_of(connection, points, order)
        if status == "waiting":
            return _waiting(connection, total, offset, limit, descending and order == "id")
        by = f"{table}.{column}" if column else "NULL"
        direction = "DESC" if descending else "ASC"
        if status is not None:
            query = (
                "SELECT points.id FROM points LEFT JOIN results ON results.id = points.id WHERE status = ? "
                f"ORDER BY {by} IS NULL, {by} {direction}, points.id LIMIT ? OFFSET ?"
            )
            return ids_of(connection, query, status, limit, offset)
        having = f"SELECT id FROM {table} WHERE {by} IS NOT NULL"
        query = f"{having} ORDER BY {by} {direction}, id LIMIT ? OFFSET ?"
        first = ids_of(connection, query, limit, offset)
        if len(first) == limit:
            return first
        known = int(connection.execute(f"SELECT count(*) FROM ({having})").fetchone()[0])
        rest = absent(connection, having, total, max(0, offset - known))
        return list(islice(chain(first, rest), limit))


@contextmanager
def _one_state(database: SweepDatabase) -> Iterator[sqlite3.Connection]:
    """A connection whose looks all see the same state."""
    with database.read() as connection:
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")


def _waiting(connection: sqlite3.Connection, total: int, offset: int, limit: int, backwards: bool) -> list[int]:
    if not backwards:
        return list(islice(absent(connection, TOUCHED, total, offset), limit))
    count = total - int(connection.execute(f"SELECT count(*) FROM ({TOUCHED})").fetchone()[0])
    first, last = max(0, count - offset - limit), max(0, count - offset)
    return list(islice(absent(connection, TOUCHED, total, first), last - first))[::-1]


def _place_of(connection: sqlite3.Connection, points: Points, order: str | None) -> tuple[str, str]:
    """The table and the column that an order is read from."""
    if order is None or order in _OF_POINTS:
        return "points", order or "id"
    if order in points.fields or order in result_columns(connection):
        return "results", quoted(order)
    if order in BY_NAME:
        return "results", ""  # no row has it yet
    raise KeyError(order)
