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
MISS_EVERY = 5  # looks between two that ask whether the file is in its place
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
    missed = Signal(str)  # the file is not in its place any more: a sentence; "" when it is back

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
        self._then: list[Callable[[], None]] = []  # what comes when the running sweep has stopped
        self._held: list[SweepStore] = []  # read, and waiting for that
        self._revision: int | None = None
        self._file: tuple[int, int] | None = None  # which file it is, wherever it is moved
        self._lost = False  # the file cannot be read any more
        self._missing = False  # it is not in its place: what is written there would be found by nobody
        self._ticks = self._looks = 0
        self._closed = False
        self.may_stop: Callable[[], bool] = lambda: True  # asked before a running sweep is stopped for another file
        self._told = ""  # what the run said of itself last
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
        """Open a sweep file in place of the open one, which is stopped first. Its points go on when it is run.

        What cannot be opened costs nothing: the open one stays as it is, and so does a running one opened again.
        """

        def work() -> SweepStore:
            from engine.sweep.store import SweepStore

            return SweepStore.open(path)

        self._replace(work, then)

    def close_sweep(self) -> None:
        """Stop the sweep, if it runs, and show none."""
        self._stopped(lambda: self._put(None, None))

    def _replace(self, work: Callable[[], SweepStore], then: Callable[[], None] | None, *, sure: bool = False) -> None:
        def read() -> tuple[SweepStore, tuple[int, int] | None]:
            store = work()
            return store, file_identity(store.path)

        def done(found: tuple[SweepStore, tuple[int, int] | None]) -> None:
            store, file = found
            if self._closed:  # the window was closed while the file was opened: its points wait in it
                store.close()
            elif self.store is not None and file is not None and file == self._file and store.path == self.store.path:
                self.reading.run(store.close, _nothing, self._tell)
                go(None)
            elif not sure and not self.may_stop():
                self.reading.run(store.close, _nothing, self._tell)
            else:
                self._held.append(store)
                self._stopped(lambda: go(found))

        def go(found: tuple[SweepStore, tuple[int, int] | None] | None) -> None:
            if found is not None:
                self._held.remove(found[0])
                self._put(*found)
            if then is not None:
                then()

        def failed(error: BaseException) -> None:
            if self._state == "opening":
                self._set_state("none")
            self._tell(error)

        self._wake()
        if self._state == "none":
            self._set_state("opening")
        self.reading.run(read, done, failed)

    def _put(self, store: SweepStore | None, file: tuple[int, int] | None) -> None:
        old, self.store = self.store, store
        self._revision, self._lost, self._missing, self._file = None, False, False, file
        self.opened.emit(store)  # before the old one is closed: nobody may ask it any more
        if old is not None:
            self.reading.run(old.close, _nothing, self._tell)
        self._set_state("idle" if store is not None else "none")

    # --- running -------------------------------------------------------------------------------------------------

    def run(self, spec: ExperimentSpec, computer: Computer, *, sure: bool = False) -> None:
        """Run the sweep of these settings: in its file, which goes on where it is there already.

        With ``sure`` another sweep that runs is stopped without asking.
        """
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

        self._replace(work, lambda: self.resume(computer), sure=sure)

    def resume(self, computer: Computer) -> None:
        """Go on: after a pause, or with the points of the open sweep that wait."""
        if self.store is None or self._state == "opening" or self._closed:
            return
        if self._missing:
            self.missed.emit(self._where())
        elif self._state == "paused" and self._engine is not None and self._job is not None:
            self._engine.resume(self._job)
        elif self._state == "idle":
            self._begin(self.store, computer)

    def pause(self) -> None:
        """Start no more points; those that run are finished and kept."""
        if self._engine is not None and self._job is not None and self._state == "running":
            self._engine.pause(self._job)

    def stop(self) -> None:
        """Stop the sweep: what is finished stays, what runs waits again."""
        self._stopped()

    def _begin(self, store: SweepStore, computer: Computer) -> None:
        self._wake()
        if self._engine is None:
            self._engine = Engine(self._open, mailbox=self._mailbox)
            self._engine.start()
        with self._gate:
            self._told = ""
            self._job = self._engine.submit("sweep", store.spec, {})
            self._tasks[self._job] = (store, computer)
        self._set_state("running")

    def _open(self, start: Start) -> Events:
        """In the engine's thread."""
        with self._gate:
            store, computer = self._tasks.pop(start.job)
        return events_of(store, computer)

    def _stopped(self, *then: Callable[[], None]) -> None:
        """Call ``then`` when no sweep runs, at once where none does; what waits for that already comes before."""
        if self._job is None or self._engine is None:
            for call in then:
                call()
            return
        self._then += then
        if self._state != "stopping":
            self._set_state("stopping")
            self._engine.cancel(self._job)

    # --- single points -------------------------------------------------------------------------------------------

    def cancel_points(self, ids: Sequence[int]) -> None:
        """Take points out of the sweep: those that wait or run."""
        if ids:
            self._write(lambda store: store.cancel(list(ids)))

    def retry_points(self, ids: Sequence[int], then: Callable[[], None] | None = None) -> None:
        """Let points be run again, those that failed or were cancelled; ``then`` is called when that is written."""
        if ids:
            self._write(lambda store: store.retry(list(ids)), then)

    def retry_failed(self, then: Callable[[], None]) -> None:
        """Let all points that failed be run again; ``then`` is called when that is written."""
        self._write(lambda store: store.retry(), then)

    def _write(self, change: Callable[[SweepStore], object], then: Callable[[], None] | None = None) -> None:
        store = self.store

        def done(_: object) -> None:
            self._look()
            if then is not None and store is self.store:
                then()

        if store is not None:
            self.read(lambda: change(store), done)

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
        self._looks += 1
        if self._looks % MISS_EVERY == 0:
            self._miss(store)

    def _miss(self, store: SweepStore) -> None:
        """Look whether the file is still in its place; a running sweep is paused where it is not."""
        missing = self._file is not None and file_identity(store.path) != self._file
        if missing != self._missing:
            self._missing = missing
            self.missed.emit(self._where() if missing else "")
            if missing:
                self.pause()

    def _where(self) -> str:
        return (
            f"The file of this sweep is not at {self.path} any more: it was moved, renamed or deleted. What is finished is "
            "still held open: put the file back, or save a copy and open that to go on."
        )

    def _take(self, delivery: Delivery) -> None:
        if isinstance(delivery.progress, Progress) and delivery.job == self._job:
            self._told = delivery.progress.text
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
                self.said.emit(f"The sweep is finished{f': {self._told}' if self._told else ''}.")
            case _:
                self.said.emit("The sweep was stopped; its finished points are kept.")
        then, self._then = self._then, []
        for call in then:
            call()

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
        self._then = []
        self.tick()
        self.reading.close()
        self.working.close()
        for held in self._held:
            held.close()
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


def file_identity(path: Path) -> tuple[int, int] | None:
    """Which file is at a place, whatever its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
