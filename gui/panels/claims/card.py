"""One claim: its words, its test, its verdict and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.experiments.claims import Claim, Verdict, missing, stale, verdict
from gui.jobs import JobView
from gui.panels.claims.chip import VerdictChip
from gui.panels.claims.forest import Forest
from gui.panels.claims.runs import job_says
from gui.panels.claims.words import DIFFER, LATER, MEASURING, NOT_RUN, WAITING, named
from gui.panels.labels import Caption
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

GUTTER = 148  # pixels of the column with version and verdict
NARROW = 480  # pixels of width below which that column stands above the claim
ANY_WIDTH = 16_777_215  # Qt's own bound


class ClaimCard(QFrame):
    """A claim in words, its test, its verdict and its numbers."""

    run_requested = Signal(str)

    def __init__(self, claim: Claim, theme: Theme) -> None:
        super().__init__()
        self.claim = claim
        self.verdict: Verdict | None = None
        self.left: tuple[str, ...] = claim.tested_by
        self.old: tuple[str, ...] = ()
        self._frames: Mapping[str, Frame] = {}
        self._jobs: Mapping[str, JobView] = {}
        self.versions = QLabel(claim.versions)
        self.versions.setWordWrap(True)
        self.versions.setProperty("role", "small")
        self.chip = VerdictChip(theme)
        self.title = QLabel(claim.text, wordWrap=True)
        self.title.setProperty("role", "title")
        self.button = QPushButton("Run")
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self._on_run)
        self.button.setVisible(bool(claim.tested_by))
        self.sentence = QLabel(wordWrap=True)
        self.forest = Forest(theme)
        self.control, self.how, self.needs = Caption(), Caption(), Caption()
        self.how.set_text(f"Test: {claim.how}" if claim.tested_by else claim.how)

        self._gutter = QWidget()
        self._gutter.setFixedWidth(GUTTER)
        gutter = QVBoxLayout(self._gutter)
        gutter.setContentsMargins(0, 2, 0, 0)
        gutter.setSpacing(4)
        gutter.addWidget(self.chip, 0, Qt.AlignmentFlag.AlignLeft)
        gutter.addWidget(self.versions)
        gutter.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        says = QVBoxLayout()
        says.setContentsMargins(0, 0, 0, 0)
        says.setSpacing(4)
        says.addLayout(head)
        for widget in (self.sentence, self.forest, self.control, self.how, self.needs):
            says.addWidget(widget)
        says.addStretch(1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setContentsMargins(0, 8, 0, 9)
        self._row.setSpacing(10)
        self._row.addWidget(self._gutter)
        self._row.addLayout(says, 1)
        rule = QFrame(objectName="rule")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(rule)
        column.addLayout(self._row)
        self.setAccessibleName(f"Claim: {claim.text}")
        self.state = ""
        self.set_theme(theme)
        self.show_frames({})

    def show_frames(self, frames: Mapping[str, Frame]) -> None:
        """Judge anew from the frames at hand, by topic."""
        self._frames = frames
        claim = self.claim
        self.verdict = found = verdict(claim, frames)
        self.left, self.old = missing(claim, frames), stale(claim, frames)
        self._show_state()
        self.chip.setToolTip(found.sentence if found is not None else "")
        _write(self.sentence, found.sentence if found is not None else "")
        self.forest.set_numbers(found.numbers if found is not None else ())
        _write(self.control, f"Decides: {found.control}." if found is not None and found.control else "")
        _write(self.needs, self._needs())
        self._label_button()

    def set_jobs(self, jobs: Mapping[str, JobView]) -> None:
        """The jobs that run or wait, by experiment."""
        mine = {name: jobs[name] for name in self.left if name in jobs}
        if mine != self._jobs:
            self._jobs = mine
            self._show_state()
            _write(self.needs, self._needs())

    def _show_state(self) -> None:
        started = [name in self._frames and not self._frames[name].info.get("done", True) for name in self.left]
        states = [self._jobs[name].state for name in self.left if name in self._jobs]
        if not self.claim.tested_by:
            state: str = LATER
        elif self.verdict is not None:
            state = self.verdict.word
        elif any(started) or any(each != "waiting" for each in states):
            state = MEASURING
        elif states:
            state = WAITING
        else:
            state = DIFFER if self.old else NOT_RUN
        self.state = state
        self.chip.set_word(state)

    def _needs(self) -> str:
        if not self.left:
            return ""
        done = [name for name in self.claim.tested_by if name not in self.left]
        parts = [f"there is {named(done)}"] if done else []
        under_way = [self._jobs[name] for name in self.left if name in self._jobs]
        never = [name for name in self.left if name not in self.old and name not in self._jobs]
        again = [name for name in self.old if name not in self._jobs]
        parts += [job_says(job) for job in under_way]
        parts += [f"still to run: {named(never)}"] if never else []
        parts += [f"run with other settings, to be run again: {named(again)}"] if again else []
        text = ", ".join(parts)
        return text[0].upper() + text[1:] + "."

    @property
    def next_run(self) -> str:
        """The experiment that the button asks for."""
        return (self.left or self.claim.tested_by or ("",))[0]

    def _label_button(self) -> None:
        text = "Run" if self.left else "Run again"
        title = named((self.next_run,)) if self.next_run else ""
        self.button.setText(text)
        self.button.setToolTip(f"{text}: {title}")
        self.button.setAccessibleName(f"{text}: {title}, for “{self.claim.text}”")

    @Slot()
    def _on_run(self) -> None:
        self.run_requested.emit(self.next_run)

    def set_theme(self, theme: Theme) -> None:
        self.chip.set_theme(theme)
        self.forest.set_theme(theme)
        later = not self.claim.tested_by
        # greyed: it can be read, and is seen to be out of reach
        self.title.setStyleSheet(f"color: {theme.muted}; font-weight: 500;" if later else "")
        self.how.setStyleSheet(f"color: {theme.faint};" if later else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != way:
            self._row.setDirection(way)
            self._row.setSpacing(3 if narrow else 10)
            self._gutter.setMinimumWidth(0 if narrow else GUTTER)
            self._gutter.setMaximumWidth(ANY_WIDTH if narrow else GUTTER)


def _write(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
    label.setVisible(bool(text))
