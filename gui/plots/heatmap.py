"""A square heat map: classes named on both edges, separators between them, a slim colour bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from gui.plots.axes import Axis
from gui.plots.colorbar import ColorBar
from gui.plots.images import indices, table
from gui.plots.plot import Plot, pen
from gui.theme import Theme, mix


class BlockAxis(Axis):
    """Names blocks of rows or columns at their middle; a block too small for its name goes unnamed."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self._blocks: tuple[tuple[float, str], ...] = ()

    def set_blocks(self, blocks: Sequence[tuple[float, str]]) -> None:
        """Middle position and name of each block, ascending."""
        if tuple(blocks) != self._blocks:
            self._blocks = tuple(blocks)
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        minVal, maxVal = sorted((minVal, maxVal))  # the rows' axis runs downwards
        room = (
            14.0
            if self.orientation in ("left", "right")
            else 8.0 + 7.0 * max((len(n) for _, n in self._blocks), default=1)
        )
        scale = size / max(maxVal - minVal, 1e-9)
        kept: list[float] = []
        for middle, _ in self._blocks:
            if minVal <= middle <= maxVal and (not kept or (middle - kept[-1]) * scale >= room):
                kept.append(middle)
        return [(1.0, kept)]

    def tickStrings(self, values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
        names = dict(self._blocks)
        return [names.get(value, "") for value in values]


CORRELATIONS = ((-1, "−1"), (-0.5, "−0.5"), (0, "0"), (0.5, "0.5"), (1, "1"))


class HeatMap(Plot):
    """An image of values in [-1, 1] or another fixed range, row 0 at the top, drawn at one quad per cell."""

    def __init__(
        self,
        theme: Theme,
        ticks: Sequence[tuple[float, str]] = CORRELATIONS,
        colours: str = "diverging",
        *,
        blank: bool = False,
    ) -> None:
        """``ticks`` name values from the lowest to the highest; with ``blank`` what is not a number is left out."""
        self._range = (float(ticks[0][0]), float(ticks[-1][0]))
        self._blank = blank
        self._rows, self._columns = BlockAxis("left"), BlockAxis("bottom")
        self.image = pg.ImageItem(axisOrder="row-major")
        self._lines = pg.PlotCurveItem(connect="pairs", antialias=False)
        self._spot = pg.PlotCurveItem(antialias=False)
        self._band = pg.PlotCurveItem(antialias=False)
        self.bar = ColorBar(theme, *self._range, ticks, colours)
        super().__init__(theme, {"left": self._rows, "bottom": self._columns})
        item = self.getPlotItem()
        item.getViewBox().setAspectLocked(True)
        item.invertY(True)
        self.image.setLookupTable(_see_through(table(colours)) if blank else table(colours))
        for z, part in enumerate((self.image, self._lines, self._band, self._spot)):
            part.setZValue(z)
            item.addItem(part, ignoreBounds=True)
        item.layout.addItem(self.bar, 2, 5)
        self._size = 0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for axis in (self._rows, self._columns):
            axis.setPen(pg.mkPen(None))
            axis.setStyle(tickLength=0, tickAlpha=0, tickTextOffset=4)
        for side, text in self._texts.items():
            self._write_axis_text(side, text)  # an axis without a pen would take its label's colour with it
        self.bar.set_theme(theme)
        self._lines.setPen(pen(mix("#f7f7f7", "#000000", 0.75), 1, alpha=0.35))
        self._band.setPen(pen("#111111", 1, alpha=0.85))
        self._spot.setPen(pen("#000000", 2))

    def set_values(self, values: np.ndarray) -> None:
        """A square array [P, P]; NaN is drawn grey, or left out."""
        self.image.setImage(indices(values, *self._range), levels=(0, 255), autoLevels=False)
        if len(values) != self._size:
            self._size = len(values)
            edge = 0.1 if self._blank else 0.5  # a few cells with texts need the room
            self.set_home((-edge, self._size + edge), (-edge, self._size + edge))

    def set_blocks(self, starts: Sequence[int], names: Sequence[str]) -> None:
        """Where each block begins and what it is called; blocks run to the next start."""
        ends = [*starts[1:], self._size]
        middles = [((a + b) / 2, name) for a, b, name in zip(starts, ends, names, strict=True)]
        self._rows.set_blocks(middles)
        self._columns.set_blocks(middles)
        n = float(self._size)
        x: list[float] = []
        y: list[float] = []
        for cut in starts[1:]:
            x += [cut, cut, 0, n]
            y += [0, n, cut, cut]
        self._lines.setData(np.array(x, dtype=float), np.array(y, dtype=float))

    def name_rows(self, names: Sequence[str]) -> None:
        """Other names for the rows than for the columns, where each is a block of its own."""
        self._rows.set_blocks([(k + 0.5, name) for k, name in enumerate(names)])

    def mark_cells(self, cells: Sequence[tuple[int, int]]) -> None:
        """Frame cells (row, column)."""
        self._frame(self._spot, [(c - 0.4, r - 0.4, c + 1.4, r + 1.4) for r, c in cells])

    def mark_bands(self, bands: Sequence[tuple[int, int]]) -> None:
        """Frame whole rows and columns from ``start`` to ``stop``."""
        n = float(self._size)
        boxes = [(0.0, float(a), n, float(b)) for a, b in bands] + [(float(a), 0.0, float(b), n) for a, b in bands]
        self._frame(self._band, boxes)

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """The (row, column) at a data point, or None outside."""
        row, column = int(np.floor(y)), int(np.floor(x))
        return (row, column) if 0 <= row < self._size and 0 <= column < self._size else None

    def clear_values(self) -> None:
        self.image.clear()
        self._size = 0
        self._home = None
        for part in (self._lines, self._spot, self._band):
            part.setData([], [])

    def _frame(self, curve: pg.PlotCurveItem, boxes: Sequence[tuple[float, float, float, float]]) -> None:
        x: list[float] = []
        y: list[float] = []
        for x0, y0, x1, y1 in boxes:
            x += [x0, x1, x1, x0, x0, np.nan]
            y += [y0, y0, y1, y1, y0, np.nan]
        curve.setData(np.array(x, dtype=float), np.array(y, dtype=float), connect="finite")


def _see_through(colours: np.ndarray) -> np.ndarray:
    """A colour table whose entry for NaN is transparent."""
    opaque = np.full((len(colours), 1), 255, dtype=np.uint8)
    opaque[-1] = 0
    return np.concatenate([colours, opaque], axis=1)
