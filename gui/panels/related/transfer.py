"""Transfer of perturbations from network to network, beside how alike the networks are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QSizePolicy, QWidget

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
EVERY = "every"  # similarity at once, beside transfer
TRANSFER, CORRECTED = "transfer", "corrected"
VIEWS = {TRANSFER: "of inputs both see rightly", CORRECTED: "corrected for clean errors"}
OLD = ({"name": "pgd", "label": "PGD"},)
"""The attacks of a frame that names none, recorded when there was but one."""
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
        self._similarity = "cka"
        self._every = False  # similarity is shown, each in a map of its own
        self._attack = ""  # chosen by name; the first where there is no such
        self._view = TRANSFER
        self._roomy = False
        self._cell: tuple[int, int] | None = None
        self._pointed: int | None = None
        self.similarity_box = quiet_box("Similarity", "How the likeness of two networks is measured")
        self.similarity_box.activated.connect(self._on_similarity)
        boxes = [*((SHORT[name], name) for name in SIMILARITIES), ("all three", EVERY)]
        fill_box(self.similarity_box, boxes, "cka")
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
        self.maps: list[tuple[_NamedHeat, CellTexts]] = []
        self._titled: list[Titled] = []
        self._above = _Maps()
        for _ in range(2):
            self._add_map()
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
        self._scattered = Titled("", self.plot)
        self._tested = Titled("", self.table)
        self._below = _Half([self._scattered, self._tested], (46, 54))
        middle = _Half([self._above, self._below], (42, 58))
        self._halves = middle
        self.caption = Caption()
        self._column = FitColumn([middle, self.caption], middle, [self.caption])
        self.set_body(self._column)
        self._recolour()
        self._lay_out()

    def _add_map(self) -> None:
        which = len(self.maps)
        heat, texts = _NamedHeat(self.theme), CellTexts(self.theme)
        heat.setAccessibleName(("Similarity" if which else "Transfer") + " of every pair of networks")
        heat.set_axis_text("left", "network" if which else "source network")
        heat.set_axis_text("bottom", "network" if which else "target network")
        texts.setZValue(1.5)
        heat.addItem(texts, ignoreBounds=True)
        heat.hovered.connect(partial(self._on_heat_hover, which))
        heat.clicked.connect(partial(self._on_heat_click, which))
        heat.moved.connect(partial(self._on_heat_keys, which))
        heat.entered.connect(self._on_heat_enter)
        self.maps.append((heat, texts))
        self._titled.append(Titled("", heat))
        self._above.add(self._titled[-1])

    @property
    def heats(self) -> list[_NamedHeat]:
        """The maps: transfer, and the similarity chosen or all of them."""
        return [heat for heat, _ in self.maps]

    def clear(self) -> None:
        super().clear()
        self._cell = self._pointed = None
        for heat, texts in self.maps:
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

    @property
    def attacks(self) -> Sequence[Mapping[str, Any]]:
        """The attacks of the frame, the first being the one that the tests without a prefix are of."""
        return (self.frame.info.get("attacks") or OLD) if self.frame is not None else OLD

    @property
    def attack(self) -> int:
        """Position of the attack drawn."""
        names = [each["name"] for each in self.attacks]
        return names.index(self._attack) if self._attack in names else 0

    @property
    def _prefix(self) -> str:
        """What the names of this attack's tests begin with."""
        return f"{self.attacks[self.attack]['name']}: " if self.attack else ""

    def of_attack(self, name: str) -> np.ndarray | None:
        """A matrix of the attack drawn by its name, None where the frame has none; older frames hold one attack's alone."""
        assert self.frame is not None
        found = self.frame.arrays.get(name)
        if found is None:
            return None
        return np.asarray(found[self.attack] if found.ndim == 3 else found, float)

    def similarity_of(self, which: int) -> str:
        """The array that a map shows."""
        return SIMILARITIES[which - 1] if self._every else self._similarity

    def matrix(self, which: int) -> np.ndarray:
        """What a heat map shows: transfer (0) or a similarity, NaN where it is not known."""
        assert self.frame is not None
        transfer = self.of_attack(TRANSFER)
        assert transfer is not None
        if which == 0:
            corrected = self.of_attack(CORRECTED) if self._view == CORRECTED else None
            return transfer if corrected is None else corrected
        known = self.frame.arrays.get(self.similarity_of(which))
        return np.full_like(transfer, np.nan) if known is None else np.asarray(known, float)

    def _related(self) -> np.ndarray:
        """The similarity that transfer is drawn against."""
        assert self.frame is not None
        known = self.frame.arrays.get(self._similarity)
        return np.full((len(self._names),) * 2, np.nan) if known is None else np.asarray(known, float)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Similarity and transfer of every ordered pair of different networks, NaN where one is not known."""
        transfer, similar = self.matrix(0), self._related()
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
        while len(self.maps) < (4 if self._every else 2):
            self._add_map()
        fill_box(
            self.attack_box,
            [(str(each["label"]), each["name"]) for each in self.attacks],
            self.attacks[self.attack]["name"],
        )
        self.attack_box.setVisible(len(self.attacks) > 1)
        self.view_box.setVisible(CORRECTED in frame.arrays)
        self.row.arrange()
        self._above.show_first(4 if self._every else 2)
        names = [str(k + 1) for k in range(len(self._names))]
        light = table("viridis").astype(float) @ np.array([0.299, 0.587, 0.114]) > 140
        label = str(frame.info["labels"].get(self._similarity, self._similarity))
        known = self._similarity in frame.arrays
        for which, (heat, texts) in enumerate(self.maps[: 4 if self._every else 2]):
            values = self.matrix(which)
            heat.set_values(values)
            heat.set_blocks(list(range(len(names))), names)
            heat.set_row_names([f"{k + 1} · {name}" for k, name in enumerate(self._names)])
            words = [[_cell_text(value, which) for value in row] for row in values]
            texts.set_texts(words, light[indices(values, 0.0, 1.0)].tolist())
            if which:
                name = self.similarity_of(which)
                said = SHORT[name] if self._every else str(frame.info["labels"].get(name, name))
                waiting = f"{SHORT[name]}: once all transfer is measured"
                self._titled[which].title.set_text(said if name in frame.arrays else waiting)
        on_source = "" if self._every else ", perturbed on the source"
        self._titled[0].title.set_text(f"transfer of {self._label} (%){on_source}")
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

    @property
    def _label(self) -> str:
        return str(self.attacks[self.attack]["label"])

    def _statistics(self) -> list[dict[str, Any]]:
        """The tests of the attack drawn, by their names without a prefix."""
        assert self.frame is not None
        prefix, found = self._prefix, []
        for each in self.frame.info["statistics"]:
            name = str(each["name"])
            if name.startswith(prefix) and ": " not in name.removeprefix(prefix):
                found.append({**each, "name": name.removeprefix(prefix)})
        return found

    def _list(self) -> None:
        statistics = self._statistics()
        sections = []
        for name in SIMILARITIES:
            mine = [each for each in statistics if each["name"].split(" | ")[0].removesuffix(" naive") == name]
            if mine:
                sections.append(Section(f"{SHORT[name]} and transfer of {self._label} (Mantel)", tuple(mine)))
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
        x, y = self._related()[cell], self.matrix(0)[cell]
        shown = np.isfinite(x) and np.isfinite(y)
        self.ring.setData([x] if shown else [], [y] if shown else [])

    def _say(self) -> None:
        assert self.frame is not None
        info, attack = self.frame.info, self.attacks[self.attack]
        count = len(self._names)
        transfer = self.of_attack(TRANSFER)
        assert transfer is not None
        done = int(np.isfinite(transfer).any(1).sum())
        words = [f"{count} networks"] if info["done"] else [f"source {done} of {count}"]
        mean, own = (attack.get(name, info[name]) for name in ("mean_transfer", "white_box"))
        if mean is not None:
            words.append(f"mean transfer {mean:.0%}" + (f" of {self._label}" if len(self.attacks) > 1 else ""))
        found = next((each for each in self._statistics() if each["name"] == self._similarity), None)
        if found is not None:
            words.append(f"ρ = {signed(found['rho'])}, p = {p_text(found['p'])}")
        self.summary = " · ".join(words)
        white = f"; on the network itself {own:.0%}" if own is not None else ""
        norm = str(info["norm"]).replace("L2", "L₂").replace("Linf", "L∞")
        kind = self._label if attack["name"] == "noise" else f"Untargeted {norm} {self._label}"
        steps = "" if attack["name"] in ("noise", "fgsm") else f", {info['steps']} steps"
        says = f"Measurement. {kind}, ε = {info['eps']:g} ({info['eps_rule']}){steps}, {info['inputs']} inputs{white}."
        if self._view == CORRECTED and CORRECTED in self.frame.arrays:
            says += " Drawn is (err_adv − err_clean) / (1 − err_clean) of the target; tests are of transfer among inputs that both see rightly."
        shown = [self.matrix(which) for which in range(1, 4 if self._every else 2)]
        if any(np.isfinite(values).any() and np.nanmin(values) < 0 for values in shown):
            says += " Similarities below 0 have the colour of 0."
        wrong = next((str(each["wrong"]) for each in self._statistics() if each["wrong"]), "")
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
        names = self._names
        transfer, low, high, corrected = (
            self._entry(name, row, column) for name in (TRANSFER, "transfer_low", "transfer_high", CORRECTED)
        )
        counted = int(frame.arrays["counted"][row, column])
        ends = f" [{low:.1%}, {high:.1%}]" if np.isfinite(low) else ""
        share = f"{transfer:.1%}{ends} of {counted} inputs" if np.isfinite(transfer) else "not measured"
        if row == column:
            lines = [f"network {row + 1}, {names[row]}, on itself", f"success {share}"]
        else:
            lines = [f"{row + 1}, {names[row]}  →  {column + 1}, {names[column]}", f"transfer {share}"]
        if np.isfinite(corrected):
            lines.append(f"corrected for clean errors {corrected:.1%}".replace("-", "−"))
        for name in SIMILARITIES:
            if name in frame.arrays:
                lines.append(f"{SHORT[name]} {figure(float(frame.arrays[name][row, column]))}")
        return "\n".join(lines)

    def _entry(self, name: str, row: int, column: int) -> float:
        found = self.of_attack(name)
        return float(found[row, column]) if found is not None else np.nan

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
        chosen = str(self.similarity_box.itemData(position))
        self._every = chosen == EVERY
        self._show_similarity(self._similarity if self._every else chosen)

    @Slot(int)
    def _on_attack(self, position: int) -> None:
        self._attack = str(self.attack_box.itemData(position))
        self.plot.follow_home()
        self.redraw()

    @Slot(int)
    def _on_view(self, position: int) -> None:
        self._view = str(self.view_box.itemData(position))
        self.plot.follow_home()
        self.redraw()

    @Slot(str)
    def _on_statistic(self, name: str) -> None:
        head = name.split(" | ")[0].removesuffix(" naive")
        if head in SIMILARITIES:
            self._show_similarity(head)

    def _show_similarity(self, name: str) -> None:
        self._similarity = name
        self.similarity_box.setCurrentIndex(self.similarity_box.findData(EVERY if self._every else name))
        self.plot.leave()
        self.plot.follow_home()
        self.redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (*(part for pair in self.maps for part in pair), self.plot, self.part_choice, self.table):
            each.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        self.dots.setBrush(pg.mkBrush(self.theme.palette["sky"]))
        self.dots.setPen(pen(self.theme.surface, 1))
        self.ring.setBrush(pg.mkBrush(None))
        self.ring.setPen(pen(self.theme.text, 1.4))

    def plots(self) -> Sequence[tuple[str, Any]]:
        names = ("transfer", *SIMILARITIES) if self._every else ("transfer", "similarity")
        heats = zip(names, self.heats, strict=False)
        return (*((name, heat.getPlotItem()) for name, heat in heats), ("relation", self.plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The statistics, then one row an ordered pair of networks."""
        frame = self.frame
        if frame is None:
            return
        yield from statistics_rows(frame)
        yield []
        columns = {name: np.asarray(frame.arrays[name]) for name in ("counted", *SIMILARITIES) if name in frame.arrays}
        for name in (TRANSFER, "transfer_low", "transfer_high", CORRECTED):
            if name in frame.arrays:
                found = np.asarray(frame.arrays[name])
                each = found if found.ndim == 3 else found[None]
                for attack, matrix in zip(self.attacks, each, strict=True):
                    columns[name if attack is self.attacks[0] else f"{name} {attack['name']}"] = matrix
        first = [TRANSFER, *(name for name in columns if name != TRANSFER)]
        yield ["source", "source_name", "target", "target_name", *first]
        for row, source in enumerate(self._names):
            for column, target in enumerate(self._names):
                values = [columns[name][row, column].item() for name in first]
                plain = ["" if isinstance(v, float) and not np.isfinite(v) else v for v in values]
                yield [row, source, column, target, *plain]


class _Maps(QWidget):
    """Heat maps as large as they can be: two beside each other or one above the other, four in a row or in a square."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._widgets: list[QWidget] = []
        self._count, self._columns, self._upright = 2, 0, False

    def add(self, widget: QWidget) -> None:
        """One more, shown once :meth:`show_first` says so."""
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        widget.setParent(self)
        widget.setVisible(len(self._widgets) < self._count)
        self._widgets.append(widget)
        self._columns = 0
        self._arrange()

    def show_first(self, count: int) -> None:
        """How many are shown."""
        if count != self._count:
            self._count, self._columns = count, 0
            self._arrange()

    def set_upright(self, upright: bool) -> None:
        """Two stand one above the other."""
        self._upright = upright
        self._arrange()

    def _arrange(self) -> None:
        if self._count == 2:
            columns = 1 if self._upright else 2
        else:
            size = {c: min(self.width() / c, self.height() / (4 // c)) for c in (1, 2, 4)}
            columns = max(size, key=lambda c: size[c])
        if columns == self._columns:
            return
        self._columns = columns
        for k, widget in enumerate(self._widgets):
            self._grid.removeWidget(widget)
            widget.setVisible(k < self._count)
            if k < self._count:
                self._grid.addWidget(widget, k // columns, k % columns)
        for k in range(4):
            self._grid.setColumnStretch(k, int(k < columns))
            self._grid.setRowStretch(k, int(k < -(-self._count // columns)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


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
