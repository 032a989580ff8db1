"""Transfer of perturbations from network to network, beside how alike the networks are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from gui.panels.labels import Caption
from gui.panels.related.page import Page, figure, fill_box, nearest, quiet_box, statistics_rows, stepped
from gui.panels.related.table import Section, StatisticsTable, p_text, signed
from gui.plots.beside import Titled
from gui.plots.celltexts import CellTexts
from gui.plots.controls import Segmented
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.heatmap import HeatMap
from gui.plots.images import indices, table
from gui.plots.plot import Plot, padded, pen
from gui.theme import Theme

SHARES = ((0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1"))
SHORT = {
    "cka": "CKA",
    "rsa": "RSA",
    "gradient_cosine": "gradient cosine",
    "source": "source",
    "target": "target",
}
SIMILARITIES = ("cka", "rsa", "gradient_cosine")
MATRICES, RELATION = "matrices", "relation"
ROOMY = 440  # pixels of height from which on matrices and relation are shown together
WIDE = 800  # pixels of width from which on they then stand beside each other


class TransferPage(Page):
    """Two heat maps and a scatter of the off-diagonal entries; where there is little height, one or the other."""

    topic = "transferability"
    empty_text = (
        "Not measured yet. Perturbations made on each network of a fleet are shown to all others: do networks pass attacks on "
        "the more, the more alike their features are?"
    )
    button_text = "Relate similarity to transfer"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._similarity = "cka"
        self._roomy = False
        self._cell: tuple[int, int] | None = None
        self._pointed: int | None = None
        self.similarity_box = quiet_box("Similarity", "How the likeness of two networks is measured")
        self.similarity_box.activated.connect(self._on_similarity)
        fill_box(self.similarity_box, [(SHORT[name], name) for name in SIMILARITIES], "cka")
        self.part_choice = Segmented(
            theme,
            "Shown",
            [
                (MATRICES, "matrices", "Transfer and similarity of every pair of networks"),
                (RELATION, "relation", "Transfer against similarity, and what the tests say"),
            ],
        )
        self.part_choice.chosen.connect(self._on_part)
        self.row = FlowRow([self.similarity_box, self.part_choice])
        self.heats = tuple(_NamedHeat(theme) for _ in range(2))
        self.texts = tuple(CellTexts(theme) for _ in range(2))
        for which, (heat, texts) in enumerate(zip(self.heats, self.texts, strict=True)):
            heat.setAccessibleName(("Transfer", "Similarity")[which] + " of every pair of networks")
            heat.set_axis_text("left", "source network" if which == 0 else "network")
            heat.set_axis_text("bottom", "target network" if which == 0 else "network")
            texts.setZValue(1.5)
            heat.addItem(texts, ignoreBounds=True)
            heat.hovered.connect(partial(self._on_heat_hover, which))
            heat.clicked.connect(partial(self._on_heat_click, which))
            heat.moved.connect(partial(self._on_heat_keys, which))
            heat.entered.connect(self._on_heat_enter)
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
        self.table = StatisticsTable(theme, SHORT)
        self.table.chosen.connect(self._on_statistic)
        self._titled = [Titled("", heat) for heat in self.heats]
        self._scattered = Titled("", self.plot)
        self._tested = Titled("", self.table)
        self._above = _Half(self._titled, (50, 50))
        self._below = _Half([self._scattered, self._tested], (46, 54))
        middle = _Half([self._above, self._below], (42, 58))
        self._halves = middle
        self.caption = Caption()
        self._column = FitColumn([middle, self.caption], middle, [self.caption])
        self.set_body(self._column)
        self._recolour()
        self._lay_out()

    def clear(self) -> None:
        super().clear()
        self._cell = self._pointed = None
        for heat, texts in zip(self.heats, self.texts, strict=True):
            heat.clear_values()
            texts.set_texts([], [])
        self.dots.setData([], [])
        self.ring.setData([], [])
        self.table.show_sections(())

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def similarity(self) -> str:
        """The array of the similarity shown."""
        return self._similarity

    @property
    def cell(self) -> tuple[int, int] | None:
        """The pair chosen, (source, target)."""
        return self._cell

    @property
    def _names(self) -> list[str]:
        return [str(each["name"]) for each in self.frame.info["networks"]] if self.frame is not None else []

    def matrix(self, which: int) -> np.ndarray:
        """What a heat map shows: transfer (0) or similarity (1), NaN where it is not known."""
        assert self.frame is not None
        transfer = np.asarray(self.frame.arrays["transfer"], float)
        if which == 0:
            return transfer
        known = self.frame.arrays.get(self._similarity)
        return np.full_like(transfer, np.nan) if known is None else np.asarray(known, float)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Similarity and transfer of every ordered pair of different networks, NaN where one is not known."""
        transfer, similar = self.matrix(0), self.matrix(1)
        off = ~np.eye(len(transfer), dtype=bool)
        return similar[off], transfer[off]

    def pair(self, k: int) -> tuple[int, int]:
        """(source, target) of a point."""
        n = len(self.matrix(0))
        row, column = divmod(k, n - 1)
        return row, column + (column >= row)

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        names = [str(k + 1) for k in range(len(self._names))]
        for which, (heat, texts) in enumerate(zip(self.heats, self.texts, strict=True)):
            values = self.matrix(which)
            heat.set_values(values)
            heat.set_blocks(list(range(len(names))), names)
            heat.set_row_names([f"{k + 1} · {name}" for k, name in enumerate(self._names)])
            light = table("viridis").astype(float) @ np.array([0.299, 0.587, 0.114]) > 140
            words = [[_cell_text(value, which) for value in row] for row in values]
            texts.set_texts(words, light[indices(values, 0.0, 1.0)].tolist())
        label = str(frame.info["labels"].get(self._similarity, self._similarity))
        known = self._similarity in frame.arrays
        self._titled[0].title.set_text("transfer (%), perturbed on the source")
        self._titled[1].title.set_text(label if known else f"{SHORT[self._similarity]}: once all transfer is measured")
        x, y = self.points()
        ok = np.isfinite(x) & np.isfinite(y)
        self.dots.setData(x[ok], y[ok])
        ends = [(float(v[ok].min()), float(v[ok].max())) if ok.any() else (0.0, 1.0) for v in (x, y)]
        self.plot.set_home(padded(*ends[0]), padded(*ends[1]))
        self.plot.set_axis_text("bottom", label)
        self.plot.set_axis_text("left", "transfer (share)")
        waiting = f"transfer against {SHORT[self._similarity]}: once all transfer is measured"
        self._scattered.title.set_text(f"{int(ok.sum()):,} ordered pairs of networks" if known else waiting)
        self._list()
        self._mark()
        self._say()
        self._column.fit()

    def _list(self) -> None:
        assert self.frame is not None
        statistics = self.frame.info["statistics"]
        sections = []
        for name in SIMILARITIES:
            mine = [each for each in statistics if each["name"].split(" | ")[0].removesuffix(" naive") == name]
            if mine:
                sections.append(Section(f"{SHORT[name]} and transfer (Mantel)", tuple(mine)))
        self.table.show_sections(sections)
        self.table.mark(self._similarity)
        self._tested.title.set_text(
            "rank correlations, networks permuted (Mantel)" if statistics else "tests: once all is measured"
        )

    def _mark(self) -> None:
        cell = self._cell if self._cell is not None and max(self._cell) < len(self._names) else None
        for heat in self.heats:
            heat.mark_cell(cell)
        if cell is None or cell[0] == cell[1]:
            self.ring.setData([], [])
            return
        x, y = self.matrix(1)[cell], self.matrix(0)[cell]
        shown = np.isfinite(x) and np.isfinite(y)
        self.ring.setData([x] if shown else [], [y] if shown else [])

    def _say(self) -> None:
        assert self.frame is not None
        info = self.frame.info
        count = len(self._names)
        done = int(np.isfinite(self.matrix(0)).any(1).sum())
        words = [f"{count} networks"] if info["done"] else [f"source {done} of {count}"]
        if info["mean_transfer"] is not None:
            words.append(f"mean transfer {info['mean_transfer']:.0%}")
        found = next((each for each in info["statistics"] if each["name"] == self._similarity), None)
        if found is not None:
            words.append(f"ρ = {signed(found['rho'])}, p = {p_text(found['p'])}")
        self.summary = " · ".join(words)
        white = f"; on the network itself {info['white_box']:.0%}" if info["white_box"] is not None else ""
        says = (
            f"Measurement. Untargeted {info['norm'].replace('L2', 'L₂')} PGD, ε = {info['eps']:g} ({info['eps_rule']}), "
            f"{info['steps']} steps, {info['inputs']} inputs{white}."
        )
        values = self.matrix(1)
        if np.isfinite(values).any() and np.nanmin(values) < 0:
            says += " Similarities below 0 have the colour of 0."
        wrong = next((str(each["wrong"]) for each in info["statistics"] if each["wrong"]), "")
        if wrong:
            says += f" ⚠ Struck out, wrong: {wrong.removeprefix('Wrong: ')}"
        self.caption.set_text(says)
        self.said.emit()

    # --- layout ------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        self._roomy = self.height() >= ROOMY
        self.part_choice.setVisible(not self._roomy)
        self._above.setVisible(self._roomy or self.part_choice.key() == MATRICES)
        self._below.setVisible(self._roomy or self.part_choice.key() == RELATION)
        abreast = (
            self._roomy and self.width() >= WIDE
        )  # the maps one above the other, what follows from them beside them
        self._halves.set_upright(self._roomy and not abreast)
        self._above.set_upright(abreast)
        self._below.set_upright(abreast)
        self.row.arrange()
        self._column.fit()

    @Slot(str)
    def _on_part(self, _: str) -> None:
        self._lay_out()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        """What the readout says of a pair."""
        frame = self.frame
        if frame is None:
            return ""
        names, transfer = self._names, self.matrix(0)[row, column]
        counted = int(frame.arrays["counted"][row, column])
        share = f"{transfer:.1%} of {counted} inputs" if np.isfinite(transfer) else "not measured"
        if row == column:
            lines = [f"network {row + 1}, {names[row]}, on itself", f"success {share}"]
        else:
            lines = [f"{row + 1}, {names[row]}  →  {column + 1}, {names[column]}", f"transfer {share}"]
        for name in SIMILARITIES:
            if name in frame.arrays:
                lines.append(f"{SHORT[name]} {figure(float(frame.arrays[name][row, column]))}")
        return "\n".join(lines)

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
        last = len(self._names) - 1
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
        found = nearest(self.plot, *self.points(), (x, y)) if self.frame is not None else None
        if found is None:
            self.plot.readout.silence()
        else:
            self._point(found)

    def _point(self, k: int) -> None:
        x, y = self.points()
        self._pointed = k
        self.plot.readout.say(self.describe(*self.pair(k)), self.plot.at(float(x[k]), float(y[k])))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        found = nearest(self.plot, *self.points(), (x, y)) if self.frame is not None else None
        self.choose(None if found is None else self.pair(found))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self.frame is not None:
            found = stepped(*self.points(), self._pointed, across + up)
            if found is not None:
                self._point(found)

    @Slot()
    def _on_enter(self) -> None:
        if self.frame is not None and self._pointed is not None:
            self.choose(self.pair(self._pointed))

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(int)
    def _on_similarity(self, position: int) -> None:
        self._show_similarity(str(self.similarity_box.itemData(position)))

    @Slot(str)
    def _on_statistic(self, name: str) -> None:
        head = name.split(" | ")[0].removesuffix(" naive")
        if head in SIMILARITIES:
            self._show_similarity(head)

    def _show_similarity(self, name: str) -> None:
        self._similarity = name
        self.similarity_box.setCurrentIndex(self.similarity_box.findData(name))
        self.plot.leave()
        self.plot.follow_home()
        self.redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (*self.heats, *self.texts, self.plot, self.part_choice, self.table):
            each.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        self.dots.setBrush(pg.mkBrush(self.theme.palette["sky"]))
        self.dots.setPen(pen(self.theme.surface, 1))
        self.ring.setBrush(pg.mkBrush(None))
        self.ring.setPen(pen(self.theme.text, 1.4))

    def plots(self) -> Sequence[tuple[str, Any]]:
        heats = zip(("transfer", "similarity"), self.heats, strict=True)
        return (*((name, heat.getPlotItem()) for name, heat in heats), ("relation", self.plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The statistics, then one row an ordered pair of networks."""
        frame = self.frame
        if frame is None:
            return
        yield from statistics_rows(frame)
        yield []
        known = [name for name in ("transfer", "counted", *SIMILARITIES) if name in frame.arrays]
        yield ["source", "source_name", "target", "target_name", *known]
        for row, source in enumerate(self._names):
            for column, target in enumerate(self._names):
                values = [frame.arrays[name][row, column].item() for name in known]
                plain = ["" if isinstance(v, float) and not np.isfinite(v) else v for v in values]
                yield [row, source, column, target, *plain]


class _Half(QWidget):
    """Two widgets beside each other, or one above the other."""

    def __init__(self, widgets: Sequence[QWidget], stretch: tuple[int, int]) -> None:
        super().__init__()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(6)
        for widget, share in zip(widgets, stretch, strict=True):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            self._box.addWidget(widget, share)

    def set_upright(self, upright: bool) -> None:
        way = QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight
        if self._box.direction() != way:
            self._box.setDirection(way)


class _NamedHeat(HeatMap):
    """Shares from 0 to 1 with numbered rows and columns; where it is much wider than high, the rows have names as well."""

    ROOM = 120  # pixels by which it must be wider than high

    def __init__(self, theme: Theme) -> None:
        self._cell_frame = pg.PlotCurveItem(antialias=False)
        self._row_names: tuple[str, ...] = ()
        super().__init__(theme, SHARES, "viridis", blank=True)
        self._cell_frame.setZValue(3)
        self.addItem(self._cell_frame, ignoreBounds=True)

    def mark_cell(self, cell: tuple[int, int] | None) -> None:
        """Frame a cell (row, column), just along its edge: its neighbours have texts."""
        if cell is None:
            self._cell_frame.setData([], [])
        else:
            r, c = cell
            self._cell_frame.setData([c, c + 1, c + 1, c, c], [r, r, r + 1, r + 1, r])

    def set_row_names(self, names: Sequence[str]) -> None:
        """What the rows are called where there is room; call it after ``set_blocks``."""
        self._row_names = tuple(names)
        self._name_rows()

    def _name_rows(self) -> None:
        roomy = self.width() - self.height() >= self.ROOM
        names = self._row_names if roomy else [str(k + 1) for k in range(len(self._row_names))]
        self._rows.set_blocks([(k + 0.5, name) for k, name in enumerate(names)])

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._cell_frame.setPen(pen("#000000", 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_row_names"):
            self._name_rows()


def _cell_text(value: float, which: int) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value * 100:.0f}" if which == 0 else f"{value:.2f}".replace("-", "−").replace("0.", ".")
