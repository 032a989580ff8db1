"""The curves of a profile on its plot, with what they are held against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg

from engine.experiments import spacetime
from gui.panels.profile.reading import INIT, NOW, Reading
from gui.panels.profile.references import NULL_CHIP, REPEATS_CHIP, THEORY_CHIP, Values
from gui.panels.profile.switches import Switches
from gui.plots.band import BandCurve
from gui.plots.dots import Dots
from gui.plots.plot import Plot, padded, pen
from gui.plots.whiskers import Whiskers
from gui.theme import Theme

CHIP_OF = {"null": NULL_CHIP, "theory": THEORY_CHIP}


class ProfileCurves:
    """Mean and interval of each group: as it is, before training, of another run, of the null and of theory."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.curves: dict[tuple[str, str], BandCurve] = {}
        """By group and "now", "init", "baseline", "null" or "theory"."""
        self.whiskers: dict[str, Whiskers] = {}
        """Of networks trained from other seeds, by group."""
        self.there: set[str] = set()
        """Chips of the references that there is something to draw of, wanted or not."""
        self._excess = False
        self.zero = pg.InfiniteLine(pos=0, angle=0)
        self.ceilings = [pg.InfiniteLine(pos=sign * spacetime.CEILING, angle=0) for sign in (-1, 1)]
        self.tap_line = pg.InfiniteLine(angle=90)
        self.dot = Dots(size=8, pxMode=True)
        for item, z in ((self.zero, 0), (self.tap_line, 0.5), (self.dot, 6), *((c, 0.4) for c in self.ceilings)):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)
        self.tap_line.hide()

    # --- curves ------------------------------------------------------------------------------------------------

    def draw(self, reading: Reading, switches: Switches) -> None:
        """Draw all that is wanted, and give the plot the range that holds it."""
        shown = switches.groups()
        x = np.arange(len(reading.places), dtype=float)
        self.there, self._excess = set(), reading.excess
        live: set[tuple[str, str]] = set()
        drawn: list[np.ndarray] = []
        for position, name in enumerate(shown):
            for kind, values in self._layers(reading, switches, name):
                if np.isfinite(values[0]).any():
                    self._curve(name, kind).set_data(x, *values)
                    live.add((name, kind))
                    drawn += values
            if reading.beside.repeats is not None:
                beside = (position - (len(shown) - 1) / 2) * 0.05  # so that intervals of groups do not hide each other
                drawn += self._draw_repeats(reading, name, x + beside, switches.wants(REPEATS_CHIP))
        for name, whiskers in self.whiskers.items():
            if reading.beside.repeats is None or name not in shown:
                whiskers.set_visible(False)
        for which, curve in self.curves.items():
            curve.set_visible(which in live)
        self._set_range(reading, *_range(drawn))

    def _layers(self, reading: Reading, switches: Switches, group: str) -> Iterator[tuple[str, Values]]:
        """The kinds of curves that are wanted of a group, with their values."""
        yield "now", reading.shown_values(NOW, group)
        if switches.init:
            yield "init", reading.shown_values(INIT, group)
        if switches.baseline:
            yield "baseline", reading.beside.baseline_values(group, reading.place)
        zero, at = reading.zero(group), reading.place
        mean, low, high, theory = (part - zero for part in reading.beside.null_values(group, at))
        least, most = (part - zero for part in reading.beside.theory_band(group, at))
        for kind, found in (("null", (mean, low, high)), ("theory", (theory, least, most))):
            if np.isfinite(found[0]).any():
                self.there.add(CHIP_OF[kind])
                if switches.wants(CHIP_OF[kind]):
                    yield kind, found

    def _draw_repeats(self, reading: Reading, group: str, x: np.ndarray, wanted: bool) -> Sequence[np.ndarray]:
        """Intervals over networks trained from other seeds; gives what is drawn of them."""
        if group not in self.whiskers:
            self.whiskers[group] = Whiskers(self._plot, self._plot.theme.group_colour(group))
        whiskers, zero = self.whiskers[group], reading.zero(group)
        mean, low, high = (part - zero for part in reading.beside.repeat_values(group, reading.place))
        whiskers.set_data(x, mean, low, high)
        whiskers.set_visible(wanted)
        if whiskers.count:
            self.there.add(REPEATS_CHIP)
        return (mean, low, high) if wanted and whiskers.count else ()

    def _curve(self, group: str, kind: str) -> BandCurve:
        if (group, kind) not in self.curves:
            made = BandCurve(
                self._plot,
                self._plot.theme.group_colour(group),
                dash=kind in ("init", "null"),
                dot=kind == "baseline",
                dash_dot=kind == "theory",
            )
            if kind == "theory":
                made.outline()
            self.curves[group, kind] = made
            self._colour(group, kind)
        return self.curves[group, kind]

    def _set_range(self, reading: Reading, low: float, high: float) -> None:
        if reading.excess:
            low, high = min(low, 0.0), max(high, 0.0)
        last = max(1.0, len(reading.places) - 1.0)
        self._plot.set_home((-0.04 * last, last * 1.04), padded(low, high, 0.04), slack=0.15)
        self.zero.setVisible(low < 0 < high or reading.excess)
        self.zero.setPen(self._zero_pen())
        for line in self.ceilings:  # of float32 features
            line.setVisible(reading.quantity == "rapidity" and not reading.excess)

    def clear(self) -> None:
        """Draw no curve."""
        self.there, self._excess = set(), False
        self.dot.clear()
        for curve in (*self.curves.values(), *self.whiskers.values()):
            curve.set_visible(False)

    # --- marks -------------------------------------------------------------------------------------------------

    def mark_tap(self, place: int | None) -> None:
        """A line at the chosen tap."""
        self.tap_line.setVisible(place is not None)
        if place is not None:
            self.tap_line.setPos(place)

    def point(self, reading: Reading, place: int, group: str) -> float:
        """A dot at a place on a group's curve, if it has a number there. Gives a height to say something at."""
        mean = float(reading.shown_values(NOW, group)[0][place])
        if not math.isfinite(mean):
            self.dot.hide()
            return float(sum(self._plot.getViewBox().viewRange()[1]) / 2)
        theme = self._plot.theme
        self.dot.setData([place], [mean])
        self.dot.setBrush(pg.mkBrush(theme.group_colour(group)))
        self.dot.setPen(pen(theme.surface))
        self.dot.show()
        return mean

    # --- look --------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        self.zero.setPen(self._zero_pen())
        for line in self.ceilings:
            line.setPen(pen(theme.warning, dash=True))
        for group, whiskers in self.whiskers.items():
            whiskers.set_colour(theme.group_colour(group))
        self.tap_line.setPen(pen(theme.accent, 1, alpha=0.8))
        for group, kind in self.curves:
            self._colour(group, kind)

    def _zero_pen(self) -> Any:
        theme = self._plot.theme
        return pen(theme.muted, dash=True) if self._excess else pen(theme.line_strong)

    def _colour(self, group: str, kind: str) -> None:
        strength = 0.75 if kind in ("init", "baseline") else 1.0
        self.curves[group, kind].set_colour(self._plot.theme.group_colour(group), strength=strength)


def _range(parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """From the least to the largest finite number; 0 to 1 where there is none."""
    numbers = np.concatenate([part[np.isfinite(part)] for part in parts]) if parts else np.empty(0)
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
