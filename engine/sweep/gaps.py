"""Numbers that are not in a table, found without making a list of those that are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

_CHUNK = 1000


def gaps(connection: sqlite3.Connection, present: str, start: int, total: int) -> Iterator[int]:
    """The numbers from ``start`` to ``total - 1`` that the query ``present`` does not give as ``id``, in order."""
    query = f"SELECT id FROM ({present}) WHERE id >= ? ORDER BY id LIMIT {_CHUNK}"
    while start < total:
        found = connection.execute(query, (start,)).fetchall()
        for (known,) in found:
            yield from range(start, known)
            start = known + 1
        if len(found) < _CHUNK:
            yield from range(start, total)
            return


def absent(connection: sqlite3.Connection, present: str, total: int, skip: int) -> Iterator[int]:
    """The same from 0 on, without the first ``skip`` of them: their end is found by bisection."""
    known = int(connection.execute(f"SELECT count(*) FROM ({present})").fetchone()[0])
    low, high = min(skip, total), min(skip + known, total)
    while low < high:
        middle = (low + high) // 2
        before = connection.execute(f"SELECT count(*) FROM ({present}) WHERE id <= ?", (middle,)).fetchone()[0]
        if middle + 1 - before > skip:
            high = middle
        else:
            low = middle + 1
    return gaps(connection, present, low, total)
