"""The list of jobs that opens above the transport bar: what runs, what waits, and a way to stop each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

from gui.icons import icon
from gui.panels.labels import ElidedLabel
from gui.theme import Theme

JobState = Literal["waiting", "running", "paused", "stopping", "finished", "cancelled", "failed"]
ENDED = ("finished", "cancelled", "failed")
WIDTH = 360


@dataclass(frozen=True)
class Job:
    """One job as the list shows it."""

    id: int
    title: str
    state: JobState
    done: int = 0
    total: int = 0
    text: str = ""


class JobsPopup(QFrame):
    """A small window without a frame; Esc or a click elsewhere closes it."""

    pause_requested = Signal(object)  # job id
    resume_requested = Signal(object)
    cancel_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup, objectName="popover")
        self._theme = theme
        self._rows: dict[object, _JobRow] = {}
        self.setAccessibleName("Jobs")
        self.setFixedWidth(WIDTH)
        title = QLabel("Jobs")
        title.setProperty("role", "title")
        self._empty = QLabel("No job runs or waits.")
        self._empty.setProperty("role", "muted")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 10, 12, 12)
        self._column.setSpacing(8)
        self._column.addWidget(title)
        self._column.addWidget(self._empty)
        QShortcut(QKeySequence("Esc"), self, self.close)

    def set_jobs(self, jobs: Sequence[Job]) -> None:
        """Show these jobs, in this order. Cheap enough for every tick: rows that are there are kept."""
        wanted = [job.id for job in jobs]
        for id in [id for id in self._rows if id not in wanted]:
            row = self._rows.pop(id)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for position, job in enumerate(jobs):
            if job.id not in self._rows:
                row = _JobRow(job.id, self._theme)
                row.pause.clicked.connect(self._on_pause)
                row.cancel.clicked.connect(self._on_cancel)
                self._rows[job.id] = row
                self._column.insertWidget(position + 1, row)
            self._rows[job.id].show_job(job)
        self._empty.setVisible(not jobs)
        if self.isVisible():
            self.adjustSize()

    def row(self, id: object) -> _JobRow:
        """The row of a job. Raises KeyError."""
        return self._rows[id]

    def open_above(self, anchor: QWidget) -> None:
        """Open with its lower right corner at the anchor's upper right one."""
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(anchor.width() - self.width(), -self.height() - 6))
        self.move(max(0, corner.x()), max(0, corner.y()))
        self.show()

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self._theme = theme
        for row in self._rows.values():
            row.set_theme(theme)

    @Slot()
    def _on_pause(self) -> None:
        row = self._row_of(self.sender())
        (self.resume_requested if row.job.state == "paused" else self.pause_requested).emit(row.id)

    @Slot()
    def _on_cancel(self) -> None:
        self.cancel_requested.emit(self._row_of(self.sender()).id)

    def _row_of(self, button: object) -> _JobRow:
        return next(row for row in self._rows.values() if button in (row.pause, row.cancel))


class _JobRow(QWidget):
    def __init__(self, id: object, theme: Theme) -> None:
        super().__init__()
        self.id = id
        self._theme = theme
        self.title = ElidedLabel()
        self.state = QLabel()
        self.state.setProperty("role", "small")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(4)
        self.pause = QToolButton(autoRaise=True)
        self.cancel = QToolButton(autoRaise=True, toolTip="Stop; what was recorded stays")
        for button in (self.pause, self.cancel):
            button.setIconSize(QSize(16, 16))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(4)
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.state, 0, 1)
        grid.addWidget(self.pause, 0, 2)
        grid.addWidget(self.cancel, 0, 3)
        grid.addWidget(self.bar, 1, 0, 1, 4)
        grid.setColumnStretch(0, 1)

    def show_job(self, job: Job) -> None:
        self.job = job
        self.title.set_text(job.title)
        self.state.setText(job.text or job.state)
        self.bar.setRange(0, job.total if job.total or job.state == "running" else 1)
        self.bar.setValue(job.done)
        self.bar.setAccessibleName(f"Progress of {job.title}")
        self.pause.setVisible(job.state in ("running", "paused"))
        self.cancel.setVisible(job.state not in ENDED)
        self.cancel.setEnabled(job.state != "stopping")
        word = "Go on with" if job.state == "paused" else "Pause"
        self.pause.setAccessibleName(f"{word} {job.title}")
        self.pause.setToolTip("Go on" if job.state == "paused" else "Pause")
        self.cancel.setAccessibleName(f"Stop {job.title}")
        self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.pause.setIcon(icon("play" if self.job.state == "paused" else "pause", theme))
        self.cancel.setIcon(icon("stop", theme))
