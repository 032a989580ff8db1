"""Plots that all stand together where there is room, else one of them, with a choice of which."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from gui.plots.controls import Segmented
from gui.theme import Theme

SHAPE = 1.5  # width to height that a plot looks best at
LEAD = 0.42  # of the width, for the part that stands beside the others
LEAST_BESIDE = 400  # pixels of width from which it does


class Room(QWidget):
    """``parts`` are (key, text, tip, widget). The :attr:`choice` belongs into a row of controls while one is :attr:`alone`.

    With ``lead`` the last part stands left of the others, whatever is chosen of them, as soon as there is the width for it.
    """

    arranged = Signal()  # other parts are shown than before

    def __init__(
        self,
        theme: Theme,
        name: str,
        parts: Sequence[tuple[str, str, str, QWidget]],
        *,
        lead: bool = False,
        least: tuple[int, int] = (190, 120),
    ) -> None:
        """``least`` is the size in pixels below which a part is shown alone."""
        super().__init__()
        self._least = least
        self._parts = {key: widget for key, _, _, widget in parts}
        self._lead = parts[-1][0] if lead else ""
        self.choice = Segmented(theme, name, [(key, text, tip) for key, text, tip, _ in parts])
        self.choice.chosen.connect(self.show_part)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        for widget in self._parts.values():
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            widget.setParent(self)
        self._beside, self._columns = False, 0
        self._lay_out()

    @property
    def alone(self) -> bool:
        """Whether one part is shown of those to choose from."""
        return self._columns == 0

    @property
    def shown(self) -> list[str]:
        """Keys of the parts shown, the leading one first."""
        others = [key for key in self._parts if key != self._lead]
        if not self._beside:
            return [self.choice.key()] if self.alone else [self._lead, *others] if self._lead else others
        return [self._lead, *([self.choice.key()] if self.alone else others)]

    @Slot(str)
    def show_part(self, key: str) -> None:
        """Choose the part that is shown where there is room for one."""
        self.choice.set_key(key)
        self._lay_out()
        self.arranged.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = bool(self._lead) and self.width() >= LEAST_BESIDE
        width = self.width() * (1 - LEAD) if beside else self.width()
        columns = columns_for(len(self._parts) - beside, width, self.height(), self._least)
        if (beside, columns) != (self._beside, self._columns):
            self._beside, self._columns = beside, columns
            if beside and self.choice.key() == self._lead:
                self.choice.set_key(next(iter(self._parts)))
            if self._lead:
                self.choice.button(self._lead).setVisible(not beside)
                self.choice.adjustSize()
            self._lay_out()
            self.arranged.emit()

    def _lay_out(self) -> None:
        for widget in self._parts.values():
            self._grid.removeWidget(widget)
        shown, columns = self.shown, max(1, self._columns)
        for key, widget in self._parts.items():
            widget.setVisible(key in shown)
        others = shown[1:] if self._beside else shown
        rows = -(-len(others) // columns)
        # a place that would stay empty goes to the first
        spare = rows * columns - len(others)
        for place, key in enumerate(others):
            row, column = divmod(place + (spare if place else 0), columns)
            self._grid.addWidget(self._parts[key], row, column + self._beside, 1, 1 if place else 1 + spare)
        if self._beside:
            self._grid.addWidget(self._parts[shown[0]], 0, 0, rows, 1)
        for k in range(2 + len(self._parts)):
            self._grid.setRowStretch(k, 1 if k < rows else 0)
            share = round(100 * (1 - LEAD) / columns) if self._beside else 1
            inside = self._beside <= k < columns + self._beside
            self._grid.setColumnStretch(k, share if inside else round(100 * LEAD) if self._beside and not k else 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 50)


def columns_for(count: int, width: float, height: float, least: tuple[int, int]) -> int:
    """Into how many columns so many plots go; 0 where they do not all fit."""
    best, found = 0.0, 0
    for columns in {1, 2, count}:
        rows = -(-count // columns)
        wide, high = width / columns, height / rows
        if wide >= least[0] and high >= least[1] and min(wide / SHAPE, high) > best:
            best, found = min(wide / SHAPE, high), columns
    return found
