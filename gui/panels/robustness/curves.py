"""Robust accuracy against eps: a curve an attack, the worst case over them, clean accuracy; or the worst cases of all networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.experiments.robustness.curves import MINIMAL, NOISE, WORST, from_norms
from gui.panels.labels import Caption
from gui.panels.robustness.page import COLOURS, Page, network_colour, norm_axis
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.plot import Plot, padded, pen
from gui.theme import Theme

SHORT = {
    "noise": "random noise (control)",
    "fgsm": "FGSM",
    "pgd": "PGD",
    "apgd": "APGD-CE",
    "minimal": "smallest norm",
    "square": "Square",
    "transferred": "transfer",
    WORST: "worst case",
}
Line = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""x, share, low, high."""


class CurvesPage(Page):
    """One colour an attack; thick the worst case, dotted random noise, dashed the accuracy on clean samples."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._hidden: set[str] = set()
        self._at = 0

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Robust accuracy against eps")
        self.plot.set_grid(False, True)
        self.plot.set_axis_text("left", "robust accuracy (share)")
        self.plot.hovered.connect(self._on_hover)
        self.plot.moved.connect(self._on_keys)
        yield
        self.lines = {name: BandCurve(self.plot, theme.text, dot=name == NOISE) for name in COLOURS}
        self.worst: list[BandCurve] = []
        self.budgets = Dots(size=5, pxMode=True, symbol="o")
        self.plot.addItem(self.budgets, ignoreBounds=True)
        self.budgets.setZValue(7)
        self.clean: list[pg.InfiniteLine] = []
        yield
        self.caption = Caption()
        self._column = FitColumn([self.chips, self.plot, self.caption], self.plot, [self.caption])
        self.set_body(self._column)

    def pieces(self) -> Sequence[QWidget]:
        return (self.plot,)

    def _make_worst(self, count: int) -> None:
        """As many worst cases, each with its clean accuracy."""
        while len(self.worst) < count:
            curve, clean = BandCurve(self.plot, self.theme.text), pg.InfiniteLine(angle=0)
            curve.line.setZValue(6)
            clean.setZValue(0.5)
            self.plot.addItem(clean, ignoreBounds=True)
            self.worst.append(curve)
            self.clean.append(clean)

    def clear(self) -> None:
        super().clear()
        self.plot.leave()

    # --- what is drawn -----------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The attacks of the frame, in order."""
        return [str(each["name"]) for each in self.frame.info["attacks"]] if self.frame is not None else []

    def line_of(self, name: str, network: int) -> Line:
        """An attack's curve: at the budgets, of the attack for the smallest norm at every eps."""
        assert self.frame is not None
        arrays = self.frame.arrays
        eps = np.asarray(arrays["eps"], float)
        if name == WORST:
            return eps, arrays["worst"][network], arrays["worst_low"][network], arrays["worst_high"][network]
        a = self.names.index(name)
        found = tuple(np.asarray(arrays[end][network, a], float) for end in ("robust", "low", "high"))
        if name == MINIMAL and np.isfinite(found[0]).all():
            return _stairs(np.asarray(arrays["norm"][network], float), float(eps[-1]))
        return eps, *found  # type: ignore[return-value]

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        eps = np.asarray(frame.arrays["eps"], float)
        attacks, shown = self.names, self.shown
        one = len(shown) == 1
        for name, curve in self.lines.items():
            wanted = one and name in attacks and name not in self._hidden
            curve.set_visible(wanted)
            if wanted:
                curve.set_data(*self.line_of(name, shown[0]))
        self._make_worst(len(shown))
        for k, (curve, clean) in enumerate(zip(self.worst, self.clean, strict=True)):
            key = WORST if one else str(k)
            wanted = (k in shown if not one else k == 0) and key not in self._hidden
            curve.set_visible(wanted)
            clean.setVisible(wanted or (one and k == 0))
            if wanted or (one and k == 0):
                network = shown[0] if one else k
                curve.set_data(*self.line_of(WORST, network))
                clean.setPos(float(frame.arrays["clean"][network]))
        self._recolour()
        self._dot_budgets()
        self.plot.set_axis_text("bottom", norm_axis(frame))
        self.plot.set_home(padded(0.0, float(eps[-1]), 0.02), (-0.02, 1.02))
        self._list()
        self._say()
        self._column.fit()

    def _dot_budgets(self) -> None:
        """A dot where a curve was measured; that of the attack for the smallest norm holds at every eps and has none.

        Without them the worst case seems to lie above that attack between two budgets.
        """
        one = len(self.shown) == 1
        curves = [(curve, self.theme.palette[COLOURS[name]]) for name, curve in self.lines.items() if name != MINIMAL]
        curves += [
            (curve, self.theme.text if one else network_colour(self.theme, k)) for k, curve in enumerate(self.worst)
        ]
        x: list[float] = []
        y: list[float] = []
        brushes: list[Any] = []
        for curve, colour in curves:
            if curve.line.isVisible():
                across, up = curve.line.getData()
                known = np.isfinite(up)
                x.extend(across[known])
                y.extend(up[known])
                brushes += [pg.mkBrush(colour)] * int(known.sum())
        self.budgets.setData(x=x, y=y, brush=brushes, pen=None)

    def _list(self) -> None:
        if len(self.shown) == 1:
            entries = [
                Entry(
                    name, SHORT[name], self.theme.palette[COLOURS[name]], _tip(name), "dot" if name == NOISE else "line"
                )
                for name in self.names
            ]
            entries.append(Entry(WORST, SHORT[WORST], self.theme.text, "Samples that nothing tried has broken"))
        else:
            entries = [
                Entry(str(k), self.label(k), network_colour(self.theme, k), f"Worst case of {self.label(k)}")
                for k in self.shown
            ]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    def _say(self) -> None:
        assert self.frame is not None
        info, arrays = self.frame.info, self.frame.arrays
        shown = self.shown
        n = int(info["samples"])
        if len(shown) != 1:
            self.summary = f"worst case of {len(shown)} networks"
            says = f"Measurement. Worst case over {len(info['attacks'])} attacks on the same {n:,} samples, one colour a network"
        else:
            network = shown[0]
            k = self.telling
            worst, best = float(arrays["worst"][network, k]), int(arrays["best"][network, k])
            gap, low, high = (float(arrays[name][network, k]) for name in ("gap", "gap_low", "gap_high"))
            at = f"ε = {arrays['eps'][k]:.3g}"
            ends = f"[{arrays['worst_low'][network, k]:.1%}, {arrays['worst_high'][network, k]:.1%}]"
            self.summary = f"{self.label(network)} · worst case {worst:.1%} {ends} at {at}"
            says = (
                f"Measurement, {n:,} samples. At {at} the worst case is {worst:.1%}, {100 * gap:.1f} points [{100 * low:.1f}, {100 * high:.1f}] "
                f"below the best single attack, {SHORT[self.names[best]]}"
            )
        self.caption.set_text(
            f"{says}. Bands: 95% Wilson; dots: measured; dashed: clean accuracy. A sample broken within a smaller budget counts as broken. Every curve "
            "bounds robustness from above: another attack may find more."
        )
        self.said.emit()

    @property
    def telling(self) -> int:
        """The budget of which the summary speaks: where the worst case has lost half of what it had."""
        assert self.frame is not None
        worst = np.asarray(self.frame.arrays["worst"][self.shown[0]], float)
        return 1 + int(np.argmin(np.abs(worst[1:] - worst[0] / 2)))

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, k: int) -> str:
        """What the readout says of a budget by its position."""
        frame = self.frame
        if frame is None:
            return ""
        arrays = frame.arrays
        lines = [f"ε = {arrays['eps'][k]:.4g}"]
        if len(self.shown) == 1:
            network = self.shown[0]
            rows = [
                (SHORT[name], *(arrays[e][network, a, k] for e in ("robust", "low", "high")))
                for a, name in enumerate(self.names)
            ]
            rows.append((SHORT[WORST], *(arrays[e][network, k] for e in ("worst", "worst_low", "worst_high"))))
        else:
            rows = [
                (self.label(m), *(arrays[e][m, k] for e in ("worst", "worst_low", "worst_high"))) for m in self.shown
            ]
        lines += [f"{name}: {v:.1%} [{low:.1%}, {high:.1%}]" for name, v, low, high in rows if np.isfinite(v)]
        return "\n".join([*lines, f"of {frame.info['samples']:,} samples"])

    def _point(self, k: int) -> None:
        assert self.frame is not None
        self._at = k
        eps = float(self.frame.arrays["eps"][k])
        y = float(self.frame.arrays["worst"][self.shown[0], k])
        self.plot.readout.say(self.describe(k), self.plot.at(eps, y))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        if self.frame is not None:
            self._point(int(np.abs(np.asarray(self.frame.arrays["eps"]) - x).argmin()))

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self.frame is not None:
            self._point(min(len(self.frame.arrays["eps"]) - 1, max(0, self._at + across)))

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self.redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.chips.set_theme(theme)
        self.redraw()

    def _recolour(self) -> None:
        one = len(self.shown) == 1
        for name, curve in self.lines.items():
            curve.set_colour(self.theme.palette[COLOURS[name]], fill=0.12)
        for k, (curve, clean) in enumerate(zip(self.worst, self.clean, strict=True)):
            colour = self.theme.text if one else network_colour(self.theme, k)
            curve.set_colour(colour, fill=0.10 if one else 0.18)
            curve.line.setPen(pen(colour, 2.4 if one else 1.8))
            clean.setPen(pen(self.theme.muted if one else colour, dash=True))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("robust accuracy", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every attack on every network looked at, at every budget."""
        if self.frame is None:
            return
        arrays, n = self.frame.arrays, self.frame.info["samples"]
        yield ["network", "attack", "norm", "eps", "n", "robust", "low", "high"]
        for network in self.shown:
            for name in (*self.names, WORST):
                at = (network,) if name == WORST else (network, self.names.index(name))
                ends = ("worst", "worst_low", "worst_high") if name == WORST else ("robust", "low", "high")
                for k, eps in enumerate(arrays["eps"]):
                    found = [float(arrays[end][(*at, k)]) for end in ends]
                    if np.isfinite(found[0]):
                        yield [self.label(network), name, self.frame.info["norm"], float(eps), n, *found]


def _stairs(norms: np.ndarray, right: float) -> Line:
    eps, band = from_norms(norms)
    inside = eps <= right
    x = np.append(np.repeat(eps[inside], 2)[1:], right)
    return x, *(np.repeat(values[inside], 2) for values in (band.share, band.low, band.high))  # type: ignore[return-value]


def _tip(name: str) -> str:
    return {
        NOISE: "As far as the budget, in a random direction: what is lost without any attack",
        MINIMAL: "Its norms give the curve at every eps",
        "transferred": "PGD made on a network trained from another seed",
        "square": "Queries of the scores, no gradients",
    }.get(name, SHORT[name])
