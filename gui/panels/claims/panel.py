"""Each claim of the paper's versions, what tests it here, and its verdict as measured: never one without its runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.experiments.claims import CLAIMS, Verdict
from gui.jobs import JobView
from gui.panels.base import Panel
from gui.panels.claims.card import ClaimCard
from gui.panels.claims.runs import MissingRuns
from gui.panels.claims.told import as_rows, as_text
from gui.panels.claims.words import COLOURS, HEADER, UNDECIDED
from gui.panels.labels import Caption
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class ClaimsPanel(Panel):
    """One card a claim. ``run_requested(experiment)`` asks for the first run that a claim's verdict still needs,
    ``run_all_requested(experiments)`` for every run that any claim still needs, ``stop_requested()`` for their end."""

    key = "claims"
    title = "Claims"
    topics = tuple(dict.fromkeys(name for claim in CLAIMS for name in claim.tested_by))
    empty_text = "No claim has been tested at this moment. Press Run beside one."

    run_requested = Signal(str)
    run_all_requested = Signal(object)  # tuple[str, ...]
    stop_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frames: dict[str, Frame] = {}
        first = self.export_menu.actions()[0]
        copy_text = self.export_menu.addAction("Copy as text")
        copy_text.triggered.connect(self.copy_text)
        self.export_menu.insertAction(first, copy_text)
        self.heading = Caption()
        self.heading.set_text(HEADER)
        self.note = QLabel(wordWrap=True)  # why there is nothing at a moment of the past
        self.note.setProperty("role", "muted")
        self.note.hide()
        self.cards = {claim.key: ClaimCard(claim, theme) for claim in CLAIMS}
        inside = QWidget(objectName="scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        self.runs = MissingRuns()
        self.runs.run_requested.connect(self.run_all_requested)
        self.runs.stop_requested.connect(self.stop_requested)
        column.addWidget(self.heading)
        column.addSpacing(3)
        column.addWidget(self.runs)
        column.addSpacing(5)
        column.addWidget(self.note)
        for card in self.cards.values():
            card.run_requested.connect(self.run_requested)
            column.addWidget(card)
        column.addStretch(1)
        self.area = QScrollArea(widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName("Claims and their verdicts")
        self.area.setMinimumSize(60, 50)
        self.area.setWidget(inside)
        self.set_body(self.area)
        self._judge(self.topics)
        self.show_content()

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frames.pop(frame.topic, None)  # the newest comes last: the settings of its run are those that count
        self._frames[frame.topic] = frame
        self.note.hide()
        self._judge((frame.topic,))

    def clear(self) -> None:
        """Without its runs no claim has a verdict; the claims themselves stay."""
        self._frames = {}
        super().clear()
        self._judge(self.topics)

    def show_empty(self, text: str | None = None) -> None:
        """The board is never empty; what is said of a moment without runs stands above the claims."""
        self.note.setText(text or "")
        self.note.setVisible(bool(text))
        self.show_content()

    def set_jobs(self, jobs: Mapping[str, JobView]) -> None:
        """The jobs that run or wait, by experiment: each card says how far those are that it needs."""
        self.runs.set_jobs(jobs)
        for card in self.cards.values():
            card.set_jobs(jobs)

    def verdicts(self) -> dict[str, Verdict | None]:
        """The verdict of each claim by its key, None while a run is missing."""
        return {key: card.verdict for key, card in self.cards.items()}

    def _judge(self, topics: Sequence[str]) -> None:
        for card in self.cards.values():
            if set(topics) & set(card.claim.tested_by):
                card.show_frames(self._frames)
        left = (name for card in self.cards.values() for name in card.left)
        self.runs.set_missing(tuple(dict.fromkeys(left)))
        self._say()

    def _say(self) -> None:
        words = [found.word for found in self.verdicts().values() if found is not None]
        testable = sum(1 for claim in CLAIMS if claim.tested_by)
        counts = [f"{words.count(word)} {word}" for word in (*COLOURS, UNDECIDED) if word in words]
        judged = sum(word in COLOURS for word in words)
        self.set_subtitle(" · ".join([f"{judged} of {testable} testable claims judged", *counts]))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for card in self.cards.values():
            card.set_theme(theme)

    @Slot()
    def copy_text(self) -> None:
        """Put the whole board on the clipboard, as text to be read."""
        QGuiApplication.clipboard().setText(self.text())
        self.exported.emit(f"{self.title}: text copied.")

    def text(self) -> str:
        """The whole board as text."""
        return as_text(self.cards.values())

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a number; one row without a number for a claim that has no verdict."""
        return as_rows(self.cards.values())
