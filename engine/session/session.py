"""A session: one file that holds the experiment, its runs, and everything they said."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Self

from engine.errors import SessionError
from engine.events import Artifact, Frame
from engine.session import opening, saving, schema
from engine.session.codec import dump_json, load_json, load_rows, unpack
from engine.session.contents import Instant, Run
from engine.session.database import Database
from engine.session.recorder import Recorder
from engine.session.saving import TargetChanged
from engine.session.table import Table
from engine.session.working_copy import Fingerprint, SavedNote, WorkingCopy
from engine.specs import ExperimentSpec

_FOREVER = 2**63 - 1


class Session:
    """An open session. Work goes to a working copy at once; ``save`` writes the file that the user named.

    Made by :meth:`create`, :meth:`open` or :meth:`recover`, ended by :meth:`close`. Every method may be called from
    any thread. Reads see what is committed: a running recorder's latest half second comes a moment later.

    As a context manager it closes at the end, and keeps the working copy recoverable only when an exception passes
    by while something is unsaved.
    """

    def __init__(self, copy: WorkingCopy, database: Database, spec: ExperimentSpec, saved: SavedNote | None) -> None:
        self._copy = copy
        self._database = database
        self._spec = spec
        self._saved = saved
        self._save_gate = threading.Lock()
        self._recorders: set[Recorder] = set()
        self._closed = False

    # --- beginning and end -----------------------------------------------------------------------------------

    @classmethod
    def create(cls, workdir: Path, spec: ExperimentSpec) -> Session:
        """A new session with nothing in it but its experiment; it has no file until it is saved.

        Raises:
            SessionError: the working copy cannot be written in ``workdir``.
        """
        copy = WorkingCopy.make(workdir)
        try:
            database = Database(copy.path)
            try:
                with database.setup() as connection:
                    schema.migrate(connection)
                with database.write(counts=False) as connection:
                    values = {
                        "spec": dump_json(spec.model_dump(mode="json")),
                        "revision": "0",
                        "created": str(time.time()),
                    }
                    connection.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
            except BaseException:
                database.close()
                raise
        except BaseException:
            copy.release(remove=True)
            raise
        return cls(copy, database, spec, None)

    @classmethod
    def open(cls, path: Path | str, workdir: Path) -> Session:
        """Open a saved session. The file itself is only read; a run that was saved while it ran is "interrupted".

        Raises:
            SessionError: the file is missing, not a session, of a newer version, damaged or cut off.
        """
        path = Path(path).absolute()
        opening.check_file(path)
        mark = Fingerprint.of(path)
        copy = WorkingCopy.make(workdir)
        try:
            copy.fill_from(path)
            database, spec = opening.open_database(copy.path, path)
        except BaseException:
            copy.release(remove=True)
            raise
        saved = SavedNote(path, database.revision, mark)
        copy.note_saved(saved)
        return cls._adopt(copy, database, spec, saved)

    @classmethod
    def recover(cls, working_copy: Path) -> Session:
        """Go on with a working copy that a crash left; see :func:`engine.session.recoverable`.

        Raises:
            SessionError: it is gone, its owner lives, or it is damaged.
        """
        copy = WorkingCopy.take_over(Path(working_copy))
        try:
            database, spec = opening.open_database(copy.path, copy.path)
        except BaseException:
            copy.release(remove=False)
            raise
        return cls._adopt(copy, database, spec, copy.saved_note())

    def close(self, discard: bool = True) -> None:
        """End the session. What is not saved is deleted, or with ``discard=False`` left to be recovered.

        A recorder that is still open ends its run as "interrupted". May be called again.

        Raises:
            SessionError: what such a recorder held could not be written; the session is closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        try:
            for recorder in list(self._recorders):
                recorder.close("interrupted")
        finally:
            self._database.close()
            self._copy.release(remove=discard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(discard=kind is None or not self.dirty)

    # --- what it is ------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path | None:
        """The file it was opened from or last saved to, None when it has none yet."""
        return self._saved.path if self._saved else None

    @property
    def name(self) -> str:
        """The name to show: that of the file, or the experiment's title."""
        return self.path.stem if self.path else self._spec.title

    @property
    def working_copy(self) -> Path:
        """Where the work goes meanwhile; what ``recover`` takes after a crash."""
        return self._copy.path

    @property
    def dirty(self) -> bool:
        """Whether runs or the experiment changed since the last save. State of the window does not count."""
        return self._database.revision != (self._saved.revision if self._saved else 0)

    @property
    def spec(self) -> ExperimentSpec:
        """The experiment as it stands."""
        return self._spec

    def set_spec(self, spec: ExperimentSpec) -> None:
        """Change the experiment. An equal one is no change."""
        if spec == self._spec:
            return
        with self._database.write() as connection:
            text = dump_json(spec.model_dump(mode="json"))
            connection.execute("UPDATE meta SET value = ? WHERE key = 'spec'", (text,))
        self._spec = spec

    def state(self, key: str, default: Any = None) -> Any:
        """A piece of the window's state (selection, layout), as plain JSON."""
        with self._database.read() as connection:
            row = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return load_json(row[0]) if row else default

    def set_state(self, key: str, value: Any) -> None:
        """Keep a piece of the window's state. It is saved with the session but does not make it unsaved."""
        text = dump_json(value)
        with self._database.write(counts=False) as connection:
            connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, text))

    # --- saving ----------------------------------------------------------------------------------------------

    def save(self, path: Path | str | None = None, *, force: bool = False) -> Path:
        """Write the session to its file, or to ``path``, which becomes its file; returns the file.

        May run beside a recorder, and in a thread of its own: for large sessions it takes seconds.

        Raises:
            TargetChanged: the session's file was changed by someone else since; ``force`` replaces it all the same.
            SessionError: it could not be written. The file that was there is whole, the session open and unsaved.
        """
        with self._save_gate:
            target = Path(path).absolute() if path is not None else self.path
            if target is None:
                raise SessionError("This session has no file yet. Choose a name to save it under.")
            if not force:
                self._check_unchanged(target)
            for recorder in list(self._recorders):
                recorder.try_flush()
            revision = saving.save_copy(self._database, target)
            self._saved = SavedNote(target, revision, Fingerprint.of(target))
            self._copy.note_saved(self._saved)
            return target

    def _check_unchanged(self, target: Path) -> None:
        if self._saved is None or target != self._saved.path:
            return
        now = Fingerprint.of(target)
        if now is not None and now != self._saved.fingerprint:
            raise TargetChanged(
                f"{target} was changed by another program since it was opened or saved here. Save under another "
                "name to keep both, or replace it."
            )

    # --- runs ------------------------------------------------------------------------------------------------

    def begin_run(self, experiment: str, spec: ExperimentSpec) -> int:
        """Enter a new run as "running"; returns its number."""
        text = dump_json(spec.model_dump(mode="json"))
        with self._database.write() as connection:
            done = connection.execute(
                "INSERT INTO runs (experiment, spec, status, started) VALUES (?, ?, 'running', ?)",
                (experiment, text, time.time()),
            )
        return int(done.lastrowid or 0)

    def recorder(self, run: int) -> Recorder:
        """What writes down a run; it must be closed."""
        recorder = Recorder(self._database, run, self._recorders.discard)
        self._recorders.add(recorder)
        return recorder

    def runs(self) -> list[Run]:
        """All runs, in the order they began."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, experiment, spec, status, started, finished, error FROM runs ORDER BY id"
            ).fetchall()
        return [Run(row[0], row[1], load_json(row[2]), *row[3:]) for row in rows]

    # --- what the runs said ----------------------------------------------------------------------------------

    def tables(self, run: int) -> tuple[str, ...]:
        """The names of a run's tables, in the order of their first rows."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name FROM records WHERE run = ? GROUP BY name ORDER BY min(id)", (run,)
            ).fetchall()
        return tuple(name for (name,) in rows)

    def table(self, run: int, name: str) -> Table:
        """A run's table, every row in order; empty when there is none of that name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT row FROM records WHERE run = ? AND name = ? ORDER BY id", (run, name)
            ).fetchall()
        return Table(load_rows([text for (text,) in rows]))

    def latest_table(self, name: str) -> Table:
        """The table of this name in the latest run that has one; empty when none has."""
        with self._database.read() as connection:
            row = connection.execute("SELECT max(run) FROM records WHERE name = ?", (name,)).fetchone()
        return self.table(row[0], name) if row[0] is not None else Table()

    def instants(self, run: int | None = None, after: int = 0) -> list[Instant]:
        """The moments that can be replayed, in order; of one run, or of all; those with an id above ``after``."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT i.id, i.run, i.phase, i.step, i.time, json_group_array(f.topic) "
                "FROM instants i JOIN frames f ON f.instant = i.id "
                "WHERE i.id > ? AND (? IS NULL OR i.run = ?) GROUP BY i.id ORDER BY i.id",
                (after, run, run),
            ).fetchall()
        return [
            Instant(each, of, phase, step, tuple(sorted(load_json(topics))), at)
            for each, of, phase, step, at, topics in rows
        ]

    def frame(self, topic: str, at: int | None = None, run: int | None = None) -> Frame | None:
        """The latest frame of a topic at or before an instant (its id; None is the latest of all), or None.

        ``run`` restricts it to the frames of one run.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT i.phase, i.step, f.info, f.arrays FROM frames f JOIN instants i ON i.id = f.instant "
                "WHERE f.topic = ? AND f.instant <= ? AND (? IS NULL OR f.run = ?) ORDER BY f.instant DESC LIMIT 1",
                (topic, _FOREVER if at is None else at, run, run),
            ).fetchone()
        if row is None:
            return None
        phase, step, info, arrays = row
        return Frame(topic, phase, step, unpack(arrays), load_json(info))

    def artifact(self, name: str, key: str) -> Artifact | None:
        """A result by its name and the key of the spec parts it depends on, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT info, arrays FROM artifacts WHERE name = ? AND key = ?", (name, key)
            ).fetchone()
        return Artifact(name, key, unpack(row[1]), load_json(row[0])) if row else None

    def has_artifact(self, name: str, key: str) -> bool:
        """Whether :meth:`artifact` would find one; reads no arrays."""
        with self._database.read() as connection:
            row = connection.execute("SELECT 1 FROM artifacts WHERE name = ? AND key = ?", (name, key)).fetchone()
        return row is not None

    # --- within ----------------------------------------------------------------------------------------------

    @classmethod
    def _adopt(cls, copy: WorkingCopy, database: Database, spec: ExperimentSpec, saved: SavedNote | None) -> Session:
        session = cls(copy, database, spec, saved)
        try:
            session._interrupt_runs()
        except BaseException:
            session.close(discard=False)
            raise
        return session

    def _interrupt_runs(self) -> None:
        """Nobody runs what an earlier process began: such runs ended with the last thing they said."""
        with self._database.write(counts=False) as connection:
            connection.execute(
                "UPDATE runs SET status = 'interrupted', finished = "
                "max(started, coalesce((SELECT max(time) FROM instants WHERE run = runs.id), started)) "
                "WHERE status = 'running'"
            )
