"""A page of a panel: what such pages have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gui.plots.flow import FlowRow
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class Page(QWidget):
    """What it draws, or a sentence and a button where there is nothing to draw yet."""

    topic = ""
    empty_text = ""
    button_text = ""

    requested = Signal()
    said = Signal()  # its one-line summary is another one

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.frame: Frame | None = None
        self.summary = ""
        self.row = FlowRow()  # its controls, which the panel puts above it
        self.button = QPushButton(self.button_text)
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self.requested)
        text = QLabel(self.empty_text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        text.setProperty("role", "muted")
        nothing = QWidget()
        column = QVBoxLayout(nothing)
        column.addStretch(1)
        column.addWidget(text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(nothing)

    def set_body(self, body: QWidget) -> None:
        """The widget that draws."""
        self._stack.addWidget(body)

    def show_frame(self, frame: Frame) -> None:
        """Draw."""
        self.frame = frame
        self.redraw()
        self._stack.setCurrentIndex(1)

    def clear(self) -> None:
        """Draw nothing."""
        self.frame = None
        self.summary = ""
        self._stack.setCurrentIndex(0)

    def redraw(self) -> None:
        """Draw the frame at hand."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.theme = theme

    def plots(self) -> Sequence[tuple[str, Any]]:
        """Names and plot items of what can be written as SVG."""
        return ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers drawn."""
        return ()
