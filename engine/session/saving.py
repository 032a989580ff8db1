"""Save: a consistent copy beside the target, checked, on the disk, then put in the target's place in one step.

Whatever goes wrong on the way, the file that was there stays whole and no half-written one is left beside it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from pathlib import Path

from engine.errors import SessionError
from engine.session.database import Database, reason


class TargetChanged(SessionError):
    """The file to be replaced was changed by someone else since it was opened or saved; ``force`` replaces it."""


def save_copy(database: Database, target: Path) -> int:
    """Write the whole session to ``target`` atomically; returns the revision that was written.

    Reads while others read and write. The file is a single plain one, with no journal beside it.

    Raises:
        SessionError: it could not be written; what was at ``target`` is whole.
    """
    real = Path(os.path.realpath(target))  # a link stays a link
    _check_target(target, real, database)
    temporary = real.with_name(f".{real.name[:100]}.{secrets.token_hex(6)}.saving")
    try:
        # made by us first: errors of making it have better names than SQLite's "unable to open database file"
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        database.copy_into(temporary)
        revision = _check_copy(temporary)
        if real.exists():
            shutil.copymode(real, temporary)
        _sync(temporary)
        temporary.replace(real)
    except (OSError, sqlite3.Error, UnicodeError) as error:
        raise _failed(target, real, error) from error
    finally:
        for leftover in (temporary, temporary.with_name(temporary.name + "-journal")):
            with contextlib.suppress(OSError):
                leftover.unlink()
    _sync_folder(real.parent)
    return revision


def _check_target(target: Path, real: Path, database: Database) -> None:
    if real.is_dir():
        raise SessionError(f"{target} is a folder. Choose a file name in it.")
    if not real.parent.is_dir():
        raise SessionError(f"The folder {target.parent} is gone. Choose another folder to save in.")
    if real.exists() and not os.access(real, os.W_OK):
        raise SessionError(f"{target} is read-only. Save under another name, or change its permissions.")
    if real == Path(os.path.realpath(database.path)):
        raise SessionError(f"{target} is this session's own working copy. Save under another name.")


def _check_copy(path: Path) -> int:
    """Read the copy back; raises sqlite3.DatabaseError when it is not what it should be."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if (mode, found) != ("delete", "ok"):
            raise sqlite3.DatabaseError(f"the written copy does not read back ({mode}, {found})")
        return int(connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # the file itself is on the disk already; at worst a power cut now brings back the old one, whole.
    # Windows cannot open folders, some network disks cannot sync them
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failed(target: Path, real: Path, error: Exception) -> SessionError:
    kept = "The file that was there is whole, and your" if real.exists() else "Your"
    return SessionError(f"{target} was not saved: {reason(error)} {kept} work is still in the open session.")
