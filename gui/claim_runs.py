"""The runs that the claims board asks for at one press: queued one after the other, followed, and stopped together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from PySide6.QtCore import QObject, Slot

from gui.jobs import Jobs
from gui.panels.claims.panel import ClaimsPanel

PERIOD = 0.3  # seconds between two words on progress: laying out text takes time from what runs


class ClaimRuns(QObject):
    """Stands between the board and the jobs. ``run`` queues an experiment with the settings as they stand."""

    def __init__(
        self, board: ClaimsPanel, jobs: Jobs, run: Callable[[str], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._board, self._jobs, self._run = board, jobs, run
        self._queued: set[int] = set()
        self._said = 0.0
        board.run_all_requested.connect(self.run_all)
        board.stop_requested.connect(self.stop)
        jobs.listed.connect(self._show)
        jobs.progressed.connect(self._show_progress)

    @Slot(object)
    def run_all(self, experiments: Sequence[str]) -> None:
        """Queue them all; those that run or wait already are followed and stopped with the others."""
        for name in experiments:
            waiting = {job.experiment for job in self._jobs.all if job.state != "stopping"}
            if name not in waiting:
                self._run(name)
        self._queued = {job.id for job in self._jobs.all if job.experiment in experiments}

    @Slot()
    def stop(self) -> None:
        """Those that wait first, so that none of them begins when the running one ends."""
        named = self._queued or {job.id for job in self._jobs.all if job.experiment in self._board.topics}
        for job in sorted((job for job in self._jobs.all if job.id in named), key=lambda job: job.state != "waiting"):
            self._jobs.cancel(job.id)

    @Slot(object)
    def _show_progress(self, _: object) -> None:
        if self._board.isVisible() and monotonic() - self._said > PERIOD:
            self._show()

    @Slot()
    def _show(self) -> None:
        self._said = monotonic()
        jobs = self._jobs.all
        self._queued &= {job.id for job in jobs}
        self._board.set_jobs({job.experiment: job for job in reversed(jobs)})
