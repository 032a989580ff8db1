"""The jobs on screen: how many run and wait, how far the running one is, the list of them, and how each ended."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Slot

from engine.events import Progress
from engine.runtime import Cancelled, Failed, Finished
from gui.actions import Actions
from gui.chrome.jobs import Job, JobsPopup
from gui.chrome.transport import Transport
from gui.jobs import Jobs, JobView, job_title
from gui.window.messages import Messages


class JobDisplay(QObject):
    """Shows the jobs in the transport and in the list that opens above it, and takes from the list what is asked."""

    def __init__(
        self, jobs: Jobs, transport: Transport, popup: JobsPopup, actions: Actions, messages: Messages, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._jobs, self._transport, self._popup = jobs, transport, popup
        self._actions, self._messages = actions, messages
        jobs.state_changed.connect(self._on_state)
        jobs.listed.connect(self._show)
        jobs.progressed.connect(self._on_progress)
        transport.jobs_requested.connect(self.show_list)
        popup.pause_requested.connect(jobs.pause)
        popup.resume_requested.connect(jobs.resume)
        popup.cancel_requested.connect(jobs.cancel)

    @Slot()
    def show_list(self) -> None:
        """Open the list of jobs."""
        self._popup.open_above(self._transport.jobs_button)

    def show_end(self, job: JobView, end: Any) -> None:
        """Say how a job ended."""
        match end:
            case Finished():
                self._messages.say(f"{job_title(job.experiment)}: finished.")
                self._transport.clear_progress("finished")
            case Cancelled():
                self._messages.say(f"{job_title(job.experiment)}: stopped; what was recorded stays.")
                self._transport.clear_progress("stopped")
            case Failed(message=message, traceback=trace, is_user_error=mendable):
                self._transport.clear_progress("failed")
                self._messages.fail(message) if mendable else self._messages.show_bug(message, trace)

    @Slot(str)
    def _on_state(self, state: str) -> None:
        self._transport.set_state(state)
        self._actions.set_state(state)

    @Slot()
    def _show(self) -> None:
        jobs = self._jobs.all
        waiting = sum(job.state == "waiting" for job in jobs)
        self._transport.set_jobs(len(jobs) - waiting, waiting)
        self._popup.set_jobs([_listed(job) for job in jobs])

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        self._transport.set_progress(progress.done, progress.total, progress.text)
        if self._popup.isVisible():
            self._show()


def _listed(job: JobView) -> Job:
    progress = job.progress
    done, total, text = (progress.done, progress.total, progress.text) if progress else (0, 0, "")
    return Job(job.id, job_title(job.experiment), job.state, done, total, text)  # type: ignore[arg-type]
