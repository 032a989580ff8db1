"""How large the perturbations are: a histogram of those that succeeded, and beside it how many samples have none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from engine.experiments.attack_results import Histogram, bins, histogram, summary
from gui.panels.labels import Caption
from gui.panels.results.page import LOWEST, Page, Shown, colours, norm_text, size
from gui.plots.axes import NameAxis
from gui.plots.plot import Plot, pen
from gui.theme import Theme

BESIDE = (
    ("failed", "not broken", "failed"),
    ("before", "broken before", "before"),
    ("invalid", "no answer", "invalid"),
)
BAR = 0.34  # width of a bar of one attack; two stand beside each other


class NormsPage(Page):
    """Counts of the norms found by A, filled, and by B, outlined; failures are bars of their own, never a norm of 0."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._shown: Shown | None = None
        self._found: list[Histogram] = []
        self._sample: int | None = None
        self._at = 0
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Histogram of the norms of the perturbations")
        self.plot.set_axis_text("left", "samples")
        self._names = NameAxis("bottom")
        self.side = Plot(theme, {"bottom": self._names})
        self.side.setAccessibleName("Samples without a perturbation")
        self.side.setFixedWidth(120)
        for plot in (self.plot, self.side):
            plot.setMinimumHeight(LOWEST)
        self.side.getPlotItem().hideAxis("left")
        self._steps = [pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0.0) for _ in (0, 1)]
        self._bars = [pg.BarGraphItem(x=[], height=[], width=BAR) for _ in (0, 1)]
        self._line = pg.InfiniteLine(angle=90)
        self._line.hide()
        self._texts: list[pg.TextItem] = []
        for z, item in enumerate([*self._steps, self._line]):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        for bars in self._bars:
            self.side.addItem(bars, ignoreBounds=True)
        for plot in (self.plot, self.side):
            plot.set_grid(False, True)
        self.side.set_grid(False, False)
        self.plot.hovered.connect(self._on_hover)
        self.plot.moved.connect(self._on_keys)
        self.side.hovered.connect(self._on_hover_side)
        self.caption = Caption()
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.plot, 1)
        row.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(row, 1)
        column.addWidget(self.caption)
        self._recolour()

    def show_results(self, shown: Shown) -> None:
        self._shown = shown
        runs = [run for run in shown.both if shown.norm in run.norms]
        edges = bins([run.norms[shown.norm][run.found] for run in runs])
        self._found = [histogram(run, shown.norm, edges) for run in runs]
        for k, step in enumerate(self._steps):
            step.setVisible(k < len(runs))
            if k < len(runs):
                step.setData(edges, self._found[k].counts)
        most = max((int(found.counts.max()) for found in self._found), default=1)
        self.plot.set_axis_text("bottom", norm_text(shown.norm))
        room = 0.03 * float(edges[-1] - edges[0])
        self.plot.set_home((float(edges[0]) - room, float(edges[-1]) + room), (0, max(1, most) * 1.08))
        self._draw_side()
        self.show_sample(self._sample)
        self.caption.set_text(self._says())

    def _draw_side(self) -> None:
        there = [b for b in BESIDE if b[0] == "failed" or any(getattr(found, b[0]) for found in self._found)]
        keys = [key for key, _, _ in there]
        self._names.set_names([name for _, name, _ in there], [name for _, _, name in there])
        for text in self._texts:
            self.side.removeItem(text)
        self._texts = []
        most = max((getattr(found, key) for found in self._found for key in keys), default=1) or 1
        for k, bars in enumerate(self._bars):
            bars.setVisible(k < len(self._found))
            if k >= len(self._found):
                continue
            shift = 0.0 if len(self._found) == 1 else (k - 0.5) * BAR * 1.1
            at = np.arange(len(keys)) + shift
            heights = [getattr(self._found[k], key) for key in keys]
            bars.setOpts(x=at, height=heights, width=BAR)
            for place, count in zip(at, heights, strict=True):
                text = pg.TextItem(f"{count:,}", anchor=(0.5, 1.0))
                text.setPos(place, count)
                self.side.addItem(text, ignoreBounds=True)
                self._texts.append(text)
        self._colour_texts()
        self.side.set_home((-0.6, len(keys) - 0.4), (0, most * 1.2))

    def _says(self) -> str:
        shown = self._shown
        if shown is None:
            return ""
        parts = []
        for letter, run, found in zip("AB", shown.both, self._found, strict=False):
            head = f"{letter}: " if shown.b is not None else ""
            middle = f", median {size(summary(run, shown.norm).median)}" if run.minimal else ""
            parts.append(f"{head}{found.found:,} of {len(run):,} broken{middle}")
        medians = any(run.minimal for run in shown.both)
        return " · ".join(parts) + (" (95% bootstrap; not broken counts as infinite)" if medians else "")

    def show_sample(self, sample: int | None) -> None:
        self._sample = sample
        shown = self._shown
        value = None
        if shown is not None and sample is not None and shown.norm in shown.a.norms:
            at = np.flatnonzero((shown.a.sample == sample) & shown.a.found)
            value = float(shown.a.norms[shown.norm][at[0]]) if len(at) else None
        self._line.setVisible(value is not None)
        if value is not None:
            self._line.setPos(value)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int) -> str:
        """What the readout says of a bin."""
        if self._shown is None or not self._found:
            return ""
        edges = self._found[0].edges
        lines = [f"norm {edges[place]:.4g} to {edges[place + 1]:.4g}"]
        for letter, run, found in zip("AB", self._shown.both, self._found, strict=False):
            lines.append(f"{letter}: {int(found.counts[place]):,} samples · {run.name}")
        return "\n".join(lines)

    def _point(self, place: int) -> None:
        edges = self._found[0].edges
        self._at = min(len(edges) - 2, max(0, place))
        middle = float(edges[self._at] + edges[self._at + 1]) / 2
        top = max(int(found.counts[self._at]) for found in self._found)
        self.plot.readout.say(self.describe(self._at), self.plot.at(middle, top))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        if self._found:
            self._point(int(np.searchsorted(self._found[0].edges, x, side="right")) - 1)

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self._found:
            self._point(self._at + across)

    @Slot(float, float)
    def _on_hover_side(self, x: float, y: float) -> None:
        if self._shown is None or not self._found:
            return
        lines = []
        for letter, run, found in zip("AB", self._shown.both, self._found, strict=False):
            counts = ", ".join(f"{getattr(found, key):,} {name}" for key, name, _ in BESIDE if getattr(found, key))
            lines.append(f"{letter}: {counts or 'every sample was broken'} · {len(run):,} in all")
        self.side.readout.say("\n".join(lines), self.side.at(x, y))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.side.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        for k, colour in enumerate(colours(self.theme)):
            fill = QColor(colour)
            fill.setAlphaF(0.55 if k == 0 else 0.12)
            self._steps[k].setPen(pen(colour, 1.4 if k else 1.0))
            self._steps[k].setBrush(fill)
            quiet = QColor(colour)
            quiet.setAlphaF(0.35)
            self._bars[k].setOpts(pen=pen(colour), brush=quiet)
        self._line.setPen(pen(self.theme.text))
        self._colour_texts()

    def _colour_texts(self) -> None:
        for text in self._texts:
            text.setFont(self.theme.font(self.theme.small))
            text.setColor(self.theme.muted)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("norms", self.plot.getPlotItem()), ("without", self.side.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a sample of each attack drawn: how it came out, and the norms of what was found for it."""
        shown = self._shown
        if shown is None:
            return
        norms = list(shown.a.norms)
        yield ["run", "attack", "sample", "y", "outcome", *(f"norm_{norm}" for norm in norms)]
        for run in shown.both:
            for k in range(len(run)):
                outcome = (
                    "broken"
                    if run.found[k]
                    else "no answer"
                    if run.invalid[k]
                    else "before"
                    if run.before[k]
                    else "not broken"
                )
                sizes = [float(run.norms[n][k]) if run.found[k] and n in run.norms else "" for n in norms]
                yield [run.run, run.name, int(run.sample[k]), int(run.y[k]), outcome, *sizes]
