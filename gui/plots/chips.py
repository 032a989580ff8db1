"""A legend that is also a set of switches: one chip a group, wrapped to the width, never over a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui.plots.plot import pen
from gui.theme import Theme


@dataclass(frozen=True)
class Entry:
    """One chip: its key, its short text, its colour, how its sample is drawn, and what it says in full."""

    key: str
    text: str
    colour: str
    tip: str = ""
    mark: str = "line"  # "line", "dash", "dot", "box" or "none"


class Chip(QAbstractButton):
    """A switch that shows a sample of the curve and its name; pale when off."""

    def __init__(self, entry: Entry, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_entry(entry, theme)

    def set_entry(self, entry: Entry, theme: Theme) -> None:
        self.entry, self.theme = entry, theme
        self.setText(entry.text)
        self.setAccessibleName(entry.tip or entry.text)
        self.setToolTip(entry.tip)
        self.setFont(theme.font(theme.small))
        self.updateGeometry()
        self.update()

    def _mark_width(self) -> int:
        return {"none": 0, "box": 14}.get(self.entry.mark, 22)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(self._mark_width() + metrics.horizontalAdvance(self.text()) + 10, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, theme = self.isChecked(), self.theme
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse() or (self.entry.mark == "none" and on):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if self.entry.mark == "none" and on else theme.raised))
            painter.drawRoundedRect(box, 4, 4)
        if self.hasFocus():
            painter.setPen(pen(theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 4, 4)
        middle = box.center().y()
        strength = 1.0 if on else 0.35
        match self.entry.mark:
            case "box":
                painter.setPen(pen(self.entry.colour, alpha=strength))
                painter.setBrush(QColor(self.entry.colour) if on else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(5, middle - 4, 8, 8), 1.5, 1.5)
            case "none":
                pass
            case mark:
                painter.setPen(pen(self.entry.colour, 2, dash=mark == "dash", dot=mark == "dot", alpha=strength))
                painter.drawLine(QPointF(4, middle), QPointF(20, middle))
        painter.setPen(QColor(theme.text if on else theme.faint))
        left = self._mark_width() + 4
        painter.drawText(
            QRect(left, 0, self.width() - left - 2, self.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            QFontMetrics(self.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - left - 2),
        )


class Chips(QWidget):
    """A wrapping row of chips. ``toggled(key, on)`` is what a person did; ``set_on`` is silent."""

    toggled = Signal(str, bool)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self._chips: dict[str, Chip] = {}
        self._height = 0
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    def set_entries(self, entries: Sequence[Entry], on: Sequence[str]) -> None:
        """The chips to show, in order, and which of them are lit."""
        keys = [entry.key for entry in entries]
        for key in [key for key in self._chips if key not in keys]:
            self._chips.pop(key).deleteLater()
        kept = self._chips
        self._chips = {}
        for entry in entries:
            chip = kept.get(entry.key)
            if chip is None:
                chip = Chip(entry, self.theme, self)
                chip.clicked.connect(self._on_click)
                chip.show()
            elif chip.entry != entry or chip.theme != self.theme:
                chip.set_entry(entry, self.theme)
            self._chips[entry.key] = chip
        self.set_on(on)
        self._arrange()

    def entries(self) -> list[Entry]:
        return [chip.entry for chip in self._chips.values()]

    def set_on(self, keys: Sequence[str]) -> None:
        """Light exactly these, without a signal."""
        for key, chip in self._chips.items():
            chip.setChecked(key in keys)

    def on(self) -> list[str]:
        """The lit chips, in order."""
        return [key for key, chip in self._chips.items() if chip.isChecked()]

    def chip(self, key: str) -> Chip:
        """The chip of a key; KeyError if there is none."""
        return self._chips[key]

    def set_theme(self, theme: Theme, colours: dict[str, str] | None = None) -> None:
        """Recolour; ``colours`` gives the new colour of each key."""
        self.theme = theme
        for key, chip in self._chips.items():
            old = chip.entry
            colour = (colours or {}).get(key, old.colour)
            chip.set_entry(Entry(old.key, old.text, colour, old.tip, old.mark), theme)
        self._arrange()

    def _on_click(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.toggled.emit(chip.entry.key, chip.isChecked())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(100, self._height)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._height)

    def _arrange(self) -> None:
        x = y = row = 0
        width = max(40, self.width())
        for chip in self._chips.values():
            size = chip.sizeHint()
            wide = min(size.width(), width)
            if x and x + wide > width:
                x, y = 0, y + row + 1
            chip.setGeometry(x, y, wide, size.height())
            x += wide + 2
            row = size.height()
        height = y + row if self._chips else 0
        if height != self._height:
            self._height = height
            self.setFixedHeight(height)
