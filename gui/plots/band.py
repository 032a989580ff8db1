"""A curve with its interval: a thin line over a filled band, gaps where numbers are missing."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainterPath
from PySide6.QtWidgets import QGraphicsPathItem

from gui.plots.plot import Plot, pen


class BandCurve:
    """Mean and interval of one group against position. NaN leaves a gap in line and band alike."""

    def __init__(
        self, plot: Plot, colour: str, *, dash: bool = False, dot: bool = False, dash_dot: bool = False
    ) -> None:
        self._dash, self._dot, self._dash_dot = dash, dot, dash_dot
        quiet = dash or dot or dash_dot
        self._strength = 1.0
        self._outlined = False
        self.band = QGraphicsPathItem()
        self.band.setPen(Qt.PenStyle.NoPen)
        self.line = pg.PlotCurveItem(antialias=True, connect="finite", skipFiniteCheck=False)
        self.line.setZValue(2 if quiet else 3)
        self.band.setZValue(1)
        plot.addItem(self.band, ignoreBounds=True)
        plot.addItem(self.line, ignoreBounds=True)
        self.set_colour(colour)

    def set_colour(self, colour: str, *, strength: float = 1.0, fill: float | None = None) -> None:
        """Recolour; ``strength`` below 1 steps back behind the others, ``fill`` is the band's opacity."""
        self._strength = strength
        quiet = self._dash or self._dot or self._dash_dot
        style = {"dash": self._dash, "dot": self._dot, "dash_dot": self._dash_dot}
        self.line.setPen(pen(colour, 1.4 if self._dash_dot else 1.0 if quiet else 1.6, **style, alpha=strength))
        opacity = fill if fill is not None else 0.10 if quiet else 0.26
        ink = QColor(colour)
        ink.setAlphaF(opacity * strength)
        self.band.setBrush(Qt.BrushStyle.NoBrush if self._outlined else ink)
        self.band.setPen(pen(colour, dot=True, alpha=0.8 * strength) if self._outlined else Qt.PenStyle.NoPen)

    def outline(self) -> None:
        """Draw the band by its edges alone: another one's filling stays to be seen through it."""
        self._outlined = True

    def set_data(self, x: np.ndarray, mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Arrays of one length; x ascending."""
        self.line.setData(x, mean)
        self.band.setPath(band_path(x, low, high))

    def set_visible(self, shown: bool) -> None:
        self.line.setVisible(shown)
        self.band.setVisible(shown)


def band_path(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> QPainterPath:
    """The area between ``low`` and ``high``, in pieces where either is missing or infinite."""
    path = QPainterPath()
    ok = np.isfinite(low) & np.isfinite(high)
    start = 0
    while start < len(x):
        if not ok[start]:
            start += 1
            continue
        stop = start
        while stop < len(x) and ok[stop]:
            stop += 1
        if stop - start > 1:
            path.moveTo(QPointF(x[start], high[start]))
            for k in range(start + 1, stop):
                path.lineTo(QPointF(x[k], high[k]))
            for k in range(stop - 1, start - 1, -1):
                path.lineTo(QPointF(x[k], low[k]))
            path.closeSubpath()
        start = stop
    return path
