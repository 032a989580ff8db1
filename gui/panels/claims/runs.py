"""Running every claim's missing experiments at one press: the button, how far they are, and the way to stop them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from gui.jobs import JobView, job_title
from gui.panels.labels import ElidedLabel


class MissingRuns(QWidget):
    """One row. ``run_requested(experiments)`` asks for all that is missing; ``stop_requested()`` for their end."""

    run_requested = Signal(object)  # tuple[str, ...]
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.missing: tuple[str, ...] = ()
        self._jobs: Mapping[str, JobView] = {}
        self._asked = 0  # how many were asked for at the last press
        self.button = QPushButton("Run all that is missing")
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self._on_run)
        self.stop_button = QPushButton("Stop all")
        self.stop_button.setProperty("role", "link")
        self.stop_button.setToolTip(
            "Stop the run that is under way and take back those that wait. What is recorded stays."
        )
        self.stop_button.clicked.connect(self.stop_requested)
        for button in (self.button, self.stop_button):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.progress = ElidedLabel()
        self.progress.setProperty("role", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.button)
        row.addWidget(self.stop_button)
        row.addWidget(self.progress, 1)
        self._show()

    def set_missing(self, experiments: Sequence[str]) -> None:
        """The experiments that some claim still needs, each once, in the order in which they are to be run."""
        self.missing = tuple(experiments)
        self._show()

    def set_jobs(self, jobs: Mapping[str, JobView]) -> None:
        """The jobs that run or wait, by experiment."""
        self._jobs = jobs
        self._show()

    @Slot()
    def _on_run(self) -> None:
        self._asked = len(self.missing)
        self.run_requested.emit(self.missing)

    def _show(self) -> None:
        under_way = [name for name in self.missing if name in self._jobs]
        self._asked = max(self._asked, len(under_way)) if under_way else 0
        self.button.setVisible(not under_way and bool(self.missing))
        self.stop_button.setVisible(bool(under_way))
        titles = ", ".join(job_title(name) for name in self.missing)
        self.button.setToolTip(f"One after the other: {titles}")
        self.button.setAccessibleName(f"Run all that is missing: {titles}")
        if under_way:
            now = next((name for name in under_way if self._jobs[name].state != "waiting"), under_way[0])
            text = f"{self._asked - len(under_way) + 1} of {self._asked}: {job_says(self._jobs[now])}"
        else:
            count = len(self.missing)
            text = f"{count} experiment{'s' if count != 1 else ''}" if count else "Every experiment has been run."
        self.progress.set_text(text)


def job_says(job: JobView) -> str:
    """How far a job is, in a few words: ``Takeover 40%, measuring controls``."""
    title = job_title(job.experiment)
    if job.state == "waiting":
        return f"{title} waits"
    if job.state in ("paused", "stopping"):
        return f"{title} {'is paused' if job.state == 'paused' else 'is being stopped'}"
    found = job.progress
    if found is None:
        return f"{title} begins"
    share = f" {found.done / found.total:.0%}" if found.total else ""
    return f"{title}{share}, {found.text}"
