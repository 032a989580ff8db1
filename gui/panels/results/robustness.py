"""How robust the network is at every budget: the share of samples not broken within eps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout

from engine.experiments.attack_results import AttackRun, Curve, control, robustness
from engine.experiments.rates import Interval, share
from gui.panels.labels import Caption
from gui.panels.results.page import LOWEST, Page, Shown, colours, norm_name, norm_text, percent
from gui.plots.band import BandCurve
from gui.plots.dots import Dots
from gui.plots.plot import Plot, pen
from gui.theme import Theme

STEPS = 1500  # of a curve that are drawn at most


class RobustnessPage(Page):
    """A step curve for an attack that looks for the smallest norm, one point for an attack of a fixed budget, each with
    its interval; dotted the random control, dashed the accuracy on clean samples."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._shown: Shown | None = None
        self._curves: list[Curve | None] = []
        self._controls: list[Curve | None] = []
        self._at = 0.0
        self._right = 1.0
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Share of samples not broken against eps")
        self.plot.setMinimumHeight(LOWEST)
        self.plot.set_grid(False, True)
        self.plot.set_axis_text("left", "share not broken")
        self._lines = [BandCurve(self.plot, theme.accent) for _ in (0, 1)]
        self._dotted = [BandCurve(self.plot, theme.accent, dot=True) for _ in (0, 1)]
        self._whiskers = [pg.PlotCurveItem(connect="pairs", antialias=True) for _ in (0, 1)]
        self._points = [Dots(size=8, pxMode=True) for _ in (0, 1)]
        self._rings = [Dots(size=8, pxMode=True) for _ in (0, 1)]
        self._clean = [pg.InfiniteLine(angle=0) for _ in (0, 1)]
        for items, z in ((self._clean, 0.5), (self._whiskers, 4), (self._rings, 4.5), (self._points, 5)):
            for item in items:
                item.setZValue(z)
                self.plot.addItem(item, ignoreBounds=True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.moved.connect(self._on_keys)
        self.caption = Caption()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.plot, 1)
        column.addWidget(self.caption)
        self._recolour()

    def show_results(self, shown: Shown) -> None:
        self._shown = shown
        runs = [*shown.both, None][:2]
        self._curves = [robustness(r, shown.norm) if r is not None and has_curve(r, shown.norm) else None for r in runs]
        self._controls = [control(r, shown.norm) if r is not None and has_curve(r, shown.norm) else None for r in runs]
        ends = [float(c.eps[-1]) for c in self._curves if c is not None]
        ends += [r.eps for r in shown.both if r.eps is not None and r.norm == shown.norm]
        self._right = (max(ends, default=1.0) or 1.0) * 1.06
        for k, run in enumerate(runs):
            self._draw(k, run)
        self.plot.set_axis_text("bottom", f"ε: {norm_text(shown.norm)}")
        self.plot.set_home((-0.01 * self._right, self._right), (-0.02, 1.02))
        self.caption.set_text(self._says())

    def _draw(self, k: int, run: AttackRun | None) -> None:
        for line, curve in ((self._lines[k], self._curves[k]), (self._dotted[k], self._controls[k])):
            line.set_visible(curve is not None)
            if curve is not None:
                line.set_data(*stairs(curve, self._right, band=line is self._lines[k]))
        at = self.point(k)
        for item in (self._whiskers[k], self._points[k]):
            item.setVisible(at is not None)
        random = None
        if at is not None:
            eps, held = at
            self._points[k].setData([eps], [held.value])
            self._whiskers[k].setData(np.array([eps, eps]), np.array([held.low, held.high]))
            random = self.random_point(k)
        self._rings[k].setVisible(random is not None)
        if at is not None and random is not None:
            self._rings[k].setData([at[0]], [random.value])
        first = self._shown.a if self._shown is not None else None
        new = run is not None and (k == 0 or first is None or accuracy(run) != accuracy(first))
        self._clean[k].setVisible(new)
        if run is not None:
            self._clean[k].setPos(accuracy(run))

    def _run(self, k: int) -> AttackRun | None:
        runs = self._shown.both if self._shown is not None else []
        return runs[k] if k < len(runs) else None

    def point(self, k: int) -> tuple[float, Interval] | None:
        """Budget of an attack (0 is A, 1 is B) and the share not broken within it; None where there is no budget in this norm."""
        run = self._run(k)
        if run is None or self._shown is None or run.eps is None or run.norm != self._shown.norm:
            return None
        held = int((~run.success & ~run.invalid).sum())
        return run.eps, share(held, len(run))

    def random_point(self, k: int) -> Interval | None:
        """The same after a random perturbation as long as the attack's; None where it was not recorded."""
        run = self._run(k)
        if run is None or run.random is None or self.point(k) is None:
            return None
        held = int((~run.random & ~run.invalid).sum())
        return share(held, len(run))

    def _says(self) -> str:
        shown = self._shown
        if shown is None:
            return ""
        parts = []
        for k, run in enumerate(shown.both):
            head = f"{'AB'[k]}: " if shown.b is not None else ""
            at = self.point(k)
            if at is not None:
                parts.append(f"{head}{percent(at[1])} at ε = {at[0]:g}")
            elif self._curves[k] is not None:
                parts.append(f"{head}curve over {len(run):,} samples")
            else:
                parts.append(f"{head}no curve: it keeps to {run.budget or 'a budget'} in {norm_name(run.norm)}")
        dashed = "dashed: clean accuracy"
        dotted = any(run.random is not None for run in shown.both)
        return " · ".join([*parts, dashed, *(["dotted or hollow: random perturbation as long"] if dotted else [])])

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, eps: float) -> str:
        """What the readout says at a budget."""
        shown = self._shown
        if shown is None:
            return ""
        lines = [f"ε = {eps:.4g} in {norm_name(shown.norm)}"]
        for k, run in enumerate(shown.both):
            curve, at = self._curves[k], self.point(k)
            if curve is not None:
                lines.append(f"{'AB'[k]}: {percent(held_at(curve, eps))} of {curve.n:,} not broken")
                random = self._controls[k]
                if random is not None:
                    lines.append(f"   random as long: {percent(held_at(random, eps))}")
            elif at is not None:
                lines.append(f"{'AB'[k]}: {percent(at[1])} of {len(run):,} not broken at ε = {at[0]:g}")
                control_at = self.random_point(k)
                if control_at is not None:
                    lines.append(f"   random as long: {percent(control_at)}")
            lines.append(f"   {run.name} · clean accuracy {accuracy(run):.1%}")
        return "\n".join(lines)

    def _point_at(self, eps: float) -> None:
        self._at = min(self._right, max(0.0, eps))
        curve = self._curves[0] if self._curves else None
        y = held_at(curve, self._at).value if curve is not None else 0.5
        self.plot.readout.say(self.describe(self._at), self.plot.at(self._at, y))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        if self._shown is not None:
            self._point_at(x)

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self._shown is not None:
            self._point_at(self._at + across * self._right / 50)

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        for k, colour in enumerate(colours(self.theme)):
            self._lines[k].set_colour(colour)
            self._dotted[k].set_colour(colour)
            self._whiskers[k].setPen(pen(colour, 1.4))
            self._points[k].setPen(pen(self.theme.surface))
            self._points[k].setBrush(pg.mkBrush(colour))
            self._rings[k].setPen(pen(colour, 1.4))
            self._rings[k].setBrush(pg.mkBrush(self.theme.surface))
            self._clean[k].setPen(pen(self.theme.muted if k == 0 else colour, dash=True))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("robustness", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The curves and points drawn: budget, share not broken, and its interval."""
        shown = self._shown
        if shown is None:
            return
        yield ["run", "attack", "norm", "what", "eps", "share_not_broken", "low", "high", "n"]
        for k, run in enumerate(shown.both):
            head = [run.run, run.name, shown.norm]
            for what, curve in (("attack", self._curves[k]), ("random", self._controls[k])):
                if curve is not None:
                    for row in zip(curve.eps, curve.share, curve.low, curve.high, strict=True):
                        yield [*head, what, *(float(v) for v in row), curve.n]
            at, random = self.point(k), self.random_point(k)
            for what, held in (("attack", at[1] if at else None), ("random", random)):
                if at is not None and held is not None:
                    yield [*head, what, at[0], held.value, held.low, held.high, len(run)]
            clean = accuracy(run)
            yield [*head, "clean", 0.0, clean, "", "", len(run)]


def has_curve(run: AttackRun, norm: str) -> bool:
    """Whether an attack's distances mean something in a norm: it made them as small as it could."""
    return run.minimal and norm in run.norms


def accuracy(run: AttackRun) -> float:
    """Share of an attack's samples that are classified rightly before it."""
    return float(run.clean.mean()) if len(run) else math.nan


def held_at(curve: Curve, eps: float) -> Interval:
    """The share of a curve at a budget, with its interval."""
    k = max(0, int(np.searchsorted(curve.eps, eps, side="right")) - 1)
    return Interval(float(curve.share[k]), float(curve.low[k]), float(curve.high[k]))


def stairs(curve: Curve, right: float, *, band: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A step function as points to join, up to ``right``: x, share, low and high (NaN without the band)."""
    keep = np.unique(np.linspace(0, len(curve.eps) - 1, min(STEPS, len(curve.eps))).round().astype(int))
    x = np.append(np.repeat(curve.eps[keep], 2)[1:], right)
    found = [np.repeat(values[keep], 2) for values in (curve.share, curve.low, curve.high)]
    if not band:
        found[1:] = [np.full(len(x), np.nan)] * 2
    return x, found[0], found[1], found[2]
