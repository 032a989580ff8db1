"""Sign correlations of features against Bell's bound: never exceeded, and the three mistakes that make it seem so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QWidget

from gui.panels.base import Panel
from gui.panels.bell import words
from gui.panels.bell.angles import AngleAxis, AngleCurves, nearest_pair
from gui.panels.bell.mistakes import DisjointTrials, DroppedRows
from gui.panels.bell.rows import rows_of
from gui.panels.bell.scores import LayerScores
from gui.panels.bell.words import COSINES, DISJOINT, DROPPING, MISTAKES, NAMING, dropped
from gui.panels.labels import Caption, ElidedLabel
from gui.plots.axes import NameAxis
from gui.plots.beside import Beside, Titled
from gui.plots.chips import Chips, Entry
from gui.plots.fit import FitColumn
from gui.plots.layers import names_of, penultimate, place_of
from gui.plots.measure import MeasureButton
from gui.plots.plot import Plot
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class BellPanel(Panel):
    """Left, E(θ) of sign readouts at the chosen layer; right, S of the CHSH protocol at every layer.

    ``bell_requested()`` asks for it to be measured.
    """

    key = "bell"
    title = "Bell test"
    tab = "Bell"
    topics = ("bell",)
    empty_text = (
        "Not measured yet. Signs are read off the features of each layer and put to Bell's test: |S| ≤ 2 for whatever a network "
        "does. Three mistakes that seem to exceed it can be switched on."
    )

    bell_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._places: list[int] = []
        self._mistake = ""
        self._hidden: set[str] = set()  # curves of the legend
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self._make_controls(theme)
        yield
        yield from self._make_plots(theme)
        self._lay_out()
        yield
        self._recolour()
        self.selection.tap_changed.connect(self._redraw)

    def _make_controls(self, theme: Theme) -> None:
        self.button = QPushButton("Run the Bell test")
        self.button.setProperty("role", "link")
        self.button.setToolTip("Sign correlations and the CHSH protocol at every layer")
        self.button.clicked.connect(self.bell_requested)
        self.add_empty_action(self.button)
        self.measure = MeasureButton(theme, self, "Run the Bell test", [("", "", self.bell_requested)])
        self.add_tool(self.measure)
        self.mistakes = Chips(theme, "Mistakes")
        self.mistakes.toggled.connect(self._on_mistake)
        self.legend = Chips(theme, "Curves")
        self.legend.toggled.connect(self._on_legend)

    def _make_plots(self, theme: Theme) -> Iterator[None]:
        self.angles = Plot(theme, {"bottom": AngleAxis("bottom")})
        self.angles.setAccessibleName("Sign correlation against angle")
        self.angles.set_axis_text("bottom", "angle θ (°)")
        self.angles.set_axis_text("left", "E")
        self.angles.set_grid(False, True)
        self.angles.hovered.connect(self._on_angle_hover)
        self.curves = AngleCurves(self.angles)
        yield
        self._names = NameAxis("bottom")
        self.plot = Plot(theme, {"bottom": self._names})
        self.plot.setAccessibleName("S against layer")
        self.plot.set_axis_text("left", "S")
        self.plot.hovered.connect(self._on_hover)
        self.plot.clicked.connect(self._on_click)
        for plot in (self.plot, self.angles):
            plot.moved.connect(self._on_keys)
        self.scores = LayerScores(self.plot)
        yield
        self.disjoint = Plot(theme)
        self.disjoint.setAccessibleName("Histogram of S over trials of four disjoint samples")
        self.disjoint.set_axis_text("bottom", "S from four disjoint samples")
        self.disjoint.set_axis_text("left", "trials")
        self.disjoint.hovered.connect(self._on_disjoint_hover)
        self.trials = DisjointTrials(self.disjoint)
        yield
        thresholds = NameAxis("bottom")
        self.dropping = Plot(theme, {"bottom": thresholds})
        self.dropping.setAccessibleName("S against the threshold below which rows are dropped")
        self.dropping.set_axis_text("bottom", "rows dropped below σ (share kept)")
        self.dropping.set_axis_text("left", "S")
        self.dropping.hovered.connect(self._on_dropping_hover)
        self._dropped_rows = DroppedRows(self.dropping, thresholds)
        yield

    def _lay_out(self) -> None:
        self.right = QStackedWidget()
        for plot in (self.plot, self.disjoint, self.dropping):
            self.right.addWidget(plot)
        self.left_titled, self.right_titled = Titled("", self.angles), Titled("", self.right)
        self.sentence = QLabel(wordWrap=True)
        self.sentence.setAccessibleName("Verdict")
        self.sentence.setMinimumWidth(60)
        self.caption = Caption()
        self.notes = ElidedLabel()
        self.notes.setProperty("role", "small")
        label = QLabel("Mistakes:")
        label.setProperty("role", "small")
        tried = QWidget()
        row = QHBoxLayout(tried)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.mistakes, 1)
        plots = Beside([self.left_titled, self.right_titled], [50, 50])
        rows = [tried, plots, self.legend, self.sentence, self.caption, self.notes]
        self._column = FitColumn(rows, plots, [self.notes, self.legend, self.caption, self.sentence])
        self.set_body(self._column)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        self._places = list(range(len(frame.info["taps"])))
        self._redraw()
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        for drawn in (self.curves, self.scores, self._dropped_rows):
            drawn.clear()
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

    @property
    def mistake(self) -> str:
        """The mistake switched on; "" for the protocol as it must be."""
        return self._mistake

    @Slot()
    def _redraw(self, *_: object) -> None:
        frame, place = self._frame_shown, self.place
        if frame is None:
            return
        tap = frame.info["taps"][place]["name"]
        self.left_titled.title.set_text(words.title_left(frame, place))
        self.right_titled.title.set_text(words.title_right(self._mistake, tap))
        self._names.set_names(*names_of(frame.info["taps"], self._places, "all"))
        self.curves.draw(frame, place)
        self.scores.draw(frame, place)
        self.trials.draw(frame.arrays["disjoint"])
        self._dropped_rows.draw(dropped(frame, place))
        pages = {"": self.plot, COSINES: self.plot, DISJOINT: self.disjoint, DROPPING: self.dropping}
        self.right.setCurrentWidget(pages[self._mistake])
        self._fill_chips(tap)
        self._say(frame)

    def _fill_chips(self, tap: str) -> None:
        entries = words.legend(self._mistake, tap, self.theme)
        self.legend.set_entries(entries, [entry.key for entry in entries if entry.key not in self._hidden])
        self.curves.hide(self._hidden)
        self._dropped_rows.hide(self._hidden)
        self.scores.algebraic.set_visible(self._mistake == COSINES and "score" not in self._hidden)
        self.mistakes.set_entries(
            [Entry(key, text, self.theme.warning, tip, "tag") for key, text, tip in MISTAKES], [self._mistake]
        )

    def _say(self, frame: Frame) -> None:
        said = words.verdict(frame, self.place, self._mistake)
        self.sentence.setText(said)
        self.set_subtitle("sign correlations and CHSH, trained network against initialisation")
        self.caption.set_text(NAMING)
        self.notes.set_text(words.notes(frame, self.place))
        self.sentence.setToolTip("\n\n".join([said, NAMING, self.notes.full_text]))
        self._column.fit()

    # --- pointer and controls ----------------------------------------------------------------------------------

    @Slot(float, float)
    def _on_angle_hover(self, x: float, y: float) -> None:
        frame, place = self._frame_shown, self.place
        k = nearest_pair(frame, place, x, y) if frame is not None else None
        if frame is not None and k is not None:
            theta, E = (float(frame.arrays[name][place, k]) for name in ("theta", "E"))
            self.angles.readout.say(words.of_pair(frame, place, k), self.angles.at(math.degrees(theta), E))

    def describe(self, place: int) -> str:
        """What the readout says of the protocol at a layer."""
        frame = self._frame_shown
        return "" if frame is None else words.of_layer(frame.info["layers"][place], self._mistake)

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        if self._frame_shown is not None:
            place = self._nearest_place(x)
            self.plot.readout.say(self.describe(place), self.plot.at(place, y))

    def _nearest_place(self, x: float) -> int:
        return min(len(self._places) - 1, max(0, round(x)))

    @Slot(float, float)
    def _on_disjoint_hover(self, x: float, y: float) -> None:
        text = self.trials.describe(x)
        if text:
            self.disjoint.readout.say(text, self.disjoint.at(x, y))

    @Slot(float, float)
    def _on_dropping_hover(self, x: float, y: float) -> None:
        if self._frame_shown is None:
            return
        rows = dropped(self._frame_shown, self.place)
        row = rows[min(len(rows) - 1, max(0, round(x)))]
        self.dropping.readout.say(words.of_threshold(row), self.dropping.at(round(x), y))

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        if self._frame_shown is not None:
            self.selection.set_tap(self._frame_shown.info["taps"][self._nearest_place(x)]["name"])

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        """The arrow keys choose the next layer."""
        self._on_click(self.place + across, 0.0)

    @Slot(str, bool)
    def _on_mistake(self, key: str, on: bool) -> None:
        self._mistake = key if on else ""
        self._redraw()

    @Slot(str, bool)
    def _on_legend(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        self._redraw()

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.measure.set_theme(theme)
        for part in (self.angles, self.plot, self.disjoint, self.dropping, self.mistakes, self.legend):
            part.set_theme(theme)
        self._recolour()
        self._redraw()

    def _recolour(self) -> None:
        for drawn in (self.curves, self.scores, self.trials, self._dropped_rows):
            drawn.set_theme(self.theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        right = self.right.currentWidget()
        assert isinstance(right, Plot)
        return (("sign correlation", self.angles.getPlotItem()), ("CHSH", right.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every pair's E at every layer, then S at every layer, the disjoint trials and what dropping rows does."""
        return () if self._frame_shown is None else rows_of(self._frame_shown)
