"""What is on stage: the frames and tables that panels show, live or at a moment of the past.

Live, frames and rows come from the engine's deliveries. At a moment chosen on the time slider they come from the
session: for each topic the latest frame up to then, for each table the rows of the run that was current then.
Nothing is shown that belongs to a later part of the work than the moment: at a training step there is no attack yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from engine.events import Frame
from engine.runtime import Delivery, Ending, Started
from engine.session import Instant, Session, Table

PHASES = ("data", "init", "train", "attack", "measure")
LOOKS = ("map", "matrix")  # closer looks at an attack: as late in the work as its measurement
DEPTH = {phase: depth for depth, phase in enumerate(PHASES)} | dict.fromkeys(LOOKS, PHASES.index("measure"))
TOPICS = (
    "dataset", "model", "gallery", "matrix/clean", "matrix/adversarial", "profile", "pairs", "decision_map", "class_matrix",
    "attack_checks", "robustness", "takeover", "falsifier", "null", "layers", "repeats", "bell", "structure",
    "all_pairs", "vulnerability", "transferability", "complexity", "max_likelihood", "noise_descent", "reconciliation", "reconciliation_curve",
    "price", "hardening",
)  # fmt: skip
OF_THE_ATTACK = (
    "takeover",
    "falsifier",
    "null",
)  # measured with the attack as it was: another one makes them a thing of the past
TABLES = ("steps", "epochs", "overfitting", "attack", "attack_samples", "profile")
# a job's first row of a table begins these anew: what follows from an older training or attack is of the past
BEGINS = {
    "steps": TABLES,
    "epochs": (),
    "overfitting": (),
    "attack": ("attack", "attack_samples", "profile"),
    "attack_samples": ("attack_samples",),
    "profile": ("profile",),
}
RUN_OF = {
    "epochs": "steps",
    "overfitting": "steps",
}  # the epochs shown are those of the training whose steps are shown, even if it has none yet
CACHED_FRAMES = 64  # read lately, so that dragging to and fro reads nothing twice


@dataclass(frozen=True)
class Opening:
    """What a session shows when it is opened, read beforehand: a large one takes longer than a window may wait."""

    session: Session
    instants: list[Instant]
    frames: dict[str, Frame]
    tables: dict[tuple[int, str], Table]  # by run and name, the latest run of each name


def read_opening(session: Session) -> Opening:
    """Read a session's end: the latest frames and tables. May run in any thread."""
    instants = session.instants()
    frames = {}
    for topic in TOPICS if instants else ():
        source = source_of(instants, topic, len(instants) - 1)
        if source is not None and (frame := session.frame(topic, at=source)) is not None:
            frames[topic] = frame
    runs = tables_by_run(session)
    found = {(run, name): session.table(run, name) for name in TABLES if (run := latest_with(runs, name)) is not None}
    return Opening(session, instants, frames, found)


def source_of(instants: Sequence[Instant], topic: str, position: int) -> int | None:
    """Id of the instant whose frame of a topic is shown at a position, or None if there is nothing to show."""
    depth = DEPTH[instants[position].phase]
    for at in range(position, -1, -1):
        if topic in instants[at].topics:
            return instants[at].id if DEPTH[instants[at].phase] <= depth else None
    return None


def tables_by_run(session: Session) -> dict[int, tuple[str, ...]]:
    """The names of the tables of every run, in the order of the runs."""
    return {run.id: session.tables(run.id) for run in session.runs()}


def latest_with(runs: Mapping[int, Sequence[str]], name: str, up_to: int | None = None) -> int | None:
    """The latest run, up to one, whose table of this name is shown."""
    wanted = {name, RUN_OF.get(name, name)}
    return max(
        (run for run, names in runs.items() if wanted & set(names) and (up_to is None or run <= up_to)), default=None
    )


class Stage(QObject):
    """The one place that panels draw from. It tells what changed; who redraws when is not its concern."""

    topic_changed = Signal(str)  # its frame is another one now, or none
    table_changed = Signal(str)  # it has more rows, or is another table
    results_changed = Signal(str)  # a table that is not shown row by row has more rows
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
        self._begun: set[str] = set()  # tables of the running job; the first row of each begins it anew
        self._past: dict[str, Frame] = {}
        self._shown: dict[str, int] = {}  # topic to the instant whose frame is shown
        self._past_tables: dict[str, Table] = {}
        self._past_run = 0
        self._frames_read: dict[tuple[str, int], Frame] = {}
        self._tables_read: dict[tuple[int, str], Table] = {}

    def attach(self, opening: Opening) -> None:
        """Show another session, from its end."""
        self.session = opening.session
        self.instants = list(opening.instants)
        self._moment = None
        self._live = dict(opening.frames)
        self._tables = {name: table for (_, name), table in opening.tables.items()}
        self._begun, self._past, self._shown, self._past_tables, self._past_run = set(), {}, {}, {}, 0
        self._frames_read, self._tables_read = {}, dict(opening.tables)
        self.cleared.emit()
        self._changed(self._live, self._tables)
        self.instants_changed.emit()

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

    def next_with(self, topics: Sequence[str]) -> Instant | None:
        """The first moment after the one shown that has a frame of one of these topics; None live, or where none has."""
        if self._moment is None:
            return None
        after = bisect_right(self.instants, self._moment.id, key=lambda instant: instant.id)
        return next((instant for instant in self.instants[after:] if set(topics) & set(instant.topics)), None)

    def training_step(self) -> int | None:
        """The training step of the moment shown, for a cursor in the curves; None live or after training."""
        return self._step_of("train")

    def attack_step(self) -> int | None:
        """The same of the attack; None live, or at a moment that is none of an attack."""
        return self._step_of("attack")

    def _step_of(self, phase: str) -> int | None:
        return self._moment.step if self._moment is not None and self._moment.phase == phase else None

    # --- live ------------------------------------------------------------------------------------------------

    def take(self, delivery: Delivery) -> None:
        """What the engine has said since the last tick."""
        for topic, frame in delivery.frames.items():
            if frame.phase in ("data", "init", "train"):
                self._forget("attack", "measure", *LOOKS)
            elif frame.phase == "attack":
                self._forget(*LOOKS, topics=OF_THE_ATTACK)
            self._live[topic] = frame
            if self.live:
                self.topic_changed.emit(topic)
        for name, rows in delivery.rows_by_table().items():
            if name not in TABLES:
                self.results_changed.emit(name)
                continue
            if name not in self._begun:
                self._begin(name)
            self._tables[name].extend(rows)
            if self.live:
                self.table_changed.emit(name)
        if any(isinstance(event, Started | Ending) for event in delivery.lifecycle):
            self._begun = set()

    def _begin(self, name: str) -> None:
        for table in (name, *BEGINS.get(name, ())):
            if table not in self._begun:
                self._tables[table] = Table()
                if self.live:
                    self.table_changed.emit(table)
        self._begun.add(name)
        if name == "steps":
            self._begun.add("epochs")

    def refresh_instants(self) -> None:
        """Ask the session what has been recorded meanwhile; the last moment known may have got more frames since."""
        last = self.instants[-1:]
        new = self.session.instants(after=last[0].id - 1 if last else 0)
        if new != last:
            self.instants = self.instants[: len(self.instants) - len(last)] + new
            self.instants_changed.emit()

    def _forget(self, *phases: str, topics: Sequence[str] = ()) -> None:
        """A new training makes the last one's attack a thing of the past, and a new attack the looks at the last one."""
        for topic in [t for t, f in self._live.items() if f.phase in phases or t in topics]:
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
        self._shown = {
            topic: source for topic in TOPICS if (source := source_of(self.instants, topic, position)) is not None
        }
        changed = [topic for topic in TOPICS if was_live or before.get(topic) != self._shown.get(topic)]
        for topic in changed:
            source = self._shown.get(topic)
            if source is None:
                self._past.pop(topic, None)
            else:
                self._past[topic] = self._read(topic, source)
        self._changed(changed, self._find_tables(self._moment.run, was_live))

    def _read(self, topic: str, instant_id: int) -> Frame:
        key = topic, instant_id
        if key not in self._frames_read:
            frame = self.session.frame(topic, at=instant_id)
            assert frame is not None
            self._frames_read[key] = frame
            if len(self._frames_read) > CACHED_FRAMES:
                del self._frames_read[next(iter(self._frames_read))]
        return self._frames_read[key]

    def _find_tables(self, run: int, all_are_new: bool) -> list[str]:
        """Show the tables as they were in a run: its own, or those of the runs before it."""
        if run == self._past_run and not all_are_new:
            return []
        self._past_run = run
        self._past_tables = {}
        runs = tables_by_run(self.session)
        for name in TABLES:
            found = latest_with(runs, name, up_to=run)
            if found is None:
                self._past_tables[name] = Table()
            elif found == latest_with(runs, name) and name in self._tables and name not in self._begun:
                self._past_tables[name] = self._tables[name]  # complete: a growing one would not stay as it was
            else:
                key = found, name
                table = self._tables_read.get(key) or self.session.table(*key)
                if name not in self._begun:  # one that still grows is read anew the next time
                    self._tables_read[key] = table
                self._past_tables[name] = table
        return list(TABLES)

    def _changed(self, topics: Iterable[str], tables: Iterable[str]) -> None:
        for topic in topics:
            self.topic_changed.emit(topic)
        for name in tables:
            self.table_changed.emit(name)
        self.moment_changed.emit()
