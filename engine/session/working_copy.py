"""Where work goes while a session is open: a folder of its own, which tells whether its owner lives.

Each open session has a folder with the working copy (SQLite, WAL), a lock that the system lets go of when the owner
dies, and a note of where it was saved. A folder whose lock nobody holds was left by a crash, and can be recovered.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import SessionError
from engine.session import schema
from engine.session.codec import load_json

COPY_NAME = "work.rapidity"
_LOCK_NAME = "owner.lock"
_NOTE_NAME = "saved.json"
_SIDE_SUFFIXES = ("-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file was changed by someone else: its size and time of change."""

    size: int
    modified_ns: int

    @staticmethod
    def of(path: Path) -> Fingerprint | None:
        """The fingerprint of a file, or None when there is none."""
        try:
            found = path.stat()
        except OSError:
            return None
        return Fingerprint(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class SavedNote:
    """Where a working copy was last saved or opened, at which of its revisions, and how that file looked then."""

    path: Path
    revision: int
    fingerprint: Fingerprint | None


@dataclass(frozen=True, slots=True)
class Recoverable:
    """A working copy whose owner is gone."""

    path: Path
    """The working copy; what ``Session.recover`` and ``discard`` take."""
    title: str
    """The title of its experiment."""
    modified: float
    """When it was last written, seconds since the epoch."""
    saved_as: Path | None
    """The file it was last saved to or opened from."""
    unsaved: bool
    """Whether it holds anything that this file does not."""
    runs: int
    """How many runs it holds."""


class WorkingCopy:
    """A folder owned by this process until ``release``."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self.path = folder / COPY_NAME
        self._lock = lock

    @classmethod
    def make(cls, workdir: Path) -> WorkingCopy:
        """A new, empty folder under ``workdir``, owned by this process.

        Raises:
            SessionError: the folder cannot be made.
        """
        folder = workdir / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True)
            return cls(folder, _take(folder))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise _no_room(workdir, error) from None

    @classmethod
    def take_over(cls, path: Path) -> WorkingCopy:
        """Own a working copy whose owner is gone.

        Raises:
            SessionError: it is gone, or its owner lives.
        """
        if not path.is_file():
            raise SessionError(f"There is no working copy {path} to recover: it was recovered or discarded before.")
        try:
            return cls(path.parent, _take(path.parent))
        except Timeout:
            raise SessionError(f"{path} is open in another window. Use that window, or close it first.") from None
        except OSError as error:
            raise SessionError(f"{path} cannot be recovered: {error.strerror or error}.") from None

    def fill_from(self, source: Path) -> None:
        """Copy a session file here, with what its own crash may have left beside it. The source is only read.

        Raises:
            SessionError: it cannot be read, or the copy not written.
        """
        try:
            for suffix in ("", *_SIDE_SUFFIXES):
                from_here = source.with_name(source.name + suffix)
                if not suffix or from_here.is_file():
                    shutil.copyfile(from_here, self.path.with_name(COPY_NAME + suffix))
        except OSError as error:
            raise SessionError(
                f"{source} could not be opened: copying it to {self.folder.parent} failed: {error.strerror or error}. "
                "Free some space there, and check that both can be read and written."
            ) from None

    def note_saved(self, note: SavedNote) -> None:
        """Remember where the copy was saved. Losing this note loses no work, so that errors are passed over."""
        mark = note.fingerprint
        text = json.dumps(
            {
                "path": str(note.path),
                "revision": note.revision,
                "size": mark.size if mark else None,
                "modified_ns": mark.modified_ns if mark else None,
            }
        )
        with contextlib.suppress(OSError, UnicodeError):
            fresh = self.folder / f"{_NOTE_NAME}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.folder / _NOTE_NAME)

    def saved_note(self) -> SavedNote | None:
        return _read_note(self.folder)

    def release(self, *, remove: bool) -> None:
        """Give up the folder; with ``remove`` also delete it. Afterwards it is nobody's."""
        if remove:
            _empty(self.folder)
        self._lock.release()
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)


def recoverable(workdir: Path) -> list[Recoverable]:
    """The working copies under ``workdir`` whose owner is gone, the latest first. Those of living owners are left alone.

    A copy that cannot be read at all is left where it is and not offered.
    """
    found: list[Recoverable] = []
    for path in sorted(workdir.glob(f"*/{COPY_NAME}")):
        with _if_orphaned(path.parent) as orphaned:
            offer = _describe(path) if orphaned else None
        if offer is not None:
            found.append(offer)
    return sorted(found, key=lambda each: each.modified, reverse=True)


def discard(working_copy: Path) -> None:
    """Delete a working copy whose owner is gone; one whose owner lives, or that is gone itself, is left alone."""
    if working_copy.name != COPY_NAME or not working_copy.is_file():
        return
    with _if_orphaned(working_copy.parent) as orphaned:
        if orphaned:
            _empty(working_copy.parent)
    if orphaned:
        shutil.rmtree(working_copy.parent, ignore_errors=True)


def _take(folder: Path) -> FileLock:
    # not bound to a thread: a session may be closed in another one than it was opened in
    lock = FileLock(folder / _LOCK_NAME, timeout=0, thread_local=False)
    lock.acquire()
    return lock


@contextmanager
def _if_orphaned(folder: Path) -> Iterator[bool]:
    try:
        lock = _take(folder)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _empty(folder: Path) -> None:
    """Delete all but the lock, which some systems cannot delete while it is held."""
    for each in list(folder.glob("*")):
        if each.name != _LOCK_NAME:
            with contextlib.suppress(OSError):
                each.unlink()


def _describe(path: Path) -> Recoverable | None:
    # the owner is dead and its lock is ours: the first reader may roll the journal forward
    modified = max(each.stat().st_mtime for each in path.parent.glob(f"{COPY_NAME}*"))
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            if not 1 <= schema.version(connection) <= schema.newest_version():
                return None
            meta = dict(connection.execute("SELECT key, value FROM meta"))
            runs = int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        title = str(load_json(meta["spec"])["title"])
        revision = int(meta["revision"])
    except (sqlite3.Error, SessionError, KeyError, ValueError, TypeError):
        return None
    note = _read_note(path.parent)
    unsaved = revision > (note.revision if note else 0)
    return Recoverable(path, title, modified, note.path if note else None, unsaved, runs)


def _read_note(folder: Path) -> SavedNote | None:
    try:
        note = json.loads((folder / _NOTE_NAME).read_text(encoding="utf-8"))
        mark = None if note["size"] is None else Fingerprint(int(note["size"]), int(note["modified_ns"]))
        return SavedNote(Path(note["path"]), int(note["revision"]), mark)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _no_room(workdir: Path, error: OSError) -> SessionError:
    return SessionError(
        f"The working copy of the session cannot be written in {workdir}: {error.strerror or error}. "
        "Free some space there, or make the folder writable."
    )
