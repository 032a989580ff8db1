"""What a sweep has found so far: a file that many read while one program, the one that runs the sweep, writes."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from filelock import FileLock, Timeout

from engine.errors import SpecError, SweepError
from engine.session.codec import unpack
from engine.specs import ExperimentSpec
from engine.specs.sweep import Value
from engine.sweep import file
from engine.sweep.axes import field_named
from engine.sweep.columns import BY_NAME, COLUMNS, Column
from engine.sweep.file import quoted
from engine.sweep.gaps import absent, gaps
from engine.sweep.points import Points
from engine.sweep.work import Outcome

Status = Literal["waiting", "running", "finished", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("waiting", "running", "finished", "failed", "cancelled")
_OF_POINTS = ("id", "status", "started", "attempts")
_TOUCHED = "SELECT id FROM points WHERE status != 'waiting'"


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


class SweepStore:
    """The file of a sweep. Every method may be called from any thread."""

    def __init__(self, database: file.SweepDatabase, spec: ExperimentSpec) -> None:
        self._database = database
        self._spec = spec
        self._points = Points(spec)
        path = database.path
        # not bound to a thread: a sweep may be ended in another one than it was begun in
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0, thread_local=False)
        self._gate = threading.Lock()
        self._claims = 0
        self._runs = False

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
        there = self._result_columns()
        axes = [_axis_column(field) for field in self._points.fields]
        taken = {axis.label.lower() for axis in axes}
        others = [Column(name, name, "", "complexity", "") for name in there if name not in BY_NAME]
        known = (column for column in COLUMNS if column.name in there)
        measured = (replace(c, label=f"{c.label}, measured") if c.label.lower() in taken else c for c in known)
        return (*axes, *measured, *others)

    def repeated(self) -> frozenset[str]:
        """Measured columns that say in every row what an axis of the same label says already."""
        there = self._result_columns()
        labels = {_axis_column(field).label.lower(): field for field in self._points.fields}
        alike = [(c.name, labels[c.label.lower()]) for c in COLUMNS if c.name in there and c.label.lower() in labels]
        with self._database.read() as connection:
            return frozenset(
                name
                for name, axis in alike
                if not connection.execute(
                    f"SELECT 1 FROM results WHERE {quoted(name)} != {quoted(axis)} LIMIT 1"
                ).fetchone()
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
        total = len(self._points)
        offset, limit, descending = max(offset, 0), max(limit, 0), descending and order is not None
        if status is None and order in (None, "id"):
            chosen = range(total)[::-1] if descending else range(total)
            return self._rows(list(chosen[offset : offset + limit]))
        if status is None and order in self._points.fields and not self._points.random:
            places = range(total)[offset : offset + limit]
            return self._rows([self._points.in_order_of(str(order), place, descending) for place in places])
        return self._rows(self._ordered(offset, limit, order, descending, status))

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
        there = {*self._result_columns(), *self._points.fields}
        asked = list(dict.fromkeys(name for name in names if name != "id"))
        held = [name for name in asked if name in there]
        picked = "".join(f", {quoted(name)}" for name in held)
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT id{picked} FROM results "
                "WHERE id IN (SELECT id FROM points WHERE status = 'finished') ORDER BY id"
            ).fetchall()
        values = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(held))
        found = {name: _array(value) for name, value in zip(held, values[1:], strict=True)}
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
            found = dict(connection.execute(f"SELECT id, status FROM points WHERE id IN ({_AMONG})", (_json(asked),)))
        return {index: found.get(index, "waiting") for index in asked}

    def waiting(self, start: int, limit: int) -> list[int]:
        """The first waiting points from a number on, without looking at those before it."""
        with self._database.read() as connection:
            return list(islice(gaps(connection, _TOUCHED, start, len(self._points)), limit))

    def touched(self, start: int, limit: int) -> list[PointRow]:
        """The first points from a number on that anything has happened to, without looking at those that wait."""
        query = f"{_TOUCHED} AND id >= ? ORDER BY id LIMIT ?"
        with self._database.read() as connection:
            found = _ids(connection, query, start, limit)
        return self._rows(found)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy, also while the sweep runs.

        Raises:
            SweepError: it could not be written.
        """
        file.copy(self._database, Path(path))

    # --- writing ----------------------------------------------------------------------------------------------

    @contextmanager
    def claimed(self, *, to_run: bool = False) -> Iterator[None]:
        """Be the one program that writes to the sweep, and with ``to_run`` the one that runs it.

        Raises:
            SweepError: another program does.
        """
        self._claim(to_run)
        try:
            yield
        finally:
            self._let_go(to_run)

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
                self._put(connection, index, values)
            return done.rowcount > 0

    def finish(self, outcome: Outcome) -> bool:
        """Keep what came of a point, all or nothing. False where it was cancelled, or was over before.

        Raises:
            SweepError: the disk is full or gone; what is finished stays.
        """
        values = self._points.values(outcome.index)
        row = {name: value for name, value in outcome.row.items() if _is_known(value)}
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
                    _readable(outcome.error),
                    _readable(outcome.traceback),
                ),
            )
            self._put(connection, outcome.index, {**values, **row})
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
                        self._put(connection, index, values)
                        changed += 1
        return changed

    def retry(self, ids: Iterable[int] | None = None) -> int:
        """Let failed and cancelled points wait again, or all failed ones; returns how many.

        Raises:
            SweepError: another program runs the sweep.
        """
        chosen = f"status IN ('failed', 'cancelled') AND id IN ({_AMONG})" if ids is not None else "status = 'failed'"
        given = (_json(ids),) if ids is not None else ()
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
        some = f" AND id IN ({_AMONG})" if ids is not None else ""
        given = (_json(ids),) if ids is not None else ()
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

    def _claim(self, to_run: bool) -> None:
        with self._gate:
            if to_run and self._runs:
                raise SweepError(f"The sweep {self.path} runs already. Wait until it is done, or stop it.")
            if not self._claims:
                try:
                    self._lock.acquire()
                except Timeout:
                    raise SweepError(
                        f"Another program runs the sweep {self.path}. Wait until it is done, or stop it there."
                    ) from None
                except OSError as error:
                    raise SweepError(
                        f"The sweep {self.path} cannot be written: {error.strerror or error}. "
                        "Copy it to a folder that can be written to, and open it there."
                    ) from None
            self._claims += 1
            self._runs = self._runs or to_run

    def _let_go(self, ran: bool) -> None:
        with self._gate:
            self._claims -= 1
            self._runs = self._runs and not ran
            if not self._claims:
                self._lock.release()

    def _put(self, connection: sqlite3.Connection, index: int, row: Mapping[str, Any]) -> None:
        """Replace the results of a point; a quantity that is new gets a column."""
        there = _columns_in(connection)
        for name in row:
            if name not in there:
                connection.execute(f"ALTER TABLE results ADD COLUMN {quoted(name)}")
        names = ["id", *(quoted(name) for name in row)]
        connection.execute(
            f"INSERT OR REPLACE INTO results ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [index, *(_plain(value) for value in row.values())],
        )

    def _result_columns(self) -> list[str]:
        """The columns of results but the axes."""
        with self._database.read() as connection:
            return [name for name in _columns_in(connection) if name not in self._points.fields]

    def _ordered(
        self, offset: int, limit: int, order: str | None, descending: bool, status: Status | None
    ) -> list[int]:
        table, column = self._place_of(order)
        by = f"{table}.{column}" if column else "NULL"
        direction = "DESC" if descending else "ASC"
        with self._database.read() as connection:
            connection.execute("BEGIN")  # what follows are looks at one state
            try:
                if status == "waiting":
                    return self._waiting_page(connection, offset, limit, descending and order == "id")
                if status is not None:
                    query = (
                        "SELECT points.id FROM points LEFT JOIN results ON results.id = points.id WHERE status = ? "
                        f"ORDER BY {by} IS NULL, {by} {direction}, points.id LIMIT ? OFFSET ?"
                    )
                    return _ids(connection, query, status, limit, offset)
                having = f"SELECT id FROM {table} WHERE {by} IS NOT NULL"
                query = f"{having} ORDER BY {by} {direction}, id LIMIT ? OFFSET ?"
                first = _ids(connection, query, limit, offset)
                if len(first) == limit:
                    return first
                known = int(connection.execute(f"SELECT count(*) FROM ({having})").fetchone()[0])
                rest = absent(connection, having, len(self._points), max(0, offset - known))
                return list(islice(chain(first, rest), limit))
            finally:
                connection.execute("COMMIT")

    def _waiting_page(self, connection: sqlite3.Connection, offset: int, limit: int, backwards: bool) -> list[int]:
        total = len(self._points)
        if not backwards:
            return list(islice(absent(connection, _TOUCHED, total, offset), limit))
        count = total - int(connection.execute(f"SELECT count(*) FROM ({_TOUCHED})").fetchone()[0])
        first, last = max(0, count - offset - limit), max(0, count - offset)
        return list(islice(absent(connection, _TOUCHED, total, first), last - first))[::-1]

    def _place_of(self, order: str | None) -> tuple[str, str]:
        """The table and the column that an order is read from."""
        if order is None or order in _OF_POINTS:
            return "points", order or "id"
        if order in self._points.fields or order in self._result_columns():
            return "results", quoted(order)
        if order in BY_NAME:
            return "results", ""  # no row has it yet
        raise KeyError(order)

    def _rows(self, ids: list[int]) -> list[PointRow]:
        with self._database.read() as connection:
            cursor = connection.execute(
                "SELECT p.id, p.status, p.error, p.started, p.seconds, p.attempts, p.traceback, r.* "
                f"FROM points p LEFT JOIN results r ON r.id = p.id WHERE p.id IN ({_AMONG})",
                (_json(ids),),
            )
            names = [each[0] for each in cursor.description][_HEAD:]
            found = {each[0]: each for each in cursor.fetchall()}
        left_out = {"id", *self._points.fields}
        return [self._point_row(index, found.get(index), names, left_out) for index in ids]

    def _point_row(self, index: int, found: tuple[Any, ...] | None, names: list[str], left_out: set[str]) -> PointRow:
        values = self._points.values(index)
        if found is None:
            return PointRow(index, values, "waiting", {}, "", None, None, 0)
        _, status, error, started, seconds, attempts, traceback = found[:_HEAD]
        pairs = zip(names, found[_HEAD:], strict=True)
        row = {name: value for name, value in pairs if value is not None and name not in left_out}
        return PointRow(index, values, status, row, error, started, seconds, attempts, traceback)


_AMONG = "SELECT value FROM json_each(?)"
_HEAD = 7


def _json(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))


def _ids(connection: sqlite3.Connection, query: str, *given: Any) -> list[int]:
    return [index for (index,) in connection.execute(query, given)]


def _columns_in(connection: sqlite3.Connection) -> list[str]:
    found = (name for _, name, *_ in connection.execute("PRAGMA table_info(results)"))
    return [name for name in found if name != "id"]


def _axis_column(field: str) -> Column:
    known = field_named(field)
    return Column(field, known.label, known.unit, "axis", known.help)


def _is_known(value: Any) -> bool:
    return value is not None and value == value  # NaN is not equal to itself


def _plain(value: Any) -> float | int | str:
    plain: float | int | str = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return _readable(plain)
    return int(plain) if isinstance(plain, bool) else plain


def _readable(text: str) -> str:
    """Half a surrogate, as in the name of a file that is no UTF-8, is no text; and a NUL ends it for many programs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _array(values: Iterable[Any]) -> np.ndarray:
    held = list(values)
    if any(isinstance(value, str) for value in held):
        texts = np.full(len(held), None, dtype=object)
        texts[:] = held
        return texts
    return np.array([math.nan if value is None else value for value in held], dtype=np.float64)
