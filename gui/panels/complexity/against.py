"""Small multiples: what networks do, before and after training, against one of their settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from gui.panels.complexity.axis import ColumnAxis
from gui.panels.complexity.measure_plot import MeasurePlot
from gui.panels.complexity.measures import KINDS, MEASURES, Drawing, drawing
from gui.panels.complexity.networks import MOST_VALUES, Networks, distinct
from gui.panels.labels import Caption
from gui.panels.pieces import PiecewisePage
from gui.panels.sweep.model import Read
from gui.plots.beside import Titled
from gui.plots.boxes import fill_box, quiet_box
from gui.plots.chips import Chips, Entry
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot
from gui.plots.turns import in_turn
from gui.theme import CLASS_ORDER, Theme

CELL = (190, 128)  # pixels that a plot should have at least
MOST_ACROSS = 3


class AgainstPage(PiecewisePage):
    """Five plots against a chosen column, one curve for each value of a second one."""

    empty_text = "No network is finished yet. Each finished point of the sweep is one network here."
    button_text = "Show the sweep"

    def __init__(self, theme: Theme) -> None:
        self.work: Read = lambda work, done: done(work())  # the panel's
        self.networks: Networks | None = None
        self.drawing: Drawing | None = None
        self._x = self._by = ""
        self._asked_for: set[str] = set()  # which of them a person chose
        self._hidden: set[str] = set()
        self._wish = 0
        super().__init__(theme)
        self._drawing: Iterator[None] | None = None  # one plot after the other
        self._drawing_timer = QTimer(self, interval=0)
        self._drawing_timer.timeout.connect(self._draw_next)

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.x_box = quiet_box("Against", "What is drawn across")
        self.x_box.activated.connect(self._on_x)
        self.by_box = quiet_box("One curve for each", "The column that has a curve for each of its values")
        self.by_box.activated.connect(self._on_by)
        self.row = FlowRow([self.x_box, self.by_box], gap=2)
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        yield
        self.axes = []
        self.cells: list[Titled] = []
        self.drawn: list[MeasurePlot] = []
        for measure in MEASURES:
            self.axes.append(ColumnAxis("bottom"))
            plot = Plot(theme, {"bottom": self.axes[-1]})
            plot.setAccessibleName(f"{measure.title} against a setting")
            plot.set_grid(False, True)
            made = MeasurePlot(plot, measure)
            plot.hovered.connect(made.on_hover)
            self.drawn.append(made)
            self.cells.append(Titled(measure.title, plot))
            yield
        self._inner = QWidget(objectName="scrolled")
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._across = 0
        self.area = QScrollArea(widgetResizable=True)
        self.area.setWidget(self._inner)
        self.caption = Caption()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.chips)
        column.addWidget(self.area, 1)
        column.addWidget(self.caption)
        self.set_body(body)
        self._lay_out()

    def pieces(self) -> Sequence[QWidget]:
        return self.cells

    # --- what is drawn -------------------------------------------------------------------------------------------

    def show_networks(self, networks: Networks | None) -> None:
        """Draw these networks, as soon as their curves are worked out; what is chosen stays where it still is there."""
        if networks is None or not networks.n:
            self.networks = self.drawing = None
            self._wish += 1
            self._drawing = None
            self.clear()
            self.said.emit()
            return
        self.networks = networks
        self._offer()
        self._ask()

    def _offer(self) -> None:
        networks = self.networks
        assert networks is not None
        varied, axes = networks.varied(), networks.axes()
        across = list(dict.fromkeys((*axes, *(n for n in varied if networks.column(n).kind == "complexity"))))
        across = across or [column.name for column in networks.columns][:1]
        # the first points of a sweep may differ by their seed alone: nobody who did not ask for it is left with that
        if self._x not in across or "x" not in self._asked_for:
            usual = [name for name in ("width", "depth") if name in across]  # of networks that no axis made
            numbers = [name for name in axes if networks.arrays[name].dtype != object]
            self._x = next((name for name in (*numbers, *axes, *usual, *across) if name != "seed"), across[0])
        split = [n for n in across if n != self._x and distinct(networks.arrays[n]) <= MOST_VALUES]
        if self._by not in (*split, "") or "by" not in self._asked_for:
            self._by = next((name for name in (*axes, "depth") if name in split and name != "seed"), "")
        fill_box(self.x_box, [(f"against {networks.text(name)}", name) for name in across], self._x)
        fill_box(
            self.by_box,
            [("all in one curve", ""), *((f"a curve per {networks.column(n).label}", n) for n in split)],
            self._by,
        )
        self.row.arrange()

    def _ask(self) -> None:
        networks, x, by = self.networks, self._x, self._by
        if networks is None:
            return
        self._wish += 1
        wish = self._wish

        def done(found: Drawing) -> None:
            if wish == self._wish:
                self._take(found)

        self.work(lambda: drawing(networks, x, by), done)

    def _take(self, found: Drawing) -> None:
        self.drawing = found
        self._legend()
        self._say()
        self._draw_in_turn()

    def _draw_in_turn(self) -> None:
        self._drawing = None  # what was being drawn is given up first
        plots = [made.plot for made in self.drawn]
        self._drawing = in_turn(plots, partial(self._stack.setCurrentIndex, 1), self._draw)
        self._drawing_timer.start()

    @Slot()
    def _draw_next(self) -> None:
        if self._drawing is None or next(self._drawing, self) is self:
            self._drawing = None
            self._drawing_timer.stop()

    def _draw(self, k: int) -> None:
        found = self.drawing
        if found is not None:
            self.axes[k].lay(found.across.log, found.across.names)
            self.drawn[k].show(found, self._colours(), self._hidden)

    @property
    def at_rest(self) -> bool:
        return super().at_rest and self._drawing is None

    def draw_all(self) -> None:
        """Draw what waits, now."""
        while self._drawing is not None:
            self._draw_next()

    def _colours(self) -> list[str]:
        return [self.theme.palette[name] for name in CLASS_ORDER]

    def _legend(self) -> None:
        found = self.drawing
        assert found is not None
        entries = []
        if found.by:
            label = found.networks.column(found.by).label
            for k, text in enumerate(found.split.labels):
                # the first says what they are
                entries.append(
                    Entry(f"group {k}", text if k else f"{label} {text}", self._colours()[k], f"{label}: {text}")
                )
        ink = self.theme.text
        there = {kind for (_, kind), each in found.curves.items() if any(np.isfinite(c.mean).any() for c in each)}
        entries += [Entry(kind, text, ink, tip, mark) for kind, text, mark, tip in KINDS if kind in there]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    def _say(self) -> None:
        found = self.drawing
        if found is None:
            return
        n = found.networks.n
        self.summary = f"{n:,} network{'s' if n != 1 else ''} · against {found.networks.column(found.x).label}"
        self.caption.set_text(
            "Measurement: means over networks, with 95% Student intervals over networks as bands; of fewer than three networks "
            "each is a point instead. Hollow marks: before training. Dashed: the law of networks that have learnt nothing, exact for "
            "linear networks (theorem)."
        )
        self.said.emit()

    # --- asked by a person ---------------------------------------------------------------------------------------

    @property
    def x(self) -> str:
        """The column drawn across."""
        return self._x

    @property
    def by(self) -> str:
        """The column that has a curve for each value; "" where there is none."""
        return self._by

    @Slot(int)
    def _on_x(self, place: int) -> None:
        self._x = str(self.x_box.itemData(place))
        self._asked_for.add("x")
        self._home()
        self._offer()
        self._ask()

    @Slot(int)
    def _on_by(self, place: int) -> None:
        self._by = str(self.by_box.itemData(place))
        self._asked_for.add("by")
        self._hidden = {key for key in self._hidden if not key.startswith("group")}
        self._home()
        self._ask()

    def _home(self) -> None:
        for made in self.drawn:
            made.plot.follow_home()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        if self.drawing is not None:
            self._draw_in_turn()

    # --- look and export -----------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        wide = max(1, min(MOST_ACROSS, self.width() // CELL[0]))
        if wide == self._across:
            return
        self._across = wide
        for cell in self.cells:
            self._grid.removeWidget(cell)
        for k, cell in enumerate(self.cells):
            cell.setMinimumHeight(CELL[1])
            self._grid.addWidget(cell, k // wide, k % wide)
        for column in range(MOST_ACROSS):
            self._grid.setColumnStretch(column, 1 if column < wide else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.made:
            self._lay_out()
            self.caption.setVisible(self.height() > 300)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if not self.made:
            return
        self.chips.set_theme(theme)
        for made in self.drawn:
            made.plot.set_theme(theme)
        if self.drawing is not None:
            self._take(self.drawing)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (
            [(made.measure.title, made.plot.getPlotItem()) for made in self.drawn] if self.drawing is not None else ()
        )

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row for each place of each curve."""
        found = self.drawing
        if found is None:
            return
        yield ["measure", "when", found.by or "group", found.x, "mean", "low", "high", "networks"]
        for (key, kind), each in found.curves.items():
            for label, curve in zip(found.split.labels, each, strict=True):
                for k in range(len(curve.x)):
                    x = found.across.names[int(curve.x[k])] if found.across.names else float(curve.x[k])
                    numbers = [_blank(values[k]) for values in (curve.mean, curve.low, curve.high)]
                    yield [key, kind, label, x, *numbers, int(curve.n[k])]


def _blank(value: float) -> float | str:
    return float(value) if np.isfinite(value) else ""
