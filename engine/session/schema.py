"""The tables of a session file, and how older files become newer ones.

``application_id`` says that a SQLite file is ours, ``user_version`` which migrations it has had. Migration 1 makes
the first version; what comes later is appended and never edited. Only working copies are migrated: a saved file is
left as it is until the next save.

Text columns named ``info``, ``row``, ``spec`` and ``value`` hold JSON, which SQLite's own json functions read; see
:mod:`engine.session.codec` for how NaN and infinities are written. Columns named ``arrays`` hold safetensors.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3

APPLICATION_ID = int.from_bytes(b"RapL", "big")

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        experiment TEXT NOT NULL,
        spec TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'cancelled', 'failed', 'interrupted')),
        started REAL NOT NULL,
        finished REAL,
        error TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id),
        name TEXT NOT NULL,
        row TEXT NOT NULL
    );
    CREATE INDEX records_by_table ON records (run, name, id);
    CREATE TABLE instants (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs (id),
        phase TEXT NOT NULL,
        step INTEGER NOT NULL,
        time REAL NOT NULL,
        UNIQUE (run, phase, step)
    );
    CREATE TABLE frames (
        id INTEGER PRIMARY KEY,
        instant INTEGER NOT NULL REFERENCES instants (id),
        run INTEGER NOT NULL REFERENCES runs (id),
        topic TEXT NOT NULL,
        info TEXT NOT NULL,
        arrays BLOB NOT NULL,
        UNIQUE (instant, topic)
    );
    CREATE INDEX frames_by_topic ON frames (topic, instant, run);
    CREATE TABLE artifacts (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id),
        name TEXT NOT NULL,
        key TEXT NOT NULL,
        time REAL NOT NULL,
        info TEXT NOT NULL,
        arrays BLOB NOT NULL,
        UNIQUE (name, key)
    );
    """,
)


def newest_version() -> int:
    """The version this program writes, and the newest it reads."""
    return len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> bool:
    """Bring a working copy (or a new, empty file) to the newest version; returns whether anything was done.

    Each migration is one transaction: a crash leaves a file of one version or the next, never between.
    """
    first = version(connection)
    for number in range(first, newest_version()):
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[number]};"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
        )
    return first < newest_version()


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the file has the tables of the newest version and nothing that would run by itself."""
    found = {(kind, name) for kind, name in connection.execute("SELECT type, name FROM sqlite_master")}
    if any(kind in ("trigger", "view") for kind, _ in found):
        return False
    return {("table", name) for name in _tables()} <= found


@functools.cache
def _tables() -> frozenset[str]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        migrate(empty)
        return frozenset(name for (name,) in empty.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
