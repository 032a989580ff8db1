"""The numbers of a verdict with their intervals, drawn on a common scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.experiments.claims import Number
from gui.panels.claims.words import value_text
from gui.plots.plot import pen
from gui.theme import Theme

LEAST_SCALED = 340  # pixels of width below which numbers stand without a scale
MOST_NAME = 380  # pixels of the name of a number: the scales of all claims stand below each other
WIDEST = "−0.00 [−0.00, −0.00]"
BESIDE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class _Line:
    number: Number
    top: int
    height: int


class Forest(QWidget):
    """Numbers with their intervals, one a line: its name, a point with a bar on a common scale, and its value."""

    GAP = 12

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.numbers: tuple[Number, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def set_numbers(self, numbers: Sequence[Number]) -> None:
        """What to draw; nothing hides it."""
        if tuple(numbers) != self.numbers:
            self.numbers = tuple(numbers)
            self.setAccessibleName("; ".join(f"{n.label}: {value_text(n)}" for n in numbers))
            self.updateGeometry()
            self.update()
        self.setVisible(bool(numbers))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    @property
    def reach(self) -> float:
        """The scale runs from minus this to this: 1 for correlations."""
        ends = [abs(v) for n in self.numbers for v in (n.value, n.low, n.high) if math.isfinite(v)]
        return float(math.ceil(max([1.0, *ends]) - 1e-6))

    # --- layout ------------------------------------------------------------------------------------------------

    def _columns(self, width: int) -> tuple[int, int, int]:
        """Widths of names, scale and values."""
        metrics = QFontMetrics(self.theme.font(self.theme.small))
        values = metrics.horizontalAdvance(WIDEST) + 2
        scale = min(240, max(60, round(width * 0.27))) if width >= LEAST_SCALED else 0
        return min(MOST_NAME, max(60, width - scale - values - 2 * self.GAP)), scale, values

    def _lines(self, width: int) -> list[_Line]:
        metrics = QFontMetrics(self.theme.font(self.theme.small))
        names, _, _ = self._columns(width)
        found, top = [], 0
        for number in self.numbers:
            room = metrics.boundingRect(QRect(0, 0, names, 1000), Qt.TextFlag.TextWordWrap, number.label)
            height = max(room.height(), metrics.height()) + 3
            found.append(_Line(number, top, height))
            top += height
        return found

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = self._lines(width)
        return (lines[-1].top + lines[-1].height if lines else 0) + QFontMetrics(
            self.theme.font(self.theme.small)
        ).height()

    def sizeHint(self) -> QSize:
        return QSize(300, self.heightForWidth(max(self.width(), 200)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wanted = self.heightForWidth(self.width())
        if wanted != self.minimumHeight():
            self.setFixedHeight(wanted)

    # --- drawing -----------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.font(theme.small)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        names, scale, values = self._columns(self.width())
        reach, lines = self.reach, self._lines(self.width())
        if not lines:
            return
        left = names + self.GAP

        def across(value: float) -> float:
            return left + 5 + (value + reach) / (2 * reach) * (scale - 10)

        bottom = lines[-1].top + lines[-1].height
        for tick in (-reach, 0.0, reach) if scale else ():
            painter.setPen(pen(theme.line_strong if tick == 0 else theme.grid, 1))
            painter.drawLine(QPointF(across(tick), 0), QPointF(across(tick), bottom))
            painter.setPen(QColor(theme.muted))
            where = QRectF(across(tick) - 15, bottom, 30, metrics.height())
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, f"{tick:g}".replace("-", "−"))
        first = True
        for line in lines:
            number, middle = line.number, line.top + (metrics.height() + 1) / 2
            painter.setPen(QColor(theme.text if first else theme.muted))
            painter.drawText(QRect(0, line.top, names, line.height), Qt.TextFlag.TextWordWrap, number.label)
            where = QRect(left + scale + self.GAP, line.top, values, metrics.height())
            painter.drawText(where, BESIDE, value_text(number))
            colour = theme.accent if first else theme.muted
            first = False
            if not scale or not math.isfinite(number.value):
                continue
            bounded = math.isfinite(number.low) and math.isfinite(number.high)
            painter.setPen(pen(colour, 1.6))
            if bounded:
                painter.drawLine(QPointF(across(number.low), middle), QPointF(across(number.high), middle))
                wide = across(number.high) - across(number.low) > 9  # shorter ones are all point
                for end in (number.low, number.high) if wide else ():
                    painter.drawLine(QPointF(across(end), middle - 3), QPointF(across(end), middle + 3))
            painter.setBrush(QColor(colour if bounded else theme.surface))
            painter.drawEllipse(QPointF(across(number.value), middle), 2.8, 2.8)

    def describe(self, y: int) -> str:
        """What the tip says at a height."""
        for line in self._lines(self.width()):
            if line.top <= y < line.top + line.height:
                number = line.number
                what = "95% interval" if math.isfinite(number.low) else "no interval"
                return f"{number.label}\n{value_text(number, 4)} ({what})"
        return ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.describe(event.pos().y()), self)
            return True
        return super().event(event)
