"""The engine thread: pulls one experiment at a time, and listens to commands between two pulls.

To pause a job is not to pull it, to step it is to pull until its next Progress, to cancel it is to close it. While
nothing is to be pulled the thread sleeps on its command queue and costs nothing.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from engine.errors import UserError
from engine.events import Artifact, Events, Progress
from engine.runtime.commands import Cancel, Command, Pause, Resume, Shutdown, Start, Step
from engine.runtime.lifecycle import (
    Cancelled,
    EngineFailed,
    EngineReady,
    Failed,
    Finished,
    Paused,
    Queued,
    RecorderFailed,
    Resumed,
    Started,
)
from engine.runtime.mailbox import Mailbox
from engine.runtime.recording import RecorderLike, RunEnd
from engine.specs import ExperimentSpec

_log = logging.getLogger(__name__)


class _RecorderError(Exception):
    """The recorder raised; its error is the cause."""


@dataclass(slots=True)
class _Job:
    """A job from its Start to its end; touched by the engine thread alone."""

    start: Start
    paused: bool = False
    steps: int = 0  # Progress events still to be pulled through while paused
    cancelled: bool = False
    announced_pause: bool = False

    @property
    def at_rest(self) -> bool:
        return self.paused and self.steps == 0 and not self.cancelled


class Engine:
    """One thread that runs experiments, one at a time, in the order they were submitted.

    Every method may be called from any thread and returns at once (``close`` within its timeout). Commands for a job
    that is over, or was never submitted, do nothing. A job in the queue can be paused (it then starts paused),
    stepped (it starts paused and takes the steps) and cancelled (it never starts). To supersede a job, cancel it and
    submit the next. The thread keeps the program alive until ``close`` is called; ``with Engine(...)`` starts and
    closes it.

    The order for each event: first the recorder, then the mailbox. At a job's end the recorder is closed before
    Finished, Cancelled or Failed is announced, so what these announce can be read from the session.

    Args:
        open_experiment: gives the stream of events of a Start; runs in the engine thread, and may raise.
        mailbox: where events and announcements go.
        recorder_for: gives the recorder of a run, or None to keep nothing.
        warm: called once in the engine thread before the first job; returns a description of the device. Imports
            and other slow beginnings belong there.
    """

    def __init__(
        self,
        open_experiment: Callable[[Start], Events],
        *,
        mailbox: Mailbox,
        recorder_for: Callable[[Start], RecorderLike | None] | None = None,
        warm: Callable[[], str] | None = None,
    ) -> None:
        self.mailbox = mailbox
        self._open_experiment = open_experiment
        self._recorder_for = recorder_for or (lambda _start: None)
        self._warm = warm
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._last_job = 0
        self._closed = False
        self._gate = threading.Lock()  # nothing is submitted once closing has begun
        # not a daemon: an experiment must not be cut off in the middle of a write at the interpreter's end
        self._thread = threading.Thread(target=self._main, name="engine", daemon=False)
        # what follows is touched by the engine thread alone
        self._waiting: deque[_Job] = deque()
        self._current: _Job | None = None
        self._shutting_down = False

    # --- from any thread -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; jobs may be submitted before and after.

        Raises:
            RuntimeError: it was started or closed before.
        """
        with self._gate:
            if self._closed:
                raise RuntimeError("the engine is closed")
            self._thread.start()

    def submit(self, experiment: str, spec: ExperimentSpec, given: Mapping[str, Artifact] | None = None) -> int:
        """Queue an experiment; returns the number of its job.

        Raises:
            RuntimeError: the engine is closed.
        """
        with self._gate:
            if self._closed:
                raise RuntimeError("the engine is closed")
            job = self._last_job = self._last_job + 1
            self.mailbox.announce(Queued(job, experiment))
            self._commands.put(Start(job, experiment, spec, dict(given or {})))
        return job

    def pause(self, job: int) -> None:
        """Stop pulling the job; takes effect before its next pull, and is then announced as Paused."""
        self._commands.put(Pause(job))

    def resume(self, job: int) -> None:
        """Pull the job again; announced as Resumed."""
        self._commands.put(Resume(job))

    def step(self, job: int) -> None:
        """Pull the job through exactly one Progress and leave it paused. Several steps add up."""
        self._commands.put(Step(job))

    def cancel(self, job: int) -> None:
        """Close the job. When this returns, nothing of it is left to be delivered but its Cancelled."""
        if 0 < job <= self._last_job:
            self.mailbox.disconnect(job)
            self._commands.put(Cancel(job))

    def close(self, timeout: float = 10.0) -> bool:
        """Close the running job (its run ends as "interrupted"), drop the queue, and end the thread.

        Returns whether the thread ended within ``timeout`` seconds. An experiment that does not come back to its
        ``yield`` in that time cannot be interrupted: where it is stuck is logged as an error, False is returned, and
        the thread ends as soon as the experiment lets it. Calling it again waits again.
        """
        with self._gate:
            first, self._closed = not self._closed, True
        if first:
            self._commands.put(Shutdown())
        if self._thread.ident is None:
            self._abandon_queue()
            return True
        self._thread.join(timeout)
        if self._thread.is_alive():
            stack = sys._current_frames().get(self._thread.ident)
            where = "".join(traceback.format_stack(stack)) if stack else "unknown"
            _log.error("The engine did not end within %g s. It is at:\n%s", timeout, where)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # --- in the engine thread --------------------------------------------------------------------------------

    def _main(self) -> None:
        self._warm_up()
        while not self._shutting_down:
            if self._waiting and self._commands.empty():
                self._current = self._waiting.popleft()
                self._run(self._current)
                self._current = None
            else:
                self._obey(self._commands.get())
        self._abandon_queue()

    def _warm_up(self) -> None:
        if self._warm is None:
            return
        began = time.monotonic()
        try:
            description = self._warm()
        except BaseException as error:
            self.mailbox.announce(EngineFailed(_one_line(error), traceback.format_exc()))
        else:
            self.mailbox.announce(EngineReady(description, time.monotonic() - began))

    def _abandon_queue(self) -> None:
        while not self._commands.empty():
            self._obey(self._commands.get())
        while self._waiting:
            self.mailbox.announce(Cancelled(self._waiting.popleft().start.job))

    def _obey(self, command: Command) -> None:
        if isinstance(command, Start):
            self._waiting.append(_Job(command))
            return
        if isinstance(command, Shutdown):
            self._shutting_down = True
            return
        job = self._find(command.job)
        if job is None or job.cancelled:
            return
        match command:
            case Pause():
                job.paused = True
                job.steps = 0
            case Resume() if job.paused:
                job.paused = False
                job.steps = 0
                if job.announced_pause:
                    self.mailbox.announce(Resumed(command.job))
                job.announced_pause = False
            case Step():
                job.paused = True
                job.steps += 1
            case Cancel() if job is self._current:
                job.cancelled = True
            case Cancel():
                self._waiting.remove(job)
                self.mailbox.announce(Cancelled(command.job))
            case _:
                pass

    def _find(self, job: int) -> _Job | None:
        candidates = [*([self._current] if self._current else []), *self._waiting]
        return next((each for each in candidates if each.start.job == job), None)

    def _run(self, job: _Job) -> None:
        """One job from its recorder's opening to its end. Whatever is raised inside ends the job, not the thread."""
        start, events, recorder = job.start, None, None
        status: RunEnd = "failed"
        failure: Failed | None = None
        try:
            try:
                recorder = self._recorder_for(start)
            except Exception as error:
                raise _RecorderError from error
            self.mailbox.announce(Started(start.job, start.experiment, recorder.run if recorder else None))
            events = self._open_experiment(start)
            status = self._pull_all(job, events, recorder)
        except BaseException as error:
            # KeyboardInterrupt and SystemExit too: raised in an experiment they must not end the engine in silence
            failure = self._failure(start.job, error)
        failure = self._close_events(events, start.job, status, failure)
        if failure is not None and status == "finished":
            status = "failed"
        error_text = failure.message if failure else ""
        failure = self._close_recorder(recorder, start.job, status, error_text) or failure
        self._announce_end(start.job, status, failure)

    def _pull_all(self, job: _Job, events: Events, recorder: RecorderLike | None) -> RunEnd:
        while True:
            self._listen(job)
            if job.cancelled:
                return "cancelled"
            if self._shutting_down:
                return "interrupted"
            try:
                event = next(events)
            except StopIteration:
                return "finished"
            if event is None:
                continue
            if recorder is not None:
                try:
                    recorder.put(event)
                except Exception as error:
                    raise _RecorderError from error
            self.mailbox.post(job.start.job, event)
            if job.paused and job.steps and isinstance(event, Progress):
                job.steps -= 1

    def _listen(self, job: _Job) -> None:
        """Obey what waits; while the job is at rest, sleep until there is something to obey."""
        while True:
            while not self._commands.empty():
                self._obey(self._commands.get())
            if self._shutting_down or not job.at_rest:
                return
            if not job.announced_pause:
                job.announced_pause = True
                self.mailbox.announce(Paused(job.start.job))
            self._obey(self._commands.get())

    def _failure(self, job: int, error: BaseException) -> Failed:
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, _RecorderError):
            return self._recorder_failure(job, error.__cause__ or error, trace)
        if isinstance(error, UserError):
            return Failed(job, str(error), trace, is_user_error=True)
        return Failed(job, _one_line(error), trace, is_user_error=False)

    def _recorder_failure(self, job: int, error: BaseException, trace: str) -> Failed:
        reason = str(error) if isinstance(error, UserError) else f"The run could not be recorded: {_one_line(error)}."
        self.mailbox.announce(RecorderFailed(job, reason))
        return Failed(job, reason, trace, is_user_error=True)

    def _close_events(self, events: Events | None, job: int, status: RunEnd, failure: Failed | None) -> Failed | None:
        close = getattr(events, "close", None)  # plain iterators have none
        if close is None:
            return failure
        try:
            close()
        except BaseException as error:
            if failure is None and status == "finished":
                return self._failure(job, error)
            # the job is over already, and its end is told; what its tidying up raised is for the log
            _log.exception("Job %d raised while it was closed", job)
        return failure

    def _close_recorder(
        self, recorder: RecorderLike | None, job: int, status: RunEnd, error_text: str
    ) -> Failed | None:
        if recorder is None:
            return None
        try:
            recorder.close(status, error_text)
        except BaseException as error:
            if error_text:
                _log.exception("The recorder of job %d failed too", job)
                return None
            return self._recorder_failure(job, error, traceback.format_exc())
        return None

    def _announce_end(self, job: int, status: RunEnd, failure: Failed | None) -> None:
        if status in ("cancelled", "interrupted"):
            self.mailbox.announce(Cancelled(job))
            return
        # refused when cancel() was called meanwhile: what it promised holds, and the job ends as cancelled
        if not self.mailbox.announce(failure or Finished(job)):
            self.mailbox.announce(Cancelled(job))


def _one_line(error: BaseException) -> str:
    """The error as one sentence for a person; the traceback has the rest."""
    if isinstance(error, MemoryError):
        return "Out of memory. Use fewer samples, a smaller batch or a smaller model"
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name
