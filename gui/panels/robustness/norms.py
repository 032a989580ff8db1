"""How small a perturbation breaks a sample: the distribution over samples, with the band of the whole curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.experiments.robustness.curves import cdf
from gui.panels.labels import Caption
from gui.panels.robustness.page import SIGNS, Page, network_colour
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.fit import FitColumn
from gui.plots.plot import Plot, padded, pen
from gui.theme import Theme

OWN, ANY = 0, 1
"""Norms that the attack for the smallest norm found; the smallest that any attack found."""
KINDS = ("norm", "smallest")


class NormsPage(Page):
    """Solid what the attack for the smallest norm found, with its band; dashed the smallest of all attacks; dotted medians."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._hidden: set[str] = set()
        self._at = 0.0
        self._right = 1.0

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Share of samples broken by a perturbation no larger than a norm")
        self.plot.set_grid(False, True)
        self.plot.set_axis_text("left", "share broken")
        self.plot.hovered.connect(self._on_hover)
        self.plot.moved.connect(self._on_keys)
        self.lines: list[list[BandCurve]] = []
        self.medians: list[pg.InfiniteLine] = []
        yield
        self.caption = Caption()
        self._column = FitColumn([self.chips, self.plot, self.caption], self.plot, [self.caption])
        self.set_body(self._column)

    def pieces(self) -> Sequence[QWidget]:
        return (self.plot,)

    def _make(self, count: int) -> None:
        """Lines of so many networks."""
        while len(self.lines) < count:
            self.lines.append([BandCurve(self.plot, self.theme.text, dash=kind == ANY) for kind in (OWN, ANY)])
            median = pg.InfiniteLine(angle=90)
            median.setZValue(0.5)
            self.plot.addItem(median, ignoreBounds=True)
            self.medians.append(median)

    def clear(self) -> None:
        super().clear()
        self.plot.leave()

    # --- what is drawn -----------------------------------------------------------------------------------------

    def norms(self, network: int, kind: int) -> np.ndarray:
        """Of samples that are seen rightly; infinite where none was found, NaN where it was not looked for."""
        assert self.frame is not None
        right = np.asarray(self.frame.arrays["right"][network], bool)
        return np.asarray(self.frame.arrays[KINDS[kind]][network], float)[right]

    def redraw(self) -> None:
        if self.frame is None:
            return
        shown = self.shown
        self._make(max(shown) + 1)
        finite = [n[np.isfinite(n)] for m in shown for n in (self.norms(m, OWN), self.norms(m, ANY))]
        together = np.concatenate(finite) if finite else np.empty(0)
        self._right = float(together.max()) * 1.05 if len(together) else float(self.frame.arrays["eps"][-1])
        for network, (pair, median) in enumerate(zip(self.lines, self.medians, strict=True)):
            for kind, curve in enumerate(pair):
                wanted = network in shown and not {str(network), KINDS[kind]} & self._hidden
                norms = self.norms(network, kind) if wanted else np.empty(0)
                wanted = wanted and bool(len(norms)) and not np.isnan(norms).any()
                curve.set_visible(wanted)
                if wanted:
                    curve.set_data(*self._stairs(norms, banded=kind == OWN))
            middle = float(self.frame.arrays["median"][network, OWN, 0]) if network in shown else np.nan
            median.setVisible(bool(np.isfinite(middle)) and not {str(network), KINDS[OWN]} & self._hidden)
            if np.isfinite(middle):
                median.setPos(middle)
        self._recolour()
        self.plot.set_axis_text("bottom", f"‖x_adv − x‖{SIGNS[self.frame.info['norm']]} (input units)")
        self.plot.set_home(padded(0.0, self._right, 0.01), (-0.02, 1.02))
        self._list()
        self._say()
        self._column.fit()

    def _stairs(self, norms: np.ndarray, *, banded: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        values, share, half = cdf(norms)
        x = np.concatenate([[0.0], np.repeat(values, 2), [self._right]])
        y = np.concatenate([[0.0, 0.0], np.repeat(share, 2)])
        if not banded:
            return x, y, np.full(len(x), np.nan), np.full(len(x), np.nan)
        return x, y, np.clip(y - half, 0, 1), np.clip(y + half, 0, 1)

    def _list(self) -> None:
        ink = network_colour(self.theme, self.shown[0]) if len(self.shown) == 1 else self.theme.text
        entries = [
            Entry(KINDS[OWN], "smallest norm (FMN)", ink, "What the attack for the smallest norm found, with its band"),
            Entry(KINDS[ANY], "any attack", ink, "The smallest perturbation that any attack found", "dash"),
        ]
        if len(self.shown) > 1:
            entries += [Entry(str(m), self.label(m), network_colour(self.theme, m), self.label(m)) for m in self.shown]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    def _say(self) -> None:
        assert self.frame is not None
        words = []
        for network in self.shown:
            middle, low, high = self.frame.arrays["median"][network, OWN]
            if not np.isnan(middle):
                ends = [f"{v:.3g}" if np.isfinite(v) else "∞" for v in (middle, low, high)]
                words.append(f"{self.label(network)} {ends[0]} [{ends[1]}, {ends[2]}]")
        self.summary = f"median norm: {', '.join(words)}" if words else "norms: once all attacks are through"
        counts = [int(np.isinf(self.norms(m, OWN)).sum()) for m in self.shown]
        never = f" {sum(counts):,} never broken." if any(counts) else ""
        self.caption.set_text(
            "Measurement, over samples that are seen rightly. Dotted: median, with its 95% bootstrap interval in brackets above. Band: "
            f"95% for the whole curve (Dvoretzky, Kiefer, Wolfowitz; Massart).{never} A smaller perturbation may exist: norms found "
            "bound it from above."
        )
        self.said.emit()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, norm: float) -> str:
        """What the readout says at a norm."""
        if self.frame is None:
            return ""
        lines = [f"norm ≤ {norm:.4g}"]
        for network in self.shown:
            for kind, name in ((OWN, "FMN"), (ANY, "any attack")):
                norms = self.norms(network, kind)
                if len(norms) and not np.isnan(norms).any():
                    head = f"{self.label(network)}, " if len(self.shown) > 1 else ""
                    lines.append(f"{head}{name}: {(norms <= norm).mean():.1%} of {len(norms):,} broken")
        return "\n".join(lines)

    def _point(self, norm: float) -> None:
        self._at = min(self._right, max(0.0, norm))
        self.plot.readout.say(self.describe(self._at), self.plot.at(self._at, 0.5))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        if self.frame is not None:
            self._point(x)

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self.frame is not None:
            self._point(self._at + across * self._right / 50)

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
        for network, (pair, median) in enumerate(zip(self.lines, self.medians, strict=True)):
            colour = network_colour(self.theme, network)
            for curve in pair:
                curve.set_colour(colour, fill=0.16)
            median.setPen(pen(colour, dot=True))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("norms", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a sample."""
        if self.frame is None:
            return
        arrays = self.frame.arrays
        yield ["network", "sample", "y", "right", "smallest_norm_attack", "any_attack"]
        for network in self.shown:
            for k, sample in enumerate(arrays["index"].tolist()):
                found = [float(arrays[kind][network, k]) for kind in KINDS]
                plain = ["" if not np.isfinite(v) else v for v in found]
                yield [self.label(network), sample, int(arrays["y"][k]), int(arrays["right"][network, k]), *plain]
