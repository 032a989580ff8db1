"""The parts of a long attack below its slider: where each begins, and its name where there is room for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from gui.plots.plot import pen
from gui.plots.tiles import ink
from gui.theme import Theme

HANDLE = 12  # pixels of the slider's handle, by which its way is shorter than the slider
LEAST = 40  # pixels below which a part goes unnamed, except the one at hand


class StageStrip(QWidget):
    """Parts of a slider's way, each from where it begins to where the next does; the one at hand is always named."""

    def __init__(self, theme: Theme, slider: QSlider) -> None:
        super().__init__()
        self.theme, self._slider = theme, slider
        self._stages: tuple[tuple[float, str], ...] = ()
        self.setAccessibleName("Parts of the attack")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_stages(self, stages: Sequence[tuple[float, str]]) -> None:
        """(first step, name) of each part, ascending; a single one is not worth a strip."""
        fresh = tuple(stages) if len(stages) > 1 else ()
        if fresh != self._stages:
            self._stages = fresh
            self.setVisible(bool(fresh))
        self.setAccessibleDescription(", ".join(name for _, name in fresh))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    @property
    def current(self) -> int:
        """Position of the part that the slider is in; -1 before the first."""
        return sum(start <= self._slider.value() for start, _ in self._stages) - 1

    def parts(self) -> list[tuple[QRect, str]]:
        """Where each part lies in this widget, and its name."""
        ends = [*(start for start, _ in self._stages[1:]), self._slider.maximum()]
        high = self.height()
        found = []
        for (start, name), end in zip(self._stages, ends, strict=True):
            left, right = self._x(start), self._x(end)
            found.append((QRect(left, 0, max(1, right - left), high), name))
        return found

    def named(self) -> list[tuple[QRect, str]]:
        """The names that are drawn, and where: none touches another."""
        metrics = QFontMetrics(self.theme.font(self.theme.small))
        parts, here = self.parts(), self.current
        taken: list[QRect] = []
        kept: dict[int, tuple[QRect, str]] = {}
        order = [here] if here >= 0 else []
        for k in (*order, *(k for k in range(len(parts)) if k != here)):
            box, name = parts[k]
            wide = metrics.horizontalAdvance(name) + 6
            if k == here:  # may reach beyond its part
                left = max(0, min(box.left(), self.width() - wide))
                place = QRect(left, box.top(), min(wide, self.width()), box.height())
            else:
                free = [each for each in taken if each.intersects(box)]
                left = max([box.left(), *(each.right() + 3 for each in free if each.left() <= box.left())])
                right = min([box.right(), *(each.left() - 3 for each in free if each.left() > box.left())])
                if right - left < min(LEAST, wide):
                    continue
                place = QRect(left, box.top(), min(wide, right - left), box.height())
            taken.append(place)
            kept[k] = place, metrics.elidedText(name, Qt.TextElideMode.ElideRight, place.width() - 4)
        return [kept[k] for k in sorted(kept)]

    def _x(self, step: float) -> int:
        left = self._slider.mapTo(self.window(), self._slider.rect().topLeft()).x()
        left -= self.mapTo(self.window(), self.rect().topLeft()).x()
        way = self._slider.width() - HANDLE
        share = step / self._slider.maximum() if self._slider.maximum() else 0.0
        return round(left + HANDLE / 2 + share * way)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self.theme
        painter.setFont(theme.font(theme.small))
        here = self.current
        painter.setPen(pen(theme.line_strong))
        for box, _ in self.parts():
            painter.drawLine(box.left(), 0, box.left(), self.height())
        name_here = self._stages[here][1] if here >= 0 else ""
        for place, text in self.named():
            painter.fillRect(place.adjusted(1, 0, 0, 0), QColor(theme.surface))
            ink(painter, theme.text if text and name_here.startswith(text.rstrip("…")) else theme.muted)
            painter.drawText(place.adjusted(4, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            name = next((name for box, name in reversed(self.parts()) if box.contains(event.pos())), "")
            QToolTip.showText(event.globalPos(), name, self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(100, QFontMetrics(self.theme.font(self.theme.small)).height())
