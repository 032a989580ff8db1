"""Writes down what one run says, in short transactions of a thread of its own.

``put`` turns an event into bytes and leaves; the recorder's thread commits what has gathered within half a second, or
sooner when it is much. So a crash loses half a second at most, also of an experiment that is long silent after an
event, and training never waits for the disk (unless it says more than the disk can take for long).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Literal

from engine.errors import SessionError
from engine.events import Event, Frame, Progress, Record
from engine.session.codec import dump_json, pack
from engine.session.database import Database

Status = Literal["running", "finished", "cancelled", "failed", "interrupted"]

COMMIT_AFTER = 0.4
"""Seconds until a waiting event is committed; the commit itself takes some more."""
_CHUNK = 4 * 2**20
"""Bytes in one transaction at most: the window's thread must get its turn in between."""
_HIGH_WATER = 64 * 2**20
"""Bytes waiting to be written before ``put`` waits for the disk."""

_LARGEST = 10**9 - 1000
"""Bytes in one piece that SQLite keeps, as it is built by default."""

_RecordRow = tuple[str, str]  # name, row
_FrameRow = tuple[str, int, float, str, str, bytes]  # phase, step, time, topic, info, arrays
_ArtifactRow = tuple[str, str, float, str, bytes]  # name, key, time, info, arrays


class _Batch:
    """What one transaction will write."""

    def __init__(self) -> None:
        self.records: list[_RecordRow] = []
        self.frames: list[_FrameRow] = []
        self.artifacts: list[_ArtifactRow] = []
        self.size = 0

    @property
    def count(self) -> int:
        return len(self.records) + len(self.frames) + len(self.artifacts)


class Recorder:
    """Made by ``Session.recorder``. One thread puts; any may flush; whoever puts closes."""

    def __init__(self, database: Database, run: int, on_close: Callable[[Recorder], None]) -> None:
        self._database = database
        self._run = run
        self._on_close = on_close
        self._changed = threading.Condition()
        self._waiting: list[_Batch] = []
        self._waiting_size = 0
        self._oldest = 0.0  # when the oldest waiting event was put
        self._put_count = 0
        self._written_count = 0
        self._hurry = 0  # events up to this count are waited for
        self._closing = False
        self._closed = False
        self._error: BaseException | None = None
        self._error_told = False
        self._instants: dict[tuple[str, int], int] = {}
        # a daemon: a recorder that somebody forgot to close must not keep the program from ending
        self._thread = threading.Thread(target=self._write_all, name=f"recorder of run {run}", daemon=True)
        self._thread.start()

    @property
    def run(self) -> int:
        """The run's number in the session."""
        return self._run

    def put(self, event: Event) -> None:
        """Take an event; it is committed within half a second. Progress, and frames not to be kept, are passed over.

        Raises:
            SessionError: the event is too large, or an earlier one could not be written and nothing more will be.
            TypeError: the event holds what a session cannot keep.
        """
        if isinstance(event, Progress) or (isinstance(event, Frame) and not event.keep):
            return
        if isinstance(event, Record):
            text = dump_json(event.row)
            with self._changed:
                self._batch_for(len(text) + 64).records.append((event.table, text))
            return
        info, arrays = dump_json(event.info), pack(event.arrays)
        if len(arrays) > _LARGEST:
            name = event.topic if isinstance(event, Frame) else event.name
            raise SessionError(
                f"{name!r} takes {len(arrays) / 1e9:.1f} GB, and a session keeps at most {_LARGEST / 1e9:.1f} GB in one "
                "piece. Use a smaller model or fewer samples."
            )
        with self._changed:
            batch = self._batch_for(len(info) + len(arrays))
            if isinstance(event, Frame):
                batch.frames.append((event.phase, event.step, time.time(), event.topic, info, arrays))
            else:
                batch.artifacts.append((event.name, event.key, time.time(), info, arrays))

    def flush(self) -> None:
        """Return when everything put so far is committed.

        Raises:
            SessionError: it could not be written.
        """
        self.try_flush()
        self._raise_error()

    def try_flush(self) -> None:
        """Like ``flush``, but leaves it to ``put`` and ``close`` to tell an error."""
        with self._changed:
            goal = self._put_count  # what is put meanwhile is not waited for
            self._hurry = max(self._hurry, goal)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._error or self._written_count >= goal)

    def close(self, status: Status, error: str = "") -> None:
        """Commit everything and end the run. May be called again, then does nothing.

        Raises:
            SessionError: something could not be written, and that was not told by ``put`` or ``flush`` before.
        """
        if self._closed:
            return
        self._closed = True
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        try:
            with self._database.write() as connection:
                connection.execute(
                    "UPDATE runs SET status = ?, finished = ?, error = ? WHERE id = ?",
                    (status, time.time(), error, self._run),
                )
        finally:
            self._on_close(self)
        self._database.checkpoint()
        if not self._error_told:
            self._raise_error()

    # --- the events that wait --------------------------------------------------------------------------------

    def _batch_for(self, size: int) -> _Batch:
        """The batch that fills up, for one more event; waits while far too much is waiting. The lock is held."""
        if self._closed:
            raise SessionError("This run has ended; nothing more can be recorded in it.")
        if self._waiting_size >= _HIGH_WATER:
            self._changed.wait_for(lambda: self._error or self._waiting_size < _HIGH_WATER)
        self._raise_error()
        if not self._waiting:
            self._oldest = time.monotonic()
        if not self._waiting or self._waiting[-1].size >= _CHUNK:
            self._waiting.append(_Batch())
            self._changed.notify_all()
        batch = self._waiting[-1]
        batch.size += size
        self._waiting_size += size
        self._put_count += 1
        return batch

    def _raise_error(self) -> None:
        if self._error is not None:
            self._error_told = True
            if isinstance(self._error, SessionError):
                raise SessionError(f"The run can no longer be recorded. {self._error}") from self._error
            raise self._error

    # --- the recorder's thread -------------------------------------------------------------------------------

    def _write_all(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                with self._database.write() as connection:
                    self._write(connection, batch)
                self._database.wrote(batch.size)
            except BaseException as error:
                with self._changed:
                    self._error = error
                    self._waiting.clear()
                    self._waiting_size = 0
                    self._changed.notify_all()
                return
            with self._changed:
                self._written_count += batch.count
                self._changed.notify_all()

    def _next_batch(self) -> _Batch | None:
        """What to write next, when it is due; None when the recorder is closed and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            self._changed.wait_for(
                lambda: self._closing or self._hurry > self._written_count or len(self._waiting) > 1,
                timeout=max(0.0, self._oldest + COMMIT_AFTER - time.monotonic()),
            )
            batch = self._waiting.pop(0)
            self._waiting_size -= batch.size
            self._oldest = time.monotonic()
            self._changed.notify_all()
            return batch

    def _write(self, connection: sqlite3.Connection, batch: _Batch) -> None:
        run = self._run
        if batch.records:
            connection.executemany(
                "INSERT INTO records (run, name, row) VALUES (?, ?, ?)", ((run, *row) for row in batch.records)
            )
        for phase, step, at, topic, info, arrays in batch.frames:
            connection.execute(
                "INSERT INTO frames (instant, run, topic, info, arrays) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (instant, topic) DO UPDATE SET info = excluded.info, arrays = excluded.arrays",
                (self._instant(connection, phase, step, at), run, topic, info, arrays),
            )
        # results with equal keys are equal results: the older one makes room
        connection.executemany(
            "INSERT OR REPLACE INTO artifacts (run, name, key, time, info, arrays) VALUES (?, ?, ?, ?, ?, ?)",
            ((run, *row) for row in batch.artifacts),
        )

    def _instant(self, connection: sqlite3.Connection, phase: str, step: int, at: float) -> int:
        known = self._instants.get((phase, step))
        if known is None:
            made = connection.execute(
                "INSERT INTO instants (run, phase, step, time) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (run, phase, step) DO UPDATE SET step = excluded.step RETURNING id",
                (self._run, phase, step, at),
            ).fetchall()
            known = int(made[0][0])
            self._instants = {(phase, step): known}  # frames of an instant come together
        return known
