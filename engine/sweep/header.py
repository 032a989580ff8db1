"""The first bytes of a file, looked at without SQLite, so that nothing is written beside what is no sweep.

A program that opens and closes a file which SQLite has open in it loses all of SQLite's locks there (POSIX has it so):
another program would then take the sweep for one that nobody has open, and remove the journal under its writer. So a
file that is open here as a sweep is not looked at again.
"""

from __future__ import annotations

import codecs
import threading
from collections import Counter
from pathlib import Path

from engine.errors import SweepError

MAGIC = b"SQLite format 3\0"
LENGTH = 100
SUFFIX = ".sweep"
_SWEEP, _SESSION = b"RapS", b"RapL"

Identity = tuple[int, int]

gate = threading.Lock()
"""Held while a file is looked at, and while one is opened and noted."""
_open: Counter[Identity] = Counter()


def note_open(path: Path) -> Identity | None:
    """Remember that SQLite has a file open here; the gate is held. None where it is gone already."""
    identity = _identity(path)
    if identity is not None:
        _open[identity] += 1
    return identity


def note_closed(identity: Identity | None) -> None:
    """Forget one of the times that it was opened."""
    if identity is not None:
        with gate:
            _open[identity] -= 1
            if not _open[identity]:
                del _open[identity]


def check(path: Path, newest: int) -> None:
    """Look whether a file is a sweep, of a format up to ``newest``; the gate is held.

    Raises:
        SweepError: it is missing, a folder, unreadable, or something else: says what.
    """
    if _identity(path) in _open:
        return
    header = _read(path)
    if header[68:72] != _SWEEP or not header.startswith(MAGIC) or len(header) < LENGTH:
        raise SweepError(f"{path} {_what_else(header)}{_advice(path)}")
    version = int.from_bytes(header[60:64], "big")
    if version > newest:
        raise SweepError(
            f"{path} was made by a newer version of Rapidity Lab (format {version}; this version reads up to "
            f"{newest}). Update Rapidity Lab to open it."
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LENGTH)
    except FileNotFoundError:
        raise SweepError(f"There is no file {path}. It may have been moved, renamed or deleted.") from None
    except OSError as error:
        if path.is_dir():
            raise SweepError(f"{path} is a folder. Choose the file of a sweep.") from None
        raise SweepError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from None


def _what_else(header: bytes) -> str:
    """What is wrong with a file that is no sweep, and what to do with it."""
    if not header:
        return "is empty: there is no sweep in it. Restore it from a backup, or delete it and run its sweep again."
    if MAGIC.startswith(header) or (header.startswith(MAGIC) and len(header) < LENGTH):
        return f"is cut off: it has only {len(header)} bytes. Restore it from a backup."
    if header.startswith(MAGIC) and header[68:72] == _SESSION:
        return "is a session of Rapidity Lab, not a sweep. Rename it to end in .rapidity, and open it as a session."
    if header.startswith(MAGIC):
        return "is a database of another program, not a sweep of Rapidity Lab."
    if _is_text(header):
        return (
            "is a text, not a sweep. If it describes an experiment, rename it to end in .toml, open that and run the "
            "sweep it describes."
        )
    return (
        "is not a sweep of Rapidity Lab: it begins otherwise. If it was one, it is damaged: restore it from a backup."
    )


def _advice(path: Path) -> str:
    return "" if path.suffix == SUFFIX else f" The file of a sweep ends in {SUFFIX}."


def _is_text(header: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(header)
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c.isspace() for c in text)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
