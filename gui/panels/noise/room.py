"""Plots that all stand together where there is room, else one of them, with a choice of which."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from gui.plots.controls import Segmented
from gui.theme import Theme

SHAPE = 1.5  # width to height that a plot looks best at


class Room(QWidget):
    """``parts`` are (key, text, tip, widget). The :attr:`choice` belongs into a row of controls while one is :attr:`alone`."""

    arranged = Signal()  # the choice has come or gone

    def __init__(
        self,
        theme: Theme,
        name: str,
        parts: Sequence[tuple[str, str, str, QWidget]],
        *,
        least: tuple[int, int] = (190, 120),
    ) -> None:
        """``least`` is the size in pixels below which a part is shown alone."""
        super().__init__()
        self._least = least
        self._parts = {key: widget for key, _, _, widget in parts}
        self.choice = Segmented(theme, name, [(key, text, tip) for key, text, tip, _ in parts])
        self.choice.chosen.connect(self._on_choice)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        for widget in self._parts.values():
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            widget.setParent(self)
        self._columns = -1
        self._lay_out(0)

    @property
    def alone(self) -> bool:
        """Whether one part is shown, so that there is something to choose."""
        return self._columns == 0

    @property
    def shown(self) -> list[str]:
        """Keys of the parts shown, in order."""
        return [self.choice.key()] if self._columns == 0 else list(self._parts)

    def show_part(self, key: str) -> None:
        """Choose the part that is shown where there is room for one."""
        self.choice.set_key(key)
        self._lay_out(self._columns)

    @Slot(str)
    def _on_choice(self, key: str) -> None:
        self.show_part(key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        columns = columns_for(len(self._parts), self.width(), self.height(), self._least)
        if columns != self._columns:
            self._lay_out(columns)

    def _lay_out(self, columns: int) -> None:
        """In so many columns, the first part over two of them where one place would stay empty; 0 shows one part."""
        was = self._columns
        self._columns = columns
        for widget in self._parts.values():
            self._grid.removeWidget(widget)
        place = 0
        for key, widget in self._parts.items():
            if key not in self.shown:
                widget.hide()
                continue
            wide = 2 if not place and columns > 1 and len(self._parts) % columns else 1
            row, column = divmod(place, max(1, columns))
            self._grid.addWidget(widget, row, column, 1, wide)
            widget.show()
            place += wide
        for k in range(max(4, len(self._parts))):
            self._grid.setRowStretch(k, 1 if k < -(-place // max(1, columns)) else 0)
            self._grid.setColumnStretch(k, 1 if k < max(1, columns) else 0)
        if (was == 0) != (columns == 0):
            self.arranged.emit()

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 50)


def columns_for(count: int, width: int, height: int, least: tuple[int, int]) -> int:
    """Into how many columns so many plots go; 0 where they do not all fit."""
    best, found = 0.0, 0
    for columns in {1, 2, count}:
        rows = -(-count // columns)
        wide, high = width / columns, height / rows
        if wide >= least[0] and high >= least[1] and min(wide / SHAPE, high) > best:
            best, found = min(wide / SHAPE, high), columns
    return found
