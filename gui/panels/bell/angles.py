"""Sign correlation against angle at one layer, beside what local signs and what quantum pairs would give."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg

from engine.experiments.bell_views import classical, cosine
from gui.panels.bell.words import WIDE
from gui.plots.axes import PlainAxis
from gui.plots.plot import Plot, pen
from gui.plots.points import Points
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class AngleAxis(PlainAxis):
    """Degrees from 0 to 180, at quarters of them."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        step = 45.0 if size * 45 > 34 * (maxVal - minVal) else 90.0
        return [(step, [v for v in np.arange(0, 181, step).tolist() if minVal <= v <= maxVal])]


class AngleCurves:
    """E(θ) of the pairs of a layer, the line of the theorem and the cosine."""

    def __init__(self, plot: Plot) -> None:
        self.sawtooth = pg.PlotCurveItem(antialias=True)
        self.cosine = pg.PlotCurveItem(antialias=True)
        for item in (self.sawtooth, self.cosine):
            item.setZValue(1)
            plot.addItem(item, ignoreBounds=True)
        self.measured = Points(plot, size=5)
        degrees = np.linspace(0, 180, 121)
        self.sawtooth.setData(degrees, classical(np.radians(degrees)))
        self.cosine.setData(degrees, cosine(np.radians(degrees)))
        plot.set_home((-3, 183), (-1.08, 1.08))

    def draw(self, frame: Frame, place: int) -> None:
        """The pairs of a layer."""
        E, error = frame.arrays["E"][place], frame.arrays["E_error"][place]
        self.measured.set_data(np.degrees(frame.arrays["theta"][place]), E, E - WIDE * error, E + WIDE * error)

    def hide(self, keys: Collection[str]) -> None:
        """Draw all but these."""
        self.measured.set_visible("measured" not in keys)
        self.sawtooth.setVisible("classical" not in keys)
        self.cosine.setVisible("cosine" not in keys)

    def clear(self) -> None:
        """Leave only what is known without a measurement."""
        self.measured.clear()

    def set_theme(self, theme: Theme) -> None:
        self.sawtooth.setPen(pen(theme.palette["blue"], 1.4))
        self.cosine.setPen(pen(theme.muted, dash=True))
        self.measured.set_colour(theme.palette["vermillion"])


def nearest_pair(frame: Frame, place: int, x: float, y: float) -> int | None:
    """The pair of a layer nearest to an angle in degrees and an E; None where none was measured."""
    away = np.hypot((np.degrees(frame.arrays["theta"][place]) - x) / 180, (frame.arrays["E"][place] - y) / 2)
    return int(np.nanargmin(away)) if np.isfinite(away).any() else None
