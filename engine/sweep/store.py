"""What a sweep has found so far: a file that many read while one program, the one that runs the sweep, writes."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np

from engine.errors import SpecError
from engine.session.codec import unpack
from engine.specs import ExperimentSpec
from engine.sweep import file
from engine.sweep.cells import column_of, is_known, readable
from engine.sweep.claim import Claim
from engine.sweep.columns import Column
from engine.sweep.file import quoted
from engine.sweep.gaps import gaps
from engine.sweep.headings import alike, headings
from engine.sweep.paging import page_ids
from engine.sweep.points import Points
from engine.sweep.rows import (
    AMONG,
    STATUSES,
    TOUCHED,
    PointRow,
    Status,
    ids_of,
    listed,
    put_row,
    read_rows,
    result_columns,
)
from engine.sweep.work import Outcome

__all__ = ["STATUSES", "PointRow", "Status", "SweepStore"]


class SweepStore:
    """The file of a sweep. Every method may be called from any thread."""

    def __init__(self, database: file.SweepDatabase, spec: ExperimentSpec) -> None:
        self._database = database
        self._spec = spec
        self._points = Points(spec)
        self._claim = Claim(database.path)

    @classmethod
    def create(cls, path: Path, spec: ExperimentSpec) -> SweepStore:
        """A new sweep with nothing done yet.

        Raises:
            SpecError: its axes cannot be points.
            SweepError: there is a file already, or it cannot be written.
        """
        file.create(Path(path), spec, Points(spec).fields)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> SweepStore:
        """The sweep in a file, also while another program runs it.

        Raises:
            SweepError: it is missing, not a sweep, of a newer version, or damaged, or its axes cannot be points.
        """
        database, spec = file.opened(Path(path))
        try:
            return cls(database, spec)
        except SpecError as error:
            database.close()
            raise file.unreadable(database.path, error) from None
        except BaseException:
            database.close()
            raise

    @property
    def spec(self) -> ExperimentSpec:
        """The experiment with its sweep."""
        return self._spec

    @property
    def points(self) -> Points:
        """What the points are."""
        return self._points

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def revision(self) -> int:
        """A number that rises with every change, whoever makes it. Cheap to ask for."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])

    def close(self) -> None:
        """Close the file. May be called again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- reading ----------------------------------------------------------------------------------------------

    def counts(self) -> dict[Status, int]:
        """How many points there are of each status; together they are all of them."""
        with self._database.read() as connection:
            found = dict(connection.execute("SELECT status, count(*) FROM points GROUP BY status"))
        counts: dict[Status, int] = {status: int(found.get(status, 0)) for status in STATUSES}
        counts["waiting"] = len(self._points) - sum(counts[status] for status in STATUSES if status != "waiting")
        return counts

    def columns(self) -> tuple[Column, ...]:
        """The axes, then those columns that some row has; what is measured is told from an axis of the same label."""
        return headings(self._points.fields, self._measured())

    def repeated(self) -> frozenset[str]:
        """Measured columns that say in every row what an axis of the same label says already."""
        pairs = alike(self._points.fields, self._measured())
        differs = "SELECT 1 FROM results WHERE {} != {} LIMIT 1"
        with self._database.read() as connection:
            return frozenset(
                name
                for name, axis in pairs
                if not connection.execute(differs.format(quoted(name), quoted(axis))).fetchone()
            )

    def page(
        self,
        offset: int,
        limit: int,
        order: str | None = None,
        descending: bool = False,
        status: Status | None = None,
    ) -> list[PointRow]:
        """Some of the points, of one status or of all, in the order of a column and then of their numbers.

        Points that have no value there come last, whichever way the others are ordered. Of a grid also the waiting
        points are ordered by an axis; of a random sample only those that something has happened to.

        Raises:
            KeyError: there is no such column.
        """
        return self._rows(page_ids(self._database, self._points, offset, limit, order, descending, status))

    def row(self, index: int) -> PointRow:
        """One point.

        Raises:
            IndexError: there is no such point.
        """
        self._points.values(index)
        return self._rows([index])[0]

    def column(self, *names: str) -> dict[str, np.ndarray]:
        """Columns of all finished points ``[n]`` by name, with their numbers as ``id`` (int64).

        Numbers are float64, NaN where a point has none; a column with texts is of objects, None where it has none.
        """
        there = {*self._measured(), *self._points.fields}
        asked = list(dict.fromkeys(name for name in names if name != "id"))
        held = [name for name in asked if name in there]
        picked = "".join(f", {quoted(name)}" for name in held)
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id{picked} FROM results "
                "WHERE id IN (SELECT id FROM points WHERE status = 'finished') ORDER BY id"
            ).fetchall()
        values = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(held))
        found = {name: column_of(value) for name, value in zip(held, values[1:], strict=True)}
        blank = np.full(len(rows), math.nan)
        return {"id": np.array(values[0], dtype=np.int64)} | {name: found.get(name, blank) for name in asked}

    def weights(self, index: int) -> dict[str, np.ndarray] | None:
        """The trained network of a point by parameter, or None where none was kept."""
        with self._database.read() as connection:
            found = connection.execute("SELECT arrays FROM weights WHERE id = ?", (index,)).fetchone()
        return unpack(found[0]) if found else None

    def statuses(self, ids: Iterable[int]) -> dict[int, Status]:
        """The statuses of some points."""
        asked = list(ids)
        with self._database.read() as connection:
            found = dict(connection.execute(f"SELECT id, status FROM points WHERE id IN ({AMONG})", (listed(asked),)))
        return {index: found.get(index, "waiting") for index in asked}

    def waiting(self, start: int, limit: int) -> list[int]:
        """The first waiting points from a number on, without looking at those before it."""
        with self._database.read() as connection:
            return list(islice(gaps(connection, TOUCHED, start, len(self._points)), limit))

    def touched(self, start: int, limit: int) -> list[PointRow]:
        """The first points from a number on that anything has happened to, without looking at those that wait."""
        query = f"{TOUCHED} AND id >= ? ORDER BY id LIMIT ?"
        with self._database.read() as connection:
            found = ids_of(connection, query, start, limit)
        return self._rows(found)

    def failed_in_each_way(self, limit: int) -> list[int]:
        """The first failed point of each reason, in the order of their numbers."""
        query = "SELECT min(id) AS first FROM points WHERE status = 'failed' GROUP BY error ORDER BY first LIMIT ?"
        with self._database.read() as connection:
            return ids_of(connection, query, limit)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy, also while the sweep runs.

        Raises:
            SweepError: it could not be written.
        """
        file.copy(self._database, Path(path))

    # --- writing ----------------------------------------------------------------------------------------------

    def claimed(self, *, to_run: bool = False) -> AbstractContextManager[None]:
        """Be the one program that writes to the sweep, and with ``to_run`` the one that runs it.

        Raises:
            SweepError: another program does.
        """
        return self._claim.held(to_run=to_run)

    def start(self, index: int) -> bool:
        """Note that a waiting point runs from now on. False where it is not waiting any more."""
        values = self._points.values(index)
        with self._write() as connection:
            done = connection.execute(
                "INSERT INTO points (id, status, attempts, started) VALUES (?, 'running', 1, ?) ON CONFLICT (id) "
                "DO UPDATE SET status = 'running', attempts = attempts + 1, started = excluded.started "
                "WHERE status = 'waiting'",
                (index, time.time()),
            )
            if done.rowcount:
                put_row(connection, index, values)
            return done.rowcount > 0

    def finish(self, outcome: Outcome) -> bool:
        """Keep what came of a point, all or nothing. False where it was cancelled, or was over before.

        Raises:
            SweepError: the disk is full or gone; what is finished stays.
        """
        values = self._points.values(outcome.index)
        row = {name: value for name, value in outcome.row.items() if is_known(value)}
        with self._write() as connection:
            status = connection.execute("SELECT status FROM points WHERE id = ?", (outcome.index,)).fetchone()
            if status and status[0] not in ("waiting", "running"):
                return False
            connection.execute(
                "INSERT INTO points (id, status, attempts, started, seconds, error, traceback) "
                "VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status, "
                "attempts = max(attempts, 1), started = coalesce(started, excluded.started), "
                "seconds = excluded.seconds, error = excluded.error, traceback = excluded.traceback",
                (
                    outcome.index,
                    "failed" if outcome.error else "finished",
                    time.time() - outcome.seconds,
                    outcome.seconds,
                    readable(outcome.error),
                    readable(outcome.traceback),
                ),
            )
            put_row(connection, outcome.index, {**values, **row})
            if outcome.weights is not None:
                connection.execute("INSERT OR REPLACE INTO weights VALUES (?, ?)", (outcome.index, outcome.weights))
        self._database.wrote(4096 + len(outcome.weights or b""))
        return True

    def cancel(self, ids: Iterable[int]) -> int:
        """Cancel waiting and running points; returns how many. Whoever runs the sweep stops those that run.

        Raises:
            SweepError: another program runs the sweep.
        """
        changed = 0
        remaining = iter(ids)
        while chunk := list(islice(remaining, 1000)):
            with self._write() as connection:
                for index in chunk:
                    values = self._points.values(index)
                    done = connection.execute(
                        "INSERT INTO points (id, status) VALUES (?, 'cancelled') ON CONFLICT (id) DO UPDATE "
                        "SET status = 'cancelled' WHERE status IN ('waiting', 'running')",
                        (index,),
                    )
                    if done.rowcount:
                        put_row(connection, index, values)
                        changed += 1
        return changed

    def retry(self, ids: Iterable[int] | None = None) -> int:
        """Let failed and cancelled points wait again, or all failed ones; returns how many.

        Raises:
            SweepError: another program runs the sweep.
        """
        chosen = f"status IN ('failed', 'cancelled') AND id IN ({AMONG})" if ids is not None else "status = 'failed'"
        given = (listed(ids),) if ids is not None else ()
        with self._write() as connection:
            connection.execute(f"DELETE FROM results WHERE id IN (SELECT id FROM points WHERE {chosen})", given)
            done = connection.execute(
                "UPDATE points SET status = 'waiting', started = NULL, seconds = NULL, error = '', traceback = '' "
                f"WHERE {chosen}",
                given,
            )
            return done.rowcount

    def interrupted(self, ids: Iterable[int] | None = None) -> int:
        """Let the points wait again that ran when their run ended, all or some; returns how many.

        Raises:
            SweepError: another program runs the sweep.
        """
        some = f" AND id IN ({AMONG})" if ids is not None else ""
        given = (listed(ids),) if ids is not None else ()
        with self._database.read() as connection:
            if not connection.execute("SELECT 1 FROM points WHERE status = 'running' LIMIT 1").fetchone():
                return 0
        with self._write() as connection:
            query = f"UPDATE points SET status = 'waiting' WHERE status = 'running'{some}"
            return connection.execute(query, given).rowcount

    # --- within -----------------------------------------------------------------------------------------------

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self.claimed(), self._database.write() as connection:
            yield connection

    def _measured(self) -> list[str]:
        """The columns of results but the axes."""
        with self._database.read() as connection:
            return [name for name in result_columns(connection) if name not in self._points.fields]

    def _rows(self, ids: list[int]) -> list[PointRow]:
        with self._database.read() as connection:
            return read_rows(connection, self._points, ids)
