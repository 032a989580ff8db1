"""What the three pages share: plots that stand together where there is room, a legend of switches, and a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.panels.labels import Caption
from gui.panels.noise.cone import WorldLines
from gui.panels.noise.curves import Curve, Curves
from gui.panels.noise.room import Room
from gui.panels.noise.strip import Strip
from gui.panels.related.page import Page
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

Drawn = Curves | WorldLines


class NoisePage(Page):
    """A page of linear networks on noise. Its :meth:`controls` stand in the panel's row while it is in front."""

    button_text = "Fit noise with a linear network"

    arranged = Signal()  # other controls than before

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._stale = False
        self.hidden: set[str] = set()
        self.choices: list[Segmented] = []
        self.strip = Strip(theme)
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()

    def build(self, room: Room, middle: QWidget, choices: Sequence[Segmented] = ()) -> None:
        """``middle`` is the room, or holds it; ``choices`` are controls before the room's own."""
        self.room = room
        self.choices = [*choices, room.choice]
        room.arranged.connect(self.arranged)
        self._column = FitColumn([middle, self.chips, self.strip, self.caption], middle, [self.caption, self.chips])
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
        """The plots of each part of the room; of "" those that are always there."""
        raise NotImplementedError

    def switched(self) -> dict[str, tuple[Drawn, ...]]:
        """The plots that each chip switches a curve of. A chip's key is "GROUP KEY": one of these, and the curve's key."""
        raise NotImplementedError

    @property
    def _all(self) -> list[Drawn]:
        return [plot for plots in self.drawn().values() for plot in plots]

    def clear(self) -> None:
        super().clear()
        for plot in self._all:
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
        self._column.want(self.strip, bool(self.strip.controls))
        self.said.emit()
        self._column.fit()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self.hidden.discard if on else self.hidden.add)(key)
        for group, plots in self.switched().items():
            keys = {name.split(" ", 1)[1] for name in self.hidden if name.split(" ", 1)[0] == group}
            for plot in plots:
                plot.set_hidden(keys)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (*self._all, *self.choices, self.strip, self.chips):
            part.set_theme(theme)
        self.redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        shown = [plot for key, plots in self.drawn().items() if key in ("", *self.room.shown) for plot in plots]
        return [(plot.accessibleName(), plot.getPlotItem()) for plot in shown]
