"""The time slider: everything recorded, moment by moment, in bands coloured by phase."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from gui.chrome.moments import PHASE_NAMES, Band, Moment, bands, moment_text
from gui.theme import Theme, mix

PHASE_COLOURS = {
    "data": "grey",
    "init": "purple",
    "train": "sky",
    "attack": "vermillion",
    "measure": "green",
    "map": "blue",
    "matrix": "blue",
}
EDGE = 8  # room for the handle beyond both ends
GROOVE = 4
HANDLE = 6.5


class Timeline(QSlider):
    """A slider over moments. ``moment_chosen`` comes only from a person, with the moment's id."""

    moment_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._moments: Sequence[Moment] = ()
        self._bands: list[Band] = []
        self._names: Mapping[int, str] = {}
        self._ended: Collection[int] = ()
        self._silent = False
        self.setAccessibleName("Time")
        self.setWhatsThis("Every moment recorded. Drag to replay one in all panels; press L to follow the run again.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTracking(True)
        self.setRange(0, 0)
        self.setEnabled(False)
        self.valueChanged.connect(self._on_value)

    # --- what is shown ---------------------------------------------------------------------------------------

    @property
    def moments(self) -> Sequence[Moment]:
        return self._moments

    def set_moments(self, moments: Sequence[Moment]) -> None:
        """Show these moments. The one at the handle stays at the handle where it is still there; emits nothing."""
        held = self.moment
        self._moments = moments
        self._bands = bands(moments, self._names, self._ended)
        last = max(0, len(moments) - 1)
        position = last
        if held is not None:
            position = next((i for i, m in enumerate(moments) if m.id == held.id), last)
        self._place(position, last)
        self.setEnabled(len(moments) > 1)
        self.setPageStep(max(1, len(moments) // 20))
        self.update()

    def set_attacks(self, names: Mapping[int, str], ended: Collection[int]) -> None:
        """The names of the runs' attacks, and which runs went to their end."""
        if (names, ended) != (self._names, self._ended):
            self._names, self._ended = names, ended
            self._bands = bands(self._moments, names, ended)
            self.setAccessibleDescription(self.text())
            self.update()

    @property
    def moment(self) -> Moment | None:
        """The moment at the handle, or None where nothing is recorded."""
        return self._moments[self.value()] if 0 <= self.value() < len(self._moments) else None

    def set_moment(self, id: int | None) -> None:
        """Move the handle to a moment, or to the end for None; emits nothing."""
        last = max(0, len(self._moments) - 1)
        position = last if id is None else next((i for i, m in enumerate(self._moments) if m.id == id), last)
        self._place(position, last)

    def text(self, position: int | None = None) -> str:
        """The moment at a position, or at the handle, in words; "" where nothing is recorded."""
        at = self.value() if position is None else position
        band = next((b for b in self._bands if b.first <= at <= b.last), None)
        return moment_text(self._moments[at], band.last_step, band.name, band.best and at == band.last) if band else ""

    def name(self, id: int) -> str:
        """The moment of an id in words; "" where there is none."""
        position = next((i for i, m in enumerate(self._moments) if m.id == id), None)
        return self.text(position) if position is not None else ""

    def set_theme(self, theme: Theme) -> None:
        """Take another theme's colours."""
        self._theme = theme
        self.update()

    # --- the person ------------------------------------------------------------------------------------------

    @Slot(int)
    def _on_value(self, _: int) -> None:
        self.setAccessibleDescription(self.text())
        if not self._silent and self.moment is not None:
            self.moment_chosen.emit(self.moment.id)

    def _place(self, position: int, last: int) -> None:
        self._silent = True
        try:
            self.setRange(0, last)
            self.setValue(position)
        finally:
            self._silent = False
        self.setAccessibleDescription(self.text())

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._position(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: Any) -> None:
        if self.isSliderDown():
            self.setValue(self._position(event.position().x()))
        event.accept()

    def mouseReleaseEvent(self, event: Any) -> None:
        self.setSliderDown(False)
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._moments:
            QToolTip.showText(event.globalPos(), self.text(self._position(event.pos().x())), self)
            return True
        return super().event(event)

    def _position(self, x: float) -> int:
        room = max(1, self.width() - 2 * EDGE)
        return round(min(1.0, max(0.0, (x - EDGE) / room)) * self.maximum())

    def _x(self, position: float) -> float:
        share = position / self.maximum() if self.maximum() else 0.0
        return EDGE + share * (self.width() - 2 * EDGE)

    # --- drawing ---------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(400, 2 * HANDLE.__ceil__() + self._theme.small + 12)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theme
        middle = HANDLE + 6.0
        painter.setPen(Qt.PenStyle.NoPen)
        if not self._bands:
            painter.setBrush(QColor(theme.line))
            painter.drawRoundedRect(QRectF(EDGE, middle - GROOVE / 2, self.width() - 2 * EDGE, GROOVE), 2, 2)
            painter.end()
            return
        here = self._x(self.value())
        painter.setFont(theme.font(theme.small))
        metrics = painter.fontMetrics()
        end_of_text = -1.0
        for band in self._bands:
            left = self._x(max(band.first - 0.5, 0)) + (1 if band.first else 0)
            right = self._x(min(band.last + 0.5, self.maximum())) - (1 if band.last < self.maximum() else 0)
            right = max(right, left + 2)
            colour = theme.palette[PHASE_COLOURS.get(band.phase, "grey")]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mix(theme.surface, colour, 0.38)))
            painter.drawRoundedRect(QRectF(left, middle - GROOVE / 2, right - left, GROOVE), 2, 2)
            if here > left:
                painter.setBrush(QColor(colour))
                painter.drawRoundedRect(QRectF(left, middle - GROOVE / 2, min(right, here) - left, GROOVE), 2, 2)
            name = band.look or (band.name if band.phase == "attack" else "") or PHASE_NAMES.get(band.phase, band.phase)
            if band.last_step and band.last > band.first:
                long = f"{name}  {band.last_step}"
                name = long if metrics.horizontalAdvance(long) < right - left else name
            if left >= end_of_text and metrics.horizontalAdvance(name) <= max(right - left, 0) + 2:
                painter.setPen(QColor(theme.muted))
                painter.drawText(QPointF(left, middle + HANDLE + 4 + metrics.ascent()), name)
                end_of_text = left + metrics.horizontalAdvance(name) + 6
        painter.setPen(QPen(QColor(theme.surface), 2))
        painter.setBrush(QColor(theme.text if self.isEnabled() else theme.faint))
        painter.drawEllipse(QPointF(here, middle), HANDLE, HANDLE)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(here, middle), HANDLE + 2, HANDLE + 2)
        painter.end()
