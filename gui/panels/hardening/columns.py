"""Small multiples in one plot: a column for each training, layers across within each, one axis upwards for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF

from gui.plots.axes import Axis
from gui.plots.band import BandCurve
from gui.plots.plot import Plot, pen
from gui.theme import Theme

GAP = 1.0  # layers' width between two columns


class ColumnsAxis(Axis):
    """Below: the layers of each column, its first and last where there is no room for all. Above: what each column is."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self._columns: tuple[str, ...] = ()
        self._layers: tuple[str, ...] = ()
        self._labels: dict[float, str] = {}

    def set_columns(self, columns: Sequence[str], layers: Sequence[str]) -> None:
        fresh = tuple(columns), tuple(layers)
        if fresh != (self._columns, self._layers):
            self._columns, self._layers = fresh
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self._columns or maxVal <= minVal:
            return []
        metrics, room = QFontMetricsF(self.style["tickFont"] or QFont()), size / (maxVal - minVal)
        stride = len(self._layers) - 1 + GAP
        self._labels = {}
        for k, column in enumerate(self._columns):
            left = k * stride
            if self.orientation == "top":
                wide = max(0.0, (stride - 0.2) * room)
                self._labels[left + (len(self._layers) - 1) / 2] = metrics.elidedText(
                    column, Qt.TextElideMode.ElideRight, wide
                )
            else:
                widest = max(metrics.horizontalAdvance(name) for name in self._layers) + 4
                places = self._kept(math.ceil(widest / max(room, 1e-9)))
                ends = sum(metrics.horizontalAdvance(self._layers[end]) for end in (0, -1)) / 2 + 8
                if k and GAP * room < ends:
                    places = places[1:]  # the last layer of the column before is named instead
                self._labels |= {left + place: self._layers[place] for place in places}
        return [(1.0, [at for at in self._labels if minVal <= at <= maxVal])]

    def _kept(self, step: int) -> list[int]:
        """Places of the layers that are named: first and last, and between them each so many-th."""
        last = len(self._layers) - 1
        if step <= 1:
            return list(range(last + 1))
        if step > last:
            return [last]
        return [0, *(p for p in range(step, last - step + 1, step)), last]

    def tickStrings(self, values: Any, _scale: float, _spacing: float) -> list[str]:
        return [self._labels.get(float(value), "") for value in values]


class Columns(Plot):
    """One quantity: curves by name, each drawn in every column."""

    def __init__(self, theme: Theme, curves: Sequence[tuple[str, str]]) -> None:
        """``curves`` are (name, kind), the kind line, dash or dot."""
        self._below, self._above = ColumnsAxis("bottom"), ColumnsAxis("top")
        super().__init__(theme, {"bottom": self._below, "top": self._above})
        item = self.getPlotItem()
        item.showAxis("top")
        item.getAxis("left").setWidth(40)
        self.set_grid(False, True)
        self._curves = {
            name: BandCurve(self, "#000000", dash=kind == "dash", dot=kind == "dot") for name, kind in curves
        }
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self.addItem(self._zero, ignoreBounds=True)
        self._lines: list[pg.InfiniteLine] = []
        self._walls: list[pg.InfiniteLine] = []
        self._stride, self._count, self._width = 1.0, 0, 1
        self._recolour()

    def set_columns(self, columns: Sequence[str], layers: Sequence[str]) -> None:
        """What the columns are, and the short names of the layers in each."""
        self._below.set_columns(columns, layers)
        self._above.set_columns(columns, layers)
        self._width, self._count = len(layers), len(columns)
        self._stride = len(layers) - 1 + GAP
        while len(self._lines) < self._count:
            self._lines.append(self._rule())
            self._walls.append(self._rule())
        for k, (line, wall) in enumerate(zip(self._lines, self._walls, strict=True)):
            line.setVisible(k < self._count)
            wall.setVisible(0 < k < self._count)
            wall.setPos(k * self._stride - GAP / 2)
        self._recolour()

    def set_curve(self, name: str, ends: tuple[np.ndarray, np.ndarray, np.ndarray] | None) -> list[float]:
        """Mean, low and high ``[columns, layers]``, or None to hide the curve; gives the values drawn."""
        curve = self._curves[name]
        curve.set_visible(ends is not None)
        if ends is None:
            return []
        x = np.arange(self._width, dtype=float)[None] + self._stride * np.arange(self._count)[:, None]
        apart = np.full((self._count, 1), np.nan)  # a curve ends with its column
        parts = [np.hstack([part, apart]).ravel() for part in ends]
        curve.set_data(np.hstack([x, x[:, -1:] + GAP / 2]).ravel(), *parts)
        return [float(v) for part in ends for v in part[np.isfinite(part)]]

    def set_extent(self, low: float, high: float) -> None:
        """Show from low to high, all columns beside each other."""
        end = self._stride * self._count - GAP
        self.set_home((-GAP / 2, end + GAP / 2), (low, high), slack=0.1)

    def mark(self, place: int) -> None:
        """A line at one layer in every column."""
        for k, line in enumerate(self._lines):
            line.setPos(k * self._stride + place)

    def cell(self, x: float) -> tuple[int, int] | None:
        """The column and the place within it at a position across."""
        if not self._count:
            return None
        column = min(self._count - 1, max(0, math.floor((x + GAP / 2) / self._stride)))
        return column, min(self._width - 1, max(0, round(x - column * self._stride)))

    def position(self, column: int, place: int) -> float:
        """Where a layer of a column is across."""
        return column * self._stride + place

    def colour(self, colours: dict[str, str]) -> None:
        """The colour of each curve."""
        for name, colour in colours.items():
            self._curves[name].set_colour(colour)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "_walls"):
            self._recolour()

    def _rule(self) -> pg.InfiniteLine:
        line = pg.InfiniteLine(angle=90)
        line.setZValue(0.5)
        self.addItem(line, ignoreBounds=True)
        return line

    def _recolour(self) -> None:
        self._zero.setPen(pen(self.theme.line_strong, 1))
        for line in self._lines:
            line.setPen(pen(self.theme.text, 1, dash=True, alpha=0.35))
        for wall in self._walls:
            wall.setPen(pen(self.theme.line_strong, 1))
