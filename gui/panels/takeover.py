"""Adversarial takeover: when, and at which layer, x_adv stops resembling its own class and resembles the target's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QWidget

from engine.experiments.takeover_views import (
    Crossing,
    Inputs,
    Value,
    Verdict,
    crossings,
    first_takeover,
    paired,
    value,
    verdict,
)
from gui.panels.base import Panel
from gui.panels.labels import Caption, ElidedLabel
from gui.panels.results.page import norm_name
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
from gui.plots.steps import StepMap
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
IN_WORDS = {
    "random": "random perturbation",
    "initial": "network at initialisation",
    "other": "another seed's network",
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
        self._columns: list[int] = []  # of the moments, those drawn: the last of each step
        self._crossings: list[Crossing] = []
        self._wanted: dict[str, bool] = {}
        self._pointed: tuple[int, str] | None = None  # (place, row) in the right plot
        self._build(theme)
        selection.tap_changed.connect(self._redraw)

    def _build(self, theme: Theme) -> None:
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

        self.map = StepMap(theme)
        self.map.setAccessibleName("C with target class less C with true class, layers against attack steps")
        self.map.hovered.connect(self._on_map_hover)
        self.map.clicked.connect(self._on_map_click)
        self.course = Plot(theme)
        self.course.setAccessibleName("Correlation along the attack at the chosen layer")
        self.course.set_grid(False, True)
        self.course.hovered.connect(self._on_course_hover)
        self._target, self._true = BandCurve(self.course, "#000000"), BandCurve(self.course, "#000000")
        self._moment = pg.InfiniteLine(angle=90)
        self.course.addItem(self._moment, ignoreBounds=True)
        self.left = QStackedWidget()
        self.left.addWidget(self.map)
        self.left.addWidget(self.course)

        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("Correlation with the target class against layer")
        self.plot.set_grid(False, True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
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
        self._recolour()

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
        self.map.clear_values()
        for curve in (*self._curves.values(), self._target, self._true):
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
        self._draw_course(names)
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

    def _draw_course(self, names: tuple[list[str], list[str]]) -> None:
        """The left plot: the attack's course."""
        frame = self._frame_shown
        self._left_titled.setVisible(frame is not None)
        if frame is None:
            return
        step = frame.arrays["step"]
        # the end is measured once more at the last step
        self._columns = [k for k in range(len(step)) if k + 1 == len(step) or step[k + 1] != step[k]]
        self._crossings = crossings(frame, self._places)
        of_map = self.left_choice.key() == "map"
        self.left.setCurrentWidget(self.map if of_map else self.course)
        name = frame.info["taps"][self._places[self.place]]["name"]
        first = first_takeover(self._crossings, frame)
        if of_map:
            self._left_titled.title.set_text("C(target) − C(true class) by attack step")
            difference = (frame.arrays["target_mean"] - frame.arrays["true_mean"])[self._columns][:, self._places].T
            self.map.set_values(difference, (names[1], names[1]), [str(int(step[k])) for k in self._columns])
            self.map.set_border([None if c.moment is None else self._column(c.moment) for c in self._crossings])
            if first is None or first.moment is None:
                self.map.mark(None)
            else:
                tap = frame.info["taps"][first.tap]["name"]
                text = f"{tap}, step {int(step[first.moment])}"
                self.map.mark(self._places.index(first.tap), self._column(first.moment), text)
            self.map.mark_row(self.place)
        else:
            self._left_titled.title.set_text(f"C at {name} by attack step: target (orange), true class (purple)")
            x = step[self._columns].astype(float)
            ends: list[float] = [0.0]
            for which, curve in (("target", self._target), ("true", self._true)):
                parts = [
                    frame.arrays[f"{which}_{end}"][self._columns, self._places[self.place]]
                    for end in ("mean", "low", "high")
                ]
                curve.set_data(x, *parts)
                curve.set_visible(True)
                ends += [v for part in parts for v in part[np.isfinite(part)].tolist()]
            moment = self._crossings[self.place].moment
            self._moment.setVisible(moment is not None)
            if moment is not None:
                self._moment.setPos(float(step[moment]))
            self.course.set_home((-0.02 * max(1.0, x[-1]), max(1.0, x[-1]) * 1.02), padded(min(ends), max(ends), 0.05))

    def _column(self, moment: int) -> int:
        """The column of a moment; the end, measured once more, has that of its step."""
        return next(k for k, m in enumerate(self._columns) if m >= moment)

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
        parts = []
        frame = self._frame_shown
        if frame is not None:
            found = verdict(frame, self._places[self.place], self.inputs)
            if found is not None:
                parts.append(_verdict(found))
            elif frame.info["done"]:
                who = (
                    "No input was fooled" if self.inputs == "success" else "x_adv has no features that can be compared"
                )
                parts.append(f"{who}: nothing to compare at {frame.info['taps'][self._places[self.place]]['name']}.")
            else:
                parts.append("The attack is under way; the controls follow.")
            parts.append(self._takeover_words(frame))
        if self._falsifier is not None:
            parts.append(self._falsifier_words(self._falsifier))
        return parts

    def _takeover_words(self, frame: Frame) -> str:
        first = first_takeover(self._crossings, frame)
        if first is None or first.moment is None:
            share = frame.info["success"]
            return (
                f"On average over all inputs no layer before the logits is taken over: the true class stays nearer "
                f"({share:.0%} fooled)."
            )
        tap, step = frame.info["taps"][first.tap]["name"], int(frame.arrays["step"][first.moment])
        before = [c for c in self._crossings if frame.info["taps"][c.tap]["kind"] != "logits"]
        taken = sum(c.moment is not None for c in before)
        return f"Takeover at layer {tap}, step {step}; in the end at {taken} of {len(before)} layers before the logits."

    def _falsifier_words(self, frame: Frame) -> str:
        drawn = self._any
        assert drawn is not None
        name = drawn.info["taps"][self._places[self.place]]["name"]
        tap = next((k for k, t in enumerate(frame.info["taps"]) if t["name"] == name), None)
        if tap is None:
            return ""
        found = value(frame, "adversarial", tap, self.inputs)
        own = value(frame, "members", tap, self.inputs) if "members" in frame.info["names"] else None
        ceiling = "" if own is None else f"; its own members have {_interval(own)}"
        return (
            f"Falsifier: in a network trained on random labels (it learnt {frame.info['memorised']:.1%} of "
            f"{frame.info['samples_memorised']:,}), {frame.info['success']:.0%} are fooled with C = {_interval(found)} at {name}"
            f"{ceiling}."
        )

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

    def describe_moment(self, place: int, column: int) -> str:
        """What the readout says of a layer at a moment of the attack."""
        frame = self._frame_shown
        if frame is None:
            return ""
        moment, tap = self._columns[column], self._places[place]
        lines = [f"{frame.info['taps'][tap]['name']}, step {int(frame.arrays['step'][moment])}"]
        for which, word in (("target", "target class"), ("true", "true class")):
            mean, low, high = (float(frame.arrays[f"{which}_{end}"][moment, tap]) for end in ("mean", "low", "high"))
            lines.append(f"C with {word} {signed(mean)} [{signed(low)}, {signed(high)}]")
        crossing = self._crossings[place].moment
        lines.append(
            "the true class stays nearer to the end"
            if crossing is None
            else f"the target class is nearer from step {int(frame.arrays['step'][crossing])} on"
        )
        return "\n".join(lines)

    @Slot(float, float)
    def _on_map_hover(self, x: float, y: float) -> None:
        cell = self.map.cell(x, y)
        if cell is None or self._frame_shown is None:
            self.map.leave()
        else:
            self.map.readout.say(self.describe_moment(*cell), self.map.at(cell[1], cell[0]))

    @Slot(float, float)
    def _on_map_click(self, x: float, y: float) -> None:
        cell = self.map.cell(x, y)
        if cell is not None:
            self._choose(cell[0])

    @Slot(float, float)
    def _on_course_hover(self, x: float, y: float) -> None:
        frame = self._frame_shown
        if frame is not None:
            steps = frame.arrays["step"][self._columns]
            column = int(np.argmin(np.abs(steps - x)))
            self.course.readout.say(self.describe_moment(self.place, column), self.course.at(float(steps[column]), y))

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
            self.map,
            self.course,
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
        self._target.set_colour(theme.group_colour("adv_target"))
        self._true.set_colour(theme.group_colour("adv_true"))
        self._zero.setPen(pen(theme.line_strong))
        self._moment.setPen(pen(theme.text, dash=True))
        self._tap_line.setPen(pen(theme.accent, 1, alpha=0.8))

    def plots(self) -> Sequence[tuple[str, Any]]:
        """The right plot first: it alone stands where only the falsifier was measured."""
        left = self.map if self.left_choice.key() == "map" else self.course
        both = [("layer by layer", self.plot.getPlotItem())]
        return both + ([("along the attack", left.getPlotItem())] if self._frame_shown is not None else [])

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Along the attack, then in the end, with every control: mean C, interval and inputs at every tap."""
        if self._any is None:
            return
        yield ["part", "what", "inputs", "step", "tap", "C", "low", "high", "n", "paired", "paired_low", "paired_high"]
        frame = self._frame_shown
        if frame is not None:
            for which in ("target", "true"):
                for moment, step in enumerate(frame.arrays["step"].tolist()):
                    for k, tap in enumerate(frame.info["taps"]):
                        numbers = [float(frame.arrays[f"{which}_{end}"][moment, k]) for end in ("mean", "low", "high")]
                        yield [
                            "attack",
                            f"{which} class",
                            "all",
                            step,
                            tap["name"],
                            *numbers,
                            frame.info["inputs"],
                            "",
                            "",
                            "",
                        ]
        for part, source in (("takeover", frame), (FALSIFIER, self._falsifier)):
            for inputs in ("all", "success"):
                if source is None or f"{inputs}_mean" not in source.arrays:
                    continue
                for row, name in enumerate(source.info["names"]):
                    for k, tap in enumerate(source.info["taps"]):
                        numbers = [float(source.arrays[f"{inputs}_{end}"][row, k]) for end in ("mean", "low", "high")]
                        n = int(source.arrays[f"{inputs}_count"][row]) if f"{inputs}_count" in source.arrays else ""
                        more = paired(source, name, k, inputs)  # type: ignore[arg-type]  # "all" or "success"
                        less = ["", "", ""] if more is None else [more.mean, more.low, more.high]
                        yield [part, name, inputs, "", tap["name"], *numbers, n, *less]


def _number(found: float) -> str:
    return f"{found:.2f}".replace("-", "−") if math.isfinite(found) else "undefined"


def _interval(found: Value) -> str:
    return f"{_number(found.mean)} [{_number(found.low)}, {_number(found.high)}]" if found.measured else "undefined"


def _named(found: Sequence[Value]) -> str:
    return ", ".join(f"{IN_WORDS[each.name]} {_number(each.mean)}" for each in found)


def _verdict(found: Verdict) -> str:
    """The verdict at a layer as a sentence."""
    head = f"x_adv reaches {_interval(found.adversarial)} at {found.tap}: "
    if not found.unbeaten and found.beaten:
        most = max(found.beaten, key=lambda each: each.mean)
        middle = f"beyond every control (highest {_number(most.mean)}, {IN_WORDS[most.name]})"
    elif found.beaten:
        middle = f"beyond {_named(found.beaten)}, but not beyond {_named(found.unbeaten)}"
    else:
        middle = f"not beyond {_named(found.unbeaten)}" if found.unbeaten else "no control has numbers here"
    ceiling = _number(found.ceiling.mean)
    if found.least is not None and not found.unbeaten:
        middle += f", on the same inputs by {_interval(found.least)} or more"
    tail = {
        "short of": f", short of the ceiling ({ceiling})",
        "at": f", at the ceiling ({ceiling})",
        "beyond": f", above the members among themselves ({ceiling})",
        "unknown": "",
    }[found.against_ceiling]
    return f"{head}{middle}{tail}."


def _alike(one: Frame | None, other: Frame) -> bool:
    """Whether two frames are of the same attack on the same network, as far as they say."""
    keys = {str(frame.info.get("key", "")) for frame in (one, other) if frame is not None} - {""}
    return len(keys) < 2
