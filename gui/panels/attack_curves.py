"""How an attack went: loss and margin of each watched sample above, the share broken below, one axis of steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.experiments.attack_curves import Progressed, Watched, progressed, usual
from gui.panels.base import Panel
from gui.plots.axes import PlainAxis
from gui.plots.band import BandCurve
from gui.plots.bundle import Beyond, Bundle, Marks, thinned
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented
from gui.plots.dots import Dots
from gui.plots.flow import FlowRow
from gui.plots.plot import Plot, padded, pen
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session.table import Table

AXIS_WIDTH = 46
SNAP = 14.0  # pixels from a line within which a click means its sample
BROKEN, HELD, MEDIAN, CHOSEN = "broken", "held", "median", "chosen"


class CurvesPanel(Panel):
    """Thin lines of the watched samples, coloured by how each came out, with their median and quartiles; below, the
    share of all samples broken so far.

    ``step_requested(step)`` is a click on a step of the attack.
    """

    key = "curves"
    title = "Attack curves"
    tab = "Curves"
    topics = ("gallery",)
    tables = ("attack", "attack_samples")
    empty_text = "No attack yet. Train a network, then press the button on the Attack step."

    step_requested = Signal(int)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._watched = Watched()
        self._course: Progressed | None = None
        self._table: Table | None = None
        self._index = np.empty(0, dtype=np.int64)  # test index of each watched sample
        self._labels: list[str] = []
        self._hidden: set[str] = set()
        self._pointed: tuple[int, int] | None = None  # (position of the step, watched sample)

        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
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
                ("share", "share broken", "Share of all samples broken at any step so far"),
                ("norm", "median norm", "Median over all samples of the smallest norm found so far"),
            ],
        )
        self.lower_choice.chosen.connect(self._on_lower)
        yield
        self.plot = Plot(theme, {"bottom": PlainAxis("bottom", showValues=False)})
        yield
        self.share_plot = Plot(theme)
        self.share_plot.setXLink(self.plot)
        self.plot.setMinimumHeight(54)
        self.share_plot.setMinimumHeight(68)  # so that its curve is seen above its axis in a low panel
        yield
        self._held, self._broken, self._chosen = (Bundle(self.plot, z) for z in (1, 1.5, 4))
        self._median = BandCurve(self.plot, theme.text)
        self._share = BandCurve(self.share_plot, theme.accent)
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._before = pg.InfiniteLine(pos=0, angle=0)
        self._dot = Dots(size=7, pxMode=True)
        self._cursors = [pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)]
        for plot, items in (
            (self.plot, (self._zero, self._dot, self._cursors[0])),
            (self.share_plot, (self._before, self._cursors[1])),
        ):
            for z, item in enumerate(items):
                item.setZValue(0.5 + 3 * z)
                plot.addItem(item, ignoreBounds=True)
            plot.getPlotItem().getAxis("left").setWidth(AXIS_WIDTH)
            plot.set_grid(False, True)
            plot.left.connect(self._on_left)
            plot.moved.connect(self._on_keys)
            plot.getViewBox().sigYRangeChanged.connect(self._align)
            plot.getViewBox().sigResized.connect(self._align)
        yield
        self._marks = Marks(self.plot, theme)
        self._beyond = Beyond(self.plot, theme)
        for cursor in self._cursors:
            cursor.hide()
        self.plot.setAccessibleName("Margin or loss against step")
        self.share_plot.setAccessibleName("Share broken against step")
        self.plot.hovered.connect(self._on_hover)
        self.plot.clicked.connect(self._on_click)
        self.plot.entered.connect(self._choose_pointed)
        self.share_plot.hovered.connect(self._on_hover_share)
        self.share_plot.clicked.connect(self._on_click_share)
        self.share_plot.entered.connect(self._ask_pointed)
        self.share_plot.set_axis_text("bottom", "step of the attack")
        for plot, other in ((self.plot, self.share_plot), (self.share_plot, self.plot)):
            plot.homed.connect(other.follow_home)
            plot.held.connect(other.follow_hold)

        yield
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
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
        yield
        self._recolour()
        self.selection.sample_changed.connect(self._show_sample)

    # --- what comes --------------------------------------------------------------------------------------------

    def show_records(self, name: str, table: Table) -> None:
        if name == "attack_samples":
            self._watched.update(table)
        elif name == "attack":
            self._table = table
            self._course = progressed(table)
        self._draw()

    def show_frame(self, frame: Frame) -> None:
        index = frame.arrays["index"]
        classes, y = frame.info["classes"], frame.arrays["y"]
        labels = [str(classes[k]) if 0 <= k < len(classes) else "?" for k in y.tolist()]
        if not np.array_equal(index, self._index) or labels != self._labels:
            self._index, self._labels = index, labels
            self._show_sample(self.selection.sample)

    def clear(self) -> None:
        self._watched.clear()
        self._course, self._table, self._pointed = None, None, None
        self._index, self._labels = np.empty(0, dtype=np.int64), []
        nothing = np.empty((0, 0))
        for bundle in (self._held, self._broken, self._chosen):
            bundle.set_data(np.empty(0), nothing)
        for curve in (self._median, self._share):
            curve.set_data(*[np.empty(0)] * 4)
        self._dot.clear()
        self._marks.set_marks(())
        self._beyond.set_ends(math.nan, math.nan)
        self.set_moment("", None)
        self.plot.home()
        super().clear()

    def set_moment(self, phase: str, step: int | None) -> None:
        """Draw the time cursor at a step of the attack; None, or another phase, draws none."""
        at = step if phase == "attack" else None
        for cursor in self._cursors:
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
        return self._watched.first_broken >= 0

    def _draw(self) -> None:
        if not len(self._watched) and self._course is None:
            self.show_empty()
            return
        count = self._steps()
        x, values = self._watched.step[:count], self._watched.values[self.metric][:count]
        broken = self.outcome()
        self._broken.set_data(x, values[:, broken] if len(x) else np.empty((0, 0)))
        self._held.set_data(x, values[:, ~broken] if len(x) else np.empty((0, 0)))
        places = thinned(len(x))
        low, middle, high = self._watched.quartiles[self.metric][:count][places].T
        self._median.set_data(x[places], middle, low, high)
        self._draw_below()
        self._set_home(values)
        self.plot.set_axis_text("left", self.metric)
        self._zero.setVisible(self.metric == "margin")
        self._marks.set_marks(self._course.stages if self._course is not None else ())
        self._show_sample(self.selection.sample)
        self._fill_chips()
        self._say()
        self.show_content()

    def _draw_below(self) -> None:
        course = self._course
        if course is None:
            return
        has_norm = bool(np.isfinite(course.smallest).any())
        if self.lower_choice.isHidden() is has_norm:
            self.lower_choice.setVisible(has_norm)
            self._row.arrange()
        if not has_norm:
            self.lower_choice.set_key("share")
        places = thinned(course.steps)
        norm = self.lower_choice.key() == "norm"
        if norm:
            missing = np.full(len(places), np.nan)
            shown = np.where(np.isfinite(course.smallest), course.smallest, np.nan)[places]
            self._share.set_data(course.step[places], shown, missing, missing)
            finite = shown[np.isfinite(shown)]
            up = (0.0, float(finite.max()) * 1.05 if len(finite) else 1.0)
        else:
            self._share.set_data(course.step[places], course.share[places], course.low[places], course.high[places])
            up = (-0.02, 1.02)
        self._before.setVisible(not norm and course.before > 0)
        self._before.setPos(course.before)
        self.share_plot.set_axis_text("left", "norm" if norm else "broken")
        self.share_plot.set_home(self._across(), up, slack=0.1)

    def _across(self) -> tuple[float, float]:
        count = self._steps()
        ends = [float(self._watched.step[count - 1])] if count else []
        if self._course is not None and self._course.steps:
            ends.append(float(self._course.step[self._course.steps - 1]))
        last = max(ends, default=1.0)
        # a little further than it has come, so that a growing attack does not move the axis at every step
        return -0.01 * last, max(1.0, math.ceil(last * 1.03))

    def _steps(self) -> int:
        """How many of the watched samples' rows are steps: the last is not where it is the best points found."""
        count, best = len(self._watched), self._course.best if self._course is not None else None
        return count - 1 if best is not None and count and self._watched.step[count - 1] == best else count

    def _set_home(self, values: np.ndarray) -> None:
        low, high = usual(values)
        finite = values[np.isfinite(values)]
        self._beyond.set_ends(*((float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)))
        if self.metric == "margin" or low > 0:
            low, high = min(low, 0.0), max(high, 0.0)
        self.plot.set_home(self._across(), padded(low, high, 0.05), slack=0.2)
        self._align()

    @Slot()
    def _align(self, *_: object) -> None:
        """Both axes as wide as the longest of their numbers needs, so that the label stands clear and steps line up."""
        wide = float(AXIS_WIDTH)
        metrics = QFontMetricsF(self.theme.font(self.theme.small))
        plots = (self.plot, self.share_plot)
        axes = [plot.getPlotItem().getAxis("left") for plot in plots]
        for plot, axis in zip(plots, axes, strict=True):
            for spacing, ticks in axis.tickValues(*plot.getViewBox().viewRange()[1], max(1.0, axis.size().height())):
                texts = axis.tickStrings(ticks, 1.0, spacing)
                wide = max([wide, *(metrics.horizontalAdvance(text) + metrics.height() + 12 for text in texts)])
        if wide != axes[0].width():
            for axis in axes:
                axis.setWidth(wide)

    def _say(self) -> None:
        parts = []
        if len(self._watched):
            broken = int(self.outcome().sum())
            parts.append(f"{broken} of {self._watched.samples} watched samples broken")
        course = self._course
        if course is not None and len(course.step):
            parts.append(f"{course.share[-1]:.1%} [{course.low[-1]:.1%}, {course.high[-1]:.1%}] of {course.n:,}")
        self.set_subtitle(" · ".join(parts))

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        position = self._position(sample)
        if position is None:
            self._chosen.set_data(np.empty(0), np.empty((0, 0)))
        else:
            count = self._steps()
            values = self._watched.values[self.metric][:count, [position]]
            self._chosen.set_data(self._watched.step[:count], values)

    def _position(self, sample: int | None) -> int | None:
        found = np.flatnonzero(self._index == sample) if sample is not None else ()
        return int(found[0]) if len(found) and found[0] < self._watched.samples else None

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, place: int, sample: int) -> str:
        """What the readout says of a watched sample at a step, both by their positions."""
        watched = self._watched
        margin, loss = (float(watched.values[name][place, sample]) for name in ("margin", "loss"))
        who = f"sample {self._index[sample]} (class {self._labels[sample]})" if sample < len(self._index) else ""
        first = int(watched.first_broken[sample])
        return "\n".join(
            (
                f"step {int(watched.step[place])}" + (f" · {who}" if who else ""),
                f"margin {margin:+.4g} · loss {loss:.4g}".replace("-", "−"),
                f"broken first at step {int(watched.step[first])}" if first >= 0 else "not broken",
            )
        )

    def describe_share(self, place: int) -> str:
        """What the readout says of all samples at a step."""
        course = self._course
        if course is None:
            return ""
        lines = [
            f"step {int(course.step[place])}",
            f"broken so far {course.share[place]:.1%} [{course.low[place]:.1%}, {course.high[place]:.1%}] of {course.n:,}",
        ]
        if course.before > 0:
            lines.append(f"before the attack {course.before:.1%}")
        if np.isfinite(course.smallest[place]):
            lines.append(f"median norm so far {course.smallest[place]:.4g}")
        return "\n".join(lines)

    def _point(self, place: int, sample: int) -> None:
        self._pointed = (place, sample)
        x, y = float(self._watched.step[place]), float(self._watched.values[self.metric][place, sample])
        if math.isfinite(y):
            self._dot.setData([x], [y])
            self._dot.show()
        else:
            y = sum(self.plot.getViewBox().viewRange()[1]) / 2
            self._dot.hide()
        self.plot.readout.say(self.describe(place, sample), self.plot.at(x, y))

    def _nearest(self, x: float, y: float) -> tuple[int, int] | None:
        """The step nearest to ``x`` and, there, the watched sample nearest to ``y``."""
        place = _closest(self._watched.step[: self._steps()], x)
        if place is None or not self._watched.samples:
            return None
        away = np.abs(self._watched.values[self.metric][place] - y)
        return (place, int(np.nanargmin(away))) if np.isfinite(away).any() else None

    @Slot(float, float)
    def _on_hover(self, x: float, y: float) -> None:
        found = self._nearest(x, y)
        if found is not None:
            self._point(*found)

    @Slot(float, float)
    def _on_hover_share(self, x: float, y: float) -> None:
        place = _closest(self._course.step[: self._course.steps], x) if self._course is not None else None
        if place is not None:
            self._pointed = (place, self._pointed[1] if self._pointed else 0)
            self.share_plot.readout.say(self.describe_share(place), self.share_plot.at(x, y))

    @Slot()
    def _on_left(self) -> None:
        self._dot.hide()

    @Slot(float, float)
    def _on_click(self, x: float, y: float) -> None:
        found = self._nearest(x, y)
        if found is None:
            return
        away = abs(float(self._watched.values[self.metric][found]) - y) / self.plot.pixel()[1]
        if away <= SNAP:
            self._pointed = found
            self._choose_pointed()

    @Slot(float, float)
    def _on_click_share(self, x: float, _: float) -> None:
        place = _closest(self._course.step[: self._course.steps], x) if self._course is not None else None
        if self._course is not None and place is not None:
            self.step_requested.emit(int(self._course.step[place]))

    @Slot()
    def _choose_pointed(self) -> None:
        if self._pointed is not None and self._pointed[1] < len(self._index):
            self.selection.set_sample(int(self._index[self._pointed[1]]))

    @Slot()
    def _ask_pointed(self) -> None:
        if self._pointed is not None and self._course is not None:
            self.step_requested.emit(int(self._course.step[min(self._pointed[0], self._course.steps - 1)]))

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        count, samples = self._steps(), self._watched.samples
        if not count or not samples:
            return
        place, sample = self._pointed or (count - 1, 0)
        place = min(count - 1, max(0, min(place, count - 1) + across))
        if self.share_plot.hasFocus() and self._course is not None:
            self._pointed = (place, sample)
            place = min(place, self._course.steps - 1)
            at = self.share_plot.at(float(self._course.step[place]), float(self._course.share[place]))
            self.share_plot.readout.say(self.describe_share(place), at)
            return
        # up and down go through the samples in the order in which their lines lie at this step
        order = np.argsort(self._watched.values[self.metric][place], kind="stable")
        rank = int(np.flatnonzero(order == min(sample, samples - 1))[0])
        self._point(place, int(order[min(samples - 1, max(0, rank + up))]))

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
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._show_hidden()

    def _show_hidden(self) -> None:
        for key, item in (
            (BROKEN, self._broken),
            (HELD, self._held),
            (MEDIAN, self._median),
            (CHOSEN, self._chosen),
        ):
            item.set_visible(key not in self._hidden)

    def _fill_chips(self) -> None:
        theme, broken = self.theme, self.outcome()
        entries = [
            Entry(
                BROKEN,
                f"broken ({int(broken.sum())})",
                theme.group_colour("adv_target"),
                "Watched samples broken at any step so far",
            ),
            Entry(
                HELD,
                f"not broken ({int((~broken).sum())})",
                theme.muted,
                "Watched samples not broken so far",
            ),
            Entry(MEDIAN, "median", theme.text, "Median and quartiles over the watched samples at each step"),
            Entry(CHOSEN, "selected", theme.accent, "The sample chosen in any panel"),
        ]
        self.chips.set_entries(entries, [e.key for e in entries if e.key not in self._hidden])

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (
            self.plot,
            self.share_plot,
            self.metric_choice,
            self.lower_choice,
            self.chips,
            self._marks,
            self._beyond,
        ):
            part.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        self._broken.set_pen(theme.group_colour("adv_target"), alpha=0.45)
        self._held.set_pen(theme.muted, alpha=0.6)
        self._chosen.set_pen(theme.accent, 2.0)
        self._median.set_colour(theme.text, fill=0.12)
        self._share.set_colour(theme.group_colour("adv_target"))
        self._zero.setPen(pen(theme.muted, dash=True))
        self._before.setPen(pen(theme.muted, dash=True))
        self._dot.setPen(pen(theme.surface))
        self._dot.setBrush(pg.mkBrush(theme.text))
        for cursor in self._cursors:
            cursor.setPen(pen(theme.text, 1, alpha=0.7))
        self._fill_chips()

    # --- export ------------------------------------------------------------------------------------------------

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("samples", self.plot.getPlotItem()), ("share", self.share_plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a step: the share broken with its interval, the quartiles, and each watched sample's margin and loss."""
        watched, course = self._watched, self._course
        if not len(watched) or course is None:
            return
        names = [str(self._index[k]) if k < len(self._index) else f"#{k}" for k in range(watched.samples)]
        heads = [f"{metric} {name}" for metric in Watched.NAMES for name in names]
        quartiles = [f"{metric} {word}" for metric in Watched.NAMES for word in ("q25", "median", "q75")]
        yield ["step", "share_broken", "low", "high", *quartiles, *heads]
        at = {int(step): k for k, step in enumerate(course.step)}
        for k, step in enumerate(watched.step):
            row = at.get(int(step))
            share = [float(v[row]) for v in (course.share, course.low, course.high)] if row is not None else [""] * 3
            spread = [float(v) for metric in Watched.NAMES for v in watched.quartiles[metric][k]]
            yield [
                int(step),
                *share,
                *spread,
                *(float(v) for metric in Watched.NAMES for v in watched.values[metric][k]),
            ]


def _closest(values: np.ndarray, x: float) -> int | None:
    """Position of the ascending value nearest to ``x``; None if there is none."""
    if not len(values):
        return None
    right = int(np.searchsorted(values, x))
    near = [k for k in (right - 1, right) if 0 <= k < len(values)]
    return min(near, key=lambda k: abs(values[k] - x))
