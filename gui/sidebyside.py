"""What stands in a column of the side-by-side view: where it comes from, and what was read of it.

A source is read once, in a worker thread; a session that was opened for it is closed again at once, so that no working
copy stays behind and nothing of a file is held but what the panels draw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import SessionError
from engine.paths import working_copies
from engine.session import Run, Session, Table
from gui.comparing import Reading, readings
from gui.steps import DEPENDS

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.sweep.store import SweepStore

MOST = 6  # columns: more cannot be read side by side
ALL_PARTS = DEPENDS["entangle"]
NEEDS = {
    "steps": DEPENDS["train"],
    "epochs": DEPENDS["train"],
    "gallery": DEPENDS["attack"],
    "attack": DEPENDS["attack"],
    "attack_samples": DEPENDS["attack"],
    "decision_map": DEPENDS["attack"],
    "class_matrix": DEPENDS["train"],
}
"""The parts that a frame or a table depends on; all of them where none are named."""
LIVE = ("init", "train")  # phases whose measurements are of fewer inputs than the final one
NUMBERS = "point"  # the table of a run that holds the row of a sweep's point


@dataclass(frozen=True)
class Source:
    """One column. ``open`` gives its session, in a worker thread; ``run`` of it is shown, the latest whole one if None."""

    key: str  # equal for the same thing: it stands in one column only
    label: str
    open: Callable[[], Session] = field(compare=False)
    run: int | None = None
    owned: bool = True  # opened for the column alone, and closed once it is read

    @classmethod
    def of_run(cls, session: Session, run: int) -> Source:
        """A run of the session that is open in the window."""
        return cls(f"run:{run}", f"run {run}", lambda: session, run, owned=False)

    @classmethod
    def of_file(cls, path: Path) -> Source:
        """A session file; it is only read."""
        whole = Path(path).absolute()
        return cls(f"file:{whole}", whole.stem, lambda: Session.open(whole, working_copies()))

    @classmethod
    def of_point(cls, store: SweepStore, point: int) -> Source:
        """A finished point of a sweep."""

        def open_point() -> Session:
            from engine.sweep.opened import point_session

            return point_session(store, point, working_copies())

        return cls(f"point:{store.path}:{point}", f"{Path(store.path).stem}, point {point}", open_point)

    def at(self, run: int) -> Source:
        """The same with another run of its session."""
        return replace(self, run=run)


@dataclass(frozen=True)
class Content:
    """What was read of a source: one run with its frames, its tables and its numbers, and which runs there are."""

    run: int
    title: str  # the experiment's
    experiment: str  # what was run
    spec: Mapping[str, Any]
    running: bool
    frames: Mapping[str, Frame]
    tables: Mapping[str, Table]
    readings: tuple[Reading, ...]
    row: Mapping[str, Any]  # of a sweep's point
    runs: tuple[tuple[int, str], ...]  # id and what it was

    def has(self, topics: Iterable[str], tables: Iterable[str]) -> bool:
        """Whether there is a frame of these topics, or a row of these tables."""
        return any(topic in self.frames for topic in topics) or any(len(self.tables.get(name, ())) for name in tables)


def read_source(source: Source, topics: Collection[str], tables: Collection[str]) -> Content:
    """Read a source and let go of it. Raises UserError where it cannot be opened or holds no run."""
    session = source.open()
    try:
        return read_content(session, source.run, topics, tables)
    finally:
        if source.owned:
            session.close(discard=True)


def read_content(session: Session, run: int | None, topics: Collection[str], tables: Collection[str]) -> Content:
    """What a run of a session shows. May run in any thread.

    What the run itself has not recorded is taken from a run whose settings are the same as far as it depends on them: a
    takeover measured afterwards belongs to its attack.
    """
    runs = session.runs()
    if not runs:
        raise SessionError(f"“{session.name}” holds no run yet. Open it and press Run, then add it again.")
    there = {each.id: session.tables(each.id) for each in runs}
    recorded: dict[int, set[str]] = {each.id: set() for each in runs}
    for instant in session.instants():
        recorded[instant.run].update(instant.topics)
    shown = next((each for each in runs if each.id == run), None) or _whole(runs, there)
    like = _Alike(runs, shown)
    frames = {}
    for topic in topics:
        found = [each for each in like.of(topic) if topic in recorded[each.id]]
        read = (session.frame(topic, run=each.id) for each in found)
        best: Frame | None = None
        for frame in read:
            if frame is not None and (best is None or frame.phase not in LIVE):
                best = frame
            if best is not None and best.phase not in LIVE:
                break
        if best is not None:
            frames[topic] = best
    read_tables = {}
    for name in tables:
        source = next((each for each in like.of(name) if name in there[each.id]), None)
        if source is not None:
            read_tables[name] = session.table(source.id, name)
    row = session.table(shown.id, NUMBERS) if NUMBERS in there[shown.id] else Table()
    return Content(
        shown.id,
        str(shown.spec.get("title", "")),
        shown.experiment,
        shown.spec,
        shown.status == "running",
        frames,
        read_tables,
        tuple(readings(read_tables, frames.get("profile"))),
        {name: row.column(name)[-1] for name in row.columns} if len(row) else {},
        tuple((each.id, f"run {each.id} · {each.experiment}") for each in runs),
    )


def _whole(runs: list[Run], tables: Mapping[int, tuple[str, ...]]) -> Run:
    """The latest run that went furthest: it measured, else it attacked, else it trained."""
    for name in ("profile", "attack", "steps"):
        found = [run for run in runs if name in tables[run.id] and run.status != "running"]
        if found:
            return found[-1]
    return runs[-1]


class _Alike:
    """The runs that may lend what a run lacks: itself first, then those of the same settings, the latest first."""

    def __init__(self, runs: list[Run], shown: Run) -> None:
        self._shown = shown
        self._others = [run for run in reversed(runs) if run is not shown]
        self._specs: dict[int, Any] = {}
        for run in runs:
            try:
                self._specs[run.id] = run.read_spec()
            except SessionError:  # of another version: it has only what it recorded itself
                continue

    def of(self, name: str) -> list[Run]:
        """For a topic or a table."""
        parts = NEEDS.get(name, ALL_PARTS)
        own = self._specs.get(self._shown.id)
        if own is None:
            return [self._shown]
        key = own.key(*parts)
        same = [run for run in self._others if run.id in self._specs and self._specs[run.id].key(*parts) == key]
        return [self._shown, *same]
