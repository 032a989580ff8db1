"""Intervals that stand on their own: a point with a bar through it and a cap at either end."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from gui.plots.dots import Dots
from gui.plots.plot import Plot, pen


class Whiskers:
    """Means with intervals at some places; nothing is drawn where one of the numbers is missing."""

    def __init__(self, plot: Plot, colour: str, *, beam: float = 0.08, dots: bool = True, z: float = 5) -> None:
        self._beam = beam
        self._dots = dots
        self._shown = True
        self.count = 0
        self.bars = pg.ErrorBarItem()
        self.points = Dots(size=5, pxMode=True)
        for item, height in ((self.bars, z), (self.points, z + 0.1)):
            item.setZValue(height)
            plot.addItem(item, ignoreBounds=True)
        self.set_colour(colour)

    def set_colour(self, colour: str, *, alpha: float = 1.0, width: float = 1.2) -> None:
        """Recolour bars and points alike."""
        self.bars.setData(pen=pen(colour, width, alpha=alpha))
        self.points.setPen(pg.mkPen(None))
        self.points.setBrush(pg.mkBrush(colour))

    def set_data(self, x: np.ndarray, mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Arrays of one length."""
        ok = np.isfinite(mean) & np.isfinite(low) & np.isfinite(high)
        x, mean, low, high = x[ok], mean[ok], low[ok], high[ok]
        self.count = len(x)
        self.bars.setData(x=x, y=mean, top=high - mean, bottom=mean - low, beam=self._beam)
        self.points.setData(x, mean)
        self.set_visible(self._shown)

    def set_visible(self, shown: bool) -> None:
        self._shown = shown
        self.bars.setVisible(shown and self.count > 0)
        self.points.setVisible(shown and self.count > 0 and self._dots)
