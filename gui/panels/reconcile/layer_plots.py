"""Shares and angles over the layers: what was measured, what the binomial law predicts, and the controls."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot

from gui.panels.reconcile.words import FOOLING, KINDS, RAW, colour, percent
from gui.plots.axes import NameAxis
from gui.plots.beside import Beside, Titled
from gui.plots.dots import Dots
from gui.plots.layers import names_of
from gui.plots.plot import Plot, padded, pen
from gui.plots.points import Level, Points
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

STEP = 0.09  # layers by which the kinds stand apart
CONTROLS = ((RAW, "uncentred", "x"), (FOOLING, "random_net", "+"))  # kind, name and mark of each


class LayerPlots(Beside):
    """``tap_chosen(name)`` is a click on a layer, or Return on the one that the arrow keys have reached."""

    tap_chosen = Signal(str)

    def __init__(self, theme: Theme, plots: tuple[Plot, Plot]) -> None:
        """``plots`` are made by :func:`plot_over_layers`."""
        self._frame: Frame | None = None
        self._hidden: frozenset[str] = frozenset()
        self._pointed: tuple[Plot, int] | None = None  # where, and which layer
        self.plot, self.angles = plots
        self._axes = [plot.getPlotItem().getAxis("bottom") for plot in plots]
        shares = Titled("recovered, with the binomial law", self.plot)
        super().__init__([shares, Titled("angle (dashed: 90°, nothing in common)", self.angles)], [56, 44])
        self.theme = theme
        self.plot.setAccessibleName("Share that opens the lock, at every layer")
        self.angles.setAccessibleName("Mean angle to the reference feature, at every layer")
        self.plot.set_axis_text("left", "recovered (share)")
        self.angles.set_axis_text("left", "angle to reference (°)")
        self.right_angle = Level(self.angles, 90, "", dash=True)
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
            mark.hide()
            plot.addItem(mark, ignoreBounds=True)
            self.marks.append(mark)

    def filling(self) -> Iterator[None]:
        """Put in what is drawn: done once, a kind at a time."""
        for _ in KINDS:
            self.predicted.append(Points(self.plot, size=9, line=True, dash=True, hollow=True))
            self.measured.append(Points(self.plot, size=6))
            self.angle.append(Points(self.angles, size=5, line=True))
            yield
        self.controls = [Dots(size=10, pxMode=True, symbol=symbol) for *_, symbol in CONTROLS]
        for dots in self.controls:
            dots.setZValue(4)
            self.plot.addItem(dots, ignoreBounds=True)
        self._recolour()

    @property
    def names(self) -> list[str]:
        """The taps, input first."""
        return [str(tap["name"]) for tap in self._frame.info["taps"]] if self._frame is not None else []

    # --- what is drawn -----------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Draw what there is; what is not measured yet is left out."""
        self._frame = frame
        arrays, info = frame.arrays, frame.info
        taps, count = info["taps"], len(info["taps"])
        for axis in self._axes:
            axis.set_names(*names_of(taps, range(count), "all"))
        x = np.arange(count, dtype=float)
        for k in range(len(KINDS)):
            at = x + (k - 1.5) * STEP
            shares = (arrays[f"recovered{end}"][k] for end in ("", "_low", "_high"))
            self.measured[k].set_data(at, *shares)
            self.predicted[k].set_data(at, arrays["predicted"][k])
            self.angle[k].set_data(at, *(arrays[f"angle{end}"][k] for end in ("", "_low", "_high")))
        for dots, (kind, key, _) in zip(self.controls, CONTROLS, strict=True):
            value, at = info.get(key), float(info["chosen"]["tap"]) + (kind - 1.5) * STEP
            dots.setData(*(([at], [value]) if known(value) else ([], [])))
        self.plot.set_home((-0.5, count - 0.5), (-0.03, 1.04))
        held = arrays["angle_high"][np.isfinite(arrays["angle_high"])]
        self.angles.set_home((-0.5, count - 0.5), padded(0, max(95.0, float(held.max()) if held.size else 0), 0.03))
        if self._pointed is not None:
            plot, tap = self._pointed
            self._point(plot, tap) if tap < count else plot.leave()

    def clear_points(self) -> None:
        """Draw nothing."""
        self._frame = None
        for plot in (self.plot, self.angles):
            plot.leave()
        for points in (*self.measured, *self.predicted, *self.angle):
            points.clear()
        for dots in self.controls:
            dots.setData([], [])

    def hide_kinds(self, hidden: Collection[str]) -> None:
        """Leave out kinds by their names, and the law by "law"."""
        self._hidden = frozenset(hidden)
        for k, name in enumerate(KINDS):
            shown = name not in hidden
            for points in (self.measured[k], self.angle[k]):
                points.set_visible(shown)
            self.predicted[k].set_visible(shown and "law" not in hidden)
        for dots, (kind, *_) in zip(self.controls, CONTROLS, strict=True):
            dots.setVisible(KINDS[kind] not in hidden)

    def mark(self, tap: int | None) -> None:
        """Mark a layer."""
        for mark in self.marks:
            mark.setVisible(tap is not None)
            mark.setPos(tap if tap is not None else 0)

    def describe(self, tap: int, kind: int) -> str:
        """One kind at one layer, in words."""
        assert self._frame is not None
        a = self._frame.arrays
        ends = f"[{percent(a['recovered_low'][kind, tap])}, {percent(a['recovered_high'][kind, tap])}]"
        return (
            f"{KINDS[kind]}: {percent(a['recovered'][kind, tap])} {ends} of {int(a['count'][kind, tap])}, "
            f"predicted {percent(a['predicted'][kind, tap])}, angle {degrees(a['angle'][kind, tap])}"
        )

    # --- pointer and keys --------------------------------------------------------------------------------------

    def _place(self, x: float) -> int | None:
        at = round(x)
        return at if 0 <= at < len(self.names) else None

    def _on_hover(self, plot: Plot, x: float, _y: float) -> None:
        found = self._place(x)
        if found is None:
            plot.leave()
        else:
            self._point(plot, found)

    def _point(self, plot: Plot, tap: int) -> None:
        self._pointed = plot, tap
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
        if self._frame is not None:
            first = int(self._frame.info["chosen"]["tap"])
            wanted = first if self._pointed is None else self._pointed[1] + across + up
            self._point(plot, min(len(self.names) - 1, max(0, wanted)))

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self.tap_chosen.emit(self.names[self._pointed[1]])

    # --- look --------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.plot.set_theme(theme)
        self.angles.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        for k in range(len(KINDS)):
            own = colour(theme, k)
            for points in (self.measured[k], self.angle[k], self.predicted[k]):
                points.set_colour(own)
        for mark in self.marks:
            mark.setPen(pen(theme.accent, 1, alpha=0.7))
        for dots, (kind, *_) in zip(self.controls, CONTROLS, strict=True):
            dots.setPen(pen(colour(theme, kind), 1.6))
            dots.setBrush(pg.mkBrush(colour(theme, kind)))
        self.right_angle.set_colour(theme.line_strong, theme.muted)


def plot_over_layers(theme: Theme) -> Plot:
    """A plot whose places across are named."""
    return Plot(theme, {"bottom": NameAxis("bottom")})


def known(value: Any) -> bool:
    """Whether a control was measured."""
    return value is not None and bool(np.isfinite(value))


def degrees(value: float) -> str:
    """An angle; a dash where there is none."""
    return f"{value:.1f}°" if np.isfinite(value) else "–"
