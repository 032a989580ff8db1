"""The main result: how a quantity of pairs changes from layer to layer, group by group, beside its null."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.experiments import spacetime
from gui.icons import icon
from gui.panels.base import Panel
from gui.panels.help import HelpPopover
from gui.panels.labels import ElidedLabel
from gui.panels.layer_split import LayerSplit
from gui.panels.profile_references import (
    BASELINE_CHIP,
    NULL_CHIP,
    REPEATS_CHIP,
    THEORY_CHIP,
    Place,
    References,
    Values,
    three,
)
from gui.plots.axes import NameAxis
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented, view_choice
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.groups import BEFORE_ATTACK, OF_ATTACK, short
from gui.plots.layers import names_of, places_of
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import signed
from gui.plots.whiskers import Whiskers
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

NOW, INIT = 0, 1
INIT_CHIP, MORE_CHIP = "/init", "/more"
NO_SPLIT = (
    "Not measured yet. Each layer is split into its linear map, its bias and its activation, and each part's change of the "
    "rapidity of pairs is measured, on the trained network and on the one before training."
)


class ProfilePanel(Panel):
    """Mean over inputs with its 95% band for each group against the layers, beside what networks do that learned nothing.

    ``null_requested()``, ``repeats_requested()`` and ``layers_requested()`` ask for the null, for the same training from other
    seeds, and for the split of every layer to be measured.
    """

    key = "profile"
    title = "Entanglement profile"
    tab = "Profile"
    topics = ("profile", "null", "repeats", "layers")
    empty_text = "No profile yet. It is measured while a network trains, and in full on the Entangle step."

    null_requested = Signal()
    repeats_requested = Signal()
    layers_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._beside = References()
        self._quantity = "C"
        self._wanted: dict[str, bool] = {}  # what a person switched; the rest follows the data
        self._expanded = False  # whether chips of groups not drawn are shown
        # (group, "now" | "init" | "baseline" | "null" | "theory")
        self._curves: dict[tuple[str, str], BandCurve] = {}
        self._there: set[str] = set()  # chips of what beside the curves there is to draw, wanted or not
        self._has_null = False  # for some group drawn
        self._split_help: HelpPopover | None = None
        self._whiskers: dict[str, Whiskers] = {}  # of networks trained from other seeds, by group
        self._places: list[int] = []  # position in taps of each point on the axis
        self._pointed: tuple[int, int] | None = None  # (place, group)

        self.quantity_box = QComboBox()
        self.quantity_box.setProperty("quiet", True)
        self.quantity_box.setAccessibleName("Quantity")
        self.quantity_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.quantity_box.setMaximumWidth(148)
        self.quantity_box.activated.connect(self._on_quantity)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(selection.set_view)
        self.taps_choice = Segmented(
            theme,
            "Taps",
            [
                ("layers", "layers", "Only what comes out of each layer"),
                ("all", "every tap", "The linear map (W) and the activation (σ) of every layer"),
            ],
        )
        self.taps_choice.chosen.connect(self._on_taps)
        self.page_choice = Segmented(
            theme,
            "What is drawn",
            [
                ("curves", "curves", "A quantity of pairs, layer by layer"),
                ("split", "layer split", "What the linear map, the bias and the activation of each layer do to pairs"),
            ],
        )
        self.page_choice.chosen.connect(self._on_page)
        self.values_choice = Segmented(
            theme,
            "Values",
            [
                ("measured", "measured", "The quantity itself, with its null beside it"),
                ("excess", "excess", "Measured minus the null's mean: what training, or an attack, has added"),
            ],
        )
        self.values_choice.chosen.connect(self._on_values)
        self.values_choice.hide()
        self.measure_menu = QMenu(self)
        self.measure_menu.setAccessibleName("Measure beside the profile")
        self.measure_menu.setToolTipsVisible(True)
        self.null_action = self.measure_menu.addAction("Measure the null")
        self.null_action.triggered.connect(self.null_requested)
        self.null_action.setToolTip("The same measurement on networks drawn anew, which have learned nothing")
        self.repeats_action = self.measure_menu.addAction("Repeat over seeds")
        self.repeats_action.triggered.connect(self.repeats_requested)
        self.repeats_action.setToolTip(
            "The same training from other seeds, for an interval over networks, the independent unit"
        )
        self.layers_action = self.measure_menu.addAction("Split every layer")
        self.layers_action.triggered.connect(self.layers_requested)
        self.layers_action.setToolTip("What the linear map, the bias and the activation of each layer do to pairs")
        self.measure_button = QToolButton(text="Measure", autoRaise=True)
        self.measure_button.setAccessibleName("Measure the null, repeat over seeds, or split every layer")
        self.measure_button.setToolTip("Measure the null, repeat over seeds, or split every layer")
        self.measure_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.measure_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.measure_button.setMenu(self.measure_menu)
        self._dress_tool()
        self.add_tool(self.measure_button)
        self.first_layers_button = QPushButton("Split every layer")
        self.first_layers_button.setProperty("role", "link")
        self.first_layers_button.setToolTip(self.layers_action.toolTip())
        self.first_layers_button.clicked.connect(self.layers_requested)
        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("Quantity against layer")
        self.plot.set_grid(False, True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._ceilings = [pg.InfiniteLine(pos=sign * spacetime.CEILING, angle=0) for sign in (-1, 1)]
        self._tap_line = pg.InfiniteLine(angle=90)
        self._dot = Dots(size=8, pxMode=True)
        for item, z in ((self._zero, 0), (self._tap_line, 0.5), (self._dot, 6), *((c, 0.4) for c in self._ceilings)):
            item.setZValue(z)
            self.plot.addItem(item, ignoreBounds=True)
        self._tap_line.hide()
        self.chips = Chips(theme, "Groups of pairs")
        self.chips.toggled.connect(self._on_chip)
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "small")
        self._of_curves = (self.quantity_box, self.view_choice, self.taps_choice)
        self._row = FlowRow([self.page_choice, *self._of_curves, self.values_choice])
        curves = QWidget()
        column = QVBoxLayout(curves)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.caption)
        self.split = LayerSplit(selection, theme)
        self._pages = QStackedWidget()
        self._no_split = _nothing(NO_SPLIT, self.first_layers_button)
        for page in (curves, self.split, self._no_split):
            self._pages.addWidget(page)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._row)
        column.addWidget(self._pages, 1)
        self.set_body(body)
        self._turn_page()
        self._recolour()
        selection.tap_changed.connect(self._show_tap)
        selection.view_changed.connect(self._redraw)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        if frame.topic == "layers":
            self.split.show_frame(frame)
            if self._frame_shown is None:
                self.page_choice.set_key("split")
            self._turn_page()
            self.show_content()
            return
        if frame.topic in ("null", "repeats"):
            self._beside.take(frame)
            self._redraw()
            return
        self._frame_shown = frame
        self._beside.stand_beside(str(frame.info.get("key", "")))
        if not np.isfinite(frame.arrays["mean"]).any():
            self.show_empty("Nothing could be measured at this moment: every group is empty, or its features are zero.")
            return
        self._fill_quantities(frame)
        self._redraw()
        self.show_content()

    def set_baseline(self, frame: Frame | None, label: str = "") -> None:
        """Lay another run's profile under this one, dotted; None takes it away. Groups and taps are matched by name."""
        self._beside.baseline, self._beside.baseline_label = frame, label
        self._wanted.pop(BASELINE_CHIP, None)
        self._redraw()

    def clear(self) -> None:
        self._frame_shown = None
        self._beside.clear()
        self._has_null, self._there = False, set()
        self._pointed = None
        self._dot.clear()
        for curve in (*self._curves.values(), *self._whiskers.values()):
            curve.set_visible(False)
        self.split.clear()
        self._turn_page()
        super().clear()

    def _fill_quantities(self, frame: Frame) -> None:
        names = [q["name"] for q in frame.info["quantities"]]
        if [self.quantity_box.itemData(k) for k in range(self.quantity_box.count())] != names:
            self.quantity_box.clear()
            for q in frame.info["quantities"]:
                self.quantity_box.addItem(_with_unit(q), q["name"])
        if self._quantity not in names:
            self._quantity = names[0]
        self.quantity_box.setCurrentIndex(names.index(self._quantity))
        self._row.arrange()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def quantity(self) -> int:
        """Position of the quantity shown."""
        frame = self._frame_shown
        return 0 if frame is None else [q["name"] for q in frame.info["quantities"]].index(self._quantity)

    def set_quantity(self, name: str) -> None:
        """Show another quantity, by its name in the frame ("C", "angle", …)."""
        self._quantity = name
        if self._frame_shown is not None:
            self._fill_quantities(self._frame_shown)
            self.plot.home()
            self._redraw()

    def present(self) -> list[str]:
        """The groups that have numbers now."""
        frame = self._frame_shown
        if frame is None:
            return []
        some = np.isfinite(frame.arrays["mean"][NOW]).any(axis=(0, 1, 3))
        return [group["name"] for group, there in zip(frame.info["groups"], some, strict=True) if there]

    def shown_groups(self) -> list[str]:
        """The groups that are drawn: those of an attack once there is one, as far as nobody switched them."""
        present = self.present()
        usual = OF_ATTACK if "adv_target" in present else BEFORE_ATTACK
        return [name for name in present if self._wanted.get(name, name in usual)]

    def _init_shown(self) -> bool:
        # one network before training is one draw from the null: it steps back where the null itself is there
        return self._wanted.get(INIT_CHIP, self._beside.null is None)

    @property
    def excess(self) -> bool:
        """Whether the null's mean is subtracted from everything drawn."""
        return self._has_null and self.values_choice.key() == "excess"

    def _baseline_shown(self) -> bool:
        return self._beside.baseline is not None and self._wanted.get(BASELINE_CHIP, True)

    def values(self, net: int, group: str) -> Values:
        """Mean, low and high of a group at the places on the axis, in the view and quantity shown."""
        frame = self._frame_shown
        assert frame is not None
        return three(frame, group, self._place(), net)

    def _place(self) -> Place:
        """Which numbers are on the axis."""
        taps = [] if self._frame_shown is None else self._frame_shown.info["taps"]
        names = tuple(str(taps[p]["name"]) for p in self._places)
        return Place(self.selection.view_index, self._quantity, names)

    def shown_values(self, net: int, group: str) -> Values:
        """As drawn: the values, or their excess over the null's mean."""
        mean, low, high = self.values(net, group)
        zero = self._zero_of(group)
        return mean - zero, low - zero, high - zero

    def _zero_of(self, group: str) -> np.ndarray | float:
        return self._beside.null_values(group, self._place())[0] if self.excess else 0.0

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame = self._frame_shown
        if frame is None:
            return
        taps = frame.info["taps"]
        self._places = places_of(taps, self.taps_choice.key())
        self._names.set_names(*names_of(taps, self._places, self.taps_choice.key()))
        shown = self.shown_groups()
        at = self._place()
        self._has_null = any(np.isfinite(self._beside.null_values(name, at)[0]).any() for name in shown)
        x = np.arange(len(self._places), dtype=float)
        low, high = math.inf, -math.inf
        live: set[tuple[str, str]] = set()
        on = {chip: self._wanted.get(chip, True) for chip in (NULL_CHIP, THEORY_CHIP, REPEATS_CHIP)}
        self._there = set()
        for position, name in enumerate(shown):
            layers: list[tuple[str, Values]] = [("now", self.shown_values(NOW, name))]
            if self._init_shown():
                layers.append(("init", self.shown_values(INIT, name)))
            if self._baseline_shown() and not self.excess:
                layers.append(("baseline", self._beside.baseline_values(name, at)))
            zero = self._zero_of(name)
            mean, least, most, theory = (part - zero for part in self._beside.null_values(name, at))
            for chip, kind, found in (
                (NULL_CHIP, "null", (mean, least, most)),
                (THEORY_CHIP, "theory", (theory, *(part - zero for part in self._beside.theory_band(name, at)))),
            ):
                if np.isfinite(found[0]).any():
                    self._there.add(chip)
                    if on[chip]:
                        layers.append((kind, found))
            for kind, values in layers:
                if np.isfinite(values[0]).any():
                    self._curve(name, kind).set_data(x, *values)
                    live.add((name, kind))
                    low, high = _widen(low, high, values)
            if self._beside.repeats is None:
                continue
            repeats = tuple(part - zero for part in self._beside.repeat_values(name, at))
            whiskers = self._whiskers_of(name)
            beside = (position - (len(shown) - 1) / 2) * 0.05  # so that intervals of groups do not hide each other
            whiskers.set_data(x + beside, *repeats)
            if whiskers.count:
                self._there.add(REPEATS_CHIP)
                if on[REPEATS_CHIP]:
                    low, high = _widen(low, high, repeats)
            whiskers.set_visible(on[REPEATS_CHIP])
        for name in self._whiskers if self._beside.repeats is None else self._whiskers.keys() - set(shown):
            self._whiskers[name].set_visible(False)
        for which, curve in self._curves.items():
            curve.set_visible(which in live)
        if not math.isfinite(low):
            low, high = 0.0, 1.0
        if self.excess:
            low, high = min(low, 0.0), max(high, 0.0)
        last = max(1.0, len(self._places) - 1.0)
        self.plot.set_home((-0.04 * last, last * 1.04), padded(low, high, 0.04), slack=0.15)
        quantity = frame.info["quantities"][self.quantity]
        self.plot.set_axis_text("left", ("excess of " if self.excess else "") + _with_unit(quantity))
        self._zero.setVisible(low < 0 < high or self.excess)
        self._zero.setPen(self._zero_pen())
        for line in self._ceilings:  # of float32 features
            line.setVisible(self._quantity == "rapidity" and not self.excess)
        self.view_choice.set_key(self.selection.view)
        self._fill_chips(frame, shown)
        self._caption(frame, shown)
        self._turn_page()
        self._show_tap(self.selection.tap)
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    def _zero_pen(self) -> Any:
        return pen(self.theme.muted, dash=True) if self.excess else pen(self.theme.line_strong)

    def _whiskers_of(self, group: str) -> Whiskers:
        found = self._whiskers.get(group)
        if found is None:
            found = self._whiskers[group] = Whiskers(self.plot, self.theme.group_colour(group))
        return found

    # --- pages -------------------------------------------------------------------------------------------------

    @Slot(str)
    def _on_page(self, _: str) -> None:
        self._turn_page()

    @Slot(str)
    def _on_values(self, _: str) -> None:
        self._pointed = None
        self._dot.hide()
        self.plot.home()
        self._redraw()

    def show_page(self, page: str) -> None:
        """Turn to "curves" or "split"."""
        self.page_choice.set_key(page)
        self._turn_page()

    def _turn_page(self) -> None:
        """Show the chosen page, and of the controls those that say something about it."""
        split = self.page_choice.key() == "split"
        for control in self._of_curves:
            control.setVisible(not split)
        self.values_choice.setVisible(not split and self._has_null)
        self._row.arrange()
        self._pages.setCurrentWidget(
            self._no_split if split and self.split.frame is None else self.split if split else self._pages.widget(0)
        )
        if split:
            self.set_subtitle("boost of each part of each layer, uncentred features")
        elif self._frame_shown is not None:
            label = self._frame_shown.info["quantities"][self.quantity]["label"]
            what = "excess over the null" if self.excess else "layer by layer"
            self.set_subtitle(f"{label}, {self.selection.view}, {what}")

    def _curve(self, group: str, kind: str) -> BandCurve:
        found = self._curves.get((group, kind))
        if found is None:
            colour = self.theme.group_colour(group)
            found = BandCurve(
                self.plot, colour, dash=kind in ("init", "null"), dot=kind == "baseline", dash_dot=kind == "theory"
            )
            if kind == "theory":
                found.outline()
            self._curves[group, kind] = found
            self._colour_curve(group, kind)
        return found

    def _colour_curve(self, group: str, kind: str) -> None:
        strength = 0.75 if kind in ("init", "baseline") else 1.0
        self._curves[group, kind].set_colour(self.theme.group_colour(group), strength=strength)

    def _fill_chips(self, frame: Frame, shown: Sequence[str]) -> None:
        labels = {item["name"]: item["label"] for item in frame.info["groups"]}
        # those drawn by default come first, the others wait behind one chip
        order = sorted(
            self.present(), key=lambda n: (OF_ATTACK + BEFORE_ATTACK).index(n) if n in OF_ATTACK + BEFORE_ATTACK else 99
        )
        usual = OF_ATTACK if "adv_target" in order else BEFORE_ATTACK
        waiting = [n for n in order if n not in usual and n not in shown]
        if not self._expanded:
            order = [n for n in order if n not in waiting]
        entries = [Entry(n, short(n, labels[n]), self.theme.group_colour(n), labels[n]) for n in order]
        on = list(shown)
        entries.append(
            Entry(
                INIT_CHIP,
                "at initialisation",
                self.theme.muted,
                "The same measurement on the network before training",
                "dash",
            )
        )
        if self._init_shown():
            on.append(INIT_CHIP)
        for entry in self._beside.entries(self._there, self.theme.muted, excess=self.excess):
            entries.append(entry)
            if self._wanted.get(entry.key, True):
                on.append(entry.key)
        if waiting:
            text = "fewer" if self._expanded else f"+{len(waiting)} groups"
            entries.append(Entry(MORE_CHIP, text, self.theme.muted, "Further groups of pairs to draw", "tag"))
        self.chips.set_entries(entries, on)

    def _caption(self, frame: Frame, shown: Sequence[str]) -> None:
        counts = sorted({self.count(name) for name in shown})
        n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else "0"
        said = f"Mean and 95% bootstrap over inputs · n = {n} · {int(frame.info.get('bootstrap', 0)):,} resamples"
        null = self._beside.null
        known = "" if null is None else str(null.info.get("sentence", ""))
        self.caption.set_text(f"{said} · Null: {known}" if known else said)

    def count(self, group: str) -> int:
        """How many inputs a group's mean is over."""
        frame = self._frame_shown
        if frame is None:
            return 0
        return int(frame.arrays["count"][[g["name"] for g in frame.info["groups"]].index(group)])

    # --- help --------------------------------------------------------------------------------------------------

    @Slot()
    def show_help(self) -> None:
        """The text of the page shown."""
        if self.page_choice.key() == "curves":
            super().show_help()
            return
        if self._split_help is None:
            self._split_help = HelpPopover(self)
        self._split_help.show_text("layers", "Layer split", self.theme, self.header.help_button)

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        frame = self._frame_shown
        places = (
            [] if frame is None else [k for k, p in enumerate(self._places) if frame.info["taps"][p]["name"] == name]
        )
        self._tap_line.setVisible(bool(places))
        if places:
            self._tap_line.setPos(places[0])

    @Slot(int)
    def _on_quantity(self, position: int) -> None:
        self.set_quantity(self.quantity_box.itemData(position))

    @Slot(str)
    def _on_taps(self, _: str) -> None:
        self._pointed = None
        self.plot.home()
        self._redraw()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        if key == MORE_CHIP:
            self._expanded = not self._expanded
        else:
            self._wanted[key] = on
        self._redraw()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, group: str) -> str:
        """What the readout says of a group at a place on the axis."""
        frame = self._frame_shown
        if frame is None:
            return ""
        quantity = frame.info["quantities"][self.quantity]
        unit = f" {quantity['unit']}" if quantity.get("unit") else ""
        label = next(g["label"] for g in frame.info["groups"] if g["name"] == group)
        lines = [label]
        nets = [(NOW, frame.info["taps"][self._places[place]]["name"])]
        if self._init_shown():
            nets.append((INIT, "at initialisation"))
        for net, head in nets:
            mean, low, high = (float(v[place]) for v in self.values(net, group))
            if math.isnan(mean):
                lines.append(f"{head}: not measured")
            else:
                lines.append(f"{head}: {signed(mean)}{unit} [{signed(low)}, {signed(high)}]")
        lines += self._beside.lines(group, self._place(), place, self.values(NOW, group), unit)
        lines.append(f"n = {self.count(group):,} inputs{self._left_out(place, group)}")
        return "\n".join(lines)

    def _left_out(self, place: int, group: str) -> str:
        """How many pairs or inputs have no part in the mean here, where there are any."""
        frame = self._frame_shown
        if frame is None or "saturated" not in frame.arrays:
            return ""
        g = next(k for k, each in enumerate(frame.info["groups"]) if each["name"] == group)
        at = (NOW, self.selection.view_index, g, self._places[place])
        parts = []
        if (
            frame.info["quantities"][self.quantity]["name"] in ("rapidity", "ln_gamma")
            and frame.arrays["saturated"][at]
        ):
            parts.append(f"{int(frame.arrays['saturated'][at]):,} saturated pairs left out")
        if frame.arrays["dead"][at]:
            parts.append(f"{int(frame.arrays['dead'][at]):,} dead left out")
        return "".join(f" · {part}" for part in parts)

    def _point(self, place: int, group: int) -> None:
        shown = self.shown_groups()
        if not shown or not 0 <= place < len(self._places):
            return
        group = min(group, len(shown) - 1)
        self._pointed = (place, group)
        mean = float(self.shown_values(NOW, shown[group])[0][place])
        if math.isfinite(mean):
            self._dot.setData([place], [mean])
            self._dot.setBrush(pg.mkBrush(self.theme.group_colour(shown[group])))
            self._dot.setPen(pen(self.theme.surface))
            self._dot.show()
        else:
            mean = sum(self.plot.getViewBox().viewRange()[1]) / 2
            self._dot.hide()
        self.plot.readout.say(self.describe(place, shown[group]), self.plot.at(place, mean))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        shown = self.shown_groups()
        if not shown or not self._places:
            return
        place = min(len(self._places) - 1, max(0, round(x)))
        means = np.array([self.shown_values(NOW, name)[0][place] for name in shown])
        if np.isfinite(means).any():
            self._point(place, int(np.nanargmin(np.where(np.isfinite(means), np.abs(means - y), np.nan))))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self._dot.hide()

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(min(len(self._places) - 1, max(0, round(x))))

    def _choose(self, place: int) -> None:
        if self._frame_shown is not None and 0 <= place < len(self._places):
            self.selection.set_tap(self._frame_shown.info["taps"][self._places[place]]["name"])

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        count = len(self.shown_groups())
        if not count or not self._places:
            return
        if self._pointed is None:
            self._point(len(self._places) - 1, 0)
            return
        place, group = self._pointed
        self._point(min(len(self._places) - 1, max(0, place + across)), (group - up) % count)

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        self.view_choice.set_theme(theme)
        self.taps_choice.set_theme(theme)
        self.page_choice.set_theme(theme)
        self.values_choice.set_theme(theme)
        self.split.set_theme(theme)
        self._dress_tool()
        self.chips.set_theme(theme)
        self._recolour()
        self._redraw()

    def _dress_tool(self) -> None:
        self.measure_button.setIcon(icon("chevron-down", self.theme))
        self.measure_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.measure_button.setFont(self.theme.font(self.theme.small))

    def _recolour(self) -> None:
        self._zero.setPen(self._zero_pen())
        for line in self._ceilings:
            line.setPen(pen(self.theme.warning, dash=True))
        for group, whiskers in self._whiskers.items():
            whiskers.set_colour(self.theme.group_colour(group))
        self._tap_line.setPen(pen(self.theme.accent, 1, alpha=0.8))
        for group, kind in self._curves:
            self._colour_curve(group, kind)

    def plots(self) -> Sequence[tuple[str, Any]]:
        if self._pages.currentWidget() is self.split:
            return (("layer split", self.split.plot.getPlotItem()),)
        return (("profile", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The curves drawn, one row a point: group, net, tap, mean, interval and number of inputs; beside it the null."""
        if self._pages.currentWidget() is self.split:
            yield from self.split.csv_rows()
            return
        frame = self._frame_shown
        if frame is None:
            return
        yield ["quantity", "view", "group", "net", "tap", "mean", "low", "high", "n", *self._beside.columns()]
        nets = [(NOW, "now"), *([(INIT, "init")] if self._init_shown() else [])]
        for name in self.shown_groups():
            for net, word in nets:
                mean, low, high = self.values(net, name)
                beside = self._beside.cells(name, self._place(), mean)
                for k, place in enumerate(self._places):
                    found = [self._quantity, self.selection.view, name, word, frame.info["taps"][place]["name"]]
                    found += [float(v[k]) for v in (mean, low, high)] + [self.count(name)]
                    yield [*found, *beside[k]]


def _nothing(text: str, button: QPushButton) -> QWidget:
    """A page that says what is missing, with the button that brings it."""
    page = QWidget()
    label = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
    label.setProperty("role", "muted")
    column = QVBoxLayout(page)
    column.setContentsMargins(24, 0, 24, 0)
    column.addStretch(1)
    column.addWidget(label)
    column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    return page


def _with_unit(quantity: dict[str, Any]) -> str:
    return f"{quantity['label']} ({quantity['unit']})" if quantity.get("unit") else str(quantity["label"])


def _widen(low: float, high: float, values: Sequence[np.ndarray]) -> tuple[float, float]:
    for part in values:
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high
