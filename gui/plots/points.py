"""Points with error bars, and lines with a name that mark a value."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from gui.plots.dots import Dots
from gui.plots.plot import Plot, pen


class Points:
    """Points of one colour, optionally with intervals and a line through them; NaN is left out."""

    def __init__(
        self, plot: Plot, *, size: int = 6, line: bool = False, dash: bool = False, hollow: bool = False
    ) -> None:
        self._line_shown, self._dash, self._hollow, self._plot = line, dash, hollow, plot
        self.dots = Dots(size=size, pxMode=True)
        self.bars = pg.PlotCurveItem(connect="pairs", antialias=False)
        self.line = pg.PlotCurveItem(connect="finite", skipFiniteCheck=False, antialias=True)
        for z, item in ((2.0, self.line), (2.2, self.bars), (3.0, self.dots)):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)

    def set_colour(self, colour: str, *, alpha: float = 1.0) -> None:
        self.line.setPen(pen(colour, 1.0 if self._dash else 1.6, dash=self._dash, alpha=alpha))
        self.bars.setPen(pen(colour, 1, alpha=alpha))
        self.dots.setBrush(pg.mkBrush(self._plot.theme.surface if self._hollow else colour))
        self.dots.setPen(pen(colour, 1.2, alpha=alpha))

    def set_data(
        self, x: np.ndarray, y: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None
    ) -> None:
        """Arrays of one length; ``low`` and ``high`` are the ends of the bars."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        known = np.isfinite(y)
        self.dots.setData(x[known], y[known])
        if self._line_shown:
            self.line.setData(x, y)
        if low is not None and high is not None:
            both = np.isfinite(low) & np.isfinite(high)
            self.bars.setData(np.repeat(x[both], 2), np.stack([low[both], high[both]], 1).ravel())
        else:
            self.bars.setData([], [])

    def clear(self) -> None:
        self.set_data(np.empty(0), np.empty(0))
        self.line.setData([], [])

    def set_visible(self, shown: bool) -> None:
        for item in (self.dots, self.bars, self.line):
            item.setVisible(shown)


class Level:
    """A straight line at a value with its name on it; ``upright`` marks a value of x."""

    def __init__(
        self,
        plot: Plot,
        value: float,
        text: str,
        *,
        dash: bool = False,
        upright: bool = False,
        at: float = 0.03,
    ) -> None:
        """``at`` is where along the line its name stands."""
        self._dash = dash
        anchors = [(0, 0), (0, 0)] if upright else [(0, 1), (0, 1)]
        options = {"position": at, "anchors": anchors, "movable": False}
        self.line = pg.InfiniteLine(pos=value, angle=90 if upright else 0, label=text or None, labelOpts=options)
        self.line.setZValue(1)
        plot.addItem(self.line, ignoreBounds=True)
        self._plot = plot

    def set_colour(self, colour: str, ink: str | None = None) -> None:
        self.line.setPen(pen(colour, 1, dash=self._dash))
        if hasattr(self.line, "label"):
            self.line.label.setColor(ink or colour)
            self.line.label.setFont(self._plot.theme.font(self._plot.theme.small))
