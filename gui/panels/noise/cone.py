"""Samples that fall to one point, layer by layer: world lines in the cone |C| <= 1, or the angle that is left."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot

from gui.panels.noise.curves import Curve, WholeAxis
from gui.plots.axes import PlainAxis
from gui.plots.bundle import thinned
from gui.plots.plot import Plot, pen
from gui.plots.says import signed
from gui.theme import Theme

POINTS = 200  # of a line at most, about one a pixel
NEAR = 14.0  # pixels within which the pointer takes a line


class _Across(PlainAxis):
    """X, or degrees at quarters of a half turn."""

    degrees = False

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self.degrees:
            return super().tickValues(minVal, maxVal, size)
        step = 45.0 if size * 45 > 34 * (maxVal - minVal) else 90.0
        return [(step, [v for v in np.arange(0, 181, step).tolist() if minVal <= v <= maxVal])]


class WorldLines(Plot):
    """One thin line a sample, in groups of one colour each.

    Drawn is X = C_1 + … + C_l with the shared point, or the angle to it, against depth.
    """

    def __init__(self, theme: Theme, name: str, groups: Iterable[Curve]) -> None:
        self._across = _Across("bottom")
        super().__init__(theme, {"left": WholeAxis("left"), "bottom": self._across})
        self.setAccessibleName(name)
        self.set_axis_text("left", "layer")
        self.groups = {group.key: group for group in groups}
        self._angles = False
        self._C: dict[str, np.ndarray] = {}  # [layers + 1, samples]
        self._depth = 1
        self._lines: dict[str, np.ndarray] = {}  # what is drawn of it
        self._hidden: set[str] = set()
        self._pointed: tuple[str, int, int] | None = None  # group, sample, layer
        self._cone, self._axis = pg.PlotCurveItem(antialias=True), pg.PlotCurveItem(antialias=True)
        self._halo = pg.PlotCurveItem(connect="finite", antialias=True)
        self._items = {key: pg.PlotCurveItem(connect="finite", antialias=True) for key in self.groups}
        for z, item in (
            (0.0, self._axis),
            (0.5, self._cone),
            *((3 - 0.1 * k, item) for k, item in enumerate(self._items.values())),
            (4.0, self._halo),
        ):
            item.setZValue(z)
            self.addItem(item, ignoreBounds=True)
        self.hovered.connect(self._on_hover)
        self.left.connect(self._on_left)
        self.moved.connect(self._on_keys)
        self._recolour()

    def draw(self, correlations: Mapping[str, np.ndarray], depth: int) -> None:
        """``correlations`` by group: C [layers + 1, samples], the input first; ``depth`` layers in the end."""
        self._C, self._depth = dict(correlations), max(1, depth)
        self._redraw()

    def show_angles(self, on: bool) -> None:
        """Draw the angle to the shared point rather than X."""
        if on != self._angles:
            self._angles = self._across.degrees = on
            self.leave()
            self.follow_home()
            self._redraw()

    def _redraw(self) -> None:
        make = angles if self._angles else positions
        self._lines = {key: make(found) for key, found in self._C.items()}
        for key, item in self._items.items():
            lines = self._lines.get(key, np.empty((1, 0)))
            places, count = thinned(len(lines), POINTS), lines.shape[1]
            # a NaN after each line keeps it apart from the next
            x = np.concatenate([lines[places], np.full((1, count), math.nan)]).T.ravel()
            item.setData(x, np.tile(np.append(places.astype(float), math.nan), count))
        top = float(self._depth)
        self._cone.setData([-top, 0, top], [top, 0, top])
        self._axis.setData([90, 90] if self._angles else [0, 0], [0, top])
        self._cone.setVisible(not self._angles)
        self.set_axis_text(
            "bottom", "angle to the shared point (°)" if self._angles else "X = Σ C with the shared point"
        )
        across = (-4.0, 184.0) if self._angles else (-top * 1.04, top * 1.04)
        self.set_home(across, (-top * 0.03, top * 1.04))
        self._show()
        if self._pointed is not None:
            group, sample, layer = self._pointed
            lines = self._lines.get(group, np.empty((1, 0)))
            if sample < lines.shape[1] and self.readout.isVisible():
                self._point(group, sample, min(layer, len(lines) - 1))
            else:
                self.leave()

    def positions(self, group: str) -> np.ndarray:
        """Where the lines drawn are, [layers + 1, samples]: X, or degrees."""
        return self._lines[group]

    def set_hidden(self, keys: Collection[str]) -> None:
        """Leave these groups out."""
        self._hidden = set(keys)
        self._show()

    def _show(self) -> None:
        for key, item in self._items.items():
            item.setVisible(key not in self._hidden)

    def forget(self) -> None:
        """Draw no line."""
        self.leave()
        self.draw({}, 1)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, group: str, sample: int, layer: int) -> str:
        """What the readout says of a sample at a layer."""
        C = float(self._C[group][layer, sample])
        where = (
            f"angle {self._lines[group][layer, sample]:.3g}°"
            if self._angles
            else f"X {signed(float(self._lines[group][layer, sample]))}"
        )
        return f"{self.groups[group].label}, sample {sample}\nlayer {layer}: C {signed(C)}, {where}"

    def _point(self, group: str, sample: int, layer: int) -> None:
        self._pointed = group, sample, layer
        lines = self._lines[group]
        self._halo.setData(lines[:, sample], np.arange(len(lines), dtype=float))
        self.readout.say(self.describe(group, sample, layer), self.at(float(lines[layer, sample]), layer))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        wide, _ = self.pixel()
        best: tuple[float, str, int, int] | None = None
        for key, lines in self._lines.items():
            layer = min(len(lines) - 1, max(0, round(y)))
            away = np.abs(lines[layer] - x) / wide if wide and lines.shape[1] else np.empty(0)
            if key in self._hidden or not np.isfinite(away).any():
                continue
            sample = int(np.nanargmin(away))
            if away[sample] <= NEAR and (best is None or away[sample] < best[0]):
                best = float(away[sample]), key, sample, layer
        if best is None:
            self.leave()
        else:
            self._point(*best[1:])

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self._halo.setData([], [])

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        """Left and right go from sample to sample, up and down from layer to layer."""
        shown = [
            (key, k) for key, lines in self._lines.items() if key not in self._hidden for k in range(lines.shape[1])
        ]
        if not shown:
            return
        group, sample, layer = self._pointed or (*shown[0], 0)
        at = shown.index((group, sample)) if (group, sample) in shown else 0
        if self._pointed is not None:
            at = min(len(shown) - 1, max(0, at + across))
        group, sample = shown[at]
        self._point(group, sample, min(len(self._lines[group]) - 1, max(0, layer + up)))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "_items"):
            self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        self._cone.setPen(pen(theme.muted, dash=True))
        self._axis.setPen(pen(theme.line_strong))
        self._halo.setPen(pen(theme.text, 1.4))
        for key, item in self._items.items():
            item.setPen(pen(theme.palette[self.groups[key].colour], 1, alpha=0.5))

    def rows(self, series: str) -> list[list[Any]]:
        """The lines drawn, as rows: series, quantity, group, layer, sample, C and X."""
        return [
            [
                series,
                "world line",
                self.groups[key].label,
                layer,
                sample,
                float(C[layer, sample]),
                float(x[layer, sample]),
            ]
            for key, C in self._C.items()
            for x in (positions(C),)
            for layer in range(C.shape[0])
            for sample in range(C.shape[1])
        ]


HEAD = ["series", "quantity", "group", "layer", "sample", "C", "X"]
"""Column names of :meth:`WorldLines.rows`."""


def positions(correlations: np.ndarray) -> np.ndarray:
    """X_0 = 0, X_l = C_1 + … + C_l of C [layers + 1, samples]; the input's own C is in none of them."""
    steps = np.array(correlations, float)
    steps[:1] = 0.0
    found: np.ndarray = np.cumsum(steps, axis=0)
    return found


def angles(correlations: np.ndarray) -> np.ndarray:
    """Angles in degrees of C, as far as can be seen in a drawing."""
    found: np.ndarray = np.degrees(np.arccos(np.clip(np.asarray(correlations, float), -1, 1)))
    return found
