"""A legend that is also a set of switches: one chip a group, wrapped to the width, never over a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from gui.plots.flow import FlowRow
from gui.plots.plot import pen
from gui.theme import Theme


@dataclass(frozen=True)
class Entry:
    """One chip: its key, its short text, its colour, how its sample is drawn, and what it says in full."""

    key: str
    text: str
    colour: str
    tip: str = ""
    mark: str = "line"  # "line", "dash", "dot", "diamond", "dashdot", "bar", "outline"; "tag" has no sample and is tinted when on


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
        return 0 if self.entry.mark == "tag" else 22

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(self._mark_width() + metrics.horizontalAdvance(self.text()) + 10, metrics.height() + 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, theme = self.isChecked(), self.theme
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        tag = self.entry.mark == "tag"
        if self.underMouse() or (tag and on):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if tag and on else theme.raised))
            painter.drawRoundedRect(box, 4, 4)
        if self.hasFocus():
            painter.setPen(pen(theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 4, 4)
        middle = box.center().y()
        strength = 1.0 if on else 0.35
        if not tag:
            mark = self.entry.mark
            sample = pen(self.entry.colour, 2, dot=mark in ("dot", "diamond"), alpha=strength)
            if mark == "dash":
                sample.setDashPattern([2.8, 1.6])  # so short a line shows more than one dash
            if mark == "dashdot":
                sample.setDashPattern([3.0, 1.4, 0.8, 1.4])
            if mark in ("bar", "outline", "diamond"):
                sample.setWidthF(1.2)
            painter.setPen(sample)
            if mark == "bar":  # an interval: a point with whiskers
                painter.drawLine(QPointF(12, middle - 5), QPointF(12, middle + 5))
                for end in (middle - 5, middle + 5):
                    painter.drawLine(QPointF(9, end), QPointF(15, end))
                painter.setBrush(sample.color())
                painter.drawEllipse(QPointF(12, middle), 1.8, 1.8)
            elif mark == "outline":
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(8, middle - 5, 8, 10))
            elif mark == "diamond":  # a dotted curve with a hollow mark at each value
                for left in (3, 16):
                    painter.drawLine(QPointF(left, middle), QPointF(left + 5, middle))
                painter.setPen(pen(self.entry.colour, 1.2, alpha=strength))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                corners = ((12, middle - 4), (16, middle), (12, middle + 4), (8, middle))
                painter.drawPolygon([QPointF(*corner) for corner in corners])
            else:
                painter.drawLine(QPointF(4, middle), QPointF(20, middle))
        painter.setPen(QColor(theme.text if on else theme.muted if tag else theme.faint))
        left = self._mark_width() + 4
        painter.drawText(
            QRect(left, 0, self.width() - left - 2, self.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            QFontMetrics(self.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - left - 2),
        )


class Chips(FlowRow):
    """A wrapping row of chips. ``toggled(key, on)`` is what a person did; ``set_on`` is silent."""

    toggled = Signal(str, bool)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(gap=2, line_gap=1)
        self.theme = theme
        self.setAccessibleName(name)
        self._chips: dict[str, Chip] = {}

    def set_entries(self, entries: Sequence[Entry], on: Sequence[str]) -> None:
        """The chips to show, in order, and which of them are lit."""
        if list(entries) != self.entries():
            old, self._chips = self._chips, {}
            for entry in entries:
                chip = old.pop(entry.key, None)
                if chip is None:
                    chip = Chip(entry, self.theme, self)
                    chip.clicked.connect(self._on_click)
                elif chip.entry != entry:
                    chip.set_entry(entry, self.theme)
                self._chips[entry.key] = chip
            for chip in old.values():
                chip.hide()
                chip.deleteLater()
            self.set_widgets(list(self._chips.values()))
            for chip in self._chips.values():
                chip.show()
            self.arrange()
        self.set_on(on)

    def entries(self) -> list[Entry]:
        """What is shown, in order."""
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

    def set_theme(self, theme: Theme, colours: Mapping[str, str] | None = None) -> None:
        """Recolour; ``colours`` gives the new colour of each key."""
        self.theme = theme
        for key, chip in self._chips.items():
            chip.set_entry(replace(chip.entry, colour=(colours or {}).get(key, chip.entry.colour)), theme)
        self.arrange()

    @Slot()
    def _on_click(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.toggled.emit(chip.entry.key, chip.isChecked())
