"""What the three pages share: plots that stand together where there is room, a legend of switches, and a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent

from gui.panels.labels import Caption, ElidedLabel
from gui.panels.noise.cone import WorldLines
from gui.panels.noise.curves import Curve, Curves
from gui.panels.noise.room import Room
from gui.panels.noise.strip import Strip
from gui.panels.pieces import PiecewisePage
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

Drawn = Curves | WorldLines


LOW = 190  # pixels of height below which the controls take one line


class NoisePage(PiecewisePage):
    """A page of linear networks on noise. Its :meth:`controls` stand in the panel's row while it is in front."""

    button_text = "Fit noise with a linear network"

    arranged = Signal()  # other controls than before

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._stale = False
        self.hidden: set[str] = set()
        self.choices: list[Segmented] = []
        self.strip = Strip(theme)
        self.brief = ElidedLabel()
        self.brief.setProperty("role", "small")
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()

    def build(self, room: Room, choices: Sequence[Segmented] = ()) -> None:
        """``choices`` are controls before the room's own."""
        self.room = room
        self.choices = [*choices, room.choice]
        room.arranged.connect(self.arranged)
        rows = [room, self.chips, self.strip, self.brief, self.caption]
        self._column = FitColumn(rows, room, [self.caption, self.chips], least=150)
        self.set_body(self._column)

    def show_frame(self, frame: Frame) -> None:
        """Take a frame; it is drawn by :meth:`freshen`, once the page is seen."""
        self.frame = frame
        self._stale = True
        self._stack.setCurrentIndex(1)

    def freshen(self) -> None:
        """Draw what has come meanwhile."""
        if self._stale and self.frame is not None:
            self._stale = False
            self.redraw()

    def controls(self) -> list[Segmented]:
        """The controls that have a meaning now."""
        alone = self.room.alone
        return [choice for choice in self.choices if choice is not self.room.choice or alone] if self.frame else []

    def drawn(self) -> dict[str, tuple[Drawn, ...]]:
        """The plots of each part of the room."""
        raise NotImplementedError

    def switched(self) -> dict[str, tuple[Drawn, ...]]:
        """The plots that each chip switches a curve of. A chip's key is "GROUP KEY": one of these, and the curve's key."""
        raise NotImplementedError

    def pieces(self) -> list[Drawn]:
        return [plot for plots in self.drawn().values() for plot in plots]

    def clear(self) -> None:
        super().clear()
        for plot in self.pieces():
            plot.forget()
        self.strip.set_controls(())

    def set_chips(self, groups: Sequence[tuple[str, Sequence[tuple[Curve, str]]]]) -> None:
        """(group, [(curve, tip), …]) in order."""
        palette = self.theme.palette
        entries = [
            Entry(f"{group} {curve.key}", curve.label, palette[curve.colour], tip, "dash" if curve.dash else "line")
            for group, curves in groups
            for curve, tip in curves
        ]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self.hidden])

    def told(self) -> None:
        """Call it when summary and caption are written."""
        self.brief.set_text(f"Controls: {self.strip.text}")
        self._offer_controls()
        self.said.emit()

    def _offer_controls(self) -> None:
        """All controls in full, or where that is too high in one line."""
        there, low = bool(self.strip.controls), self.height() < LOW
        self._column.want(self.strip, there and not low)
        self._column.want(self.brief, there and low)
        self._column.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.made:
            self._offer_controls()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self.hidden.discard if on else self.hidden.add)(key)
        for group, plots in self.switched().items():
            keys = {name.split(" ", 1)[1] for name in self.hidden if name.split(" ", 1)[0] == group}
            for plot in plots:
                plot.set_hidden(keys)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (*self.pieces(), *self.choices, self.strip, self.chips):
            part.set_theme(theme)
        self.redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        shown = [plot for key in self.room.shown for plot in self.drawn()[key]]
        return [(plot.accessibleName(), plot.getPlotItem()) for plot in shown]
