"""Every pair of probe samples at one layer: the matrix of correlations, ordered by class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.experiments import views
from gui.panels.base import Panel
from gui.plots.controls import NamedSlider, Segmented, view_choice
from gui.plots.flow import FlowRow
from gui.plots.heatmap import HeatMap
from gui.plots.says import reading
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

INPUTS = {"clean": "matrix/clean", "adversarial": "matrix/adversarial"}


class MatrixPanel(Panel):
    """Heat map of C for all pairs; a slider goes through the layers, a click chooses the pair."""

    key = "matrix"
    title = "Correlation matrix"
    tab = "Correlations"
    topics = ("matrix/clean", "matrix/adversarial")
    empty_text = "No features yet. They are measured while a network trains: press the button on the Train step."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frames: dict[str, Frame] = {}
        self._values = np.zeros((0, 0), dtype=np.float32)
        self._pointed: tuple[int, int] | None = None
        self._wanted = "clean"  # which inputs a person asked for; kept while a moment has none of them
        self.inputs = Segmented(
            theme,
            "Inputs",
            [
                ("clean", "clean", "Features of the test samples as they are"),
                ("adversarial", "adversarial", "Features of the attacked samples"),
            ],
        )
        self.view_choice = view_choice(theme)
        self.heat = HeatMap(theme)
        self.heat.setAccessibleName("Correlation of every pair of samples")
        self.slider = NamedSlider(theme, "layer", "linear 10")
        self.inputs.chosen.connect(self._on_inputs)
        self.view_choice.chosen.connect(selection.set_view)
        self.slider.moved.connect(self._on_slider)
        self.heat.hovered.connect(self._on_hover)
        self.heat.left.connect(self._on_left)
        self.heat.clicked.connect(self._on_click)
        self.heat.moved.connect(self._on_keys)
        self.heat.entered.connect(self._on_enter)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(FlowRow([self.inputs, self.view_choice]))
        column.addWidget(self.heat, 1)
        column.addWidget(self.slider)
        self.set_body(body)
        selection.tap_changed.connect(self._redraw)
        selection.view_changed.connect(self._redraw)
        for signal in (selection.pair_changed, selection.sample_changed, selection.klass_changed):
            signal.connect(self._mark)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        which = frame.topic.removeprefix("matrix/")
        self._frames[which] = frame
        self.inputs.button("adversarial").setEnabled("adversarial" in self._frames)
        self.inputs.button("clean").setEnabled("clean" in self._frames)
        self.inputs.set_key(self._wanted if self._wanted in self._frames else which)
        if which == self.inputs.key():
            self._redraw()

    def clear(self) -> None:
        self._frames.clear()
        self._values = np.zeros((0, 0), dtype=np.float32)
        self._pointed = None
        self.heat.clear_values()
        super().clear()

    @property
    def frame(self) -> Frame | None:
        """The frame that is drawn."""
        return self._frames.get(self.inputs.key())

    @property
    def tap(self) -> int:
        """Position of the tap that is drawn: the chosen one, or the last layer before the logits."""
        frame = self.frame
        return 0 if frame is None else tap_position(frame.info["taps"], self.selection.tap)

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self.frame
        if frame is None:
            return
        taps = frame.info["taps"]
        tap = self.tap
        if len(frame.arrays["index"]) < 2:
            self.show_empty("There are fewer than two samples to compare. Raise the number of probe samples.")
            return
        self._values = views.square(frame, tap, self.selection.view_index)
        self.heat.set_values(self._values)
        labels = frame.arrays["label"]
        starts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]
        self.heat.set_blocks(starts, [str(frame.info["classes"][labels[s]]) for s in starts])
        name = taps[tap]["name"]
        self.slider.set_state(tap, len(taps) - 1, name)
        self.view_choice.set_key(self.selection.view)
        dead = int(np.isnan(np.diagonal(self._values, 1)).sum()) if len(self._values) > 1 else 0
        words = [name, self.selection.view, "attacked inputs" if self.inputs.key() == "adversarial" else "clean inputs"]
        self.set_subtitle(" · ".join([*words, *(["grey: dead features"] if dead else [])]))
        self._mark()
        self.show_content()
        if self._pointed is not None and self.heat.readout.isVisible():
            self._point(*self._pointed)

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot(str)
    def _on_inputs(self, key: str) -> None:
        self._wanted = key
        self._redraw()

    @Slot(int)
    def _on_slider(self, position: int) -> None:
        frame = self.frame
        if frame is not None:
            self.selection.set_tap(frame.info["taps"][position]["name"])
            self._redraw()

    @Slot()
    def _mark(self, *_: object) -> None:
        frame = self.frame
        if frame is None:
            return
        index, labels = frame.arrays["index"], frame.arrays["label"]
        cells = []
        pair = self.selection.pair
        if pair is not None:
            i, j = (np.flatnonzero(index == sample) for sample in pair)
            if len(i) and len(j):
                cells = [(int(i[0]), int(j[0])), (int(j[0]), int(i[0]))]
        self.heat.mark_cells(cells)
        bands = []
        if self.selection.klass is not None:
            rows = np.flatnonzero(labels == self.selection.klass)
            if len(rows):
                bands.append((int(rows[0]), int(rows[-1]) + 1))
        if self.selection.sample is not None:
            bands += [(int(row), int(row) + 1) for row in np.flatnonzero(index == self.selection.sample)[:1]]
        self.heat.mark_bands(bands)

    def _choose(self, row: int, column: int) -> None:
        frame = self.frame
        if frame is None:
            return
        a, b = int(frame.arrays["index"][row]), int(frame.arrays["index"][column])
        if a == b:
            self.selection.set_sample(a)
        else:
            self.selection.set_pair((a, b))

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        """What the readout says of a cell."""
        frame = self.frame
        if frame is None:
            return ""
        index, labels, classes = frame.arrays["index"], frame.arrays["label"], frame.info["classes"]
        who = [f"sample {index[k]} (class {classes[labels[k]]})" for k in (row, column)]
        if row == column:
            return f"{who[0]}\nwith itself: C = 1"
        eta = views.pair_eta(frame, int(index[row]), int(index[column]))
        where = f"{frame.info['taps'][self.tap]['name']}, {self.selection.view}"
        said = reading(float("nan") if eta is None else float(eta[self.selection.view_index, self.tap]))
        return f"{who[0]} · {who[1]}\n{where}\n{said}"

    def _point(self, row: int, column: int) -> None:
        self._pointed = (row, column)
        self.heat.readout.say(self.describe(row, column), self.heat.at(column + 0.5, row + 0.5))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        cell = self.heat.cell(x, y)
        if cell is None:
            self.heat.leave()
        else:
            self._point(*cell)

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        cell = self.heat.cell(x, y)
        if cell is not None:
            self._choose(*cell)

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        n = len(self._values)
        if n:
            row, column = self._pointed or (0, 0)
            self._point(min(n - 1, max(0, row - up)), min(n - 1, max(0, column + across)))

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(*self._pointed)

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.inputs, self.view_choice, self.heat, self.slider):
            part.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("matrix", self.heat.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The matrix as shown: a header of test indices, then for each sample its index, class and row of C."""
        frame = self.frame
        if frame is None or not len(self._values):
            return
        index, labels = frame.arrays["index"].tolist(), frame.arrays["label"].tolist()
        yield ["index", "label", *index]
        for i, label, row in zip(index, labels, self._values.tolist(), strict=True):
            yield [i, label, *row]


def tap_position(taps: Sequence[dict[str, Any]], name: str | None) -> int:
    """Position of the tap called ``name``; without one, the output of the last layer before the logits."""
    for position, tap in enumerate(taps):
        if tap["name"] == name:
            return position
    outputs = views.layer_taps(taps)
    return outputs[-2] if len(outputs) > 1 else len(taps) - 1
