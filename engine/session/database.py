"""The connections to a working copy: one that writes, as many as needed that read."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import SessionError

_WAL_LIMIT = 64 * 2**20
"""Bytes written between checkpoints while recording; bounds the journal without stalling each commit on the disk."""


class Database:
    """A working copy in WAL mode. Safe from any threads.

    Writers take turns at one connection, so that none waits for SQLite's own, sleeping, retries; readers have a
    connection each, never wait for writers, and never make them wait.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gate = threading.Lock()
        self._pool_gate = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._since_checkpoint = 0
        self.revision = 0
        with self._told_in_words("opened"):
            self._writer = connect(path)

    @contextmanager
    def setup(self) -> Iterator[sqlite3.Connection]:
        """The writing connection without a transaction, for migrations and checks while nobody else is here."""
        with self._gate, self._told_in_words("written"):
            yield self._writer

    def load_revision(self) -> None:
        """Take the number of changes from the file."""
        with self.read() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
        self.revision = int(row[0]) if row else 0

    @contextmanager
    def write(self, *, counts: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing. Keep it short: the window's thread may be next.

        With ``counts`` it is a change of the session, which makes it unsaved.

        Raises:
            SessionError: the disk is full or gone, or the session is closed.
        """
        with self._gate, self._told_in_words("written"):
            self._check_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                if counts:
                    self._writer.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            self.revision += counts

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees what was committed up to now, and cannot write.

        Raises:
            SessionError: the file is damaged, or the session is closed.
        """
        with self._told_in_words("read"), self._reader() as connection:
            yield connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._pool_gate:
            self._check_open()
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self.path, there=True)
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            with self._pool_gate:
                keep = not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def copy_into(self, empty: Path) -> None:
        """A consistent, compact copy of what is committed now, as a single file; others read and write meanwhile.

        Also of a file that was deleted or moved meanwhile, where some connection has it open still.

        Raises:
            sqlite3.Error: it could not be written.
            SessionError: the session is closed.
        """
        with self._reader() as connection:
            connection.execute("PRAGMA query_only = OFF")  # nothing else may write anywhere
            try:
                connection.execute("VACUUM INTO ?", (os.fspath(empty),))
            finally:
                connection.execute("PRAGMA query_only = ON")

    def wrote(self, size: int) -> None:
        """Count bytes; past a limit the journal is folded into the file. Called by whoever writes much."""
        self._since_checkpoint += size
        if self._since_checkpoint > _WAL_LIMIT:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Fold the journal into the file, beside readers and writers. Skipped silently where it cannot be done now."""
        self._since_checkpoint = 0
        with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(self.path, there=True)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close every connection; a reader that is busy closes its own. May be called again."""
        with self._gate, self._pool_gate:
            self._closed = True
            idle, self._idle = self._idle, []
            for connection in idle:
                connection.close()
            self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise SessionError("This session is closed. Open it again to go on.")

    @contextmanager
    def _told_in_words(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise  # these are bugs
        except sqlite3.DatabaseError as error:
            raise SessionError(f"The session's working copy {self.path} cannot be {done}: {reason(error)}") from error


def connect(path: Path, *, there: bool = False) -> sqlite3.Connection:
    """A connection in WAL mode that may move between threads; transactions are explicit.

    With ``there`` the file must be there: one that was deleted is not made anew, empty.
    """
    name = f"{path.absolute().as_uri()}?mode=rw" if there else path
    connection = sqlite3.connect(name, timeout=5.0, isolation_level=None, check_same_thread=False, uri=there)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        # a power cut may lose the last transactions but never the file; a crash of the program loses nothing
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return connection


DAMAGED = "it is damaged. Restore it from a backup."


def reason(error: Exception) -> str:
    """Why a file could not be written or read, and what to do, in a sentence."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = error.errno if isinstance(error, OSError) else None
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space, or use another disk."
    if code == sqlite3.SQLITE_READONLY or number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "writing there is not allowed. Choose another folder, or change its permissions."
    if number in (errno.ENOENT, errno.ENOTDIR):
        return "the folder is gone. Choose another folder."
    undecoded = isinstance(error, sqlite3.OperationalError) and str(error).startswith("Could not decode")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or undecoded:  # or what is no text stands for one
        return DAMAGED
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"{text}. The disk may be full, failing or taken away: use another one."
