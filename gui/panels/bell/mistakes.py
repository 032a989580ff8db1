"""Two mistakes that seem to exceed the bound, drawn: four disjoint samples, and rows that are dropped."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import pyqtgraph as pg

from engine.experiments.bell_views import CLASSICAL
from gui.panels.bell.bounds import Bounds
from gui.plots.axes import NameAxis
from gui.plots.plot import Plot, pen
from gui.plots.points import Points
from gui.theme import Theme

BIN = 0.05


class DisjointTrials:
    """A histogram of S over trials of four disjoint samples; those above 2 have a colour of their own."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._bars = [pg.BarGraphItem(x0=[], width=BIN, height=[]) for _ in range(2)]
        for bar in self._bars:
            plot.addItem(bar, ignoreBounds=True)
        self.edges = np.empty(0)
        self.counts = np.empty(0)
        self._bounds = Bounds(plot, upright=True)

    def draw(self, trials: np.ndarray) -> None:
        """S of each trial ``[T]``; where none is known, what was drawn stays."""
        trials = trials[np.isfinite(trials)]
        if not len(trials):
            return
        # 2 is a border of the bins, so that what lies above it can be coloured
        low = CLASSICAL - BIN * math.ceil((CLASSICAL - trials.min()) / BIN + 1e-9)
        high = max(CLASSICAL + BIN, BIN * (math.floor(trials.max() / BIN) + 1))
        edges = low + BIN * np.arange(round((high - low) / BIN) + 1)
        # a trial at exactly 2 is not above it
        counts, _ = np.histogram(np.where(trials == CLASSICAL, CLASSICAL - BIN / 2, trials), edges)
        self.edges, self.counts = edges, counts
        above = edges[:-1] >= CLASSICAL - 1e-9
        for bar, part in zip(self._bars, (np.where(above, 0, counts), np.where(above, counts, 0)), strict=True):
            bar.setOpts(x0=edges[:-1], width=BIN, height=part.astype(float))
        self._plot.set_home((min(edges[0], 1.4), max(edges[-1], 3.1)), (0, float(counts.max()) * 1.15 + 0.5))

    def describe(self, x: float) -> str:
        """What the readout says of the bin at an S; nothing beside the bins."""
        k = int(np.searchsorted(self.edges, x, side="right")) - 1
        if not 0 <= k < len(self.counts):
            return ""
        return f"S between {self.edges[k]:.2f} and {self.edges[k + 1]:.2f}: {int(self.counts[k])} trials"

    def set_theme(self, theme: Theme) -> None:
        for bar, colour in zip(self._bars, (theme.palette["grey"], theme.palette["vermillion"]), strict=True):
            bar.setOpts(pen=pen(theme.surface), brush=pg.mkBrush(colour))
        self._bounds.set_theme(theme)


class DroppedRows:
    """S against the threshold below which rows are dropped, and what dropping can do at most."""

    def __init__(self, plot: Plot, thresholds: NameAxis) -> None:
        self._plot, self._thresholds = plot, thresholds
        self._kept = Points(plot, size=6, line=True)
        self._as_zero = Points(plot, size=5, line=True, hollow=True)
        self._bound = pg.PlotCurveItem(antialias=True)
        plot.addItem(self._bound, ignoreBounds=True)
        self._bounds = Bounds(plot)

    def draw(self, rows: Sequence[dict[str, float]]) -> None:
        """One row a threshold."""
        x = np.arange(len(rows), dtype=float)
        self._thresholds.set_names(
            [f"{row['least']:g} ({row['efficiency']:.0%})" for row in rows], [f"{row['least']:g}" for row in rows]
        )
        self._kept.set_data(x, np.array([row["S"] for row in rows]))
        self._as_zero.set_data(x, np.array([row["as_zero"] for row in rows]))
        self._bound.setData(x, np.array([row["bound"] for row in rows]))
        self._plot.set_home((-0.3, len(rows) - 0.7), (0, 4.3))

    def hide(self, keys: Collection[str]) -> None:
        """Draw all but these."""
        self._kept.set_visible("kept" not in keys)
        self._bound.setVisible("bound" not in keys)
        self._as_zero.set_visible("as_zero" not in keys)

    def clear(self) -> None:
        """Draw no rows."""
        self._kept.clear()
        self._as_zero.clear()

    def set_theme(self, theme: Theme) -> None:
        self._kept.set_colour(theme.palette["vermillion"])
        self._as_zero.set_colour(theme.palette["green"])
        self._bound.setPen(pen(theme.muted, dash=True))
        self._bounds.set_theme(theme)
