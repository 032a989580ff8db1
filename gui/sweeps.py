"""Sweeps as the window runs them: an engine of their own, so that the session's engine stays free while a sweep runs.

The file is opened, read and written off the window's thread. What the engine says is fetched at this controller's own
timer; that something in the file has changed is seen at its revision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.errors import UserError
from engine.events import Events, Progress
from engine.paths import sweeps_folder
from engine.runtime import Cancelled, Delivery, Engine, Failed, Finished, Mailbox, Paused, Resumed, Start, Started
from engine.session import Session
from engine.specs import ExperimentSpec
from engine.sweep.axes import PARTS as SWEPT
from gui.background import Background
from gui.documents import file_name

if TYPE_CHECKING:
    from engine.sweep.store import SweepStore

SUFFIX = ".sweep"
TICK_MS = 33
LOOK_EVERY = 6  # ticks between two looks at the file's revision: some five a second
DELIVERIES_A_TICK = 20

SweepState = Literal["none", "opening", "idle", "running", "paused", "stopping"]


@dataclass(frozen=True)
class Computer:
    """What this computer gives to a sweep."""

    workers: int = 0  # 0: as many as its cores and memory allow
    scheduler: str = ""  # address of a Dask scheduler; "" computes here


class Sweeps(QObject):
    """Holds the open sweep, runs it, and asks its file for nothing in the window's thread but its revision."""

    opened = Signal(object)  # SweepStore, or None: another sweep is open now
    state_changed = Signal(str)  # SweepState
    progressed = Signal(object)  # Progress
    revised = Signal()  # the file says something else than before
    said = Signal(str)  # a sentence
    failed = Signal(str)  # a sentence
    broke = Signal(str, str)  # an error of the program: message and traceback

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store: SweepStore | None = None
        self.reading = Background()  # pages, columns, and what is written into the file for a person
        self.working = Background()  # statistics, which may take a while
        self._state: SweepState = "none"
        self._job: int | None = None
        self._tasks: dict[int, tuple[SweepStore, Computer]] = {}
        self._gate = Lock()
        self._mailbox = Mailbox()
        self._engine: Engine | None = None  # made when the first sweep is run
        self._then: Callable[[], None] | None = None  # what comes when the running sweep has stopped
        self._revision: int | None = None
        self._lost = False  # the file cannot be read any more
        self._ticks = 0
        self._closed = False
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def state(self) -> SweepState:
        return self._state

    @property
    def path(self) -> Path | None:
        """The file of the open sweep."""
        return Path(self.store.path) if self.store is not None else None

    @property
    def busy(self) -> bool:
        """Whether something is still to be read, written or fetched."""
        return self.reading.busy or self.working.busy

    # --- opening -------------------------------------------------------------------------------------------------

    def open(self, path: Path, then: Callable[[], None] | None = None) -> None:
        """Open a sweep file in place of the open one, which is stopped first. Its points go on when it is run."""

        def work() -> SweepStore:
            from engine.sweep.store import SweepStore

            return SweepStore.open(path)

        self._replace(work, then)

    def close_sweep(self) -> None:
        """Stop the sweep, if it runs, and show none."""
        self._stopped(lambda: self._put(None))

    def _replace(self, work: Callable[[], SweepStore], then: Callable[[], None] | None) -> None:
        def done(store: SweepStore) -> None:
            self._put(store)
            if then is not None:
                then()

        def failed(error: BaseException) -> None:
            self._set_state("idle" if self.store is not None else "none")
            self._tell(error)

        def go() -> None:
            # the old one is closed first: the new one may be the same file
            self._put(None)
            self._set_state("opening")
            self.reading.run(work, done, failed)

        self._wake()
        self._stopped(go)

    def _put(self, store: SweepStore | None) -> None:
        old, self.store = self.store, store
        self._revision, self._lost = None, False
        if old is not None and old is not store:
            self.opened.emit(store)  # first: nobody may ask the old one any more
            self.reading.run(old.close, _nothing, self._tell)
        else:
            self.opened.emit(store)
        self._set_state("idle" if store is not None else "none")

    # --- running -------------------------------------------------------------------------------------------------

    def run(self, spec: ExperimentSpec, computer: Computer) -> None:
        """Run the sweep of these settings: in its file, which goes on where it is there already."""
        if self.store is not None and same_points(self.store.spec, spec):
            self.resume(computer)
            return

        def work() -> SweepStore:
            from engine.sweep.store import SweepStore

            path = file_of(spec)
            if path.exists():
                return SweepStore.open(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            return SweepStore.create(path, spec)

        self._replace(work, lambda: self.resume(computer))

    def resume(self, computer: Computer) -> None:
        """Go on: after a pause, or with the points of the open sweep that wait."""
        if self.store is None or self._state == "opening":
            return
        if self._state == "paused" and self._engine is not None and self._job is not None:
            self._engine.resume(self._job)
        elif self._state == "idle":
            self._begin(self.store, computer)

    def pause(self) -> None:
        """Start no more points; those that run are finished and kept."""
        if self._engine is not None and self._job is not None and self._state == "running":
            self._engine.pause(self._job)

    def stop(self) -> None:
        """Stop the sweep: what is finished stays, what runs waits again."""
        self._stopped(lambda: None)

    def _begin(self, store: SweepStore, computer: Computer) -> None:
        self._wake()
        if self._engine is None:
            self._engine = Engine(self._open, mailbox=self._mailbox)
            self._engine.start()
        with self._gate:
            self._job = self._engine.submit("sweep", store.spec, {})
            self._tasks[self._job] = (store, computer)
        self._set_state("running")

    def _open(self, start: Start) -> Events:
        """In the engine's thread."""
        with self._gate:
            store, computer = self._tasks.pop(start.job)
        return events_of(store, computer)

    def _stopped(self, then: Callable[[], None]) -> None:
        """Call ``then`` when no sweep runs, at once where none does."""
        if self._job is None or self._engine is None:
            then()
            return
        self._then = then
        if self._state != "stopping":
            self._set_state("stopping")
            self._engine.cancel(self._job)

    # --- single points -------------------------------------------------------------------------------------------

    def cancel_points(self, ids: Sequence[int]) -> None:
        """Take points out of the sweep: those that wait or run."""
        self._write("cancel", ids)

    def retry_points(self, ids: Sequence[int]) -> None:
        """Let points be run again, those that failed or were cancelled."""
        self._write("retry", ids)

    def _write(self, what: str, ids: Sequence[int]) -> None:
        store = self.store
        if store is not None and ids:
            self.read(lambda: getattr(store, what)(list(ids)), lambda _: self._look())

    def point_session(self, store: SweepStore, point: int, workdir: Path) -> Session:
        """A session with the settings and the network of a point; for any thread."""
        from engine.sweep.opened import point_session

        return point_session(store, point, workdir)

    def save_copy(self, path: Path) -> None:
        """Write the sweep as it stands to another file."""
        store = self.store
        if store is not None:
            self.read(lambda: store.copy_to(path), lambda _: self.said.emit(f"The sweep was copied to {path}."))

    # --- reading off the window's thread ---------------------------------------------------------------------------

    def read(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do something with the file in the background; ``done`` gets what it gave, in the window's thread."""
        if not self._closed:
            self._wake()
            self.reading.run(work, done, self._tell)

    def work(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """The same for what may take long."""
        if not self._closed:
            self._wake()
            self.working.run(work, done, self._tell)

    def _tell(self, error: BaseException) -> None:
        if not isinstance(error, UserError):
            raise error
        self.failed.emit(str(error))

    # --- the timer -------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._timer.isActive() and not self._closed:
            self._timer.start()

    @Slot()
    def tick(self) -> None:
        """Fetch what there is; also called by tests and once at the end."""
        for _ in range(DELIVERIES_A_TICK):
            delivery = self._mailbox.drain()
            if delivery:
                self._take(delivery)
            if not delivery.more:
                break
        self.reading.poll()
        self.working.poll()
        self._ticks += 1
        if self._ticks % LOOK_EVERY == 0:
            self._look()
        if self.store is None and self._job is None and not self.busy:
            self._timer.stop()

    def _look(self) -> None:
        store = self.store
        if store is None or self._lost:
            return
        try:
            revision = store.revision
        except UserError as error:  # its disk was taken away: told once
            self._lost = True
            self.failed.emit(str(error))
            return
        if revision != self._revision:
            self._revision = revision
            self.revised.emit()

    def _take(self, delivery: Delivery) -> None:
        if isinstance(delivery.progress, Progress) and delivery.job == self._job:
            self.progressed.emit(delivery.progress)
        for event in delivery.lifecycle:
            if getattr(event, "job", None) != self._job:
                continue
            match event:
                case Started() | Resumed() if self._state != "stopping":
                    self._set_state("running")
                case Paused() if self._state != "stopping":
                    self._set_state("paused")
                case Finished() | Cancelled() | Failed():
                    self._end(event)

    def _end(self, event: Any) -> None:
        self._job = None
        self._look()
        self._set_state("idle" if self.store is not None else "none")
        match event:
            case Failed(message=message, is_user_error=True):
                self.failed.emit(message)
            case Failed(message=message, traceback=trace):
                self.broke.emit(message, trace)
            case Finished():
                self.said.emit("The sweep is finished.")
            case _:
                self.said.emit("The sweep was stopped; its finished points are kept.")
        then, self._then = self._then, None
        if then is not None:
            then()

    def _set_state(self, state: SweepState) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    # --- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> bool:
        """Stop the running sweep and end the threads. False if it would not stop in time."""
        self._closed = True
        self._timer.stop()
        ended = self._engine.close() if self._engine is not None else True
        self._then = None
        self.tick()
        self.reading.close()
        self.working.close()
        store, self.store = self.store, None
        if store is not None:
            store.close()
        return ended


def events_of(store: SweepStore, computer: Computer) -> Events:
    """The sweep as a stream of events, on this computer's processes or on a cluster's workers."""
    from engine.sweep.run import sweep

    if computer.scheduler:
        from engine.sweep.cluster import connect

        cluster = connect(computer.scheduler)
        try:
            yield from sweep(store, cluster.executor, cluster.slots)
        finally:
            cluster.close()
        return
    from engine.sweep.local import LocalProcesses, workers

    slots = min(computer.workers or workers(), len(store.points))
    executor = LocalProcesses(slots)
    try:
        yield from sweep(store, executor, slots)
    finally:
        executor.shutdown(cancel_futures=True)  # what is wanted of it has come back by now


def points_key(spec: ExperimentSpec) -> str:
    """A fingerprint of all that the points of a sweep depend on."""
    return spec.model_copy(update={"threads": 1}).key(*SWEPT, "sweep")


def same_points(one: ExperimentSpec, other: ExperimentSpec) -> bool:
    """Whether two experiments have the same sweep of the same networks."""
    return points_key(one) == points_key(other)


def file_of(spec: ExperimentSpec) -> Path:
    """Where the window keeps the sweep of an experiment: equal settings have one file, which then goes on."""
    return sweeps_folder() / f"{file_name(spec.title)}-{points_key(spec)[:8]}{SUFFIX}"


def _nothing(_: object) -> None:
    """Called where there is nothing to do with a result."""
