"""Many thin lines over one axis as a single item, and the names of the parts that the axis falls into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from gui.plots.plot import Plot, pen
from gui.theme import Theme

POINTS = 600  # of a line at most, about one a pixel
CRISP = 8000  # points of all lines together above which they are drawn without antialiasing, for speed


class Bundle:
    """Lines of one colour; where numbers are missing there is a gap."""

    def __init__(self, plot: Plot, z: float) -> None:
        self._curve = pg.PlotCurveItem(connect="finite", antialias=True)
        self._curve.setZValue(z)
        plot.addItem(self._curve, ignoreBounds=True)

    def set_data(self, x: np.ndarray, lines: np.ndarray) -> None:
        """``x`` [S] ascending and ``lines`` [S, L]; none or several."""
        places = thinned(len(x))
        count = lines.shape[1]
        if not count or not len(places):
            self._curve.setData([], [])
            return
        # a NaN after each line keeps it apart from the next
        across = np.tile(np.append(x[places], np.nan), count)
        up = np.concatenate([lines[places], np.full((1, count), np.nan)]).T.ravel()
        self._curve.opts["antialias"] = len(across) <= CRISP
        self._curve.setData(across, up)

    def set_pen(self, colour: str, width: float = 1.0, alpha: float = 1.0) -> None:
        self._curve.setPen(pen(colour, width, alpha=alpha))

    def set_visible(self, shown: bool) -> None:
        self._curve.setVisible(shown)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """What is drawn, the lines one after the other with NaN between them."""
        x, y = self._curve.getData()
        return (np.empty(0), np.empty(0)) if x is None else (x, y)


def thinned(count: int, most: int = POINTS) -> np.ndarray:
    """Positions to draw of so many: multiples of a stride, so that a growing line does not shimmer, and the last."""
    stride = max(1, -(-count // most))
    places = np.arange(0, count, stride)
    return places if not count or places[-1] == count - 1 else np.append(places, count - 1)


class Marks:
    """Upright hairlines where something begins, each with its name at the top."""

    def __init__(self, plot: Plot, theme: Theme) -> None:
        self._plot, self._theme = plot, theme
        self._shown: tuple[tuple[float, str], ...] = ()
        self._lines = pg.PlotCurveItem(connect="pairs", antialias=False)
        self._lines.setZValue(0.2)
        plot.addItem(self._lines, ignoreBounds=True)
        self._texts: list[pg.TextItem] = []
        plot.getViewBox().sigRangeChanged.connect(self._place)
        self.set_theme(theme)

    def set_marks(self, marks: Sequence[tuple[float, str]]) -> None:
        """(position, name) of each, ascending."""
        if tuple(marks) == self._shown:
            return
        self._shown = tuple(marks)
        for text in self._texts:
            self._plot.removeItem(text)
        self._texts = []
        for _, name in self._shown:
            text = pg.TextItem(name, anchor=(0, 0))
            text.setZValue(4)
            self._plot.addItem(text, ignoreBounds=True)
            self._texts.append(text)
        self.set_theme(self._theme)
        self._place()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._lines.setPen(pen(theme.line_strong))
        for text in self._texts:
            text.setFont(theme.font(theme.small))
            text.setColor(theme.muted)

    def _place(self, *_: object) -> None:
        (left, right), (low, high) = self._plot.getViewBox().viewRange()
        at = np.repeat([place for place, _ in self._shown], 2).astype(float)
        self._lines.setData(at, np.tile([low, high], len(self._shown)).astype(float))
        free = -np.inf
        pixel = self._plot.pixel()[0]
        for (place, _), text in zip(self._shown, self._texts, strict=True):
            # a name that would run into the one before it stays away; its line is there
            fits = place >= free and left <= place <= right
            text.setVisible(fits)
            if fits:
                text.setPos(place, high)
                free = place + (text.boundingRect().width() + 4) * pixel
