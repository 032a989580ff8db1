"""A heat map of layers against steps: one column a moment, one row a layer, with the border where the sign turns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QResizeEvent

from gui.plots.axes import NameAxis
from gui.plots.colorbar import ColorBar
from gui.plots.images import indices, table
from gui.plots.plot import Plot, pen
from gui.theme import Theme

DIFFERENCES = ((-1.0, "≤ −1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "≥ 1"))


class StepMap(Plot):
    """Values ``[layers, moments]`` between -1 and 1 on the diverging map; the input at the bottom, time to the right."""

    def __init__(self, theme: Theme) -> None:
        self._layers, self._moments = NameAxis("left"), NameAxis("bottom")
        self.image = pg.ImageItem(axisOrder="row-major")
        self._border = pg.PlotCurveItem(connect="pairs", antialias=False)
        self._row = pg.PlotCurveItem(antialias=False)
        self._spot = pg.PlotCurveItem(antialias=False)
        self.label = pg.TextItem(anchor=(1, 0.5))
        self.bar = ColorBar(theme, -1, 1, DIFFERENCES, "diverging")
        super().__init__(theme, {"left": self._layers, "bottom": self._moments})
        self.image.setLookupTable(table("diverging"))
        for z, item in enumerate((self.image, self._border, self._row, self._spot, self.label)):
            item.setZValue(z)
            self.addItem(item, ignoreBounds=True)
        self.getPlotItem().layout.addItem(self.bar, 2, 5)
        self._shape = (0, 0)
        self._marked: tuple[int, int, str] | None = None
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for axis in (self._layers, self._moments):
            axis.setPen(pg.mkPen(None))
            axis.setStyle(tickLength=0, tickAlpha=0, tickTextOffset=4)
        for side, text in self._texts.items():
            self._write_axis_text(side, text)
        self.bar.set_theme(theme)
        self._border.setPen(pen("#111111", 2))
        self._row.setPen(pen("#111111", 1, alpha=0.9))
        self._spot.setPen(pen("#111111", 2))
        self.label.setFont(theme.font(theme.small))
        self.label.setColor(theme.text)
        self.label.fill = pg.mkBrush(theme.surface)
        self.label.border = pen(theme.line_strong)

    def set_values(
        self, values: np.ndarray, layers: tuple[Sequence[str], Sequence[str]], moments: Sequence[str]
    ) -> None:
        """``layers`` are long and short names; a value that is not a number is grey."""
        self.image.setImage(indices(values, -1, 1), levels=(0, 255), autoLevels=False)
        rows, columns = values.shape
        self.image.setRect(QRectF(-0.5, -0.5, columns, rows))
        self._layers.set_names(*layers)
        self._moments.set_names(moments)
        self._shape = (rows, columns)
        self.set_home((-0.5, columns - 0.5), (-0.5, rows - 0.5))

    def set_border(self, moments: Sequence[int | None]) -> None:
        """For each row the first column of the other side, None where it stays on one side to the end."""
        x: list[float] = []
        y: list[float] = []
        for row, moment in enumerate(moments):
            if moment is not None and moment > 0:
                x += [moment - 0.5] * 2
                y += [row - 0.5, row + 0.5]
        for row, (a, b) in enumerate(pairwise(moments)):
            last = self._shape[1]
            ends = [last if m is None else m for m in (a, b)]
            if ends[0] != ends[1]:
                x += [ends[0] - 0.5, ends[1] - 0.5]
                y += [row + 0.5] * 2
        self._border.setData(np.array(x, dtype=float), np.array(y, dtype=float))

    def mark(self, row: int | None, column: int = 0, text: str = "") -> None:
        """Frame one cell and say what it is, where there is room beside it."""
        self._marked = None if row is None else (row, column, text)
        if row is None:
            self._spot.setData([], [])
        else:
            _box(self._spot, column - 0.5, row - 0.5, column + 0.5, row + 0.5)
        self._place_label()

    def _place_label(self) -> None:
        self.label.setVisible(False)
        if self._marked is None:
            return
        row, column, text = self._marked
        pixel = self.pixel()[0]
        wide = (QFontMetricsF(self.theme.font(self.theme.small)).horizontalAdvance(text) + 12) * pixel
        left, right = column, self._shape[1] - 1 - column
        if wide > max(left, right):
            return
        on_left = right < wide
        self.label.setText(text)
        self.label.setAnchor((1, 0.5) if on_left else (0, 0.5))
        self.label.setPos(column - 0.7 if on_left else column + 0.7, row)
        self.label.setVisible(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_marked"):
            self._place_label()

    def mark_row(self, row: int | None) -> None:
        """Frame the layer that is chosen."""
        if row is None:
            self._row.setData([], [])
        else:
            _box(self._row, -0.5, row - 0.5, self._shape[1] - 0.5, row + 0.5)

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """The (row, column) at a data point, or None outside."""
        row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
        return (row, column) if 0 <= row < self._shape[0] and 0 <= column < self._shape[1] else None

    def clear_values(self) -> None:
        self.image.clear()
        self._shape = (0, 0)
        self._home = None
        self._marked = None
        self.label.hide()
        for part in (self._border, self._row, self._spot):
            part.setData([], [])


def _box(curve: pg.PlotCurveItem, x0: float, y0: float, x1: float, y1: float) -> None:
    curve.setData(np.array([x0, x1, x1, x0, x0]), np.array([y0, y0, y1, y1, y0]))
