"""A short text in each cell of a heat map, where there is room for it."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.theme import Theme

DARK, LIGHT = "#10141a", "#f7f7f7"
SMALLEST = 8  # pixels of a font that can still be read


class CellTexts(pg.GraphicsObject):
    """Texts of a square grid, all of one size; none are drawn where one would not fit into its cell."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._texts: list[list[str]] = []
        self._bright: list[list[bool]] = []

    def set_texts(self, texts: Sequence[Sequence[str]], bright: Sequence[Sequence[bool]]) -> None:
        """Row by row; ``bright`` says which cells are so light that their text must be dark."""
        self.prepareGeometryChange()
        self._texts = [list(row) for row in texts]
        self._bright = [list(row) for row in bright]
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _fitting(self, wide: float, high: float) -> QFont | None:
        """The small font, or one smaller yet, in which the longest text fits into a cell; None where none does."""
        longest = max((text for row in self._texts for text in row), key=len, default="")
        for size in (self._theme.small, SMALLEST):
            font = self._theme.font(size)
            metrics = QFontMetricsF(font)
            if (
                metrics.horizontalAdvance(longest) + 1 <= wide
                and metrics.tightBoundingRect(longest).height() + 2 <= high
            ):
                return font
        return None

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, len(self._texts), len(self._texts))

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if not self._texts:
            return
        to_screen = painter.worldTransform()
        one, other = to_screen.map(QPointF(0, 0)), to_screen.map(QPointF(1, 1))
        wide, high = abs(other.x() - one.x()), abs(other.y() - one.y())
        font = self._fitting(wide, high)
        if font is None:
            return
        painter.save()
        painter.resetTransform()
        painter.setFont(font)
        for r, row in enumerate(self._texts):
            for c, text in enumerate(row):
                if text:
                    at = to_screen.map(QPointF(c + 0.5, r + 0.5))
                    painter.setPen(QColor(DARK if self._bright[r][c] else LIGHT))
                    cell = QRectF(at.x() - wide / 2, at.y() - high / 2, wide, high)
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()
