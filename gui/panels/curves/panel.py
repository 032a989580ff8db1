"""How an attack went: loss and margin of each watched sample above, the share broken below, one axis of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.panels.curves import words
from gui.panels.curves.course import TABLES, Course
from gui.panels.curves.lines import SampleLines
from gui.panels.curves.rows import rows_of
from gui.panels.curves.share import NORM, SHARE, ShareCurve, has_norms
from gui.plots.align import align_left
from gui.plots.axes import PlainAxis
from gui.plots.chips import Chips
from gui.plots.controls import Segmented
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session.table import Table

AXIS_WIDTH = 46
SNAP = 14.0  # pixels from a line within which a click means its sample


class CurvesPanel(Panel):
    """Thin lines of the watched samples, coloured by how each came out, with their median and quartiles; below, the
    share of all samples broken so far.

    ``step_requested(step)`` is a click on a step of the attack.
    """

    key = "curves"
    title = "Attack curves"
    tab = "Curves"
    topics = ("gallery",)
    tables = TABLES
    empty_text = "No attack yet. Train a network, then press the button on the Attack step."

    step_requested = Signal(int)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.course = Course()
        self._hidden: set[str] = set()
        self._pointed: tuple[int, int] | None = None  # (position of the step, watched sample)
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self._make_controls(theme)
        yield
        yield from self._make_plots(theme)
        self._lay_out()
        yield
        self._recolour()
        self.selection.sample_changed.connect(self._show_sample)

    def _lay_out(self) -> None:
        self._row = FlowRow([self.metric_choice, self.lower_choice])
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._row)
        column.addWidget(self.plot, 64)
        column.addWidget(self.share_plot, 36)
        column.addWidget(self.chips)
        self.set_body(body)

    def _make_controls(self, theme: Theme) -> None:
        self.metric_choice = Segmented(
            theme,
            "Quantity",
            [
                ("margin", "margin", "True logit less the best other one; targeted: best other less the target's"),
                ("loss", "loss", "Cross-entropy to the true class, or to the target"),
            ],
        )
        self.metric_choice.chosen.connect(self._on_metric)
        self.lower_choice = Segmented(
            theme,
            "Below",
            [
                (SHARE, "share broken", "Share of all samples broken at any step so far"),
                (NORM, "median norm", "Median over all samples of the smallest norm found so far"),
            ],
        )
        self.lower_choice.chosen.connect(self._on_lower)
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)

    def _make_plots(self, theme: Theme) -> Iterator[None]:
        self.plot = Plot(theme, {"bottom": PlainAxis("bottom", showValues=False)})
        self.plot.setAccessibleName("Margin or loss against step")
        self.plot.setMinimumHeight(54)
        yield
        self.share_plot = Plot(theme)
        self.share_plot.setAccessibleName("Share broken against step")
        self.share_plot.setMinimumHeight(68)  # so that its curve is seen above its axis in a low panel
        self.share_plot.setXLink(self.plot)
        self.share_plot.set_axis_text("bottom", "step of the attack")
        yield
        self.lines = SampleLines(self.plot)
        yield
        self.share = ShareCurve(self.share_plot)
        for plot, other in ((self.plot, self.share_plot), (self.share_plot, self.plot)):
            plot.getPlotItem().getAxis("left").setWidth(AXIS_WIDTH)
            plot.set_grid(False, True)
            plot.left.connect(self._on_left)
            plot.moved.connect(self._on_keys)
            plot.getViewBox().sigYRangeChanged.connect(self._align)
            plot.getViewBox().sigResized.connect(self._align)
            plot.homed.connect(other.follow_home)
            plot.held.connect(other.follow_hold)
        self.plot.hovered.connect(self._on_hover)
        self.plot.clicked.connect(self._on_click)
        self.plot.entered.connect(self._choose_pointed)
        self.share_plot.hovered.connect(self._on_hover_share)
        self.share_plot.clicked.connect(self._on_click_share)
        self.share_plot.entered.connect(self._ask_pointed)
        yield

    # --- what comes --------------------------------------------------------------------------------------------

    def show_records(self, name: str, table: Table) -> None:
        self.course.take(name, table)
        self._draw()

    def show_frame(self, frame: Frame) -> None:
        if self.course.name_samples(frame):
            self._show_sample(self.selection.sample)

    def clear(self) -> None:
        self.course.clear()
        self._pointed = None
        self.lines.clear()
        self.share.clear()
        self.set_moment("", None)
        self.plot.home()
        super().clear()

    def set_moment(self, phase: str, step: int | None) -> None:
        """Draw the time cursor at a step of the attack; None, or another phase, draws none."""
        at = step if phase == "attack" else None
        for cursor in (self.lines.cursor, self.share.cursor):
            cursor.setVisible(at is not None)
            if at is not None:
                cursor.setPos(at)

    # --- drawing -----------------------------------------------------------------------------------------------

    @property
    def metric(self) -> str:
        """What is drawn above: "margin" or "loss"."""
        return self.metric_choice.key()

    def outcome(self) -> np.ndarray:
        """bool [M]: which watched samples have been broken at any step so far."""
        return self.course.broken

    def _draw(self) -> None:
        if self.course.is_empty:
            self.show_empty()
            return
        self._draw_below()
        self.lines.draw(self.course, self.metric)
        self._align()
        self._show_sample(self.selection.sample)
        self._fill_chips()
        self.set_subtitle(words.summary(self.course))
        self.show_content()

    def _draw_below(self) -> None:
        if self.course.whole is None:
            return
        offers_norms = has_norms(self.course.whole)
        if self.lower_choice.isHidden() is offers_norms:
            self.lower_choice.setVisible(offers_norms)
            self._row.arrange()
        if not offers_norms:
            self.lower_choice.set_key(SHARE)
        self.share.draw(self.course, self.lower_choice.key())

    @Slot()
    def _align(self, *_: object) -> None:
        align_left((self.plot, self.share_plot), AXIS_WIDTH)

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        self.lines.choose(self.course, self.metric, self.course.position(sample))

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, sample: int) -> str:
        """What the readout says of a watched sample at a step, both by their positions."""
        return words.of_sample(self.course, place, sample)

    def describe_share(self, place: int) -> str:
        """What the readout says of all samples at a step."""
        return words.of_all(self.course, place)

    def _point(self, place: int, sample: int) -> None:
        self._pointed = (place, sample)
        watched = self.course.watched
        x, y = float(watched.step[place]), float(watched.values[self.metric][place, sample])
        self.plot.readout.say(self.describe(place, sample), self.plot.at(x, self.lines.point(x, y)))

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        found = self.course.nearest(self.metric, x, y)
        if found is not None:
            self._point(*found)

    @Slot(float, float)
    def _on_hover_share(self, x: float, y: float) -> None:
        place = self.course.nearest_step(x)
        if place is not None:
            self._pointed = (place, self._pointed[1] if self._pointed else 0)
            self.share_plot.readout.say(self.describe_share(place), self.share_plot.at(x, y))

    @Slot()
    def _on_left(self) -> None:
        self.lines.leave()

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        found = self.course.nearest(self.metric, x, y)
        if found is None:
            return
        away = abs(float(self.course.watched.values[self.metric][found]) - y) / self.plot.pixel()[1]
        if away <= SNAP:
            self._pointed = found
            self._choose_pointed()

    @Slot(float, float)
    def _on_click_share(self, x: float, _: float) -> None:
        self._ask_step(self.course.nearest_step(x))

    def _ask_step(self, place: int | None) -> None:
        whole = self.course.whole
        if whole is not None and place is not None:
            self.step_requested.emit(int(whole.step[min(place, whole.steps - 1)]))

    @Slot()
    def _choose_pointed(self) -> None:
        if self._pointed is not None and self._pointed[1] < len(self.course.index):
            self.selection.set_sample(int(self.course.index[self._pointed[1]]))

    @Slot()
    def _ask_pointed(self) -> None:
        self._ask_step(self._pointed[0] if self._pointed is not None else None)

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        count, whole = self.course.steps, self.course.whole
        if not count or not self.course.watched.samples:
            return
        place, sample = self._pointed or (count - 1, 0)
        place = min(count - 1, max(0, min(place, count - 1) + across))
        if self.share_plot.hasFocus() and whole is not None:
            self._pointed = (place, sample)
            place = min(place, whole.steps - 1)
            at = self.share_plot.at(float(whole.step[place]), float(whole.share[place]))
            self.share_plot.readout.say(self.describe_share(place), at)
            return
        # up and down go through the samples in the order in which their lines lie at this step
        self._point(place, self.course.beside(self.metric, place, sample, up))

    # --- switches and look -------------------------------------------------------------------------------------

    @Slot(str)
    def _on_metric(self, _: str) -> None:
        self.plot.home()
        self._redraw()

    @Slot(str)
    def _on_lower(self, _: str) -> None:
        self.share_plot.home()
        self._redraw()

    def _redraw(self) -> None:
        if not self.is_empty:
            self._draw()

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self.lines.hide(self._hidden)

    def _fill_chips(self) -> None:
        entries = words.legend(self.outcome(), self.theme)
        self.chips.set_entries(entries, [e.key for e in entries if e.key not in self._hidden])

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (self.plot, self.share_plot, self.metric_choice, self.lower_choice, self.chips):
            part.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        self.lines.set_theme(self.theme)
        self.share.set_theme(self.theme)
        self._fill_chips()

    # --- export ------------------------------------------------------------------------------------------------

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("samples", self.plot.getPlotItem()), ("share", self.share_plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a step: the share broken with its interval, the quartiles, and each watched sample's margin and loss."""
        return rows_of(self.course)
