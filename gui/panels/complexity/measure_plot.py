"""One small plot of the Complexity panel: the curves of a measure, and what the pointer reads off them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.sweep.curves import Curve
from gui.panels.complexity.measures import END, INITIAL, KINDS, THEORY, Drawing, Measure
from gui.plots.band import BandCurve
from gui.plots.dots import Dots
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import figure


class MeasurePlot:
    """One small plot with its curves, which are made when they are first needed."""

    def __init__(self, plot: Plot, measure: Measure) -> None:
        self.plot, self.measure = plot, measure
        self._curves: dict[tuple[str, int], BandCurve] = {}
        self._dots: dict[int, Dots] = {}
        self._few: dict[int, Dots] = {}  # networks that are too few for a band
        # means at initialisation: a dotted line alone is easily taken for a dashed one
        self._marks: dict[int, Dots] = {}
        self._found: Drawing | None = None
        self._hidden: set[str] = set()
        plot.set_axis_text("left", measure.unit)

    def show(self, found: Drawing, colours: Sequence[str], hidden: set[str]) -> None:
        """Draw."""
        self._found, self._hidden = found, set(hidden)
        used: set[tuple[str, int]] = set()
        for kind, curve, k in self._shown():
            used.add((kind, k))
            made = self._curve(kind, k, colours[k])
            made.set_colour(colours[k], fill=0.0 if kind == THEORY else None)
            x = found.across.drawn(curve.x)
            nothing = np.full(len(x), np.nan)
            low, high = (nothing, nothing) if kind == THEORY else (curve.low, curve.high)
            made.set_data(x, curve.mean, low, high)
            made.set_visible(True)
            if kind == END:
                dots = self._dot(k)
                dots.setBrush(colours[k])
                dots.setData(x, curve.mean)
                dots.setVisible(True)
                few = self._few_of(k)
                few.setPen(pen(colours[k], 1.0))
                few.setData(found.across.drawn(curve.few[0]), curve.few[1])
                few.setVisible(True)
            elif kind == INITIAL:
                marks = self._marks_of(k)
                marks.setPen(pen(colours[k], 1.0))
                marks.setData(x, curve.mean)
                marks.setVisible(True)
        for key, made in self._curves.items():
            if key not in used:
                made.set_visible(False)
        for kind, found_dots in ((END, self._dots), (END, self._few), (INITIAL, self._marks)):
            for k, dots in found_dots.items():
                if (kind, k) not in used:
                    dots.setVisible(False)
        self.plot.set_axis_text("bottom", found.networks.text(found.x))
        self._set_home()

    def _shown(self) -> Iterator[tuple[str, Curve, int]]:
        found = self._found
        if found is None:
            return
        for kind in (INITIAL, THEORY, END):
            if kind in self._hidden:
                continue
            for k, curve in enumerate(found.curves.get((self.measure.key, kind), ())):
                if f"group {k}" not in self._hidden and np.isfinite(curve.mean).any():
                    yield kind, curve, k

    def _curve(self, kind: str, k: int, colour: str) -> BandCurve:
        if (kind, k) not in self._curves:
            self._curves[kind, k] = BandCurve(self.plot, colour, dash=kind == THEORY, dot=kind == INITIAL)
        return self._curves[kind, k]

    def _dot(self, k: int) -> Dots:
        if k not in self._dots:
            self._dots[k] = Dots(size=5, pxMode=True, pen=None)
            self._dots[k].setZValue(4)
            self.plot.addItem(self._dots[k], ignoreBounds=True)
        return self._dots[k]

    def _marks_of(self, k: int) -> Dots:
        if k not in self._marks:
            self._marks[k] = Dots(size=8, pxMode=True, symbol="d", brush=None)
            self._marks[k].setZValue(3.2)
            self.plot.addItem(self._marks[k], ignoreBounds=True)
        return self._marks[k]

    def _few_of(self, k: int) -> Dots:
        if k not in self._few:
            self._few[k] = Dots(size=7, pxMode=True, brush=None)
            self._few[k].setZValue(3.5)
            self.plot.addItem(self._few[k], ignoreBounds=True)
        return self._few[k]

    def _set_home(self) -> None:
        found = self._found
        assert found is not None
        xs: list[np.ndarray] = []
        ys: list[np.ndarray] = []
        for kind, curve, _ in self._shown():
            xs.append(found.across.drawn(curve.x))
            ys += [curve.mean] if kind == THEORY else [curve.mean, curve.low, curve.high, curve.few[1]]
        x, y = (np.concatenate(each) if each else np.empty(0) for each in (xs, ys))
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        if len(x) and len(y):
            wide = (
                (-0.4, len(found.across.names) - 0.6)
                if found.across.names
                else padded(float(x.min()), float(x.max()), 0.04)
            )
            self.plot.set_home(wide, padded(float(y.min()), float(y.max()), 0.08))

    def on_hover(self, x: float, _y: float) -> None:
        """Say the means at the place nearest to the pointer."""
        found = self._found
        if found is None:
            return
        lines: list[str] = []
        at = None
        names = {kind: text for kind, text, _, _ in KINDS}
        for kind, curve, k in self._shown():
            drawn = found.across.drawn(curve.x)
            if at is None:
                at = float(drawn[np.abs(drawn - x).argmin()])
                raw = curve.x[np.abs(drawn - x).argmin()]
                value = found.across.names[int(raw)] if found.across.names else f"{raw:.4g}"
                lines.append(f"{found.networks.column(found.x).label}: {value}")
            place = np.flatnonzero(np.isclose(drawn, at))
            if len(place):
                j = int(place[0])
                label = f"{found.split.labels[k]}, " if found.by else ""
                interval = f" [{figure(curve.low[j])}, {figure(curve.high[j])}]" if np.isfinite(curve.low[j]) else ""
                interval = "" if kind == THEORY else f"{interval}, n = {curve.n[j]}"
                lines.append(f"{label}{names[kind]}: {figure(curve.mean[j])}{interval}")
        if at is not None:
            self.plot.readout.say("\n".join(lines), self.plot.at(at, _y))
