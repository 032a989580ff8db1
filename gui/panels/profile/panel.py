"""The main result: how a quantity of pairs changes from layer to layer, group by group, beside its null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.help import HelpPopover
from gui.panels.labels import ElidedLabel
from gui.panels.profile import words
from gui.panels.profile.curves import ProfileCurves
from gui.panels.profile.no_split import ASK, TIP, NoSplit
from gui.panels.profile.reading import NOW, Reading
from gui.panels.profile.references import BASELINE_CHIP, Values
from gui.panels.profile.rows import rows_of
from gui.panels.profile.split import LayerSplit
from gui.panels.profile.switches import Switches
from gui.plots.axes import NameAxis
from gui.plots.chips import Chips
from gui.plots.controls import Segmented, view_choice
from gui.plots.flow import FlowRow
from gui.plots.layers import names_of
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


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
        self.reading = Reading(selection)
        self.switches = Switches(self.reading)
        self._split_help: HelpPopover | None = None
        self._pointed: tuple[int, int] | None = None  # (place, group)
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self._make_controls(theme)
        yield
        self._make_measure(theme)
        self._make_plot(theme)
        yield
        self.split = LayerSplit(self.selection, theme)
        yield
        self._lay_out()
        yield
        self._turn_page()
        self.curves.set_theme(theme)
        self.selection.tap_changed.connect(self._show_tap)
        self.selection.view_changed.connect(self._redraw)

    def _make_controls(self, theme: Theme) -> None:
        self.quantity_box = QComboBox()
        self.quantity_box.setProperty("quiet", True)
        self.quantity_box.setAccessibleName("Quantity")
        self.quantity_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.quantity_box.setMaximumWidth(148)
        self.quantity_box.activated.connect(self._on_quantity)
        self.view_choice = view_choice(theme)
        self.view_choice.chosen.connect(self.selection.set_view)
        self.taps_choice = Segmented(
            theme,
            "Taps",
            [
                ("layers", "layers", "Only what comes out of each layer"),
                ("all", "every tap", "The linear map (W) and the activation (σ) of every layer"),
            ],
        )
        self.taps_choice.chosen.connect(self._on_other_range)
        self.page_choice = Segmented(
            theme,
            "What is drawn",
            [
                ("curves", "curves", "A quantity of pairs, layer by layer"),
                ("split", "layer split", TIP),
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
        self.values_choice.chosen.connect(self._on_other_range)
        self.values_choice.hide()

    def _make_measure(self, theme: Theme) -> None:
        entries = [
            (
                "Measure the null",
                "The same measurement on networks drawn anew, which have learned nothing",
                self.null_requested,
            ),
            (
                "Repeat over seeds",
                "The same training from other seeds, for an interval over networks, the independent unit",
                self.repeats_requested,
            ),
            (ASK, TIP, self.layers_requested),
        ]
        says = "Measure the null, repeat over seeds, or split every layer"
        self.measure_button = MeasureButton(theme, self, says, entries)
        self.measure_button.menu().setAccessibleName("Measure beside the profile")
        self.add_tool(self.measure_button)

    def _make_plot(self, theme: Theme) -> None:
        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("Quantity against layer")
        self.plot.set_grid(False, True)
        self.plot.hovered.connect(self._on_hover)
        self.plot.left.connect(self._on_left)
        self.plot.clicked.connect(self._on_click)
        self.plot.moved.connect(self._on_keys)
        self.plot.entered.connect(self._on_enter)
        self.curves = ProfileCurves(self.plot)
        self.chips = Chips(theme, "Groups of pairs")
        self.chips.toggled.connect(self._on_chip)
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "small")

    def _lay_out(self) -> None:
        self._of_curves = (self.quantity_box, self.view_choice, self.taps_choice)
        self._row = FlowRow([self.page_choice, *self._of_curves, self.values_choice])
        self._curves_page = QWidget()
        column = QVBoxLayout(self._curves_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.plot, 1)
        column.addWidget(self.chips)
        column.addWidget(self.caption)
        self.no_split = NoSplit()
        self.no_split.button.clicked.connect(self.layers_requested)
        self._pages = QStackedWidget()
        for page in (self._curves_page, self.split, self.no_split):
            self._pages.addWidget(page)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._row)
        column.addWidget(self._pages, 1)
        self.set_body(body)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        if frame.topic == "layers":
            self.split.show_frame(frame)
            if self.reading.frame is None:
                self.page_choice.set_key("split")
            self._turn_page()
            self.show_content()
            return
        if frame.topic in ("null", "repeats"):
            self.reading.beside.take(frame)
            self._redraw()
            return
        self.reading.frame = frame
        self.reading.beside.stand_beside(str(frame.info.get("key", "")))
        if not np.isfinite(frame.arrays["mean"]).any():
            self.show_empty("Nothing could be measured at this moment: every group is empty, or its features are zero.")
            return
        self._fill_quantities()
        self._redraw()
        self.show_content()

    def set_baseline(self, frame: Frame | None, label: str = "") -> None:
        """Lay another run's profile under this one, dotted; None takes it away. Groups and taps are matched by name."""
        beside = self.reading.beside
        beside.baseline, beside.baseline_label = frame, label
        self.switches.forget(BASELINE_CHIP)
        self._redraw()

    @property
    def baseline(self) -> Frame | None:
        """The other run's profile that lies under this one."""
        return self.reading.beside.baseline

    def clear(self) -> None:
        self.reading.clear()
        self._pointed = None
        self.curves.clear()
        self.split.clear()
        self._turn_page()
        super().clear()

    def _fill_quantities(self) -> None:
        found = self.reading.quantities()
        names = [q["name"] for q in found]
        if [self.quantity_box.itemData(k) for k in range(self.quantity_box.count())] != names:
            self.quantity_box.clear()
            for q in found:
                self.quantity_box.addItem(words.with_unit(q), q["name"])
        if self.reading.quantity not in names:
            self.reading.quantity = names[0]
        self.quantity_box.setCurrentIndex(names.index(self.reading.quantity))
        self._row.arrange()

    # --- what is shown -----------------------------------------------------------------------------------------

    def set_quantity(self, name: str) -> None:
        """Show another quantity, by its name in the frame ("C", "angle", …)."""
        self.reading.quantity = name
        if self.reading.frame is not None:
            self._fill_quantities()
            self.plot.home()
            self._redraw()

    def present(self) -> list[str]:
        """The groups that have numbers now."""
        return self.reading.present()

    def shown_groups(self) -> list[str]:
        """The groups that are drawn: those of an attack once there is one, as far as nobody switched them."""
        return self.switches.groups()

    @property
    def excess(self) -> bool:
        """Whether the null's mean is subtracted from everything drawn."""
        return self.reading.excess

    def values(self, net: int, group: str) -> Values:
        """Mean, low and high of a group at the places on the axis, in the view and quantity shown."""
        return self.reading.values(net, group)

    @Slot()
    def _redraw(self, *_: object) -> None:
        reading, taps = self.reading, self.taps_choice.key()
        if reading.frame is None:
            return
        shown = self.shown_groups()
        reading.wants_excess = self.values_choice.key() == "excess"
        reading.look(taps, shown)
        self._names.set_names(*names_of(reading.frame.info["taps"], reading.places, taps))
        self.curves.draw(reading, self.switches)
        self.plot.set_axis_text(
            "left", ("excess of " if self.excess else "") + words.with_unit(reading.quantity_info())
        )
        self.view_choice.set_key(self.selection.view)
        self.chips.set_entries(*self.switches.chips(shown, self.curves.there, self.theme))
        self.caption.set_text(words.caption(reading, shown))
        self._turn_page()
        self._show_tap(self.selection.tap)
        if self._pointed is not None and self.plot.readout.isVisible():
            self._point(*self._pointed)

    # --- pages -------------------------------------------------------------------------------------------------

    @Slot(str)
    def _on_page(self, _: str) -> None:
        self._turn_page()

    def show_page(self, page: str) -> None:
        """Turn to "curves" or "split"."""
        self.page_choice.set_key(page)
        self._turn_page()

    def _turn_page(self) -> None:
        """Show the chosen page, and of the controls those that say something about it."""
        split = self.page_choice.key() == "split"
        for control in self._of_curves:
            control.setVisible(not split)
        self.values_choice.setVisible(not split and self.reading.has_null)
        self._row.arrange()
        self._pages.setCurrentWidget(
            self.no_split if split and self.split.frame is None else self.split if split else self._curves_page
        )
        if split:
            self.set_subtitle("boost of each part of each layer, uncentred features")
        elif self.reading.frame is not None:
            self.set_subtitle(words.subtitle(self.reading))

    @Slot()
    def show_help(self) -> None:
        """The text of the page shown."""
        if self.page_choice.key() == "curves":
            super().show_help()
            return
        if self._split_help is None:
            self._split_help = HelpPopover(self)
        self._split_help.show_text("layers", "Layer split", self.theme, self.header.help_button)

    # --- choices -----------------------------------------------------------------------------------------------

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        reading = self.reading
        taps = [] if reading.frame is None else [reading.tap(k) for k in range(len(reading.places))]
        self.curves.mark_tap(taps.index(name) if name in taps else None)

    @Slot(int)
    def _on_quantity(self, position: int) -> None:
        self.set_quantity(self.quantity_box.itemData(position))

    @Slot(str)
    def _on_other_range(self, _: str) -> None:
        self._on_left()
        self.plot.home()
        self._redraw()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        self.switches.turn(key, on)
        self._redraw()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, group: str) -> str:
        """What the readout says of a group at a place on the axis."""
        if self.reading.frame is None:
            return ""
        return words.describe(self.reading, place, group, init=self.switches.init)

    def _point(self, place: int, group: int) -> None:
        shown = self.shown_groups()
        if not shown or not 0 <= place < len(self.reading.places):
            return
        group = min(group, len(shown) - 1)
        self._pointed = (place, group)
        height = self.curves.point(self.reading, place, shown[group])
        self.plot.readout.say(self.describe(place, shown[group]), self.plot.at(place, height))

    def _nearest_place(self, x: float) -> int:
        return min(len(self.reading.places) - 1, max(0, round(x)))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        shown = self.shown_groups()
        if not shown or not self.reading.places:
            return
        place = self._nearest_place(x)
        means = np.array([self.reading.shown_values(NOW, name)[0][place] for name in shown])
        if np.isfinite(means).any():
            self._point(place, int(np.nanargmin(np.where(np.isfinite(means), np.abs(means - y), np.nan))))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None
        self.curves.dot.hide()

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        self._choose(self._nearest_place(x))

    def _choose(self, place: int) -> None:
        if self.reading.frame is not None and 0 <= place < len(self.reading.places):
            self.selection.set_tap(self.reading.tap(place))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        count = len(self.shown_groups())
        if not count or not self.reading.places:
            return
        if self._pointed is None:
            self._point(len(self.reading.places) - 1, 0)
            return
        place, group = self._pointed
        self._point(self._nearest_place(place + across), (group - up) % count)

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self._choose(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        choices = (self.view_choice, self.taps_choice, self.page_choice, self.values_choice)
        for part in (self.plot, *choices, self.split, self.measure_button, self.chips, self.curves):
            part.set_theme(theme)
        self._redraw()

    def plots(self) -> Sequence[tuple[str, Any]]:
        if self._pages.currentWidget() is self.split:
            return (("layer split", self.split.plot.getPlotItem()),)
        return (("profile", self.plot.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The numbers of the page shown: the curves drawn with their null, or the parts of the layers."""
        if self._pages.currentWidget() is self.split:
            return self.split.csv_rows()
        return rows_of(self.reading, self.shown_groups(), init=self.switches.init)
