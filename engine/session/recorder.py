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
from engine.events import Artifact, Event, Frame, Progress, Record
from engine.session.codec import dump_json, pack
from engine.session.database import Database

Status = Literal["running", "finished", "cancelled", "failed", "interrupted"]

COMMIT_AFTER = 0.4
"""Seconds until a waiting event is committed; the commit itself takes some more."""
_CHUNK = 8 * 2**20
"""Bytes in one transaction at most: the window's thread must get its turn in between."""
_HIGH_WATER = 64 * 2**20
"""Bytes waiting to be written before ``put`` waits for the disk."""

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
        self._writing = False
        self._hurry = False
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
            SessionError: an earlier event could not be written; nothing more will be.
            TypeError: the event holds what a session cannot keep.
        """
        if isinstance(event, Progress) or (isinstance(event, Frame) and not event.keep):
            return
        if isinstance(event, Record):
            text = dump_json(event.row)
            with self._room(len(text) + 64) as batch:
                batch.records.append((event.table, text))
            return
        info, arrays = dump_json(event.info), pack(event.arrays)
        with self._room(len(info) + len(arrays)) as batch:
            if isinstance(event, Frame):
                batch.frames.append((event.phase, event.step, time.time(), event.topic, info, arrays))
            else:
                batch.artifacts.append((event.name, event.key, time.time(), info, arrays))

    def flush(self) -> None:
        """Return when everything put so far is committed.

        Raises:
            SessionError: it could not be written.
        """
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._error or not (self._waiting or self._writing))
            self._hurry = False
            self._raise_error()

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

    def _room(self, size: int) -> _Room:
        return _Room(self, size)

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
                    self._writing = False
                    self._changed.notify_all()
                return
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next_batch(self) -> _Batch | None:
        """What to write next, when it is due; None when the recorder is closed and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            self._changed.wait_for(
                lambda: self._closing or self._hurry or len(self._waiting) > 1,
                timeout=max(0.0, self._oldest + COMMIT_AFTER - time.monotonic()),
            )
            batch = self._waiting.pop(0)
            self._waiting_size -= batch.size
            self._oldest = time.monotonic()
            self._writing = True
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


class _Room:
    """A place for one event in the batch that fills up; waits while far too much is waiting."""

    def __init__(self, recorder: Recorder, size: int) -> None:
        self._recorder, self._size = recorder, size

    def __enter__(self) -> _Batch:
        of = self._recorder
        of._changed.acquire()
        try:
            if of._closed:
                raise SessionError("This run has ended; nothing more can be recorded in it.")
            of._changed.wait_for(lambda: of._error or of._waiting_size < _HIGH_WATER)
            of._raise_error()
            if not of._waiting or of._waiting[-1].size >= _CHUNK:
                if not of._waiting:
                    of._oldest = time.monotonic()
                of._waiting.append(_Batch())
                of._changed.notify_all()
            batch = of._waiting[-1]
            batch.size += self._size
            of._waiting_size += self._size
        except BaseException:
            of._changed.release()
            raise
        return batch

    def __exit__(self, *_: object) -> None:
        self._recorder._changed.release()
