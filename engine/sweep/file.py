"""The file of a sweep: a SQLite database with an application id of its own, made whole or not at all.

``points`` holds those points that anything has happened to; a point without a row is waiting. ``results`` has a column
for each axis and for each quantity that some point has, so that other programs can read and sort it too. ``weights``
holds safetensors. Nothing in the file is ever unpickled or executed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from engine.errors import SessionError, SpecError, SweepError
from engine.session.codec import dump_json, load_json
from engine.session.database import DAMAGED, Database, reason
from engine.spec_files import build
from engine.specs import ExperimentSpec
from engine.sweep import header

SUFFIX = header.SUFFIX
APPLICATION_ID = int.from_bytes(b"RapS", "big")
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE points (
        id INTEGER PRIMARY KEY,
        status TEXT NOT NULL CHECK (status IN ('waiting', 'running', 'finished', 'failed', 'cancelled')),
        attempts INTEGER NOT NULL DEFAULT 0,
        started REAL,
        seconds REAL,
        error TEXT NOT NULL DEFAULT '',
        traceback TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX points_by_status ON points (status);
    CREATE TABLE results (id INTEGER PRIMARY KEY REFERENCES points (id));
    CREATE TABLE weights (id INTEGER PRIMARY KEY REFERENCES points (id), arrays BLOB NOT NULL);
    """,
)
"""What comes later is appended and never edited."""


class SweepDatabase(Database):
    """The connections to the file of a sweep; what goes wrong is told of a sweep. The gate of headers is held."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._noted = header.note_open(path)

    def close(self) -> None:
        """Close every connection; a reader that is busy closes its own. May be called again."""
        super().close()
        noted, self._noted = self._noted, None
        header.note_closed(noted)

    @contextmanager
    def _told_in_words(self, done: str) -> Iterator[None]:
        try:
            with super()._told_in_words(done):
                yield
        except SessionError as error:
            if error.__cause__ is None:
                raise  # it is closed
            raise _not(self.path, done, error.__cause__) from error.__cause__

    def _check_open(self) -> None:
        if self._closed:
            raise SweepError("This sweep is closed. Open it again to go on.")


def create(path: Path, spec: ExperimentSpec, columns: Iterable[str]) -> None:
    """Make the file of a sweep with nothing done yet, and a column of results for each of its axes.

    Raises:
        SweepError: there is a file already, or it cannot be written.
    """
    if path.exists():
        raise SweepError(f"There is a file {path} already. Open it to go on with its sweep, or choose another name.")
    fresh = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # its errors have better names
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            _migrate(connection)
            connection.execute("BEGIN")
            connection.execute("INSERT INTO meta VALUES ('spec', ?)", (dump_json(spec.model_dump(mode="json")),))
            connection.execute("INSERT INTO meta VALUES ('revision', '0')")
            for name in columns:
                connection.execute(f"ALTER TABLE results ADD COLUMN {quoted(name)}")
            connection.execute("COMMIT")
        _drop_journal(path)
        fresh.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise SweepError(f"The sweep {path} cannot be made: {reason(error)}") from error
    finally:
        for leftover in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            with contextlib.suppress(OSError):
                leftover.unlink()


def opened(path: Path) -> tuple[SweepDatabase, ExperimentSpec]:
    """Open the file of a sweep; gives its spec too.

    Raises:
        SweepError: it is missing, not a sweep, of a newer version, or damaged.
    """
    with header.gate:
        header.check(path, len(MIGRATIONS))
        database = SweepDatabase(path)
    try:
        return database, _checked(database, path)
    except BaseException:
        database.close()
        raise


def copy(database: Database, target: Path) -> None:
    """Write a consistent copy of a sweep, put in the target's place in one step.

    Raises:
        SweepError: it could not be written; what was at ``target`` is whole.
    """
    if Path(os.path.realpath(target)) == Path(os.path.realpath(database.path)):
        raise SweepError(f"{target} is this sweep itself. Choose another name for its copy.")
    fresh = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.saving")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        database.copy_into(fresh)
        with fresh.open("r+b") as file:
            os.fsync(file.fileno())
        _fold_journal(target)
        _drop_journal(target)
        fresh.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise SweepError(f"{target} was not written: {reason(error)}") from error
    finally:
        for leftover in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            with contextlib.suppress(OSError):
                leftover.unlink()


def _fold_journal(path: Path) -> None:
    """Take what a killed program left in a journal into its file, so that the file is whole without it."""
    if path.with_name(f"{path.name}-wal").exists():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=1.0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _drop_journal(path: Path) -> None:
    """A journal that a killed program left would be read into the file that takes this name."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version; each migration is one transaction."""
    first = int(connection.execute("PRAGMA user_version").fetchone()[0])
    for number in range(first, len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[number]};"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
        )


def _checked(database: Database, path: Path) -> ExperimentSpec:
    with database.setup() as connection:
        _migrate(connection)
        found = set(connection.execute("SELECT type, name FROM sqlite_master"))
        if not _tables() <= found or any(kind in ("trigger", "view") for kind, _ in found):
            raise SweepError(f"{path} does not have the tables of a sweep. Restore it from a backup.")
        row = connection.execute("SELECT value FROM meta WHERE key = 'spec'").fetchone()
    try:
        found = load_json(row[0]) if row else {}
        if not isinstance(found, dict):
            raise SpecError("it is no table of settings.")
        return build(found)
    except (SpecError, SessionError, ValidationError) as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: Exception) -> SweepError:
    """What is said of a sweep whose experiment this version does not know."""
    first = str(error).splitlines()[0]
    return SweepError(
        f"{path} describes an experiment that cannot be read: {first} It may have been made by another version of "
        "Rapidity Lab: open it with that. Its numbers are in the table results, which any program for SQLite shows."
    )


@functools.cache
def _tables() -> frozenset[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        _migrate(empty)
        return frozenset(empty.execute("SELECT type, name FROM sqlite_master WHERE type = 'table'"))


def _not(path: Path, done: str, error: BaseException) -> SweepError:
    why = reason(error) if isinstance(error, Exception) else str(error)
    if why == DAMAGED:
        return SweepError(f"The sweep {path} cannot be read: {why}")
    kept = " What is finished stays in it." if done == "written" else ""
    return SweepError(f"The sweep {path} cannot be {done}: {why}{kept}")
