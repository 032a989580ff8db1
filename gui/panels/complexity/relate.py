"""One column against another, a network a point, with the rank correlation and its test over networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from gui.panels.complexity.axis import ColumnAxis
from gui.panels.complexity.networks import SWEEP, Laid, Networks, laid
from gui.panels.labels import Caption
from gui.panels.pieces import PiecewisePage
from gui.panels.related.rows import statistics_rows
from gui.panels.related.table import Section, StatisticsTable, p_text
from gui.panels.sweep.model import Read
from gui.panels.sweep.words import cell
from gui.plots.beside import Beside, Titled
from gui.plots.boxes import fill_box, quiet_box
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.picking import nearest, stepped
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import figure, signed
from gui.theme import CLASS_ORDER, Theme, magnitude

if TYPE_CHECKING:
    from engine.sweep.statistics import Relation

SHADES = 8  # colours of a column of numbers
LEAST_PLOT = 190  # pixels of height that the plot keeps: below it what explains gives way
MOST_DRAWN = 20_000  # points; of more a part is drawn, the statistic is of all
ABOUT = (
    "Measurement over networks, each network one independent unit: its weights, its settings. The pair of columns was chosen "
    "by looking, so p says too much; a rank correlation is no cause."
)
USUALLY_GIVEN = ("model.depth", "depth", "test_accuracy")
# The first that are there are what is drawn at first
FAVOURITES = (("change", "robust_accuracy"), ("rapidity", "robust_accuracy"), ("rapidity", "test_accuracy"))


class RelatePage(PiecewisePage):
    """``point_chosen(id)`` is a click on a network of the sweep; ``open_requested(id)`` wants it as a session."""

    empty_text = "No network is finished yet. Each finished point of the sweep is one network here."
    button_text = "Show the sweep"

    point_chosen = Signal(object)
    open_requested = Signal(int)

    def __init__(self, theme: Theme) -> None:
        self.work: Read = lambda work, done: done(work())  # the panel's
        self.networks: Networks | None = None
        self.relation: Relation | None = None
        self._x = self._y = self._colour = self._given = ""
        self._plain = False  # a person chose one colour for all
        self._by_person = False  # a person chose the columns that are drawn
        self._wish = 0
        self._point: int | None = None  # chosen: an id of the sweep, a row of a frame
        self._pointed: int | None = None
        super().__init__(theme)

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.x_box = quiet_box("Across", "The column drawn across")
        self.y_box = quiet_box("Up", "The column drawn upwards")
        self.colour_box = quiet_box("Colour", "The column that colours the points")
        self.given_box = quiet_box("Given", "What the ranks of this column explain is taken away from both (partial)")
        for box in (self.y_box, self.x_box, self.colour_box, self.given_box):
            box.activated.connect(self._on_box)
        self.open_button = QPushButton("Open this network")
        self.open_button.setProperty("role", "link")
        self.open_button.setToolTip("A new session with the settings and the weights of the chosen network")
        self.open_button.clicked.connect(self._on_open)
        self.row = FlowRow([self.y_box, self.x_box, self.colour_box, self.given_box, self.open_button], gap=2)
        yield
        self.axes = {"bottom": ColumnAxis("bottom"), "left": ColumnAxis("left")}
        yield
        self.plot = Plot(theme, dict(self.axes))
        self.plot.setAccessibleName("Networks, one column against another")
        self.plot.set_grid(True, True)
        yield
        self.dots = [Dots(size=8, pxMode=True, symbol="o") for _ in range(SHADES)]
        self.ring = Dots(size=14, pxMode=True, symbol="o")
        for item in (*self.dots, self.ring):
            self.plot.addItem(item, ignoreBounds=True)
        self.ring.setZValue(5)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self.says = QLabel(wordWrap=True)
        self.says.setMinimumWidth(60)
        self.says.setAccessibleName("Rank correlation")
        self.legend = QLabel()
        self.legend.setProperty("role", "small")
        self.table = StatisticsTable(theme, {})
        self._tested = Titled("rank correlations of this run", self.table)
        self._middle = Beside([self.plot, self._tested], [58, 42])
        self.caption = Caption()
        self.caption.set_text(ABOUT)
        self._column = FitColumn(
            [self.says, self._middle, self.legend, self.caption],
            self._middle,
            [self.caption, self.legend],
            least=LEAST_PLOT,
        )
        self.set_body(self._column)
        self._recolour()

    def pieces(self) -> Sequence[QWidget]:
        return (self.plot,)

    # --- what is drawn -------------------------------------------------------------------------------------------

    def show_networks(self, networks: Networks | None) -> None:
        """Draw these networks; what is chosen stays where it still is there."""
        self._wish += 1
        if networks is None or not networks.n:
            self.networks = None
            self.clear()
            self.said.emit()
            return
        if self.networks is not None and self.networks.source != networks.source:
            self._point = None
        self.networks = networks
        self._offer()
        self._stack.setCurrentIndex(1)
        self.redraw()
        self._ask()

    def _offer(self) -> None:
        networks = self.networks
        assert networks is not None
        varied = networks.varied() or [column.name for column in networks.columns][:1]
        liked = next((pair for pair in FAVOURITES if pair[0] in varied and pair[1] in varied), None)
        gone = self._x not in varied or self._y not in varied
        if gone or (liked is not None and not self._by_person and liked != (self._x, self._y)):
            self._by_person = False
            self._x, self._y = liked or (varied[0], varied[-1])  # of first networks few columns differ yet
            self._pointed = None
            self.plot.leave()
            self.plot.follow_home()
        if self._colour not in varied and not (self._plain and not self._colour):
            axes = [name for name in networks.axes() if name != "seed"]
            self._colour = axes[0] if axes else ""
        fill_box(self.y_box, [(networks.text(name), name) for name in varied], self._y)
        fill_box(self.x_box, [(f"against {networks.text(name)}", name) for name in varied], self._x)
        fill_box(
            self.colour_box,
            [("one colour", ""), *((f"coloured by {networks.column(n).label}", n) for n in varied)],
            self._colour,
        )
        self._offer_given()
        self.row.arrange()

    def _offer_given(self) -> None:
        """Depth and clean accuracy first, then every other column of numbers but the two that are drawn."""
        networks = self.networks
        assert networks is not None
        numbers = [n for n in networks.varied() if networks.arrays[n].dtype != object and n not in (self._x, self._y)]
        given = [*(n for n in USUALLY_GIVEN if n in numbers), *(n for n in numbers if n not in USUALLY_GIVEN)]
        if self._given not in given:
            self._given = ""
        items = [("given nothing", ""), *((f"given {networks.column(n).label}", n) for n in given)]
        fill_box(self.given_box, items, self._given)

    def redraw(self) -> None:
        """Draw the networks."""
        networks = self.networks
        if networks is None:
            return
        across, up = laid(networks, self._x), laid(networks, self._y)
        for side, found, name in (("bottom", across, self._x), ("left", up, self._y)):
            self.axes[side].lay(found.log, found.names)
            self.plot.set_axis_text(side, networks.text(name))
        x, y = across.values, up.values
        known = np.isfinite(x) & np.isfinite(y)
        shade, colours = self._shades()
        drawn = known if known.sum() <= MOST_DRAWN else known & (np.arange(len(x)) % (len(x) // MOST_DRAWN + 1) == 0)
        for k, item in enumerate(self.dots):
            mine = drawn & (shade == k)
            if k < len(colours):
                item.setBrush(pg.mkBrush(colours[k]))
            item.setData(x[mine], y[mine])
        if known.any():
            self.plot.set_home(_range(across, x[known]), _range(up, y[known]))
        self._ring()
        self._write_legend(colours)
        self._tested.setVisible(bool(networks.statistics))
        self.table.show_sections([Section("over networks", networks.statistics)] if networks.statistics else ())
        self._say()

    def _shades(self) -> tuple[np.ndarray, list[str]]:
        """The shade of each network and the colours of the shades."""
        networks = self.networks
        assert networks is not None
        if not self._colour:
            return np.zeros(networks.n, dtype=int), [self.theme.palette["sky"]]
        found = laid(networks, self._colour)
        values = found.values
        if found.names:
            ours = [self.theme.palette[name] for name in CLASS_ORDER]
            return np.where(np.isfinite(values), np.minimum(np.nan_to_num(values), SHADES - 1), -1).astype(int), ours
        known = values[np.isfinite(values)]
        if not len(known):
            return np.zeros(networks.n, dtype=int), [self.theme.palette["grey"]]
        low, high = float(known.min()), float(known.max())
        share = (values - low) / (high - low) if high > low else np.zeros(len(values))
        shade = np.where(np.isfinite(share), np.clip(np.nan_to_num(share) * SHADES, 0, SHADES - 1), -1).astype(int)
        # the dark end of the map would be lost on a dark card, the light end on a light one
        begin, end = (0.18, 1.0) if self.theme.is_dark else (0.0, 0.86)
        map_ = magnitude("viridis")
        return shade, [map_.map(begin + (end - begin) * k / (SHADES - 1), mode="qcolor").name() for k in range(SHADES)]

    def _write_legend(self, colours: Sequence[str]) -> None:
        networks = self.networks
        assert networks is not None
        if self._colour:
            found = laid(networks, self._colour)
            label = networks.column(self._colour).label
            if found.names:
                parts = [
                    f'<span style="color:{colour}">●</span> {name}'
                    for name, colour in zip(found.names[:SHADES], colours, strict=False)
                ]
                more = " …" if len(found.names) > SHADES else ""
                text = f"{label}: " + " &nbsp; ".join(parts) + more
            else:
                raw = networks.arrays[self._colour]
                known = raw[np.isfinite(raw)]
                dots = "".join(f'<span style="color:{colour}">●</span>' for colour in colours)
                ends = (cell(float(known.min())), cell(float(known.max()))) if len(known) else ("–", "–")
                log = " (log)" if found.log else ""
                text = f"{label}: {ends[0]} {dots} {ends[1]}{log}"
        else:
            text = ""
        drawn = MOST_DRAWN if networks.n > MOST_DRAWN else 0
        if drawn:
            text += f" &nbsp; at most {drawn:,} of {networks.n:,} networks are drawn"
        self.legend.setText(text)
        self._column.want(self.legend, bool(text))
        self._column.fit()

    # --- the statistic -------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        networks, x, y, given = self.networks, self._x, self._y, (self._given,) if self._given else ()
        if networks is None:
            return
        self._wish += 1
        wish = self._wish
        self.relation = None
        self._say()

        def work() -> Relation | None:
            if wish != self._wish:
                return None
            from engine.sweep.networks import one_each
            from engine.sweep.statistics import relate

            return relate(one_each(networks.arrays, networks.of(x, y)), x, y, given)

        def done(found: Relation | None) -> None:
            if found is not None and wish == self._wish:
                self.relation = found
                self._say()

        self.work(work, done)

    def _say(self) -> None:
        networks, found = self.networks, self.relation
        if networks is None:
            return
        if found is None:
            text = "Spearman's ρ: working out its test over networks…"
        elif not np.isfinite(found.rho):
            text = f"no rank correlation: too few networks, or a column of names · n = {found.n} · unit: network"
        else:
            interval = f" [{figure(found.low, 2)}, {figure(found.high, 2)}]" if np.isfinite(found.low) else ""
            given = f" given {networks.column(self._given).label}" if self._given else ""
            left = f" of {networks.n:,}: the others lack a value" if found.n < networks.n else ""
            text = f"Spearman ρ = {signed(found.rho)}{interval}{given} · p = {p_text(found.p)} · n = {found.n:,}{left} · unit: network"
        self.says.setText(text)
        self.says.setToolTip(
            "<p>Spearman's rank correlation, its 95% bootstrap interval over networks, and its p value by permutation of the "
            "networks. Networks are what is counted as independent. Given a column: of what is left of the ranks of both once a "
            "straight line through that column's ranks is taken away.</p>"
        )
        self.summary = f"{networks.n:,} network{'s' if networks.n != 1 else ''}"
        if found is not None and np.isfinite(found.rho):
            self.summary += f" · ρ = {signed(found.rho, 2)}"
        self.said.emit()

    # --- a point -------------------------------------------------------------------------------------------------

    def show_point(self, point: int | None) -> None:
        """Ring a point that was chosen elsewhere, by its number in the sweep."""
        if self.networks is not None and self.networks.source == SWEEP and point != self._point:
            self._point = point
            if self.made:
                self._ring()

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the networks are drawn."""
        assert self.networks is not None
        return laid(self.networks, self._x).values, laid(self.networks, self._y).values

    def _ring(self) -> None:
        networks = self.networks
        if networks is None:
            return
        at = np.flatnonzero(networks.ids == self._point) if self._point is not None else np.empty(0, dtype=int)
        x, y = self.points()
        there = at[np.isfinite(x[at]) & np.isfinite(y[at])]
        self.ring.setData(x[there], y[there])
        shown = bool(len(at)) and networks.source == SWEEP
        if self.open_button.isHidden() == shown:
            self.open_button.setVisible(shown)
            self.row.arrange()

    def describe(self, k: int) -> str:
        """What the readout says of a network."""
        networks = self.networks
        assert networks is not None
        head = f"point {networks.ids[k]}" if networks.source == SWEEP else f"network {k + 1}"
        shown = list(dict.fromkeys((self._x, self._y, *([self._colour] if self._colour else ()), *networks.axes()[:4])))
        return "\n".join([head, *(f"{networks.column(n).label}: {cell(_value(networks.arrays[n][k]))}" for n in shown)])

    def _point_at(self, k: int) -> None:
        x, y = self.points()
        self._pointed = k
        self.plot.readout.say(self.describe(k), self.plot.at(float(x[k]), float(y[k])))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        if self.networks is None:
            return
        found = nearest(self.plot, *self.points(), (x, y))
        if found is None:
            self.plot.readout.silence()
        else:
            self._point_at(found)

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        if self.networks is not None:
            self._choose(nearest(self.plot, *self.points(), (x, y)))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        if self.networks is not None:
            found = stepped(*self.points(), self._pointed, across + up)
            if found is not None:
                self._point_at(found)

    @Slot()
    def _on_enter(self) -> None:
        self._choose(self._pointed)

    def _choose(self, k: int | None) -> None:
        networks = self.networks
        if k is None or networks is None:
            return
        self._point = int(networks.ids[k])
        self._ring()
        if networks.source == SWEEP:
            self.point_chosen.emit(self._point)

    @Slot()
    def _on_open(self) -> None:
        if self._point is not None:
            self.open_requested.emit(self._point)

    # --- asked by a person ---------------------------------------------------------------------------------------

    @property
    def given(self) -> str:
        """The column that the correlation is given; "" for none."""
        return self._given

    @property
    def chosen(self) -> tuple[str, str, str]:
        """The columns across, up, and of the colours."""
        return self._x, self._y, self._colour

    @Slot()
    def _on_box(self) -> None:
        x, y = str(self.x_box.currentData()), str(self.y_box.currentData())
        given = str(self.given_box.currentData() or "")
        other = (x, y) != (self._x, self._y)
        again = other or given != self._given
        self._x, self._y, self._colour, self._given = x, y, str(self.colour_box.currentData() or ""), given
        self._plain = not self._colour
        self._by_person = self._by_person or other
        self._offer_given()
        if other:
            self._pointed = None
            self.plot.leave()
            self.plot.follow_home()
        self.redraw()
        self.row.arrange()
        if again:
            self._ask()

    # --- look and export -----------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if not self.made:
            return
        self.plot.set_theme(theme)
        self.table.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        for item in self.dots:
            item.setPen(pen(self.theme.surface, 1))
        self.ring.setBrush(pg.mkBrush(None))
        self.ring.setPen(pen(self.theme.text, 1.6))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("networks", self.plot.getPlotItem()),) if self.networks is not None else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The statistics, then one row a network with every column."""
        networks, found = self.networks, self.relation
        if networks is None:
            return
        if found is not None:
            yield ["x", "y", "given", "rho", "low", "high", "p", "n", "unit"]
            yield [
                self._x,
                self._y,
                self._given,
                *(_blank(v) for v in (found.rho, found.low, found.high, found.p)),
                found.n,
                "network",
            ]
            yield []
        if networks.statistics:
            yield from statistics_rows(_Told({"statistics": networks.statistics}))  # type: ignore[arg-type]
            yield []
        names = [column.name for column in networks.columns]
        yield ["id", *names]
        for k in range(networks.n):
            yield [int(networks.ids[k]), *(_blank(_value(networks.arrays[name][k])) for name in names)]


class _Told:
    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info


def _range(found: Laid, values: np.ndarray) -> tuple[float, float]:
    return (-0.5, len(found.names) - 0.5) if found.names else padded(float(values.min()), float(values.max()))


def _value(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else float(value)


def _blank(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and not np.isfinite(value)) else value
