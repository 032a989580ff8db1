"""All samples together: the share broken so far, or the median of the smallest norms found so far."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from engine.experiments.attack_curves import Progressed
from gui.panels.curves.course import Course
from gui.plots.band import BandCurve
from gui.plots.bundle import thinned
from gui.plots.plot import Plot, pen
from gui.theme import Theme

SHARE, NORM = "share", "norm"


class ShareCurve:
    """One curve with its interval, and a line at the share that was wrong before the attack."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.curve = BandCurve(plot, plot.theme.accent)
        self.before = pg.InfiniteLine(pos=0, angle=0)
        self.cursor = pg.InfiniteLine(angle=90)
        for item, z in ((self.before, 0.5), (self.cursor, 3.5)):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)
        self.cursor.hide()

    def draw(self, course: Course, what: str) -> None:
        """``what`` is :data:`SHARE` or :data:`NORM`; before there is anything, nothing changes."""
        whole = course.whole
        if whole is None:
            return
        places = thinned(whole.steps)
        if what == NORM:
            missing = np.full(len(places), np.nan)
            shown = np.where(np.isfinite(whole.smallest), whole.smallest, np.nan)[places]
            self.curve.set_data(whole.step[places], shown, missing, missing)
            finite = shown[np.isfinite(shown)]
            up = (0.0, float(finite.max()) * 1.05 if len(finite) else 1.0)
        else:
            self.curve.set_data(whole.step[places], whole.share[places], whole.low[places], whole.high[places])
            up = (-0.02, 1.02)
        self.before.setVisible(what != NORM and whole.before > 0)
        self.before.setPos(whole.before)
        self._plot.set_axis_text("left", "norm" if what == NORM else "broken")
        self._plot.set_home(course.across, up, slack=0.1)

    def clear(self) -> None:
        """Draw nothing."""
        self.curve.set_data(*[np.empty(0)] * 4)

    def set_theme(self, theme: Theme) -> None:
        self.curve.set_colour(theme.group_colour("adv_target"))
        self.before.setPen(pen(theme.muted, dash=True))
        self.cursor.setPen(pen(theme.text, 1, alpha=0.7))


def has_norms(whole: Progressed) -> bool:
    """Whether the attack looked for smallest perturbations."""
    return bool(np.isfinite(whole.smallest).any())
