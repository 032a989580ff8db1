"""The lock at every layer: how often each kind of input opens it, beside the binomial law, and at which angle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton

from gui.panels.labels import Caption
from gui.panels.reconcile.figures import Cell, FiguresTable
from gui.panels.reconcile.words import FOOLING, KINDS, RAW, SHORT, TIPS, colour, percent
from gui.panels.related.page import Page
from gui.plots.axes import NameAxis
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.layers import names_of
from gui.plots.plot import Plot, padded, pen
from gui.plots.points import Level, Points
from gui.theme import Theme

PLOT, TABLE = "plot", "table"
ROOMY = 470  # pixels of height from which on plots and table are shown together
TABLED = 0.36  # share of the height that the table has beside the plots
STEP = 0.09  # layers by which the kinds stand apart


class LayersPage(Page):
    """``tap_chosen(name)`` is a click on a layer, ``layer_asked(name)`` the wish to lock there."""

    topic = "reconciliation"
    empty_text = (
        "Not measured yet. At every layer of the network: how often does fooling noise open the lock, and how often raw noise, "
        "a clean test image, or the wrong class?"
    )
    button_text = "Open the lock"

    tap_chosen = Signal(str)
    layer_asked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._tap: str | None = None
        self._hidden: set[str] = set()
        self._pointed: int | None = None
        self.shown_choice = Segmented(
            theme,
            "Shown",
            [(PLOT, "plot", "Shares and angles over the layers"), (TABLE, "table", "The same as numbers")],
        )
        self.shown_choice.chosen.connect(self._lay_out)
        self.lock_button = QPushButton("Lock at this layer")
        self.lock_button.setProperty("role", "link")
        self.lock_button.setToolTip("Set this layer as the one whose features are hashed")
        self.lock_button.clicked.connect(self._on_lock)
        self.row = FlowRow([self.shown_choice, self.lock_button])
        self._axes = NameAxis("bottom"), NameAxis("bottom")
        self.plot, self.angles = (Plot(theme, {"bottom": axis}) for axis in self._axes)
        self.plot.setAccessibleName("Share that opens the lock, at every layer")
        self.angles.setAccessibleName("Mean angle to the reference feature, at every layer")
        self.plot.set_axis_text("left", "recovered (share)")
        self.angles.set_axis_text("left", "angle to reference (°)")
        self.right = Level(self.angles, 90, "", dash=True, at=0.02)
        self.measured, self.predicted, self.angle = [], [], []
        self.marks = []
        for plot in (self.plot, self.angles):
            plot.set_grid(False, True)
            plot.hovered.connect(partial(self._on_hover, plot))
            plot.left.connect(self._on_left)
            plot.clicked.connect(self._on_click)
            plot.moved.connect(partial(self._on_keys, plot))
            plot.entered.connect(self._on_enter)
            mark = pg.InfiniteLine(angle=90, movable=False)
            mark.setZValue(0)
            plot.addItem(mark, ignoreBounds=True)
            self.marks.append(mark)
        for _ in KINDS:
            self.predicted.append(Points(self.plot, size=9, line=True, dash=True, hollow=True))
            self.measured.append(Points(self.plot, size=6))
            self.angle.append(Points(self.angles, size=5, line=True))
        self.controls = Dots(size=10, pxMode=True, symbol="x"), Dots(size=10, pxMode=True, symbol="+")
        for dots in self.controls:
            dots.setZValue(4)
            self.plot.addItem(dots, ignoreBounds=True)
        self.table = FiguresTable(theme, "Recovered at every layer")
        self.table.chosen.connect(self._on_row)
        self.chips = Chips(theme, "Kinds of input")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        self._drawn = Beside(
            [
                Titled("recovered, with the binomial law", self.plot),
                Titled("angle (dashed: 90°, nothing in common)", self.angles),
            ],
            [56, 44],
        )
        self._column = FitColumn(
            [self._drawn, self.chips, self.table, self.caption], self._drawn, [self.caption, self.chips]
        )
        self.set_body(self._column)
        self._recolour()
        self._offer()

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The taps, input first."""
        return [str(tap["name"]) for tap in self.frame.info["taps"]] if self.frame is not None else []

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        arrays, info = frame.arrays, frame.info
        taps, count = info["taps"], len(info["taps"])
        for axis in self._axes:
            axis.set_names(*names_of(taps, range(count), "all"))
        x = np.arange(count, dtype=float)
        for k in range(len(KINDS)):
            at = x + (k - 1.5) * STEP
            self.measured[k].set_data(
                at, arrays["recovered"][k], arrays["recovered_low"][k], arrays["recovered_high"][k]
            )
            self.predicted[k].set_data(at, arrays["predicted"][k])
            self.angle[k].set_data(at, arrays["angle"][k], arrays["angle_low"][k], arrays["angle_high"][k])
        at = float(info["chosen"]["tap"])
        for dots, kind, key in zip(self.controls, (RAW, FOOLING), ("uncentred", "random_net"), strict=True):
            value = info.get(key)
            known = value is not None and np.isfinite(value)
            dots.setData([at + (kind - 1.5) * STEP] if known else [], [value] if known else [])
        self.plot.set_home((-0.5, count - 0.5), (-0.03, 1.04))
        held = arrays["angle_high"][np.isfinite(arrays["angle_high"])]
        self.angles.set_home((-0.5, count - 0.5), padded(0, max(95.0, float(held.max()) if held.size else 0), 0.03))
        self._list()
        self._show_hidden()
        self._mark()
        self._say()
        self._lay_out()

    def _list(self) -> None:
        assert self.frame is not None
        arrays = self.frame.arrays
        head = [Cell("layer")]
        for k, name in enumerate(KINDS):
            head += [Cell(SHORT[k], f"{TIPS[k]}: recovered, and in brackets what the binomial law predicts", colour(self.theme, k)),
                     Cell("angle", f"Mean angle of {name} to the reference feature")]  # fmt: skip
        rows = []
        for t, name in enumerate(self.names):
            row = [Cell(name)]
            for k in range(len(KINDS)):
                tip = self.describe(t, k)
                row.append(Cell(f"{_share(arrays['recovered'][k, t])} ({_share(arrays['predicted'][k, t])})", tip))
                row.append(Cell(_degrees(arrays["angle"][k, t]), tip, "muted"))
            rows.append(row)
        self.table.show_rows(head, rows)

    def _say(self) -> None:
        assert self.frame is not None
        info, arrays = self.frame.info, self.frame.arrays
        chosen, tap = info["chosen"], int(info["chosen"]["tap"])
        shares = ", ".join(f"{SHORT[k]} {percent(arrays['recovered'][k, tap])}" for k in range(len(KINDS)))
        self.summary = f"recovered at {chosen['layer']}, r = {info['repetition']}: {shares}"
        counted = int(arrays["count"].max()) if arrays["count"].size else 0
        controls = []
        if _known(info.get("uncentred")):
            controls.append(f"× features not centred: raw noise opens the lock in {percent(info['uncentred'])}")
        if _known(info.get("random_net")):
            controls.append(
                f"+ hashed in the untrained network: fooling noise opens it in {percent(info['random_net'])}"
            )
        reached = f"{percent(info['fooled'])} of the noise reached confidence {info['confidence']:g} within ε = {info['eps']:g} (L2)."
        self.caption.set_text(
            f"Measurement, {counted:,} inputs a kind; bars are 95% Wilson intervals over inputs of this one network. Hollow, "
            f"dashed: the binomial law at each input's own angle. {reached}"
            + (f" Controls at {chosen['layer']}: {'; '.join(controls)}." if controls else "")
        )
        self.said.emit()

    def describe(self, tap: int, kind: int) -> str:
        """One kind at one layer, in words."""
        assert self.frame is not None
        a = self.frame.arrays
        ends = f"[{percent(a['recovered_low'][kind, tap])}, {percent(a['recovered_high'][kind, tap])}]"
        return (
            f"{KINDS[kind]}: {percent(a['recovered'][kind, tap])} {ends} of {int(a['count'][kind, tap])}, "
            f"predicted {percent(a['predicted'][kind, tap])}, angle {_degrees(a['angle'][kind, tap])}"
        )

    def clear(self) -> None:
        super().clear()
        self._pointed = None
        for points in (*self.measured, *self.predicted, *self.angle):
            points.clear()
        for dots in self.controls:
            dots.setData([], [])
        self.table.show_rows((), ())
        self.chips.set_entries((), ())
        self._mark()

    # --- the layer chosen, and what is hidden ------------------------------------------------------------------

    def show_tap(self, name: str | None) -> None:
        """Mark the layer that is chosen in all panels."""
        self._tap = name
        self._mark()

    def _mark(self) -> None:
        at = self.names.index(self._tap) if self._tap in self.names else None
        for mark in self.marks:
            mark.setVisible(at is not None)
            mark.setPos(at if at is not None else 0)
        self.table.mark_row(at)
        self._offer()

    def _offer(self) -> None:
        here = self.frame is not None and self._tap in self.names
        self.lock_button.setVisible(here)
        if here:
            self.lock_button.setText(f"Lock at {self._tap}")
            self.lock_button.setAccessibleName(f"Lock at {self._tap}")
        self.row.arrange()

    def _show_hidden(self) -> None:
        entries = [Entry(name, name, colour(self.theme, k), TIPS[k]) for k, name in enumerate(KINDS)]
        entries.append(Entry("law", "binomial law", self.theme.muted, "Predicted from each input's angle", "dash"))
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        for k, name in enumerate(KINDS):
            shown = name not in self._hidden
            for points in (self.measured[k], self.angle[k]):
                points.set_visible(shown)
            self.predicted[k].set_visible(shown and "law" not in self._hidden)
        for dots, kind in zip(self.controls, (RAW, FOOLING), strict=True):
            dots.setVisible(KINDS[kind] not in self._hidden)

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._show_hidden()

    @Slot()
    def _on_lock(self) -> None:
        if self._tap is not None:
            self.layer_asked.emit(self._tap)

    @Slot(int)
    def _on_row(self, row: int) -> None:
        if row < len(self.names):
            self.tap_chosen.emit(self.names[row])

    # --- pointer and keys --------------------------------------------------------------------------------------

    def _place(self, x: float) -> int | None:
        at = round(x)
        return at if 0 <= at < len(self.names) else None

    def _on_hover(self, plot: Plot, x: float, _y: float) -> None:
        found = self._place(x)
        if found is None:
            plot.readout.silence()
        else:
            self._point(plot, found)

    def _point(self, plot: Plot, tap: int) -> None:
        self._pointed = tap
        low, high = plot.getViewBox().viewRange()[1]
        lines = [self.names[tap], *(self.describe(tap, k) for k in range(len(KINDS)) if KINDS[k] not in self._hidden)]
        plot.readout.say("\n".join(lines), plot.at(tap, (low + high) / 2))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, _y: float) -> None:
        found = self._place(x)
        if found is not None:
            self.tap_chosen.emit(self.names[found])

    def _on_keys(self, plot: Plot, across: int, up: int) -> None:
        if self.names:
            start = self._pointed if self._pointed is not None else int(self.frame.info["chosen"]["tap"]) - across - up
            self._point(plot, min(len(self.names) - 1, max(0, start + across + up)))

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None and self._pointed < len(self.names):
            self.tap_chosen.emit(self.names[self._pointed])

    # --- layout, look and export -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    @Slot()
    def _lay_out(self, *_: object) -> None:
        roomy = self.height() >= ROOMY
        self.shown_choice.setVisible(not roomy)
        plots = roomy or self.shown_choice.key() == PLOT
        self._drawn.setVisible(plots)
        self._column.want(self.chips, plots)
        self._column.want(self.table, roomy or not plots)
        high = self.table.sizeHint().height()
        share = min(high, round(TABLED * self.height()))  # the plots keep the most of it; a long table scrolls
        self.table.setMinimumHeight(share if roomy else 50)
        self.table.setMaximumHeight(share if roomy else 16_777_215)
        self.row.arrange()
        self._column.fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for each in (self.plot, self.angles, self.shown_choice, self.table, self.chips):
            each.set_theme(theme)
        self._recolour()
        self.redraw()

    def _recolour(self) -> None:
        theme = self.theme
        for k in range(len(KINDS)):
            own = colour(theme, k)
            for points in (self.measured[k], self.angle[k]):
                points.set_colour(own)
            self.predicted[k].set_colour(own)
        for mark in self.marks:
            mark.setPen(pen(theme.accent, 1, alpha=0.7))
        for dots, kind in zip(self.controls, (RAW, FOOLING), strict=True):
            dots.setPen(pen(colour(theme, kind), 1.6))
            dots.setBrush(pg.mkBrush(colour(theme, kind)))
        self.right.set_colour(theme.line_strong, theme.muted)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("recovered", self.plot.getPlotItem()), ("angle", self.angles.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a layer and kind."""
        if self.frame is None:
            return
        names = (
            "recovered",
            "recovered_low",
            "recovered_high",
            "predicted",
            "count",
            "angle",
            "angle_low",
            "angle_high",
        )
        yield ["layer", "kind", *names]
        for t, tap in enumerate(self.names):
            for k, kind in enumerate(KINDS):
                yield [tap, kind, *(self.frame.arrays[name][k, t].item() for name in names)]


def _known(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))


def _share(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def _degrees(value: float) -> str:
    return f"{value:.1f}°" if np.isfinite(value) else "–"
