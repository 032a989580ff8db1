"""A session with an engine at work on it: what a window and a terminal both drive."""

from __future__ import annotations

from threading import Lock

from engine.events import Events
from engine.experiments import artifact_keys, open_experiment, warm
from engine.runtime import Engine, Mailbox, Start
from engine.session import Recorder, Session
from engine.specs import ExperimentSpec


class Lab:
    """Runs experiments on one session at a time and records all they say into it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._sessions: dict[int, Session] = {}  # that each job was started on: another may be open when its turn comes
        self._gate = Lock()
        self.mailbox = Mailbox()
        self.engine = Engine(self._open, mailbox=self.mailbox, recorder_for=self._recorder_for, warm=warm)

    def start(self) -> None:
        """Start the engine thread; it loads torch in the background."""
        self.engine.start()

    def run(self, experiment: str, spec: ExperimentSpec) -> int:
        """Queue an experiment; returns its job number at once."""
        with self._gate:
            job = self.engine.submit(experiment, spec, {})
            self._sessions[job] = self.session
        return job

    def close(self, timeout: float = 10.0) -> bool:
        """End the running job and the thread. False if an experiment would not stop in time."""
        return self.engine.close(timeout)

    def _session_of(self, start: Start) -> Session:
        with self._gate:
            return self._sessions[start.job]

    def _open(self, start: Start) -> Events:
        session = self._session_of(start)
        # looked up when the job begins, not when it is queued: the job before it may make what this one needs
        found = {name: session.artifact(name, key) for name, key in artifact_keys(start.spec).items()}
        given = {name: artifact for name, artifact in found.items() if artifact is not None}
        return open_experiment(start.experiment, start.spec, given)

    def _recorder_for(self, start: Start) -> Recorder:
        session = self._session_of(start)
        return session.recorder(session.begin_run(start.experiment, start.spec))
