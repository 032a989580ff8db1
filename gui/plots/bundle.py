"""Many thin lines over one axis as a single item, and the names of the parts that the axis falls into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

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


KEPT = 70  # pixels at the upper right that Beyond needs
ROWS = 4  # of names above each other, where they would run into one another


class Marks:
    """Upright hairlines where something begins, each with its name at the top, in as many rows as they need."""

    def __init__(self, plot: Plot, theme: Theme) -> None:
        self._plot, self._theme = plot, theme
        self._shown: tuple[tuple[float, str], ...] = ()
        self._lines = pg.PlotCurveItem(connect="pairs", antialias=False)
        self._lines.setZValue(0.2)
        plot.addItem(self._lines, ignoreBounds=True)
        self._texts: list[pg.TextItem] = []
        plot.getViewBox().sigRangeChanged.connect(self._place)
        plot.getViewBox().sigResized.connect(self._place)
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
            text.fill = pg.mkBrush(mix_alpha(theme.surface, 0.8))  # a line behind a name must not strike it out

    def _place(self, *_: object) -> None:
        (left, right), (low, high) = self._plot.getViewBox().viewRange()
        at = np.repeat([place for place, _ in self._shown], 2).astype(float)
        self._lines.setData(at, np.tile([low, high], len(self._shown)).astype(float))
        across, up = self._plot.pixel()
        tall = max((text.boundingRect().height() for text in self._texts), default=1.0) * up
        rows = min(ROWS, max(1, int((high - low) / 2 / tall))) if tall > 0 else 1  # not below the plot's middle
        free = [-np.inf] * rows  # from where each row has room
        for (place, _), text in zip(self._shown, self._texts, strict=True):
            wide = text.boundingRect().width() * across
            # the last names stand left of their line rather than run out of the plot
            start = max(left, min(place, right - wide)) if left <= place <= right else place
            fits = [start >= end and (k or start + wide <= right - KEPT * across) for k, end in enumerate(free)]
            row = next((k for k, here in enumerate(fits) if here), None) if left <= place <= right else None
            # a name that would run into those before it stays away; its line is there
            text.setVisible(row is not None)
            if row is not None:
                text.setPos(start, high - row * tall * 0.85)
                free[row] = start + wide + 4 * across


def mix_alpha(colour: str, alpha: float) -> QColor:
    """A colour that lets through what is behind it."""
    made = QColor(colour)
    made.setAlphaF(alpha)
    return made


class Beyond:
    """Says at the upper and lower edge how far the values go that lie outside: the range leaves freak ones out."""

    def __init__(self, plot: Plot, theme: Theme) -> None:
        self._plot = plot
        self._ends = (np.nan, np.nan)
        self.texts = (pg.TextItem("", anchor=(1, 1)), pg.TextItem("", anchor=(1, 0)))
        for text in self.texts:
            text.setZValue(5)
            plot.addItem(text, ignoreBounds=True)
        plot.getViewBox().sigRangeChanged.connect(self._place)
        self.set_theme(theme)
        self._place()

    def set_ends(self, low: float, high: float) -> None:
        """The smallest and the largest value there is; NaN where there is none."""
        self._ends = (low, high)
        self._place()

    def set_theme(self, theme: Theme) -> None:
        for text in self.texts:
            text.setFont(theme.font(theme.small))
            text.setColor(theme.muted)
            text.fill = pg.mkBrush(mix_alpha(theme.surface, 0.8))

    def _place(self, *_: object) -> None:
        (_, right), (low, high) = self._plot.getViewBox().viewRange()
        for text, value, edge, sign in zip(self.texts, self._ends, (low, high), "▼▲", strict=True):
            out = np.isfinite(value) and (value < edge if sign == "▼" else value > edge)
            text.setVisible(bool(out))
            if out:
                text.setText(f"{sign} to {value:.3g}".replace("-", "−"))
                text.setPos(right, edge)
