"""Plots side by side or one above the other, each with a quiet line that names it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui.panels.labels import ElidedLabel

LEAST = 380  # pixels of width below which two plots stand one above the other


class Titled(QWidget):
    """A widget below a small title."""

    def __init__(self, title: str, widget: QWidget) -> None:
        super().__init__()
        self.title = ElidedLabel(title)
        self.title.setProperty("role", "small")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.title)
        column.addWidget(widget, 1)


class Halves(QWidget):
    """Widgets in a row, or in a column once they are set upright."""

    def __init__(self, widgets: Sequence[QWidget], stretch: Sequence[int]) -> None:
        super().__init__()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        for widget, share in zip(widgets, stretch, strict=True):
            # so that what is in them has no say in who gets how much
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            self._row.addWidget(widget, share)

    def set_upright(self, upright: bool) -> None:
        """One above the other, or side by side."""
        way = QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != way:
            self._row.setDirection(way)


class Beside(Halves):
    """In a row where there is room; in a column where the row would be too narrow for the height there is."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_upright(self.width() < LEAST and self.height() > self.width())
