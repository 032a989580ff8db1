"""Hardening: adversarial trainings beside standard training, what each costs and what it does to the geometry of the features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.hardening import words
from gui.panels.hardening.accuracies import AccuracyTable
from gui.panels.hardening.columns import Columns
from gui.panels.labels import Caption
from gui.plots.beside import Titled
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.layers import names_of, penultimate, place_of, places_of, taps_choice
from gui.plots.measure import MeasureButton
from gui.plots.plot import padded
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

EACH = 128  # pixels of height that each row of small multiples has at least
# row: its button, its tip, its title, and its curves: name, quantity, 1 = after training, colour, kind, chip
ROWS: dict[str, tuple[str, str, str, tuple[tuple[str, str, int, str, str, str], ...]]] = {
    "adv_target": (
        "target",
        "Correlation of x_adv with its target class",
        "C of x_adv with training members of its target class",
        (
            ("adv after", "adv_target", 1, "vermillion", "line", "x_adv, trained"),
            ("adv before", "adv_target", 0, "vermillion", "dash", "x_adv, before training"),
            ("clean after", "clean_target", 1, "grey", "line", "clean x, trained"),
        ),
    ),
    "same": (
        "rapidity",
        "Rapidity of pairs of one class, and of different classes",
        "mean rapidity η of pairs of clean inputs",
        (
            ("same after", "same", 1, "blue", "line", "same class, trained"),
            ("same before", "same", 0, "blue", "dash", "same class, before"),
            ("different after", "different", 1, "orange", "line", "different classes, trained"),
            ("different before", "different", 0, "orange", "dash", "different classes, before"),
        ),
    ),
    "rank": (
        "rank",
        "Effective rank of the features of clean inputs",
        "effective rank exp S",
        (
            ("rank after", "rank", 1, "green", "line", "rank, trained"),
            ("rank before", "rank", 0, "green", "dash", "rank, before"),
        ),
    ),
}


class HardeningPanel(Panel):
    """A table of accuracies, and beneath it the geometry by layer, one column a training.

    ``hardening_requested()`` asks for it; ``settings_requested()`` for the form that chooses the trainings.
    """

    key = "hardening"
    title = "Adversarial training"
    tab = "Hardening"
    topics = ("hardening",)
    empty_text = (
        "Not measured yet. Trains the network again from the same initial weights: against attacks, and by the baselines that adversarial "
        "training must beat. Then every network is attacked alike, and its features are compared layer by layer."
    )

    hardening_requested = Signal()
    settings_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._places: list[int] = []
        self._hidden: set[str] = set()
        self._build(theme)
        selection.tap_changed.connect(self._redraw)

    def _build(self, theme: Theme) -> None:
        self.button, self.settings_button = QPushButton("Train and compare"), QPushButton("Choose the trainings…")
        tips = ("Train each from the same start, then attack and measure", "Open their settings on the Train step")
        asked = (self.hardening_requested, self.settings_requested)
        for button, tip, signal in zip((self.button, self.settings_button), tips, asked, strict=True):
            button.setProperty("role", "link")
            button.setToolTip(tip)
            button.clicked.connect(signal)
            self.add_empty_action(button)
        entries = [("Train and compare", tips[0], asked[0]), ("Choose the trainings…", tips[1], asked[1])]
        self.measure = MeasureButton(theme, self, "Train and compare, or choose the trainings", entries)
        self.add_tool(self.measure)
        self.row_choice = Segmented(theme, "Quantity", [(key, row[0], row[1]) for key, row in ROWS.items()])
        self.row_choice.setToolTip("The others are drawn below it where there is room")
        self.row_choice.chosen.connect(self._redraw)
        self.taps_choice = taps_choice(theme)
        self.taps_choice.chosen.connect(self._redraw)
        self.table = AccuracyTable(theme)
        self.rows: dict[str, Columns] = {}
        self._titled: dict[str, Titled] = {}
        stack = QWidget()
        self._stack_column = QVBoxLayout(stack)
        self._stack_column.setContentsMargins(0, 0, 0, 0)
        self._stack_column.setSpacing(2)
        for key, (_, _, title, curves) in ROWS.items():
            plot = Columns(theme, [(name, kind) for name, _, _, _, kind, _ in curves])
            plot.setAccessibleName(f"{title} against layer, one column a training")
            plot.hovered.connect(partial(self._on_hover, key))
            plot.clicked.connect(self._on_click)
            plot.moved.connect(self._on_keys)
            self.rows[key] = plot
            self._titled[key] = Titled(title, plot)
            self._stack_column.addWidget(self._titled[key], 1)
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        self.caption = Caption()
        self._controls = FlowRow([self.row_choice, self.taps_choice])
        parts = [self.table, self._controls, stack, self.chips, self.caption]
        self._stack_of_rows = stack
        self._body_column = FitColumn(parts, stack, [self.caption, self.chips, self.table])
        self.set_body(self._body_column)
        self._recolour()

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        for key, (_, _, _, curves) in ROWS.items():
            for name, *_ in curves:
                self.rows[key].set_curve(name, None)
        self.table.show_rows([])
        super().clear()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The layer looked at: the chosen one, else the last before the logits."""
        frame = self._frame_shown
        if frame is None:
            return 0
        chosen = place_of(frame.info["taps"], self._places, self.selection.tap)
        return penultimate(frame.info["taps"], self._places) if chosen is None else chosen

    def shown_rows(self) -> list[str]:
        """The rows of small multiples drawn: the chosen one, and as many others as there is room for."""
        chosen = self.row_choice.key()
        order = [chosen, *(key for key in ROWS if key != chosen)]
        count = max(1, self._stack_of_rows.height() // EACH)
        kept = set(order[:count])
        return [key for key in ROWS if key in kept]

    def values(self, quantity: str, after: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, low and high ``[trainings, places]`` before (0) or after (1) training."""
        frame = self._frame_shown
        assert frame is not None
        q = list(frame.info["quantities"]).index(quantity)
        mean, low, high = (
            np.asarray(frame.arrays[end][after, q], float)[:, self._places] for end in ("mean", "low", "high")
        )
        return mean, low, high

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        choice = self.taps_choice.key()
        self._places = places_of(frame.info["taps"], choice)
        _, short = names_of(frame.info["taps"], self._places, choice)
        shown = self.shown_rows()
        for key, (_, _, _, curves) in ROWS.items():
            self._titled[key].setVisible(key in shown)
            if key not in shown:
                continue
            plot = self.rows[key]
            plot.set_columns(frame.info["labels"], short)
            ends: list[float] = [0.0]
            for name, quantity, after, *_ in curves:
                hidden = name in self._hidden
                ends += plot.set_curve(name, None if hidden else self.values(quantity, after))
            plot.set_extent(*padded(min(ends), max(ends), 0.06))
            plot.mark(self.place)
        self.table.show_rows(words.rows(frame))
        self._fill_chips(shown)
        self._say(frame)

    def _say(self, frame: Frame) -> None:
        done = len(frame.info["names"])
        left = "" if frame.info["done"] else f" · {done} of {frame.info['wanted']} measured"
        self.set_subtitle(f"{words.ball(frame)}, {frame.info['attack']}{left}")
        self.caption.set_text(words.says(frame, self._places[self.place], self.row_choice.key()))
        self._body_column.fit()

    def _fill_chips(self, shown: Sequence[str]) -> None:
        entries = [
            Entry(name, chip, self.theme.palette[colour], ROWS[key][2], kind)
            for key in shown
            for name, _, _, colour, kind, chip in ROWS[key][3]
        ]
        self.chips.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])

    # --- pointer and controls ----------------------------------------------------------------------------------

    def describe(self, key: str, column: int, place: int) -> str:
        """What the readout says of a layer of a training."""
        frame = self._frame_shown
        if frame is None:
            return ""
        lines = [f"{frame.info['labels'][column]}, {frame.info['taps'][self._places[place]]['name']}"]
        for _, quantity, after, _, _, chip in ROWS[key][3]:
            mean, low, high = (float(part[column, place]) for part in self.values(quantity, after))
            lines.append(f"{chip}: {mean:.3g} [{low:.3g}, {high:.3g}]".replace("-", "−"))
        return "\n".join(lines)

    def _on_hover(self, key: str, x: float, y: float) -> None:
        plot = self.rows[key]
        cell = plot.cell(x) if self._frame_shown is not None else None
        if cell is not None:
            plot.readout.say(self.describe(key, *cell), plot.at(plot.position(*cell), y))

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        cell = self.rows[self.row_choice.key()].cell(x)
        if cell is not None:
            self._choose(cell[1])

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if self._frame_shown is not None:
            self._choose(min(len(self._places) - 1, max(0, self.place + across)))

    def _choose(self, place: int) -> None:
        if self._frame_shown is not None:
            self.selection.set_tap(self._frame_shown.info["taps"][self._places[place]]["name"])

    @Slot(str, bool)
    def _on_chip(self, name: str, on: bool) -> None:
        self._hidden.discard(name) if on else self._hidden.add(name)
        self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._frame_shown is not None and self._visible_rows() != self.shown_rows():
            self._redraw()

    def _visible_rows(self) -> list[str]:
        return [key for key in ROWS if not self._titled[key].isHidden()]

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for plot in self.rows.values():
            plot.set_theme(theme)
        self.table.set_theme(theme)
        for part in (self.chips, self.measure, self.row_choice, self.taps_choice):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        self.chips.theme = self.theme
        for key, (_, _, _, curves) in ROWS.items():
            self.rows[key].colour({name: self.theme.palette[colour] for name, _, _, colour, _, _ in curves})

    def plots(self) -> Sequence[tuple[str, Any]]:
        return [(ROWS[key][2], self.rows[key].getPlotItem()) for key in self.shown_rows()]

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        frame = self._frame_shown
        if frame is None:
            return
        yield ("training", "when", "quantity", "tap", "mean", "low", "high", "paired", "paired_low", "paired_high")
        for k, label in enumerate(frame.info["labels"]):
            for a, name in enumerate(("clean accuracy", "robust accuracy")):
                ends = [frame.arrays[f"accuracy{end}"][a, k] for end in ("", "_low", "_high")]
                ends += [frame.arrays[f"accuracy_paired{end}"][a, k] for end in ("", "_low", "_high")]
                yield (label, "after", name, "", *(float(v) for v in ends))
            for q, quantity in enumerate(frame.info["quantities"]):
                for t, tap in enumerate(frame.info["taps"]):
                    for after, when in ((1, "after"), (0, "before")):
                        ends = [frame.arrays[end][after, q, k, t] for end in ("mean", "low", "high")]
                        if after:
                            ends += [frame.arrays[f"paired_{end}"][q, k, t] for end in ("mean", "low", "high")]
                        unpaired = () if after else ("", "", "")
                        yield (label, when, quantity, tap["name"], *(float(v) for v in ends), *unpaired)
