"""What is on stage: the frames and tables that panels show, live or at a moment of the past.

Live, frames and rows come from the engine's deliveries. At a moment chosen on the time slider they come from the
session: for each topic the latest frame up to then, for each table the rows of the run that was current then.
Nothing is shown that belongs to a later part of the work than the moment: at a training step there is no attack yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from engine.events import Frame
from engine.runtime import Delivery, Started
from engine.session import Instant, Session, Table

PHASES = ("data", "init", "train", "attack", "measure")
TOPICS = ("dataset", "model", "gallery", "matrix/clean", "matrix/adversarial", "profile", "pairs")
TABLES = ("steps", "epochs", "attack", "profile")
CACHED_FRAMES = 64  # read lately, so that dragging to and fro reads nothing twice


class Stage(QObject):
    """The one place that panels draw from. It tells what changed; who redraws when is not its concern."""

    topic_changed = Signal(str)  # its frame is another one now, or none
    table_changed = Signal(str)  # it has more rows, or is another table
    moment_changed = Signal()  # live or another moment
    instants_changed = Signal()  # more was recorded
    cleared = Signal()  # another session

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.instants: list[Instant] = []
        self._moment: Instant | None = None
        self._live: dict[str, Frame] = {}
        self._tables: dict[str, Table] = {}
        self._past: dict[str, Frame] = {}
        self._past_tables: dict[str, Table] = {}
        self._past_run = 0
        self._shown: dict[str, int] = {}  # topic to the instant whose frame is shown
        self._cache: dict[tuple[str, int], Frame] = {}
        self._begun: set[str] = set()  # tables of the running job; the first row of each begins it anew

    def attach(self, session: Session) -> None:
        """Show another session, from its end."""
        self.session = session
        self._moment = None
        self._live, self._past, self._tables, self._past_tables = {}, {}, {}, {}
        self._cache, self._shown, self._begun = {}, {}, set()
        self.instants = session.instants()
        self.cleared.emit()
        for topic in TOPICS if self.instants else ():
            source = self._source(topic, len(self.instants) - 1)
            if source is not None:
                self._live[topic] = self._read(topic, source)
                self.topic_changed.emit(topic)
        for name in TABLES:
            run = self._run_with(name, None)
            if run is not None:
                self._tables[name] = session.table(run, name)
                self.table_changed.emit(name)
        self.instants_changed.emit()
        self.moment_changed.emit()

    # --- what panels read ------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether the latest is shown, as it comes."""
        return self._moment is None

    @property
    def moment(self) -> Instant | None:
        """The moment shown; None while live."""
        return self._moment

    def frame(self, topic: str) -> Frame | None:
        """The frame of a topic that is on stage."""
        return (self._live if self._moment is None else self._past).get(topic)

    def table(self, name: str) -> Table:
        """The table of a name that is on stage; empty where there is none."""
        tables = self._tables if self._moment is None else self._past_tables
        return tables.get(name) or Table()

    def training_step(self) -> int | None:
        """The training step of the moment shown, for a cursor in the curves; None live or after training."""
        return self._moment.step if self._moment is not None and self._moment.phase == "train" else None

    # --- live ------------------------------------------------------------------------------------------------

    def take(self, delivery: Delivery) -> None:
        """What the engine has said since the last tick."""
        for topic, frame in delivery.frames.items():
            if frame.phase in ("data", "init", "train"):
                self._forget_attack()
            self._live[topic] = frame
            if self.live:
                self.topic_changed.emit(topic)
        for name, rows in delivery.rows_by_table().items():
            if name not in self._begun:
                self._begun.add(name)
                self._tables[name] = Table()
            self._tables[name].extend(rows)
            if self.live:
                self.table_changed.emit(name)
        if any(isinstance(event, Started) for event in delivery.lifecycle):
            self._begun = set()

    def refresh_instants(self) -> None:
        """Ask the session what has been recorded meanwhile."""
        new = self.session.instants(after=self.instants[-1].id if self.instants else 0)
        if new:
            self.instants += new
            self.instants_changed.emit()

    def _forget_attack(self) -> None:
        """A new training makes the last one's attack a thing of the past."""
        for topic in [t for t, f in self._live.items() if f.phase in ("attack", "measure")]:
            del self._live[topic]
            if self.live:
                self.topic_changed.emit(topic)

    # --- the past --------------------------------------------------------------------------------------------

    def go_live(self) -> None:
        """Follow the run again."""
        if self._moment is None:
            return
        self._moment = None
        self._changed(TOPICS, TABLES)

    def go_to(self, instant_id: int) -> None:
        """Show the moment with this id, or the latest one before it."""
        position = bisect_right(self.instants, instant_id, key=lambda instant: instant.id) - 1
        if position < 0:
            return
        was_live = self._moment is None
        before = {} if was_live else self._shown
        self._moment = self.instants[position]
        self._shown = {topic: source for topic in TOPICS if (source := self._source(topic, position)) is not None}
        changed = [topic for topic in TOPICS if was_live or before.get(topic) != self._shown.get(topic)]
        for topic in changed:
            source = self._shown.get(topic)
            if source is None:
                self._past.pop(topic, None)
            else:
                self._past[topic] = self._read(topic, source)
        self._changed(changed, self._find_tables(self._moment.run, was_live))

    def _source(self, topic: str, position: int) -> int | None:
        """Id of the instant whose frame of a topic is shown at a position, or None if there is nothing to show."""
        phase = PHASES.index(self.instants[position].phase)
        for instant in reversed(self.instants[: position + 1]):
            if topic in instant.topics:
                return instant.id if PHASES.index(instant.phase) <= phase else None
        return None

    def _read(self, topic: str, instant_id: int) -> Frame:
        key = topic, instant_id
        if key not in self._cache:
            frame = self.session.frame(topic, at=instant_id)
            assert frame is not None
            self._cache[key] = frame
            if len(self._cache) > CACHED_FRAMES:
                del self._cache[next(iter(self._cache))]
        return self._cache[key]

    def _find_tables(self, run: int, all_are_new: bool) -> list[str]:
        """Show the tables as they were in a run: its own, or those of the runs before it."""
        if run == self._past_run and not all_are_new:
            return []
        self._past_run = run
        self._past_tables = {}
        for name in TABLES:
            found = self._run_with(name, run)
            self._past_tables[name] = Table() if found is None else self.session.table(found, name)
        return list(TABLES)

    def _run_with(self, name: str, up_to: int | None) -> int | None:
        """The latest run, up to one, that has a table of this name."""
        for run in reversed(self.session.runs()):
            if (up_to is None or run.id <= up_to) and name in self.session.tables(run.id):
                return run.id
        return None

    def _changed(self, topics: Iterable[str], tables: Iterable[str]) -> None:
        for topic in topics:
            self.topic_changed.emit(topic)
        for name in tables:
            self.table_changed.emit(name)
        self.moment_changed.emit()
