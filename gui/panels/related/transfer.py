"""Transfer of perturbations from network to network, beside how alike the networks are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent

from gui.panels.labels import Caption
from gui.panels.page import Page
from gui.panels.related import transfer_words as words
from gui.panels.related.share_map import PERCENT, SHARES, Maps, ShareMap
from gui.panels.related.table import StatisticsTable
from gui.panels.related.transfer_numbers import CORRECTED, SIMILARITIES, TRANSFER, Transfers, similarity_tested
from gui.panels.related.transfer_rows import rows_of
from gui.panels.related.transfer_words import SHORT, VIEWS
from gui.plots.beside import Halves, Titled
from gui.plots.boxes import fill_box, quiet_box
from gui.plots.controls import Segmented
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.picking import nearest, stepped
from gui.plots.plot import Plot, padded, pen
from gui.theme import Theme

MATRICES, RELATION = "matrices", "relation"
EVERY = "every"  # similarity at once, beside transfer
ROOMY = 440  # pixels of height from which on matrices and relation are shown together
WIDE = 800  # pixels of width from which on they then stand beside each other


class TransferPage(Page):
    """Two heat maps, or four, and a scatter of the off-diagonal entries; where there is little height, one or the other."""

    topic = "transferability"
    empty_text = (
        "Not measured yet. Perturbations made on each network of a fleet are shown to all others: do networks pass attacks on "
        "the more, the more alike their features are?"
    )
    button_text = "Relate similarity to transfer"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.numbers = Transfers()
        self._cell: tuple[int, int] | None = None
        self._pointed: int | None = None
        self._make_controls(theme)
        self.heats: list[ShareMap] = []
        """Transfer, and the similarity chosen or all of them."""
        self._titled: list[Titled] = []
        self._maps = Maps()
        for _ in range(2):
            self._add_map()
        self._make_plot(theme)
        self.table = StatisticsTable(theme, SHORT)
        self.table.chosen.connect(self._on_statistic)
        self._scattered = Titled("", self.plot)
        self._tested = Titled("", self.table)
        self._relation = Halves([self._scattered, self._tested], (46, 54))
        self._halves = Halves([self._maps, self._relation], (42, 58))
        self.caption = Caption()
        self._column = FitColumn([self._halves, self.caption], self._halves, [self.caption])
        self.set_body(self._column)
        self._recolour()
        self._lay_out()

    def _make_controls(self, theme: Theme) -> None:
        self.similarity_box = quiet_box("Similarity", "How the likeness of two networks is measured")
        self.similarity_box.activated.connect(self._on_similarity)
        boxes = [*((SHORT[name], name) for name in SIMILARITIES), ("all three", EVERY)]
        fill_box(self.similarity_box, boxes, self.numbers.similarity)
        self.attack_box = quiet_box("Attack", "The attack whose perturbations are shown to the other networks")
        self.attack_box.activated.connect(self._on_attack)
        self.view_box = quiet_box("Counted", "Of which inputs transfer is the share")
        self.view_box.activated.connect(self._on_view)
        fill_box(self.view_box, [(text, name) for name, text in VIEWS.items()], TRANSFER)
        self.part_choice = Segmented(
            theme,
            "Shown",
            [
                (MATRICES, "matrices", "Transfer and similarity of every pair of networks"),
                (RELATION, "relation", "Transfer against similarity, and what the tests say"),
            ],
        )
        self.part_choice.chosen.connect(self._on_part)
        self.row = FlowRow([self.attack_box, self.similarity_box, self.view_box, self.part_choice])

    def _add_map(self) -> None:
        which = len(self.heats)
        heat = ShareMap(self.theme, SHARES if which else PERCENT)
        heat.setAccessibleName(("Similarity" if which else "Transfer") + " of every pair of networks")
        heat.set_axis_text("left", "network" if which else "source network")
        heat.set_axis_text("bottom", "network" if which else "target network")
        heat.hovered.connect(partial(self._on_heat_hover, which))
        heat.clicked.connect(partial(self._on_heat_click, which))
        heat.moved.connect(partial(self._on_heat_keys, which))
        heat.entered.connect(self._on_heat_enter)
        self.heats.append(heat)
        self._titled.append(Titled("", heat))
        self._maps.add(self._titled[-1])

    def _make_plot(self, theme: Theme) -> None:
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Transfer against similarity, one point an ordered pair of networks")
        self.plot.set_grid(True, True)
        self.dots = Dots(size=6, pxMode=True)
        self.ring = Dots(size=12, pxMode=True)
        for item in (self.dots, self.ring):
            self.plot.addItem(item, ignoreBounds=True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def cell(self) -> tuple[int, int] | None:
        """The pair chosen, (source, target)."""
        return self._cell

    def clear(self) -> None:
        super().clear()
        self.numbers.frame = None
        self._cell = self._pointed = None
        for heat in self.heats:
            heat.clear_values()
        self.dots.setData([], [])
        self.ring.setData([], [])
        self.table.show_sections(())

    def redraw(self) -> None:
        self.numbers.frame = self.frame
        if self.frame is None:
            return
        self._fill_controls()
        self._draw_maps()
        self._draw_points()
        self._list()
        self._mark()
        self.summary = words.summary(self.numbers)
        self.caption.set_text(words.caption(self.numbers))
        self.said.emit()
        self._column.fit()

    def _fill_controls(self) -> None:
        numbers = self.numbers
        attacks = [(str(each["label"]), each["name"]) for each in numbers.attacks]
        fill_box(self.attack_box, attacks, numbers.attack_info["name"])
        self.attack_box.setVisible(len(attacks) > 1)
        self.view_box.setVisible(numbers.frame is not None and CORRECTED in numbers.frame.arrays)
        self.row.arrange()

    def _draw_maps(self) -> None:
        numbers = self.numbers
        while len(self.heats) < numbers.maps:
            self._add_map()
        self._maps.show_first(numbers.maps)
        for which in range(numbers.maps):
            values = numbers.matrix(which)
            texts = [[words.cell_text(value, which) for value in row] for row in values]
            self.heats[which].show_shares(values, numbers.names, texts)
            self._titled[which].title.set_text(words.map_title(numbers, which))

    def _draw_points(self) -> None:
        x, y = self.numbers.points()
        ok = np.isfinite(x) & np.isfinite(y)
        self.dots.setData(x[ok], y[ok])
        ends = [(float(v[ok].min()), float(v[ok].max())) if ok.any() else (0.0, 1.0) for v in (x, y)]
        self.plot.set_home(padded(*ends[0]), padded(*ends[1]))
        self.plot.set_axis_text("bottom", words.label_of(self.numbers, self.numbers.similarity))
        self.plot.set_axis_text("left", "transfer (share)")
        self._scattered.title.set_text(words.scatter_title(self.numbers, int(ok.sum())))

    def _list(self) -> None:
        self.table.show_sections(words.sections(self.numbers))
        self.table.mark(self.numbers.similarity)
        self._tested.title.set_text(
            "rank correlations, networks permuted (Mantel)"
            if self.numbers.statistics()
            else "tests: once all is measured"
        )

    def _mark(self) -> None:
        cell = self._cell if self._cell is not None and max(self._cell) < len(self.numbers.names) else None
        for heat in self.heats:
            heat.mark_cell(cell)
        if cell is None or cell[0] == cell[1]:
            self.ring.setData([], [])
            return
        x, y = self.numbers.related[cell], self.numbers.matrix(0)[cell]
        shown = np.isfinite(x) and np.isfinite(y)
        self.ring.setData([x] if shown else [], [y] if shown else [])

    # --- layout ------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        roomy = self.height() >= ROOMY
        self.part_choice.setVisible(not roomy)
        self._maps.setVisible(roomy or self.part_choice.key() == MATRICES)
        self._relation.setVisible(roomy or self.part_choice.key() == RELATION)
        # the maps one above the other, what follows from them beside them
        abreast = roomy and self.width() >= WIDE
        self._halves.set_upright(roomy and not abreast)
        self._maps.set_upright(abreast)
        self._relation.set_upright(abreast)
        self.row.arrange()
        self._column.fit()

    @Slot(str)
    def _on_part(self, _: str) -> None:
        self._lay_out()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        """What the readout says of a pair."""
        return words.describe(self.numbers, row, column)

    def _on_heat_hover(self, which: int, x: float, y: float) -> None:
        heat = self.heats[which]
        found = heat.cell(x, y) if self.frame is not None else None
        if found is None:
            heat.readout.silence()
        else:
            self._say_cell(which, found)

    def _say_cell(self, which: int, cell: tuple[int, int]) -> None:
        heat = self.heats[which]
        heat.readout.say(self.describe(*cell), heat.at(cell[1] + 0.5, cell[0] + 0.5))

    def _on_heat_click(self, which: int, x: float, y: float) -> None:
        found = self.heats[which].cell(x, y) if self.frame is not None else None
        self.choose(None if found == self._cell else found)

    def _on_heat_keys(self, which: int, across: int, up: int) -> None:
        if self.frame is None:
            return
        last = len(self.numbers.names) - 1
        row, column = self._cell or (0, 0)
        moved = self._cell is not None
        row = min(last, max(0, row - up * moved))
        column = min(last, max(0, column + across * moved))
        self.choose((row, column))
        self._say_cell(which, (row, column))

    @Slot()
    def _on_heat_enter(self) -> None:
        if self.frame is not None and self._cell is None:
            self.choose((0, 0))

    def choose(self, cell: tuple[int, int] | None) -> None:
        """Mark a pair (source, target) in every plot."""
        self._cell = cell
        if self.frame is not None:
            self._mark()

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        found = nearest(self.plot, *self.numbers.points(), (x, y)) if self.frame is not None else None
        if found is None:
            self.plot.readout.silence()
        else:
            self._point(found)

    def _point(self, k: int) -> None:
        x, y = self.numbers.points()
        self._pointed = k
        self.plot.readout.say(self.describe(*self.numbers.pair(k)), self.plot.at(float(x[k]), float(y[k])))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        found = nearest(self.plot, *self.numbers.points(), (x, y)) if self.frame is not None else None
        self.choose(None if found is None else self.numbers.pair(found))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self.frame is not None:
            found = stepped(*self.numbers.points(), self._pointed, across + up)
            if found is not None:
                self._point(found)

    @Slot()
    def _on_enter(self) -> None:
        if self.frame is not None and self._pointed is not None:
            self.choose(self.numbers.pair(self._pointed))

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(int)
    def _on_similarity(self, position: int) -> None:
        chosen = str(self.similarity_box.itemData(position))
        self.numbers.every = chosen == EVERY
        self._show_similarity(self.numbers.similarity if self.numbers.every else chosen)

    @Slot(int)
    def _on_attack(self, position: int) -> None:
        self.numbers.wanted_attack = str(self.attack_box.itemData(position))
        self.plot.follow_home()
        self.redraw()

    @Slot(int)
    def _on_view(self, position: int) -> None:
        self.numbers.view = str(self.view_box.itemData(position))
        self.plot.follow_home()
        self.redraw()

    @Slot(str)
    def _on_statistic(self, name: str) -> None:
        if similarity_tested(name) in SIMILARITIES:
            self._show_similarity(similarity_tested(name))

    def _show_similarity(self, name: str) -> None:
        self.numbers.similarity = name
        self.similarity_box.setCurrentIndex(self.similarity_box.findData(EVERY if self.numbers.every else name))
        self.plot.leave()
        self.plot.follow_home()
        self.redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (*self.heats, self.plot, self.part_choice, self.table):
            each.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        self.dots.setBrush(pg.mkBrush(self.theme.palette["sky"]))
        self.dots.setPen(pen(self.theme.surface, 1))
        self.ring.setBrush(pg.mkBrush(None))
        self.ring.setPen(pen(self.theme.text, 1.4))

    def plots(self) -> Sequence[tuple[str, Any]]:
        names = ("transfer", *SIMILARITIES) if self.numbers.every else ("transfer", "similarity")
        heats = zip(names, self.heats, strict=False)
        return (*((name, heat.getPlotItem()) for name, heat in heats), ("relation", self.plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The statistics, then one row an ordered pair of networks."""
        return rows_of(self.numbers)
