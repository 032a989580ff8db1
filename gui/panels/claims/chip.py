"""A verdict as a word with a mark."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.panels.claims.words import AGAINST, COLOURS, HOLDS, LATER, MEASURING, PART
from gui.plots.plot import pen
from gui.theme import Theme, mix

BESIDE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class VerdictChip(QWidget):
    """A verdict as a word with a mark: a full disc, a half one, a struck ring. Whoever sees no colour reads it as well."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.word = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_word(self, word: str) -> None:
        if word != self.word:
            self.word = word
            self.setAccessibleName(f"Verdict: {word}")
            self.updateGeometry()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    @property
    def colour(self) -> str:
        """The colour of the mark; grey where there is no verdict."""
        return self.theme.palette[COLOURS[self.word]] if self.word in COLOURS else self.theme.faint

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font(self.theme.small, bold=self.word in COLOURS))
        return QSize(metrics.horizontalAdvance(self.word) + (29 if self._marked else 16), metrics.height() + 6)

    @property
    def _marked(self) -> bool:
        return self.word != LATER

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, judged = self.theme, self.word in COLOURS
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(pen(self.colour if judged else theme.line_strong, 1, dash=not judged))
        painter.setBrush(QColor(mix(theme.surface, self.colour, 0.16)) if judged else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        if self._marked:
            self._paint_mark(painter, QPointF(12.5, box.center().y()), 4.0)
        left = 22 if self._marked else 8
        painter.setFont(theme.font(theme.small, bold=judged))
        painter.setPen(QColor(theme.text if judged else theme.muted))
        painter.drawText(QRect(left, 0, self.width() - left, self.height()), BESIDE, self.word)

    def _paint_mark(self, painter: QPainter, at: QPointF, radius: float) -> None:
        ring = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(pen(self.colour, 1.4))
        painter.setBrush(QColor(self.colour) if self.word == HOLDS else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        if self.word == PART:
            painter.setBrush(QColor(self.colour))
            painter.drawPie(ring, 90 * 16, 180 * 16)
        elif self.word == AGAINST:
            reach = radius * 0.72
            painter.drawLine(at + QPointF(-reach, reach), at + QPointF(reach, -reach))
        elif self.word == MEASURING:
            painter.drawPoint(at)
