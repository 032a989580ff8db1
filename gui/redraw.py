"""Panels are redrawn in turn, one a tick, only where something new can be seen, and only as often as training can spare.

Drawing takes the interpreter's lock from training: six plots at every tick were measured to cost four fifths of its
speed. So while the engine works, drawing may take a small share of the time: a plot that is dear to draw is drawn
less often, and the window itself stays as fluid as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from gui.panels.base import Panel

if TYPE_CHECKING:
    from gui.stage import Stage

SHARE = 0.07  # of the time, at most, goes into drawing while the engine works
LONGEST_WAIT = 0.5  # seconds between two drawings, however dear they are


class Rotation(QObject):
    """Remembers what is new for which panel and draws it when it is that panel's turn."""

    def __init__(self, panels: Sequence[Panel], stage: Stage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = list(panels)
        self._stage = stage
        self._new: dict[Panel, set[str]] = {panel: set() for panel in panels}
        self._next = 0
        self._began = 0.0
        self._not_before = 0.0
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._drawn)
        self.name_moment: Callable[[int], str] = lambda _: ""  # the moment of an id in words; the window knows them
        stage.topic_changed.connect(self._mark_topic)
        stage.table_changed.connect(self._mark_table)
        stage.cleared.connect(self._clear)

    def draw_one(self, *, sparing: bool = False) -> bool:
        """Draw the next visible panel that has something new; False if none was drawn.

        ``sparing`` keeps to the share of time that drawing may take.
        """
        if sparing and perf_counter() < self._not_before:
            return False
        for offset in range(len(self._panels)):
            position = (self._next + offset) % len(self._panels)
            panel = self._panels[position]
            if self._new[panel] and panel.isVisible():
                self._next = position + 1
                self._began = perf_counter()
                self._draw(panel)
                # Qt paints after this; a timer that is due at once comes when it has
                self._soon.start()
                return True
        return False

    def draw_all(self) -> None:
        """Draw everything that is new, seen or not: for screenshots and tests."""
        for panel in self._panels:
            if self._new[panel]:
                self._draw(panel)

    @Slot()
    def _drawn(self) -> None:
        now = perf_counter()
        self._not_before = now + min(LONGEST_WAIT, (now - self._began) * (1 / SHARE - 1))

    def _draw(self, panel: Panel) -> None:
        new, self._new[panel] = self._new[panel], set()
        frames = {topic: self._stage.frame(topic) for topic in panel.topics}
        tables = {name: self._stage.table(name) for name in panel.tables}
        gone = {topic for topic, frame in frames.items() if frame is None}
        gone |= {name for name, table in tables.items() if not len(table)}
        if new & gone:
            # something is not there any more: begin with a clean panel
            panel.clear()
            if not self._stage.live:
                panel.show_empty(self._why_nothing(panel))
            new = {*panel.tables, *panel.topics}
        for name in new & tables.keys() - gone:
            panel.show_records(name, tables[name])
        for topic, frame in frames.items():
            if topic in new and frame is not None:
                panel.show_frame(frame)

    def _why_nothing(self, panel: Panel) -> str:
        """What a panel says at a moment of the past at which there is nothing of it."""
        moment = self._stage.moment
        here = self.name_moment(moment.id) if moment is not None else ""
        shown = f"Shown is “{here}”." if here else "An earlier moment is shown."
        later = self._stage.next_with(panel.topics)
        if later is None:
            return f"{shown} {panel.empty_text}"
        there = self.name_moment(later.id)
        at = f", at “{there}”" if there and there != here else ""
        return f"{shown} This was measured later{at}: move the time slider on, or press L to go to the end."

    @Slot(str)
    def _mark_topic(self, topic: str) -> None:
        for panel in self._panels:
            if topic in panel.topics:
                self._new[panel].add(topic)

    @Slot(str)
    def _mark_table(self, name: str) -> None:
        for panel in self._panels:
            if name in panel.tables:
                self._new[panel].add(name)

    @Slot()
    def _clear(self) -> None:
        for panel in self._panels:
            self._new[panel] = set()
            panel.clear()
