"""Every pair of the test set: how C is spread over pairs of one class and of two, at one layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from gui.panels.base import Panel
from gui.panels.labels import Caption
from gui.plots.chips import Chips, Entry
from gui.plots.controls import NamedSlider, view_choice
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.layers import penultimate, place_of
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot, pen
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

LABELS = {"same": "same class", "different": "different classes"}
COLOURS = {"same": "sky", "different": "orange"}  # as in every panel


class AllPairsPanel(Panel):
    """Two densities of C at the chosen layer. ``all_pairs_requested()`` asks for them to be measured."""

    key = "all_pairs"
    title = "All pairs"
    tab = "Pairs"
    topics = ("all_pairs",)
    empty_text = (
        "Not measured yet. Looks at every pair of the test set, up to 10,000 samples, at every layer: nothing is sampled and "
        "nothing of that size is kept."
    )

    all_pairs_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._hidden: set[str] = set()
        self.button = QPushButton("Measure all pairs of the test set")
        self.button.setProperty("role", "link")
        self.button.clicked.connect(self.all_pairs_requested)
        self.add_empty_action(self.button)
        entry = ("", "", self.all_pairs_requested)
        self.measure = MeasureButton(theme, self, "Measure all pairs of the test set", [entry])
        self.add_tool(self.measure)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(selection.set_view)
        self.plot = Plot(theme)
        self.plot.setAccessibleName("Density of C over all pairs")
        self.plot.set_grid(False, True)
        self.plot.set_axis_text("bottom", "correlation C")
        self.plot.set_axis_text("left", "density of pairs")
        self.plot.hovered.connect(self._on_hover)
        nothing = {"x": [-1.0, 1.0], "y": [0.0]}  # a curve of steps cannot be drawn without one
        self._curves = {
            name: pg.PlotCurveItem(**nothing, stepMode="center", antialias=True, fillLevel=0.0) for name in LABELS
        }
        for curve in self._curves.values():
            self.plot.addItem(curve, ignoreBounds=True)
        self.slider = NamedSlider(theme, "layer", "linear 99")
        self.slider.moved.connect(self._on_layer)
        self.chips = Chips(theme, "Pairs")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        rows = [FlowRow([self.view_choice]), self.plot, self.slider, self.chips, self.caption]
        self.set_body(FitColumn(rows, self.plot, [self.caption, self.chips]))
        selection.tap_changed.connect(self._redraw)
        selection.view_changed.connect(self._redraw)
        self._recolour()

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        for curve in self._curves.values():
            curve.setData([-1.0, 1.0], [0.0])
        super().clear()

    @property
    def tap(self) -> int:
        """The layer shown: the chosen one, else the last measured before the logits."""
        frame = self._frame_shown
        if frame is None:
            return 0
        taps = frame.info["taps"]
        everything = list(range(len(taps)))
        chosen = place_of(taps, everything, self.selection.tap)
        at = penultimate(taps, everything) if chosen is None else chosen
        measured = len(frame.info["dead"][self.selection.view_index])
        return min(at, max(0, measured - 1))

    def density(self, group: str) -> np.ndarray:
        """Of C over the pairs of a group at the layer shown; 0 where there is no pair."""
        frame = self._frame_shown
        assert frame is not None
        counts = frame.arrays["histogram"][self.selection.view_index, self.tap, list(LABELS).index(group)]
        found: np.ndarray = counts / max(1, counts.sum()) * len(counts) / 2
        return found

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        self.view_choice.set_key(self.selection.view)
        taps = frame.info["taps"]
        self.slider.set_state(self.tap, len(taps) - 1, str(taps[self.tap]["name"]))
        top = 0.0
        for name, curve in self._curves.items():
            density = self.density(name)
            curve.setData(np.linspace(-1, 1, len(density) + 1), density)
            curve.setVisible(name not in self._hidden)
            top = max(top, float(density.max()) if name not in self._hidden else 0.0)
        self.plot.set_home((-1.0, 1.0), (0.0, max(1e-9, top) * 1.06))
        palette = self.theme.palette
        entries = [Entry(name, label, palette[COLOURS[name]]) for name, label in LABELS.items()]
        self.chips.set_entries(entries, [name for name in LABELS if name not in self._hidden])
        self._say(frame)

    def _say(self, frame: Frame) -> None:
        view, tap = self.selection.view_index, self.tap
        means = frame.arrays["mean"][view, tap, :, 0]
        sds, counts = frame.arrays["sd"][view, tap, :, 0], frame.arrays["count"][view, tap]
        parts = [
            f"{label}: {counts[g]:,} pairs, C {means[g]:+.3f} (sd of pairs {sds[g]:.3f})".replace("-", "−")
            for g, label in enumerate(LABELS.values())
            if counts[g]
        ]
        dead = frame.info["dead"][view]
        gone = f" {dead[tap]} dead features are in no pair." if tap < len(dead) and dead[tap] else ""
        going = "" if frame.info["done"] else " Deeper layers are being measured."
        note = " Pairs share inputs: no standard error follows from their number."
        self.caption.set_text(f"Measurement. {'; '.join(parts)}.{gone}{note}{going}")
        self.set_subtitle(
            f"{frame.info['samples']:,} test samples · {frame.info['taps'][tap]['name']} · {self.selection.view}"
        )

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        if self._frame_shown is None:
            return
        bins = len(self.density("same"))
        at = min(bins - 1, max(0, int((x + 1) / 2 * bins)))
        low = -1 + 2 * at / bins
        said = [f"C from {low:+.2f} to {low + 2 / bins:+.2f}"]
        counts = self._frame_shown.arrays["histogram"][self.selection.view_index, self.tap]
        said += [f"{label}: {counts[g, at]:,} pairs" for g, label in enumerate(LABELS.values())]
        self.plot.readout.say("\n".join(said), self.plot.at(x, y))

    @Slot(int)
    def _on_layer(self, position: int) -> None:
        if self._frame_shown is not None:
            self.selection.set_tap(self._frame_shown.info["taps"][position]["name"])

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self._redraw()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.measure, self.plot, self.view_choice, self.slider, self.chips):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        for name, curve in self._curves.items():
            colour = self.theme.palette[COLOURS[name]]
            curve.setPen(pen(colour, 1.4))
            curve.setBrush(pg.mkBrush(pg.mkColor(colour + "38")))

    def plots(self) -> Sequence[tuple[str, Any]]:
        return ((self.plot.accessibleName(), self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        frame = self._frame_shown
        if frame is None:
            return
        yield "view", "tap", "group", "C from", "C to", "pairs"
        histogram = frame.arrays["histogram"]
        edges = np.linspace(-1, 1, histogram.shape[-1] + 1)
        for v, view in enumerate(("centred", "uncentred")):
            for t, tap in enumerate(frame.info["taps"]):
                for g, group in enumerate(LABELS):
                    for b, count in enumerate(histogram[v, t, g].tolist()):
                        if count:
                            yield view, tap["name"], group, float(edges[b]), float(edges[b + 1]), count
