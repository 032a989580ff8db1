"""A slim colour bar that is part of the plot, so that an exported figure has it too."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.plots.images import table
from gui.theme import Theme


class ColorBar(pg.GraphicsWidget):
    """A vertical gradient with a few labelled values."""

    def __init__(self, theme: Theme, low: float, high: float, ticks: Sequence[tuple[float, str]], name: str) -> None:
        super().__init__()
        self._theme, self._low, self._high, self._ticks = theme, low, high, tuple(ticks)
        colours = table(name)[254::-1]
        self._image = QImage(colours.tobytes(), 1, 255, 3, QImage.Format.Format_RGB888).copy()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        metrics = QFontMetricsF(theme.font(theme.small))
        wide = max(46.0, 22 + max(metrics.horizontalAdvance(text) for _, text in self._ticks))
        self.setMinimumWidth(wide)
        self.setMaximumWidth(wide)
        self.update()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        box = self.rect()
        bar = QRectF(6, 6, 8, max(1.0, box.height() - 12))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(bar, self._image)
        painter.setPen(QColor(self._theme.line_strong))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setFont(self._theme.font(self._theme.small))
        painter.setPen(QColor(self._theme.muted))
        for value, text in self._ticks:
            y = bar.bottom() - (value - self._low) / (self._high - self._low) * bar.height()
            where = QRectF(bar.right() + 4, y - 8, box.width() - bar.right() - 4, 16)
            painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
