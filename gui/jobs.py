"""The jobs as the window knows them: which one runs, which wait, and what a person can ask of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from PySide6.QtCore import QObject, QThread, Signal

from engine.events import Progress
from engine.lab import Lab
from engine.runtime import Cancelled, Delivery, Failed, Finished, Paused, Queued, Resumed, Started
from engine.specs import ExperimentSpec
from gui.actions import RunState

HOLD_SECONDS = 5.0  # how long a job may take to come to rest before a person is asked about unsaved work


@dataclass(frozen=True)
class JobView:
    """One job. ``state`` is waiting, running, paused or stopping."""

    id: int
    experiment: str
    state: str
    spec: ExperimentSpec
    run: int | None = None
    progress: Progress | None = None
    since: float = 0.0


TITLES = {
    "data": "Loading data",
    "model": "Building the network",
    "train": "Training",
    "attack": "Attack",
    "entangle": "Measurement",
    "decision_map": "Decision map",
    "class_matrix": "Class matrix",
    "attack_checks": "Attack checks",
    "robustness": "Robustness",
    "takeover": "Takeover",
    "falsifier": "Falsifier",
    "null": "Null",
    "layers": "Layers split",
    "repeats": "Repeats over networks",
    "bell": "Bell test",
    "structure": "Sets of features",
    "all_pairs": "All pairs",
    "vulnerability": "Vulnerability",
    "transferability": "Transferability",
    "complexity": "Complexity",
    "max_likelihood": "Linear networks and noise",
    "reconciliation": "Reconciliation",
    "price": "Price of entangling first",
    "hardening": "Adversarial trainings",
    "kept_network": "Showing the data and the network",
    "story": "Everything",
}


def job_title(experiment: str) -> str:
    """What a job is called on screen."""
    return TITLES.get(experiment, experiment.capitalize())


class Jobs(QObject):
    """Starts jobs and follows them through the engine's announcements, never by asking it."""

    state_changed = Signal(str)  # RunState
    listed = Signal()  # the list of jobs is another
    progressed = Signal(object)  # Progress of the running job
    ended = Signal(object, object)  # JobView, Finished | Cancelled | Failed

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._jobs: dict[int, JobView] = {}
        self._announced: RunState = "idle"
        self._ending: list[tuple[set[int], Callable[[], None]]] = []  # jobs that are stopped, and what comes after them

    @property
    def all(self) -> list[JobView]:
        """Every job that runs or waits, in order."""
        return list(self._jobs.values())

    @property
    def current(self) -> JobView | None:
        """The job that runs or is paused, else the first that waits."""
        return next(
            (job for job in self._jobs.values() if job.state != "waiting"), next(iter(self._jobs.values()), None)
        )

    @property
    def state(self) -> RunState:
        """What the transport shows."""
        job = self.current
        if job is None:
            return "idle"
        return job.state if job.state in ("paused", "stopping") else "running"  # type: ignore[return-value]

    def has(self, experiment: str, spec: ExperimentSpec) -> bool:
        """Whether such a job runs or waits already."""
        return any(
            (job.experiment, job.spec) == (experiment, spec) for job in self._jobs.values() if job.state != "stopping"
        )

    # --- asked by a person -----------------------------------------------------------------------------------

    def run(self, experiment: str, spec: ExperimentSpec, *, paused: bool = False) -> int:
        """Queue an experiment; with ``paused`` only its first step is done."""
        job = self._lab.run(experiment, spec)
        self._jobs[job] = JobView(job, experiment, "waiting", spec, since=monotonic())
        if paused:
            self._lab.engine.pause(job)
            self._lab.engine.step(job)
        self._changed()
        return job

    def pause(self, job: int | None = None) -> None:
        """Pause a job, the current one if none is named."""
        self._tell("pause", job)

    def resume(self, job: int | None = None) -> None:
        """Go on with a paused job."""
        self._tell("resume", job)

    def step(self) -> None:
        """One step of the current job; it stays paused."""
        self._tell("step", None)

    def cancel(self, job: int | None = None) -> None:
        """Stop a job: nothing of it arrives any more."""
        named = job if job is not None else (self.current.id if self.current else None)
        if named is not None and named in self._jobs:
            self._jobs[named] = replace(self._jobs[named], state="stopping")
            self._lab.engine.cancel(named)
            self._changed()

    def end_all(self, then: Callable[[], None]) -> None:
        """Stop every job; ``then`` is called when the last of them is over, at once where there is none."""
        left = set(self._jobs)
        if not left:
            then()
            return
        self._ending.append((left, then))
        for job in self.all:
            self.cancel(job.id)

    def hold(self, fetch: Callable[[], None]) -> Callable[[], None]:
        """Bring the running job to rest, so that what is saved then is everything; gives what lets it go on.

        ``fetch`` has the engine's words delivered, which are waited for here.
        """
        job = self.current
        if job is None or job.state != "running":
            return lambda: None
        self.pause(job.id)
        patience = monotonic() + HOLD_SECONDS
        while self.state == "running" and monotonic() < patience:
            fetch()
            QThread.msleep(2)
        return partial(self.resume, job.id)

    def _tell(self, what: str, job: int | None) -> None:
        named = job if job is not None else (self.current.id if self.current else None)
        if named is not None:
            getattr(self._lab.engine, what)(named)

    # --- told by the engine ----------------------------------------------------------------------------------

    def take(self, delivery: Delivery) -> None:
        """Follow what the engine has said."""
        if delivery.progress is not None and delivery.job in self._jobs:
            self._jobs[delivery.job] = replace(self._jobs[delivery.job], progress=delivery.progress)
            self.progressed.emit(delivery.progress)
        for event in delivery.lifecycle:
            job = getattr(event, "job", None)
            if job not in self._jobs:
                continue
            view = self._jobs[job]
            match event:
                case Queued():
                    pass
                case Started(run=run):
                    self._jobs[job] = replace(view, run=run, state="running", since=monotonic())
                case Paused():
                    self._jobs[job] = replace(view, state="paused")
                case Resumed():
                    self._jobs[job] = replace(view, state="running")
                case Finished() | Cancelled() | Failed():
                    del self._jobs[job]
                    self.ended.emit(view, event)
                    self._after(job)
            self._changed()

    def _after(self, job: int) -> None:
        for left, then in list(self._ending):
            left.discard(job)
            if not left:
                self._ending.remove((left, then))
                then()

    def _changed(self) -> None:
        self.listed.emit()
        if self.state != self._announced:
            self._announced = self.state
            self.state_changed.emit(self.state)
