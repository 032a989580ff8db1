"""Sets of features rather than pairs: spectra, similarity of layers and networks, neural collapse, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QPushButton, QStackedWidget, QWidget

from gui.panels.base import Panel
from gui.panels.labels import Caption
from gui.plots.axes import NameAxis, ScaleAxis
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented, view_choice
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.heatmap import HeatMap
from gui.plots.layers import names_of, penultimate, place_of, places_of, taps_choice
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot, padded, pen
from gui.plots.points import Level, Points
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

SPECTRUM, SIMILARITY, COLLAPSE = "spectrum", "cka", "collapse"
TRAINED, INITIAL, NULL = "trained", "initial", "null"
SHARES = ((0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1"))
# column of the frame: its button, its axis, whether it is drawn on a logarithmic axis
LEFT: dict[str, dict[str, tuple[str, str, bool]]] = {
    SPECTRUM: {
        "effective_rank": ("effective rank", "effective rank exp S", False),
        "entropy": ("entropy", "entropy S (nats)", False),
        "participation": ("participation", "participation ratio 1/purity", False),
    },
    COLLAPSE: {
        "nc1": ("NC1", "NC1: within / between variability", True),
        "nc2_norms": ("NC2 norms", "NC2: variation of |μ − μ_G|", False),
        "nc2_angles": ("NC2 angles", "NC2: mean |cos + 1/(K − 1)|", False),
        "nc3": ("NC3", "NC3: distance of W from the class means", False),
        "nc4": ("NC4", "NC4: share that differs from the nearest mean", False),
    },
}
RIGHT = {SPECTRUM: ("purity", "purity tr ρ²"), COLLAPSE: ("mean_cosine", "mean cosine of class means")}
HEATS = (("cka_layers", "trained", "trained"), ("cka_networks", "trained", "initial"))


class StructurePanel(Panel):
    """Three pages: spectra, debiased CKA, neural collapse. ``structure_requested()`` asks for them to be measured."""

    key = "structure"
    title = "Sets of features"
    tab = "Sets"
    topics = ("structure",)
    empty_text = (
        "Not measured yet. Looks at all probe samples at once: how many directions their features use, how alike two layers or "
        "networks are, and whether each class collapses to a point."
    )

    structure_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._places: list[int] = []
        self._quantity = {SPECTRUM: "effective_rank", COLLAPSE: "nc1"}
        self._hidden: set[str] = set()
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self.button = QPushButton("Measure sets of features")
        self.button.setProperty("role", "link")
        self.button.setToolTip("Spectra, similarity and neural collapse of the trained network and at initialisation")
        self.button.clicked.connect(self.structure_requested)
        self.add_empty_action(self.button)
        self.measure = MeasureButton(theme, self, "Measure sets of features", [("", "", self.structure_requested)])
        self.add_tool(self.measure)
        self.page_choice = Segmented(
            theme,
            "Page",
            [
                (SPECTRUM, "spectrum", "How many directions the features use"),
                (SIMILARITY, "CKA", "How alike two layers, or two networks, see the samples"),
                (COLLAPSE, "collapse", "Whether each class draws together to one point: NC1 to NC4"),
            ],
        )
        self.page_choice.chosen.connect(self._on_page)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(self.selection.set_view)
        self.taps_choice = taps_choice(theme)
        self.taps_choice.chosen.connect(self._on_page)
        self.quantity_box = QComboBox()
        self.quantity_box.setProperty("quiet", True)
        self.quantity_box.setAccessibleName("Quantity")
        self.quantity_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.quantity_box.activated.connect(self._on_quantity)
        self._row = FlowRow([self.page_choice, self.quantity_box])
        self._views = FlowRow([self.view_choice, self.taps_choice])
        yield
        self._scale = ScaleAxis("left")
        self._axes = (NameAxis("bottom"), NameAxis("bottom"))
        left = Plot(theme, {"bottom": self._axes[0], "left": self._scale})
        yield
        self.plots_ = (left, Plot(theme, {"bottom": self._axes[1]}))
        yield
        self._points: list[dict[str, Points]] = []
        self._tap_lines: list[pg.InfiniteLine] = []
        for side, plot in enumerate(self.plots_):
            plot.setAccessibleName(("Quantity of sets", "Purity, or mean cosine")[side] + " against layer")
            plot.set_grid(False, True)
            line = pg.InfiniteLine(angle=90)
            plot.addItem(line, ignoreBounds=True)
            self._tap_lines.append(line)
            self._points.append(
                {
                    INITIAL: Points(plot, size=5, line=True, dash=True, hollow=True),
                    TRAINED: Points(plot, size=5, line=True),
                }
            )
            plot.hovered.connect(partial(self._on_hover, side))
            plot.clicked.connect(self._on_click)
        self._null = pg.PlotCurveItem(antialias=True, connect="finite", skipFiniteCheck=False)
        self.plots_[1].addItem(self._null, ignoreBounds=True)
        self._simplex = Level(self.plots_[1], 0.0, "", dash=True)
        self._titled = [Titled("", plot) for plot in self.plots_]
        yield
        layers = HeatMap(theme, SHARES, "cividis")
        yield
        self.heats = (layers, HeatMap(theme, SHARES, "cividis"))
        yield
        titles = ("CKA between layers of the trained network", "CKA: trained (rows) against initialisation (columns)")
        for which, heat in enumerate(self.heats):
            heat.setAccessibleName(titles[which])
            heat.set_axis_text("left", "trained")
            heat.set_axis_text("bottom", HEATS[which][2] if which == 0 else "at initialisation")
            heat.hovered.connect(partial(self._on_heat_hover, which))
            heat.clicked.connect(partial(self._on_heat_click, which))
        self.pages = QStackedWidget()
        self.pages.addWidget(Beside(self._titled, [50, 50]))
        self.pages.addWidget(Beside([Titled(t, h) for t, h in zip(titles, self.heats, strict=True)], [50, 50]))
        yield
        self.chips = Chips(theme, "Networks")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        rows = [self._row, self._views, self.pages, self.chips, self.caption]
        self._body_column = FitColumn(rows, self.pages, [self._views, self.caption, self.chips])
        self.set_body(self._body_column)
        yield
        self._recolour()
        self._show_controls()
        self.selection.tap_changed.connect(self._redraw)
        self.selection.view_changed.connect(self._redraw)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        for points in self._points:
            for each in points.values():
                each.clear()
        self._null.setData([], [])
        for heat in self.heats:
            heat.clear_values()
        super().clear()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def page(self) -> str:
        """The page shown: spectrum, cka or collapse."""
        return self.page_choice.key()

    @property
    def place(self) -> int:
        """The layer looked at: the chosen one, else the last before the logits."""
        frame = self._frame_shown
        if frame is None:
            return 0
        chosen = place_of(frame.info["taps"], self._places, self.selection.tap)
        return penultimate(frame.info["taps"], self._places) if chosen is None else chosen

    def column(self, side: int) -> str:
        """The column drawn in the left (0) or the right plot."""
        return self._quantity[self.page] if side == 0 else RIGHT[self.page][0]

    def values(self, net: str, column: str) -> np.ndarray:
        """A quantity of one network at the places drawn, in the view shown."""
        frame = self._frame_shown
        assert frame is not None
        n = list(frame.info["nets"]).index(net)
        if column in frame.info["collapse"]:
            found = frame.arrays["collapse"][n, :, list(frame.info["collapse"]).index(column)]
        else:
            k = list(frame.info["spectrum"]).index(column)
            found = frame.arrays["spectrum"][n, self.selection.view_index, :, k]
        picked: np.ndarray = np.asarray(found, float)[self._places]
        return picked

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        choice = self.taps_choice.key()
        self._places = places_of(frame.info["taps"], choice)
        names = names_of(frame.info["taps"], self._places, choice)
        self.view_choice.set_key(self.selection.view)
        if self.page == SIMILARITY:
            self._draw_heats(frame, names[1])
        else:
            for side in (0, 1):
                self._axes[side].set_names(*names)
                self._draw_side(side, frame)
                self._tap_lines[side].setPos(self.place)
        self._fill_chips()
        self._say(frame)

    def _draw_side(self, side: int, frame: Frame) -> None:
        column = self.column(side)
        log = side == 0 and LEFT[self.page][column][2]
        x = np.arange(len(self._places), dtype=float)
        ends: list[float] = []
        if side == 0:
            self._scale.set_log(log)
        for net, points in self._points[side].items():
            shown = self.values(net, column)
            if log:
                shown = np.log10(np.where(shown > 0, shown, np.nan))
            points.set_data(x, shown)
            points.set_visible(net not in self._hidden)
            if net not in self._hidden:
                ends += shown[np.isfinite(shown)].tolist()
        if side == 1:
            ends += self._draw_references(frame, x)
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        if side == 0 and not log:
            low = min(0.0, low)
        last = max(1.0, len(x) - 1.0)
        plot = self.plots_[side]
        plot.set_home((-0.05 * last, last * 1.05), padded(low, high, 0.08))
        says = LEFT[self.page][column][1] if side == 0 else RIGHT[self.page][1]
        plot.set_axis_text("left", "")
        self._titled[side].title.set_text(says)

    def _draw_references(self, frame: Frame, x: np.ndarray) -> list[float]:
        """The null of purity, or the bound of the mean cosine; gives the values drawn."""
        of_spectrum = self.page == SPECTRUM
        self._null.setVisible(of_spectrum and NULL not in self._hidden)
        simplex = frame.info["simplex"]
        bound_shown = not of_spectrum and simplex is not None and NULL not in self._hidden
        self._simplex.line.setVisible(bound_shown)
        if of_spectrum and NULL not in self._hidden:
            null = self.values(TRAINED, "null_purity")
            self._null.setData(x, null)
            found: list[float] = null[np.isfinite(null)].tolist()
            return [0.0, *found]
        if bound_shown:
            self._simplex.line.setPos(simplex)
            return [float(simplex), 0.0]
        return []

    def _draw_heats(self, frame: Frame, names: Sequence[str]) -> None:
        at = self.place
        for (array, _, _), heat in zip(HEATS, self.heats, strict=True):
            if array not in frame.arrays:  # a live probe leaves it out: it is measured on demand
                heat.clear_values()
                continue
            heat.set_values(frame.arrays[array][np.ix_(self._places, self._places)])
            heat.set_blocks(list(range(len(self._places))), names)
            heat.mark_bands([(at, at + 1)])

    def _show_controls(self) -> None:
        page = self.page
        self.quantity_box.clear()
        for name, (text, tip, _) in LEFT.get(page, {}).items():
            self.quantity_box.addItem(text, name)
            self.quantity_box.setItemData(self.quantity_box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.quantity_box.setVisible(page in LEFT)
        if page in LEFT:
            self.quantity_box.setCurrentIndex(list(LEFT[page]).index(self._quantity[page]))
        self.view_choice.setVisible(page == SPECTRUM)
        self.pages.setCurrentIndex(1 if page == SIMILARITY else 0)
        self._body_column.want(self.chips, page != SIMILARITY)
        self._row.arrange()
        self._views.arrange()
        self._body_column.fit()

    def _fill_chips(self) -> None:
        if self.page == SIMILARITY:
            return
        palette, muted = self.theme.palette, self.theme.muted
        entries = [
            Entry(TRAINED, "trained", palette["vermillion"], "The trained network"),
            Entry(INITIAL, "at initialisation", palette["orange"], "The same network before training", "dash"),
        ]
        if self.page == SPECTRUM:
            tip = "Purity of as many unit vectors in random directions: 1/m + (1 − 1/m)/d"
            entries.append(Entry(NULL, "isotropic null of purity", muted, tip, "dash"))
        elif self._frame_shown is not None and self._frame_shown.info["simplex"] is not None:
            tip = "The mean cosine of K centred class means cannot lie below −1/(K − 1)"
            entries.append(Entry(NULL, "simplex bound −1/(K − 1) (theorem)", palette["blue"], tip, "dash"))
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    def _say(self, frame: Frame) -> None:
        info = frame.info
        tap = info["taps"][self._places[self.place]]["name"]
        n = f"{info['samples']:,} probe samples of {info['classes']} classes"
        dead = self._dead()
        left_out = f" · up to {dead} dead features left out" if dead else ""
        if self.page == SPECTRUM:
            ranks = [self.values(net, "effective_rank")[self.place] for net in (TRAINED, INITIAL)]
            says = (
                f"Measurement. At {tap} the features use {_number(ranks[0], 1)} directions (effective rank exp S of the Gram "
                f"spectrum), at initialisation {_number(ranks[1], 1)}. {n}{left_out}."
            )
            self.set_subtitle(f"spectrum, {self.selection.view}")
        elif self.page == SIMILARITY:
            at = self._places[self.place]
            known = "cka_networks" in frame.arrays
            own = float(frame.arrays["cka_networks"][at, at]) if known else math.nan
            says = (
                "Not measured at this moment: similarity is measured on demand."
                if not known
                else f"Measurement. Debiased linear CKA, 1 = the same up to rotation and scale; at {tap}, trained against "
                f"initialisation: {_number(own, 2)}. {n}."
            )
            self.set_subtitle("debiased linear CKA")
        else:
            nc1 = self.values(TRAINED, "nc1")[self.place]
            cosine = self.values(TRAINED, "mean_cosine")[self.place]
            bound = "" if info["simplex"] is None else f" (theorem: never below {_number(info['simplex'], 4)})"
            says = (
                f"Measurement. At {tap}: NC1 {_number(nc1, 3)}, mean cosine of class means {_number(cosine, 4)}{bound}. NC3 is "
                f"defined at the last layer before the logits alone. {n}."
            )
            self.set_subtitle("neural collapse NC1 to NC4")
        self.caption.set_text(says)
        self._body_column.fit()

    def _dead(self) -> int:
        frame = self._frame_shown
        assert frame is not None
        counts = frame.arrays["spectrum"][..., list(frame.info["spectrum"]).index("dead")]
        return int(np.nanmax(counts)) if np.isfinite(counts).any() else 0

    # --- pointer and controls ----------------------------------------------------------------------------------

    def describe(self, side: int, place: int) -> str:
        """What the readout says of a layer."""
        frame = self._frame_shown
        if frame is None:
            return ""
        column = self.column(side)
        lines = [str(frame.info["taps"][self._places[place]]["name"])]
        lines += [f"{net}: {_number(self.values(net, column)[place], 4)}" for net in (TRAINED, INITIAL)]
        if column == "purity":
            lines.append(f"isotropic null: {_number(self.values(TRAINED, 'null_purity')[place], 4)}")
        if column == "mean_cosine" and frame.info["simplex"] is not None:
            lines.append(f"simplex bound: {_number(frame.info['simplex'], 4)}")
        return "\n".join(lines)

    def describe_cell(self, which: int, row: int, column: int) -> str:
        """What the readout says of a cell of a heat map."""
        frame = self._frame_shown
        if frame is None:
            return ""
        array, one, other = HEATS[which]
        if array not in frame.arrays:
            return ""
        taps = frame.info["taps"]
        a, b = self._places[row], self._places[column]
        value = float(frame.arrays[array][a, b])
        return f"{taps[a]['name']} ({one}) and {taps[b]['name']} ({other})\nCKA {_number(value, 4)}"

    def _on_hover(self, side: int, x: float, y: float) -> None:
        if self._frame_shown is not None:
            place = min(len(self._places) - 1, max(0, round(x)))
            plot = self.plots_[side]
            plot.readout.say(self.describe(side, place), plot.at(place, y))

    def _on_heat_hover(self, which: int, x: float, y: float) -> None:
        heat = self.heats[which]
        cell = heat.cell(x, y)
        if cell is None:
            heat.leave()
        else:
            heat.readout.say(self.describe_cell(which, *cell), heat.at(x, y))

    def _on_heat_click(self, which: int, x: float, y: float) -> None:
        cell = self.heats[which].cell(x, y)
        if cell is not None:
            self._choose(cell[0])

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(min(len(self._places) - 1, max(0, round(x))))

    def _choose(self, place: int) -> None:
        if self._frame_shown is not None:
            self.selection.set_tap(self._frame_shown.info["taps"][self._places[place]]["name"])

    @Slot(str)
    def _on_page(self, _: str) -> None:
        self._show_controls()
        self._redraw()

    @Slot(int)
    def _on_quantity(self, position: int) -> None:
        self._quantity[self.page] = self.quantity_box.itemData(position)
        self._redraw()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self._redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        parts = (*self.plots_, *self.heats, self.page_choice)
        for part in (*parts, self.view_choice, self.taps_choice, self.chips):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme = self.theme
        for points in self._points:
            points[TRAINED].set_colour(theme.palette["vermillion"])
            points[INITIAL].set_colour(theme.palette["orange"])
        for line in self._tap_lines:
            line.setPen(pen(theme.accent, 1, alpha=0.8))
        self._null.setPen(pen(theme.muted, dash=True))
        self._simplex.set_colour(theme.palette["blue"])

    def plots(self) -> Sequence[tuple[str, Any]]:
        shown = self.heats if self.page == SIMILARITY else self.plots_
        return tuple((part.accessibleName(), part.getPlotItem()) for part in shown)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every number of the frame: spectra in both views, collapse, and CKA of every pair of taps."""
        frame = self._frame_shown
        if frame is None:
            return
        yield ["part", "net", "view", "quantity", "tap", "other tap", "value"]
        taps = [tap["name"] for tap in frame.info["taps"]]
        for n, net in enumerate(frame.info["nets"]):
            for v, view in enumerate(("centred", "uncentred")):
                for k, tap in enumerate(taps):
                    for c, name in enumerate(frame.info["spectrum"]):
                        yield [SPECTRUM, net, view, name, tap, "", float(frame.arrays["spectrum"][n, v, k, c])]
            for k, tap in enumerate(taps):
                for c, name in enumerate(frame.info["collapse"]):
                    yield [COLLAPSE, net, "", name, tap, "", float(frame.arrays["collapse"][n, k, c])]
        for array, one, other in HEATS:
            if array not in frame.arrays:
                continue
            for a, first in enumerate(taps):
                for b, second in enumerate(taps):
                    yield [SIMILARITY, f"{one} × {other}", "", array, first, second, float(frame.arrays[array][a, b])]


def _number(found: float, places: int) -> str:
    return f"{found:.{places}f}".replace("-", "−") if math.isfinite(found) else "undefined"
