"""Adversarial takeover: when, and at which layer, x_adv stops resembling its own class and resembles the target's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from engine.experiments.takeover_views import (
    Inputs,
    Value,
    paired,
)
from gui.panels.base import Panel
from gui.panels.labels import Caption, ElidedLabel
from gui.panels.results.page import norm_name
from gui.panels.takeover_course import AttackCourse
from gui.panels.takeover_table import takeover_rows
from gui.panels.takeover_words import sentences
from gui.plots.axes import NameAxis
from gui.plots.band import BandCurve
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.dots import Dots
from gui.plots.fit import FitColumn
from gui.plots.flow import FlowRow
from gui.plots.layers import names_of, penultimate, place_of, places_of, taps_choice
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import signed
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

FALSIFIER = "falsifier"
# row of the frame: colour, kind of line, name on its chip
ROWS: dict[str, tuple[str, str, str]] = {
    "members": ("green", "line", "ceiling"),
    "adversarial": ("vermillion", "line", "x_adv"),
    "other": ("sky", "dot", "other seed"),
    "initial": ("orange", "dash", "at initialisation"),
    "random": ("grey", "line", "random"),
    "clean": ("blue", "line", "clean"),
    FALSIFIER: ("violet", "dash", "random labels"),
}


class TakeoverPanel(Panel):
    """Left, along the attack; right, across the layers, x_adv beside every control, and the verdict in words.

    ``takeover_requested()`` and ``falsifier_requested()`` ask for them to be measured.
    """

    key = "takeover"
    title = "Adversarial takeover"
    tab = "Takeover"
    topics = ("takeover", "falsifier")
    empty_text = (
        "Not measured yet. The attack of the Attack step is made again and watched: at which layer, and at which step, x_adv "
        "comes nearer to its target class than to its own, beside the controls that could explain it."
    )

    takeover_requested = Signal()
    falsifier_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._falsifier: Frame | None = None
        self._places: list[int] = []
        self._wanted: dict[str, bool] = {}
        self._pointed: tuple[int, str] | None = None  # (place, row) in the right plot
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        entries = (
            (
                "Measure takeover",
                "Attack again, measuring as it goes; then every control",
                self.takeover_requested,
            ),
            (
                "Falsifier: train on random labels",
                "A network learns random labels by heart and is attacked as well: does success need this rise?",
                self.falsifier_requested,
            ),
        )
        self.button, self.falsifier_button = (QPushButton(text) for text, _, _ in entries)
        for button, (_, tip, asked) in zip((self.button, self.falsifier_button), entries, strict=True):
            button.setProperty("role", "link")
            button.setToolTip(tip)
            button.clicked.connect(asked)
            self.add_empty_action(button)
        self.measure = MeasureButton(
            theme, self, "Measure takeover, or its falsifier", [(text, tip, asked) for text, tip, asked in entries]
        )
        self.add_tool(self.measure)
        self.inputs_choice = Segmented(
            theme,
            "Inputs",
            [
                ("all", "all", "Every attacked input"),
                ("success", "successes", "Only inputs that the attack drove to their target"),
            ],
        )
        self.inputs_choice.chosen.connect(self._redraw)
        self.left_choice = Segmented(
            theme,
            "Along the attack",
            [
                ("map", "map", "Steps across, layers up; the border is where the target class overtakes"),
                ("layer", "curves", "Both correlations at the chosen layer"),
            ],
        )
        self.left_choice.chosen.connect(self._redraw)
        self.taps_choice = taps_choice(theme)
        self.taps_choice.chosen.connect(self._redraw)
        yield
        self.left = AttackCourse(theme)
        yield from self.left.making()
        self.left.chosen.connect(self._choose)
        self.map = self.left.map
        yield
        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("Correlation with the target class against layer")
        self.plot.set_grid(False, True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        yield
        self._curves = {
            name: BandCurve(self.plot, "#000000", dash=kind == "dash", dot=kind == "dot")
            for name, (_, kind, _) in ROWS.items()
        }
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._tap_line = pg.InfiniteLine(angle=90)
        self._dot = Dots(size=8, pxMode=True)
        for item, z in ((self._zero, 0), (self._tap_line, 0.5), (self._dot, 6)):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        yield
        self.chips = Chips(theme, "What is compared")
        self.chips.toggled.connect(self._on_chip)
        self.sentence = QLabel(wordWrap=True)
        self.sentence.setAccessibleName("Verdict")
        self.sentence.setMinimumWidth(60)
        self.caption = Caption()
        self.notes = ElidedLabel()
        self.notes.setProperty("role", "small")
        self._left_titled = Titled("", self.left)
        self._right_titled = Titled("", self.plot)
        self._row = FlowRow([self.inputs_choice, self.left_choice, self.taps_choice], gap=4)
        plots = Beside([self._left_titled, self._right_titled], [46, 54])
        rows = [self._row, plots, self.chips, self.sentence, self.caption, self.notes]
        self._body_column = FitColumn(rows, plots, [self.notes, self.caption, self.chips, self.sentence])
        self.set_body(self._body_column)
        yield
        self._recolour()
        self.selection.tap_changed.connect(self._redraw)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        # both are shown only if they are of one attack on one network: the newer one stays
        if frame.topic == "falsifier":
            self._falsifier = frame
            self._frame_shown = self._frame_shown if _alike(self._frame_shown, frame) else None
        else:
            self._frame_shown = frame
            self._falsifier = self._falsifier if _alike(self._falsifier, frame) else None
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = self._falsifier = None
        self._pointed = None
        self._dot.clear()
        self.left.clear()
        for curve in self._curves.values():
            curve.set_visible(False)
        super().clear()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def inputs(self) -> Inputs:
        """All inputs, or successes alone."""
        return "success" if self.inputs_choice.key() == "success" else "all"

    @property
    def _any(self) -> Frame | None:
        return self._frame_shown or self._falsifier

    @property
    def place(self) -> int:
        """The layer looked at: the chosen one, else the last before the logits."""
        frame = self._any
        if frame is None:
            return 0
        taps = frame.info["taps"]
        chosen = place_of(taps, self._places, self.selection.tap)
        return penultimate(taps, self._places) if chosen is None else chosen

    def values(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Mean, low and high of one row of the comparison at the places drawn; None where it is not measured."""
        frame = self._falsifier if name == FALSIFIER else self._frame_shown
        if frame is None or f"{self.inputs}_mean" not in frame.arrays:
            return None
        row = list(frame.info["names"]).index("adversarial" if name == FALSIFIER else name)
        taps = {tap["name"]: k for k, tap in enumerate(frame.info["taps"])}
        drawn = self._any
        assert drawn is not None
        places = [taps.get(drawn.info["taps"][p]["name"]) for p in self._places]
        mean, low, high = (
            np.array([math.nan if p is None else frame.arrays[f"{self.inputs}_{end}"][row, p] for p in places])
            for end in ("mean", "low", "high")
        )
        return mean, low, high

    def shown(self) -> list[str]:
        """The rows that are drawn."""
        return [name for name in ROWS if self._wanted.get(name, True) and self.values(name) is not None]

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._any
        if frame is None:
            return
        choice = self.taps_choice.key()
        self._places = places_of(frame.info["taps"], choice)
        names = names_of(frame.info["taps"], self._places, choice)
        if self._frame_shown is not None:
            as_map = self.left_choice.key() == "map"
            self._left_titled.title.set_text(
                self.left.draw(self._frame_shown, self._places, self.place, names, as_map=as_map)
            )
        self._left_titled.setVisible(self._frame_shown is not None)
        self._names.set_names(*names)
        x = np.arange(len(self._places), dtype=float)
        shown = self.shown()
        ends = [0.0]
        for name, curve in self._curves.items():
            found = self.values(name) if name in shown else None
            curve.set_visible(found is not None)
            if found is not None:
                curve.set_data(x, *found)
                ends += [v for part in found for v in part[np.isfinite(part)].tolist()]
        last = max(1.0, len(self._places) - 1.0)
        self.plot.set_home((-0.04 * last, last * 1.04), padded(min(ends), max(ends), 0.05), slack=0.15)
        self._tap_line.setPos(self.place)
        self._fill_chips()
        self._say(frame)
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    def _fill_chips(self) -> None:
        labels = {}
        for frame in (self._falsifier, self._frame_shown):
            if frame is not None:
                labels |= dict(zip(frame.info["names"], frame.info["labels"], strict=True))
        entries = []
        for name, (colour, kind, text) in ROWS.items():
            if self.values(name) is not None:
                tip = labels.get(name, "x_adv in a network that has learnt random labels by heart")
                entries.append(Entry(name, text, self.theme.palette[colour], tip, kind))
        self.chips.set_entries(entries, self.shown())
        self._body_column.want(self.chips, bool(entries))

    # --- in words ----------------------------------------------------------------------------------------------

    def _say(self, frame: Frame) -> None:
        info = frame.info
        words = (str(info["title"]), norm_name(str(info["norm"])), str(info["budget"]), f"{info['success']:.0%} fooled")
        self.set_subtitle(" · ".join(word for word in words if word))
        said, *more = self.words() or [""]
        self.sentence.setText(f"Measurement: {said}")
        self.caption.set_text(" ".join(more))
        self._body_column.want(self.caption, bool(more))
        who = "successes only" if self.inputs == "success" else "all inputs"
        self._right_titled.title.set_text(f"C with the target class by layer, {who}")
        notes = [
            f"Mean and 95% bootstrap over inputs, n = {self.count():,}, centred by the training mean",
            "along the attack: all inputs",
        ]
        if info.get("nearest_member") is not None:
            notes.append(
                f"x was moved by {info['moved']:.2f}; the nearest training image of the target class is "
                f"{info['nearest_member']:.2f} away (medians, L2)"
            )
        self.notes.set_text(" · ".join(notes))
        self.sentence.setToolTip("\n\n".join([said, *more, *notes]))
        self._body_column.fit()

    def count(self) -> int:
        """How many inputs the means of x_adv are over."""
        frame = self._frame_shown
        if frame is not None and f"{self.inputs}_count" in frame.arrays:
            return int(frame.arrays[f"{self.inputs}_count"][0])
        return int((self._any or frame).info["inputs"])  # type: ignore[union-attr]

    def words(self) -> list[str]:
        """Sentences: the verdict at the layer looked at, what the falsifier adds, and where the target class overtakes."""
        if not self._places:
            return []
        tap = self._places[self.place]
        return sentences(self._frame_shown, self._falsifier, self.left.crossings, tap, self.inputs)

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, name: str) -> str:
        """What the readout says of a row of the comparison at a place."""
        frame, found = self._any, self.values(name)
        if frame is None or found is None:
            return ""
        tap = frame.info["taps"][self._places[place]]["name"]
        label = self.chips.chip(name).toolTip()
        mean, low, high = (float(part[place]) for part in found)
        if math.isnan(mean):
            return f"{label}\n{tap}: not measured"
        said = f"{label}\n{tap}: C {signed(mean)} [{signed(low)}, {signed(high)}]"
        more = self.paired(place, name)
        if more is None:
            return said
        return f"{said}\nx_adv has {signed(more.mean)} [{signed(more.low)}, {signed(more.high)}] more, paired over the same inputs"

    def paired(self, place: int, name: str) -> Value | None:
        """What x_adv has more than a control on the same inputs, at a place."""
        frame = self._frame_shown
        if frame is None or name == FALSIFIER:
            return None
        return paired(frame, name, self._places[place], self.inputs)

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        shown = self.shown()
        if not shown:
            return
        place = min(len(self._places) - 1, max(0, round(x)))
        means = np.array([self.values(name)[0][place] for name in shown])  # type: ignore[index]
        if np.isfinite(means).any():
            self._point(place, shown[int(np.nanargmin(np.abs(means - y)))])

    def _point(self, place: int, name: str) -> None:
        found = self.values(name)
        if found is None or not 0 <= place < len(self._places):
            return
        self._pointed = (place, name)
        mean = float(found[0][place])
        known = math.isfinite(mean)
        self._dot.setVisible(known)
        if known:
            self._dot.setData([place], [mean])
            self._dot.setBrush(pg.mkBrush(self.theme.palette[ROWS[name][0]]))
            self._dot.setPen(pen(self.theme.surface))
        self.plot.readout.say(self.describe(place, name), self.plot.at(place, mean if known else 0.0))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self._dot.hide()

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(min(len(self._places) - 1, max(0, round(x))))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        shown = self.shown()
        if not shown:
            return
        if self._pointed is None or self._pointed[1] not in shown:
            self._point(self.place, "adversarial" if "adversarial" in shown else shown[0])
            return
        place, name = self._pointed
        self._point(min(len(self._places) - 1, max(0, place + across)), shown[(shown.index(name) - up) % len(shown)])

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    def _choose(self, place: int) -> None:
        frame = self._any
        if frame is not None and 0 <= place < len(self._places):
            self.selection.set_tap(frame.info["taps"][self._places[place]]["name"])

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self._wanted[key] = on
        self._redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        for part in (
            self.left,
            self.plot,
            self.inputs_choice,
            self.left_choice,
            self.taps_choice,
            self.chips,
        ):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        theme = self.theme
        for name, curve in self._curves.items():
            curve.set_colour(theme.palette[ROWS[name][0]], strength=1.0 if name in ("members", "adversarial") else 0.85)
        self._zero.setPen(pen(theme.line_strong))
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))

    def plots(self) -> Sequence[tuple[str, Any]]:
        """The right plot first: it alone stands where only the falsifier was measured."""
        both = [("layer by layer", self.plot.getPlotItem())]
        return both + ([("along the attack", self.left.plot.getPlotItem())] if self._frame_shown is not None else [])

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Along the attack, then in the end, with every control: mean C, interval and inputs at every tap."""
        return takeover_rows(self._frame_shown, self._falsifier)


def _alike(one: Frame | None, other: Frame) -> bool:
    """Whether two frames are of the same attack on the same network, as far as they say."""
    keys = {str(frame.info.get("key", "")) for frame in (one, other) if frame is not None} - {""}
    return len(keys) < 2
