"""The price of entangling first: what opens for all, opens for impostors too, and few different hashes are left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent

from gui.panels.labels import Caption
from gui.panels.reconcile.figures import Cell, FiguresTable
from gui.panels.reconcile.words import PRICE, percent
from gui.panels.related.page import Page
from gui.plots.axes import ScaleAxis
from gui.plots.band import BandCurve
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot, padded, pen
from gui.plots.points import Level
from gui.theme import Theme

COLOURS = ("sky", "orange", "green")  # of the three series
PLOT, BOUND = "plot", "bound"
BRIEF = "More is tolerated only because fewer hashes are left: reconciliation, not encryption."
LOW = 300  # pixels of height below which that is all that is said
ROOMY = 440  # pixels of height from which on the bound stands below the plots
READINGS = ("genuine", "impostor")
HEAD = (
    Cell("features d", "Directions of the features that are hashed"),
    Cell("hash bits n", "Rows of the public projection"),
    Cell("log₂ patterns", "Sign patterns that n rows can give in d dimensions at most (Cover 1965, theorem), in bits"),
    Cell("helper leaks", "Bits that the helper data says about the hash: n less those of the message"),
    Cell("left at least", "What is left of the hash for one who knows the helper; below 0 nothing is promised"),
)


class PricePage(Page):
    """Shares on the left, distinct hashes on the right; the residual entropy bound in a table."""

    topic = "price"
    empty_text = (
        "Not measured yet. Features pass more and more layers of a MaxLikelihood network (our reconstruction) before they are "
        "hashed: what does the tolerance that they gain cost?"
    )
    button_text = "Measure the price"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._hidden: set[str] = set()
        self._pointed: int | None = None
        self.shown_choice = Segmented(
            theme,
            "Shown",
            [
                (PLOT, "plot", "Shares and distinct hashes against layers"),
                (BOUND, "bound", "The residual entropy bound"),
            ],
        )
        self.shown_choice.chosen.connect(self._lay_out)
        self.row = FlowRow([self.shown_choice])
        self._count_axis = ScaleAxis("left", log=True)
        self.plot, self.hashes = Plot(theme), Plot(theme, {"left": self._count_axis})
        self.plot.setAccessibleName("Share recovered against layers: genuine and impostor readings")
        self.hashes.setAccessibleName("Distinct hashes among the identities, against layers")
        self.plot.set_axis_text("left", "recovered (share)")
        self.hashes.set_axis_text("left", "distinct hashes")
        self.curves: dict[str, list[BandCurve]] = {name: [] for name in READINGS}
        self.counts: list[pg.PlotCurveItem] = []
        for plot in (self.plot, self.hashes):
            plot.set_grid(True, True)
            plot.set_axis_text("bottom", "MaxLikelihood layers before the hash")
            plot.hovered.connect(partial(self._on_hover, plot))
            plot.left.connect(self._on_left)
            plot.moved.connect(partial(self._on_keys, plot))
        for _ in COLOURS:
            for name in READINGS:
                self.curves[name].append(BandCurve(self.plot, theme.text, dot=name == "impostor"))
            line = pg.PlotCurveItem(antialias=True, connect="finite", skipFiniteCheck=False)
            line.setZValue(3)
            self.hashes.addItem(line, ignoreBounds=True)
            self.counts.append(line)
        self.limits = tuple(
            Level(self.plot, 0, text, dash=True, at=at) for text, at in (("1 − θ/π", 0.72), ("½", 0.52))
        )
        self.table = FiguresTable(theme, "Residual entropy bound")
        self.chips = Chips(theme, "Identities")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        self._titles = Titled("", self.plot), Titled("", self.hashes)
        self._drawn = Beside(self._titles, [56, 44])
        self._column = FitColumn(
            [self._drawn, self.chips, self.table, self.caption], self._drawn, [self.caption, self.chips]
        )
        self.set_body(self._column)
        self._recolour()

    # --- what is drawn -----------------------------------------------------------------------------------------

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        arrays, info = frame.arrays, frame.info
        depth = np.asarray(arrays["depth"], dtype=float)
        for s in range(len(COLOURS)):
            for name in READINGS:
                self.curves[name][s].set_data(
                    depth, arrays[name][s], arrays[f"{name}_low"][s], arrays[f"{name}_high"][s]
                )
            count = np.where(self._known(s) & (arrays["distinct"][s] > 0), arrays["distinct"][s], np.nan)
            self.counts[s].setData(depth, np.log10(count.astype(float)))
        last = max(1.0, float(depth.max()) if len(depth) else 1.0)
        self.plot.set_home(padded(0, last, 0.02), (-0.03, 1.04))
        self.hashes.set_home(padded(0, last, 0.02), (-0.08, float(np.log10(max(2, info["identities"]))) + 0.08))
        for level, name in zip(self.limits, READINGS, strict=True):
            value = float(arrays[f"limit_{name}"][0])
            level.line.setVisible(bool(np.isfinite(value)) and self._shown(0))
            level.line.setPos(value if np.isfinite(value) else 0)
        self._titles[0].title.set_text(
            f"reconstruction: recovered, r = {info['repetition']}, genuine pairs at C = {info['correlation']:g}"
        )
        self._titles[1].title.set_text(f"distinct hashes of {info['identities']:,}")
        self._list()
        self._fill_chips()
        self._say()
        self._lay_out()

    def _known(self, s: int) -> bool:
        """Whether a series was measured at all."""
        return self.frame is not None and bool(np.isfinite(self.frame.arrays["genuine"][s]).any())

    def _shown(self, s: int) -> bool:
        return f"series {s}" not in self._hidden

    def _list(self) -> None:
        assert self.frame is not None
        arrays, rows = self.frame.arrays, []
        names = ("bound_d", "bound_n", "bound_cells", "bound_leak", "bound_left")
        for d, n, cells, leak, left in zip(*(arrays[name] for name in names), strict=True):
            mark = "warning" if left <= 0 else ""
            tip = "No secrecy is promised: the helper may say more than the hash holds" if left <= 0 else ""
            numbers = [f"{int(n):,}", f"{cells:.1f}", f"{leak:.0f}", f"{left:.1f}".replace("-", "−")]
            rows.append(
                [
                    Cell(f"{int(d):,}", tip),
                    *(Cell(number, tip, mark if k == 3 else "") for k, number in enumerate(numbers)),
                ]
            )
        self.table.show_rows(HEAD, rows)

    def _fill_chips(self) -> None:
        assert self.frame is not None
        info, theme = self.frame.info, self.theme
        entries = [
            Entry(f"series {s}", str(info["series"][s]), theme.palette[COLOURS[s]], self._tip(s))
            for s in range(len(COLOURS))
            if self._known(s)
        ]
        entries += [
            Entry("genuine", "genuine", theme.muted, "Another reading of the same identity"),
            Entry("impostor", "impostor", theme.muted, "Another identity (control)", "dot"),
        ]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        for s in range(len(COLOURS)):
            for name in READINGS:
                self.curves[name][s].set_visible(self._shown(s) and name not in self._hidden)
            self.counts[s].setVisible(self._shown(s))

    def _tip(self, s: int) -> str:
        assert self.frame is not None
        return f"{self.frame.info['series'][s]}: {self.frame.info['identities']:,} identities, {self.frame.info['ratio']} candidates a row"

    def _say(self) -> None:
        assert self.frame is not None
        arrays, info = self.frame.arrays, self.frame.info
        depth = int(arrays["depth"][-1]) if len(arrays["depth"]) else 0
        words = [f"after {depth} layers"]
        for s, name in enumerate(("zero-mean", "uniform")):
            if self._known(s):
                left = int(arrays["distinct"][s, -1])
                words.append(f"{left:,} hash{'es' * (left != 1)} left ({name})")
        self.summary = " · ".join(words)
        without = "" if self._known(2) else " No network’s features were measured here."
        self._whole = (
            f"{PRICE} Measurement on a reconstruction: MaxLikelihood layers (N/n = {info['ratio']}) are our reading of the paper. "
            f"Bands: 95% Wilson intervals over {info['identities']:,} identities. Dashed: limits of zero-mean identities "
            f"(theorem).{without}"
        )
        self._caption()
        self.said.emit()

    _whole = ""

    def _caption(self) -> None:
        self.caption.set_text(self._whole if self.height() >= LOW else BRIEF)

    def describe(self, at: int) -> str:
        """All series at one depth, in words."""
        assert self.frame is not None
        a = self.frame.arrays
        lines = [f"after {int(a['depth'][at])} layers"]
        for s in range(len(COLOURS)):
            if self._known(s) and self._shown(s):
                lines.append(
                    f"{self.frame.info['series'][s]}: genuine {percent(a['genuine'][s, at], 1)}, impostor "
                    f"{percent(a['impostor'][s, at], 1)}, {int(a['distinct'][s, at]):,} hashes ({a['entropy'][s, at]:.1f} bits)"
                )
        return "\n".join(lines)

    def clear(self) -> None:
        super().clear()
        self._pointed = None
        nothing = np.empty(0)
        for curves in self.curves.values():
            for curve in curves:
                curve.set_data(nothing, nothing, nothing, nothing)
        for line in self.counts:
            line.setData([], [])
        self.table.show_rows((), ())

    # --- pointer and keys --------------------------------------------------------------------------------------

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self.redraw()

    def _on_hover(self, plot: Plot, x: float, _y: float) -> None:
        if self.frame is not None and len(self.frame.arrays["depth"]):
            self._point(plot, int(np.abs(self.frame.arrays["depth"] - x).argmin()))

    def _point(self, plot: Plot, at: int) -> None:
        assert self.frame is not None
        self._pointed = at
        low, high = plot.getViewBox().viewRange()[1]
        plot.readout.say(self.describe(at), plot.at(float(self.frame.arrays["depth"][at]), (low + high) / 2))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    def _on_keys(self, plot: Plot, across: int, up: int) -> None:
        if self.frame is not None and len(self.frame.arrays["depth"]):
            start = self._pointed if self._pointed is not None else -across - up
            self._point(plot, min(len(self.frame.arrays["depth"]) - 1, max(0, start + across + up)))

    # --- layout, look and export -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    @Slot()
    def _lay_out(self, *_: object) -> None:
        roomy = self.height() >= ROOMY
        self._caption()
        self.shown_choice.setVisible(not roomy)
        plots = roomy or self.shown_choice.key() == PLOT
        self._drawn.setVisible(plots)
        self._column.want(self.chips, plots)
        self._column.want(self.table, roomy or not plots)
        high = self.table.sizeHint().height()
        self.table.setMinimumHeight(min(high, 120) if roomy else 50)
        self.table.setMaximumHeight(high if roomy else 16_777_215)
        self.row.arrange()
        self._column.fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (self.plot, self.hashes, self.shown_choice, self.table, self.chips):
            each.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        theme = self.theme
        for s, name in enumerate(COLOURS):
            own = theme.palette[name]
            for curves in self.curves.values():
                curves[s].set_colour(own)
            self.counts[s].setPen(pen(own, 1.8))
        for level in self.limits:
            level.set_colour(theme.palette[COLOURS[0]], theme.muted)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("recovered", self.plot.getPlotItem()), ("distinct hashes", self.hashes.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a series and depth; then the residual entropy bound."""
        if self.frame is None:
            return
        a = self.frame.arrays
        names = (
            "genuine",
            "genuine_low",
            "genuine_high",
            "impostor",
            "impostor_low",
            "impostor_high",
            "distinct",
            "entropy",
        )
        yield ["series", "layers", *names]
        for s, series in enumerate(self.frame.info["series"]):
            if self._known(s):
                for at, depth in enumerate(a["depth"]):
                    yield [series, depth.item(), *(a[name][s, at].item() for name in names)]
        yield []
        yield ["features", "hash_bits", "log2_patterns", "leaked_bits", "bits_left_at_least"]
        for row in zip(*(a[f"bound_{name}"] for name in ("d", "n", "cells", "leak", "left")), strict=True):
            yield [value.item() for value in row]
