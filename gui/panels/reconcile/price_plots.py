"""Shares of genuine and impostor readings, and distinct hashes, against the layers that features pass before the hash."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot

from gui.panels.reconcile.words import percent
from gui.plots.axes import ScaleAxis
from gui.plots.band import BandCurve
from gui.plots.beside import Beside, Titled
from gui.plots.plot import Plot, padded, pen
from gui.plots.points import Level
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

COLOURS = ("sky", "orange", "green")  # of the three series
READINGS = ("genuine", "impostor")


class PricePlots(Beside):
    """Shares on the left, distinct hashes on the right; the readout says all series at one depth."""

    def __init__(self, theme: Theme, plot: Plot) -> None:
        """``plot`` is for the shares."""
        self._frame: Frame | None = None
        self._hidden: frozenset[str] = frozenset()
        self._pointed: tuple[Plot, int] | None = None  # where, and which depth by its position
        self.theme = theme
        self.plot, self.hashes = plot, Plot(theme, {"left": ScaleAxis("left", log=True)})
        self.titles = Titled("", self.plot), Titled("", self.hashes)
        super().__init__(self.titles, [56, 44])
        self.plot.setAccessibleName("Share recovered against layers: genuine and impostor readings")
        self.hashes.setAccessibleName("Distinct hashes among the identities, against layers")
        self.plot.set_axis_text("left", "recovered (share)")
        self.hashes.set_axis_text("left", "distinct hashes")
        for plot in (self.plot, self.hashes):
            plot.set_grid(True, True)
            plot.set_axis_text("bottom", "MaxLikelihood layers before the hash")
            plot.hovered.connect(partial(self._on_hover, plot))
            plot.left.connect(self._on_left)
            plot.moved.connect(partial(self._on_keys, plot))

    def fill(self) -> None:
        """Put in what is drawn: done once."""
        self.curves: dict[str, list[BandCurve]] = {
            name: [BandCurve(self.plot, self.theme.text, dot=name == "impostor") for _ in COLOURS] for name in READINGS
        }
        self.counts: list[pg.PlotCurveItem] = []
        for _ in COLOURS:
            line = pg.PlotCurveItem(antialias=True, connect="finite", skipFiniteCheck=False)
            line.setZValue(3)
            self.hashes.addItem(line, ignoreBounds=True)
            self.counts.append(line)
        self.limits = tuple(
            Level(self.plot, 0, text, dash=True, at=at) for text, at in (("1 − θ/π", 0.72), ("½", 0.52))
        )
        self._recolour()

    # --- what is drawn -----------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        """Draw what there is."""
        self._frame = frame
        arrays, info = frame.arrays, frame.info
        depth = np.asarray(arrays["depth"], dtype=float)
        for s in range(len(COLOURS)):
            for name in READINGS:
                ends = (arrays[f"{name}{end}"][s] for end in ("", "_low", "_high"))
                self.curves[name][s].set_data(depth, *ends)
            count = np.where(self.known(s) & (arrays["distinct"][s] > 0), arrays["distinct"][s], np.nan)
            self.counts[s].setData(depth, np.log10(count.astype(float)))
        last = max(1.0, float(depth.max(initial=0.0)))
        self.plot.set_home(padded(0, last, 0.02), (-0.03, 1.04))
        self.hashes.set_home(padded(0, last, 0.02), (-0.08, float(np.log10(max(2, info["identities"]))) + 0.08))
        for level, name in zip(self.limits, READINGS, strict=True):
            value = float(arrays[f"limit_{name}"][0])
            level.line.setPos(value if np.isfinite(value) else 0)
        self.titles[0].title.set_text(
            f"reconstruction: recovered, r = {info['repetition']}, genuine pairs at C = {info['correlation']:g}"
        )
        self.titles[1].title.set_text(f"distinct hashes of {info['identities']:,}")
        self._show()
        if self._pointed is not None:
            plot, at = self._pointed
            self._point(plot, at) if at < len(depth) else plot.leave()

    def clear_curves(self) -> None:
        """Draw nothing."""
        self._frame = None
        nothing = np.empty(0)
        for curves in self.curves.values():
            for curve in curves:
                curve.set_data(nothing, nothing, nothing, nothing)
        for line in self.counts:
            line.setData([], [])
        for plot in (self.plot, self.hashes):
            plot.leave()

    def known(self, s: int) -> bool:
        """Whether a series was measured at all."""
        return self._frame is not None and bool(np.isfinite(self._frame.arrays["genuine"][s]).any())

    def hide_parts(self, hidden: Collection[str]) -> None:
        """Leave out series, as "series 0", and readings, as "impostor"."""
        self._hidden = frozenset(hidden)
        self._show()

    def _shown(self, s: int) -> bool:
        return f"series {s}" not in self._hidden

    def _show(self) -> None:
        for s, line in enumerate(self.counts):
            line.setVisible(self._shown(s))
            for name in READINGS:
                self.curves[name][s].set_visible(self._shown(s) and name not in self._hidden)
        for level, name in zip(self.limits, READINGS, strict=True):
            there = self._frame is not None and bool(np.isfinite(self._frame.arrays[f"limit_{name}"][0]))
            level.line.setVisible(there and self._shown(0) and name not in self._hidden)

    def describe(self, at: int) -> str:
        """All series at one depth, in words."""
        assert self._frame is not None
        a = self._frame.arrays
        lines = [f"after {int(a['depth'][at])} layers"]
        for s in range(len(COLOURS)):
            if self.known(s) and self._shown(s):
                shares = ", ".join(f"{name} {self._share(name, s, at)}" for name in READINGS)
                count = f"{int(a['distinct'][s, at]):,} hashes ({a['entropy'][s, at]:.1f} bits)"
                lines.append(f"{self._frame.info['series'][s]}: {shares}, {count}")
        return "\n".join(lines)

    def _share(self, name: str, s: int, at: int) -> str:
        assert self._frame is not None
        value, low, high = (float(self._frame.arrays[f"{name}{end}"][s, at]) for end in ("", "_low", "_high"))
        return f"{percent(value, 1)} [{percent(low, 1)}, {percent(high, 1)}]"

    # --- pointer and keys --------------------------------------------------------------------------------------

    def _on_hover(self, plot: Plot, x: float, _y: float) -> None:
        if self._frame is not None and len(self._frame.arrays["depth"]):
            self._point(plot, int(np.abs(self._frame.arrays["depth"] - x).argmin()))

    def _point(self, plot: Plot, at: int) -> None:
        assert self._frame is not None
        self._pointed = plot, at
        low, high = plot.getViewBox().viewRange()[1]
        plot.readout.say(self.describe(at), plot.at(float(self._frame.arrays["depth"][at]), (low + high) / 2))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    def _on_keys(self, plot: Plot, across: int, up: int) -> None:
        if self._frame is not None and len(self._frame.arrays["depth"]):
            start = self._pointed[1] if self._pointed is not None else -across - up
            self._point(plot, min(len(self._frame.arrays["depth"]) - 1, max(0, start + across + up)))

    # --- look --------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for plot in (self.plot, self.hashes):
            plot.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        for s, name in enumerate(COLOURS):
            own = theme.palette[name]
            for curves in self.curves.values():
                curves[s].set_colour(own)
            self.counts[s].setPen(pen(own, 1.8))
        for level in self.limits:
            level.set_colour(theme.palette[COLOURS[0]], theme.muted)
