"""The lines of the watched samples, with their median and quartiles, the chosen one over all others."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import pyqtgraph as pg

from engine.experiments.attack_curves import usual
from gui.panels.curves.course import Course
from gui.panels.curves.words import BROKEN, CHOSEN, HELD, MEDIAN
from gui.plots.band import BandCurve
from gui.plots.bundle import Beyond, Bundle, Marks, thinned
from gui.plots.dots import Dots
from gui.plots.plot import Plot, padded, pen
from gui.theme import Theme


class SampleLines:
    """Loss or margin of each watched sample, coloured by how it came out."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.held, self.broken, self.chosen = (Bundle(plot, z) for z in (1, 1.5, 4))
        self.median = BandCurve(plot, plot.theme.text)
        self.zero = pg.InfiniteLine(pos=0, angle=0)
        self._dot = Dots(size=7, pxMode=True)
        self.cursor = pg.InfiniteLine(angle=90)
        for item, z in ((self.zero, 0.5), (self._dot, 3.5), (self.cursor, 6.5)):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)
        self.marks = Marks(plot, plot.theme)
        self.beyond = Beyond(plot, plot.theme)
        self.cursor.hide()

    def draw(self, course: Course, metric: str) -> None:
        """``metric`` is "margin" or "loss"."""
        watched, count = course.watched, course.steps
        x, values = watched.step[:count], watched.values[metric][:count]
        none = np.empty((0, 0))
        self.broken.set_data(x, values[:, course.broken] if len(x) else none)
        self.held.set_data(x, values[:, ~course.broken] if len(x) else none)
        places = thinned(len(x))
        low, middle, high = watched.quartiles[metric][:count][places].T
        self.median.set_data(x[places], middle, low, high)
        self.zero.setVisible(metric == "margin")
        self.marks.set_marks(course.whole.stages if course.whole is not None else ())
        self._plot.set_axis_text("left", metric)
        finite = values[np.isfinite(values)]
        self.beyond.set_ends(*((float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)))
        least, most = usual(values)
        if metric == "margin" or least > 0:
            least, most = min(least, 0.0), max(most, 0.0)
        self._plot.set_home(course.across, padded(least, most, 0.05), slack=0.2)

    def choose(self, course: Course, metric: str, sample: int | None) -> None:
        """Draw the line of a sample over the others, by its position; None draws none."""
        if sample is None:
            self.chosen.set_data(np.empty(0), np.empty((0, 0)))
        else:
            count = course.steps
            self.chosen.set_data(course.watched.step[:count], course.watched.values[metric][:count, [sample]])

    def point(self, x: float, y: float) -> float:
        """Put a dot there, and none where ``y`` is no number. Returns a height at which to say something of it."""
        if math.isfinite(y):
            self._dot.setData([x], [y])
            self._dot.show()
            return y
        self._dot.hide()
        return float(sum(self._plot.getViewBox().viewRange()[1]) / 2)

    def leave(self) -> None:
        """No dot any more."""
        self._dot.hide()

    def hide(self, keys: Collection[str]) -> None:
        """Draw all but these."""
        lines = ((BROKEN, self.broken), (HELD, self.held), (MEDIAN, self.median), (CHOSEN, self.chosen))
        for key, item in lines:
            item.set_visible(key not in keys)

    def clear(self) -> None:
        """Draw nothing."""
        for bundle in (self.held, self.broken, self.chosen):
            bundle.set_data(np.empty(0), np.empty((0, 0)))
        self.median.set_data(*[np.empty(0)] * 4)
        self._dot.clear()
        self.marks.set_marks(())
        self.beyond.set_ends(math.nan, math.nan)

    def set_theme(self, theme: Theme) -> None:
        self.marks.set_theme(theme)
        self.beyond.set_theme(theme)
        self.broken.set_pen(theme.group_colour("adv_target"), alpha=0.45)
        self.held.set_pen(theme.muted, alpha=0.6)
        self.chosen.set_pen(theme.accent, 2.0)
        self.median.set_colour(theme.text, fill=0.12)
        self.zero.setPen(pen(theme.muted, dash=True))
        self._dot.setPen(pen(theme.surface))
        self._dot.setBrush(pg.mkBrush(theme.text))
        self.cursor.setPen(pen(theme.text, 1, alpha=0.7))
