"""S of the CHSH protocol at every layer, and the algebraic score that is mistaken for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

from gui.panels.bell.bounds import Bounds
from gui.panels.bell.words import WIDE
from gui.plots.plot import Plot, pen
from gui.plots.points import Points
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class LayerScores:
    """S with its interval at each layer; the layer looked at is marked."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._tap_line = pg.InfiniteLine(angle=90)
        plot.addItem(self._tap_line, ignoreBounds=True)
        self.S = Points(plot, size=6)
        self.algebraic = Points(plot, size=6, line=True, dash=True, hollow=True)
        self.bounds = Bounds(plot, named=True)

    def draw(self, frame: Frame, place: int) -> None:
        """Every layer of a frame; ``place`` is the one looked at."""
        rows = frame.info["layers"]
        S, error, score = (np.array([row.get(n, math.nan) for row in rows], float) for n in ("S", "error", "algebraic"))
        x = np.arange(len(rows), dtype=float)
        self.S.set_data(x, S, S - WIDE * error, S + WIDE * error)
        self.algebraic.set_data(x, score)
        low = min([0.0, *S[np.isfinite(S)].tolist()])
        last = max(1.0, len(rows) - 1.0)
        self._plot.set_home((-0.05 * last, 1.05 * last), (low - 0.05, 3.6))
        self._tap_line.setPos(place)

    def clear(self) -> None:
        """Draw no layer."""
        self.S.clear()
        self.algebraic.clear()

    def set_theme(self, theme: Theme) -> None:
        self.S.set_colour(theme.palette["vermillion"])
        self.algebraic.set_colour(theme.palette["orange"])
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))
        self.bounds.set_theme(theme)
