"""Is this file a session that this program can read? Each way in which it is not has its own sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pydantic import ValidationError

from engine.errors import SessionError
from engine.session import schema
from engine.session.codec import load_json
from engine.session.database import Database
from engine.specs import ExperimentSpec

_MAGIC = b"SQLite format 3\0"
_HEADER_LENGTH = 100


def check_file(path: Path) -> None:
    """Look at a file's header without SQLite, so that nothing is ever written beside it.

    Raises:
        SessionError: it is missing, a folder, unreadable, empty, not a session, of a newer version, or cut off.
    """
    header, size = _read_header(path)
    if size == 0:
        raise SessionError(f"{path} is empty. Restore it from a backup; there is nothing in it to open.")
    if not header.startswith(_MAGIC[:size]):
        raise SessionError(f"{path} is not a Rapidity Lab session. Choose a file that was saved with Rapidity Lab.")
    if size < _HEADER_LENGTH:
        raise SessionError(f"{path} is cut off: it has only {size} bytes. Restore it from a backup.")
    if _has_journal(path):
        return  # the header may be behind the journal; the copy is checked instead
    _check_identity(path, _number(header, 68), _number(header, 60))
    expected = _page_size(header) * _number(header, 28)
    if _number(header, 24) == _number(header, 92) and size < expected:
        raise SessionError(
            f"{path} is cut off: it should have {expected:,} bytes and has {size:,}. Restore it from a backup."
        )


def open_database(path: Path, shown: Path) -> tuple[Database, ExperimentSpec]:
    """Open a working copy, check it through and through, bring it to the newest version; gives the spec in it too.

    ``shown`` is the file that messages name.

    Raises:
        SessionError: it is damaged, of another program, of a newer version, or holds a spec that cannot be read.
    """
    try:
        database = Database(path)
    except SessionError as error:
        raise SessionError(f"{shown} is damaged ({error.__cause__}). Restore it from a backup.") from error
    try:
        spec = _check(database, shown)
        database.load_revision()
    except BaseException:
        database.close()
        raise
    return database, spec


def _check(database: Database, shown: Path) -> ExperimentSpec:
    with database.setup() as connection:
        try:
            ours = int(connection.execute("PRAGMA application_id").fetchone()[0])
            _check_identity(shown, ours, schema.version(connection))
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if found != "ok":
                raise SessionError(f"{shown} is damaged ({found}). Restore it from a backup.")
            schema.migrate(connection)
            if not schema.is_ours(connection):
                raise SessionError(f"{shown} does not have the tables of a session. Restore it from a backup.")
            row = connection.execute("SELECT value FROM meta WHERE key = 'spec'").fetchone()
        except sqlite3.DatabaseError as error:
            raise SessionError(f"{shown} is damaged ({error}). Restore it from a backup.") from error
    try:
        return ExperimentSpec.model_validate(load_json(row[0] if row else ""))
    except (ValidationError, SessionError) as error:
        raise SessionError(f"{shown} describes an experiment that cannot be read: {_first_line(error)}.") from None


def _check_identity(path: Path, application: int, version: int) -> None:
    if application != schema.APPLICATION_ID:
        raise SessionError(f"{path} is a database of another program. Choose a file that was saved with Rapidity Lab.")
    newest = schema.newest_version()
    if version > newest:
        raise SessionError(
            f"{path} was made by a newer version of Rapidity Lab (format {version}; this version reads up to "
            f"{newest}). Update Rapidity Lab to open it."
        )
    if version < 1:
        raise SessionError(f"{path} is an unfinished session with nothing in it. Choose another file.")


def _read_header(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_LENGTH), path.stat().st_size
    except FileNotFoundError:
        raise SessionError(f"There is no file {path}. It may have been moved, renamed or deleted.") from None
    except IsADirectoryError:
        raise SessionError(f"{path} is a folder. Choose the session file itself.") from None
    except OSError as error:
        if path.is_dir():  # Windows says "permission denied" of folders
            raise SessionError(f"{path} is a folder. Choose the session file itself.") from None
        raise SessionError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from None


def _has_journal(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.is_file() and wal.stat().st_size > 0


def _number(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "big")


def _page_size(header: bytes) -> int:
    size = int.from_bytes(header[16:18], "big")
    return 65536 if size == 1 else size


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
