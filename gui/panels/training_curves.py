"""How training went: loss at every step above, accuracy below, one time axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.panels.base import Panel
from gui.plots.axes import PlainAxis, ScaleAxis, nice_step
from gui.plots.band import BandCurve
from gui.plots.chips import Chips, Entry
from gui.plots.plot import Plot, padded, pen
from gui.plots.series import Series
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.session.table import Table

LOG_FROM = 12.0  # largest over smallest smoothed loss from which a logarithmic axis is taken by itself
AXIS_WIDTH = 46
TRAIN_TIP = "Accuracy on the training batches of each epoch, before their updates; PGD-AT and fast training see perturbed batches, and this is of those"
ROBUST = ("robust_accuracy", "robust_low", "robust_high")


class TrainingPanel(Panel):
    """Loss of each step, thin, with its running mean; accuracy of the training batches and of the test set, and of an
    adversarial training also under attack.

    ``step_requested(step)`` is a click on a moment of training; ``noted(sentence)`` says what has gone wrong meanwhile.
    """

    key = "training"
    title = "Training"
    tables = ("steps", "epochs", "overfitting")
    empty_text = "No training yet. Press the button on the Train step."

    step_requested = Signal(int)
    noted = Signal(str)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._loss, self._accuracy = Series(), Series()
        self._steps: Table | None = None
        self._epochs: dict[str, np.ndarray] = {}
        self._robust: dict[str, np.ndarray] = {}
        self._checks: list[dict[str, Any]] = []  # of fast training, for catastrophic overfitting
        self._log: bool | None = None  # None: as the numbers suggest
        self._cursor_step: int | None = None
        self.make(self._building(theme))

    def _building(self, theme: Theme) -> Iterator[None]:
        self._loss_axis = ScaleAxis("left")
        hidden = PlainAxis("bottom", showValues=False)
        self.loss_plot = Plot(theme, {"left": self._loss_axis, "bottom": hidden})
        yield
        self.accuracy_plot = Plot(theme)
        self.accuracy_plot.setXLink(self.loss_plot)
        yield
        self._raw = pg.PlotCurveItem(connect="finite", antialias=False)
        self._smooth = pg.PlotCurveItem(connect="finite", antialias=True)
        self._test_loss = pg.PlotDataItem(connect="finite", antialias=True, symbol="o", symbolSize=6)
        self._batch = pg.PlotCurveItem(connect="finite", antialias=True)
        self._train = pg.PlotDataItem(connect="finite", antialias=True, symbol="o", symbolSize=5)
        self._test = pg.PlotDataItem(connect="finite", antialias=True, symbol="o", symbolSize=6)
        self._cursors = []
        for plot, items in (
            (self.loss_plot, (self._raw, self._smooth, self._test_loss)),
            (self.accuracy_plot, (self._batch, self._train, self._test)),
        ):
            for item in items:
                plot.addItem(item, ignoreBounds=True)
            cursor = pg.InfiniteLine(angle=90)
            cursor.setZValue(5)
            cursor.hide()
            plot.addItem(cursor, ignoreBounds=True)
            self._cursors.append(cursor)
            plot.getPlotItem().getAxis("left").setWidth(AXIS_WIDTH)
            plot.set_grid(False, True)
            plot.left.connect(self._on_left)
            plot.clicked.connect(self._on_click)
            plot.moved.connect(self._on_keys)
            plot.entered.connect(self._on_enter)
        yield
        self._robust_curve = BandCurve(self.accuracy_plot, "#000000")
        self._robust_dots = pg.ScatterPlotItem(size=5, pxMode=True)
        self._collapse = pg.InfiniteLine(angle=90, label="overfitted", labelOpts={"position": 0.12, "movable": False})
        self._collapse.hide()
        for item in (self._robust_dots, self._collapse):
            item.setZValue(4)
            self.accuracy_plot.addItem(item, ignoreBounds=True)
        self.loss_plot.setAccessibleName("Loss against step")
        self.accuracy_plot.setAccessibleName("Accuracy against step")
        self.loss_plot.hovered.connect(self._on_hover_loss)
        self.accuracy_plot.hovered.connect(self._on_hover_accuracy)
        self.loss_plot.set_axis_text("left", "loss")
        self.accuracy_plot.set_axis_text("left", "accuracy")
        self.accuracy_plot.set_axis_text("bottom", "step")
        self._pointed: int | None = None
        # one resampling for all range changes of one event
        self._refresh = QTimer(self, interval=0, singleShot=True)
        self._refresh.timeout.connect(self._draw)
        self.loss_plot.getPlotItem().sigXRangeChanged.connect(self._on_range)
        for plot, other in ((self.loss_plot, self.accuracy_plot), (self.accuracy_plot, self.loss_plot)):
            plot.homed.connect(other.follow_home)
            plot.held.connect(other.follow_hold)

        yield
        self.chips = Chips(theme, "Curves")
        self.chips.toggled.connect(self._on_chip)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.chips)
        column.addWidget(self.loss_plot, 62)
        column.addWidget(self.accuracy_plot, 38)
        self.set_body(body)
        self._hidden: set[str] = set()
        yield
        self._recolour()

    # --- records -----------------------------------------------------------------------------------------------

    def show_records(self, name: str, table: Table) -> None:
        if name == "steps" and not len(table):
            self._loss.clear()
            self._accuracy.clear()
        elif name == "steps":
            self._steps = table
            step = table.column("step")
            self._loss.update(step, table.column("loss"))
            self._accuracy.update(step, table.column("accuracy"))
        elif name == "epochs":
            names = ("epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
            self._epochs = {n: np.array(table.column(n), dtype=float) for n in names} if len(table) else {}
            had, self._robust = bool(self._robust), _measured(table)
            if had != bool(self._robust):
                self._fill_chips()
        elif name == "overfitting":
            self._take_checks(table)
        if not len(self._loss):
            self.show_empty(_came_to(self._epochs) or None)
            return
        self._set_home()
        if name == "epochs":
            self._draw_epochs()
        self._draw()
        self._say()
        self.show_content()

    def clear(self) -> None:
        self._loss.clear()
        self._accuracy.clear()
        self._steps = None
        self._epochs, self._robust, self._checks = {}, {}, []
        self._draw_epochs()
        self._draw_checks()
        self.set_moment("train", None)
        for item in (self._raw, self._smooth, self._test_loss, self._batch, self._train, self._test):
            item.setData([], [])
        self.loss_plot.home()
        super().clear()

    def set_moment(self, phase: str, step: int | None) -> None:
        """Draw the time cursor at a step of training; None, or another phase, draws none."""
        self._cursor_step = step if phase == "train" else None
        for cursor in self._cursors:
            cursor.setVisible(self._cursor_step is not None)
            if self._cursor_step is not None:
                cursor.setPos(self._cursor_step)

    @property
    def is_log(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return self._log if self._log is not None else self._log_suits()

    def set_log(self, on: bool) -> None:
        """Draw the loss on a logarithmic axis, or not, whatever the numbers suggest."""
        self._log = on
        if len(self._loss):
            self._set_home()
            self._draw()

    def _log_suits(self) -> bool:
        _, y = self._loss.smoothed()
        y = y[np.isfinite(y) & (y > 0)]
        return bool(y.size and y.max() / y.min() >= LOG_FROM)

    def _scaled(self, y: np.ndarray) -> np.ndarray:
        if not self._loss_axis.log:
            return np.where(np.isfinite(y), y, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(y > 0, np.log10(y), np.nan)

    def _set_home(self) -> None:
        log = self.is_log
        if log != self._loss_axis.log:
            self._loss_axis.set_log(log)
            self.loss_plot.home()
            self._fill_chips()
            self._draw_epochs()
        last = float(self._loss.x[-1])
        # in steps of a few percent, so that a growing series does not move the axes at every draw
        step = nice_step(last / 40) if last > 0 else 1.0
        across = (min(float(self._loss.x[0]), 0.0), max(math.ceil(last * 1.005 / step) * step, 1.0))
        _, raw = self._loss.envelope()
        shown = self._scaled(raw)
        shown = shown[np.isfinite(shown)]
        test = self._scaled(self._epochs["test_loss"]) if self._epochs else np.empty(0)
        test = test[np.isfinite(test)]
        # a single freak batch must not flatten the rest
        low, high = np.quantile(shown, [0.005, 0.998]) if shown.size else (0.0, 1.0)
        if test.size:
            low, high = min(low, test.min()), max(high, test.max())
        if not log:
            low = min(low, 0.0)
        self.loss_plot.set_home(across, padded(float(low), float(high), 0.05), slack=0.12)
        _, smooth = self._accuracy.smoothed()
        floor = [smooth[np.isfinite(smooth)]] + [
            self._epochs[n] for n in ("train_accuracy", "test_accuracy") if self._epochs
        ]
        values = np.concatenate(floor)
        values = values[np.isfinite(values)]
        least = float(np.quantile(values, 0.02)) if values.size else 0.0
        if self._robust:
            least = min(least, float(self._robust["robust_low"].min()))
        self.accuracy_plot.set_home(across, (max(0.0, math.floor(least * 10 - 0.5) / 10), 1.02))

    @Slot()
    def _draw(self) -> None:
        if not len(self._loss):
            return
        (low, high), _ = self.loss_plot.getViewBox().viewRange()
        blocks = max(100, self.loss_plot.width())
        if "batch" not in self._hidden:
            x, y = self._loss.envelope(low, high, blocks)
            self._raw.setData(x, self._scaled(y))
        x, y = self._loss.smoothed(low, high, blocks // 2)
        self._smooth.setData(x, self._scaled(y))
        self._batch.setData(*self._accuracy.smoothed(low, high, blocks // 2))

    def _draw_epochs(self) -> None:
        if self._epochs:
            at = self._epochs["step"]
            self._test_loss.setData(at, self._scaled(self._epochs["test_loss"]))
            self._train.setData(at, self._epochs["train_accuracy"])
            self._test.setData(at, self._epochs["test_accuracy"])
        else:
            for item in (self._test_loss, self._train, self._test):
                item.setData([], [])
        shown = bool(self._robust) and "robust" not in self._hidden
        self._robust_curve.set_visible(shown)
        self._robust_dots.setVisible(shown)
        if self._robust:
            mean, low, high = (self._robust[f"robust_{end}"] for end in ("accuracy", "low", "high"))
            self._robust_curve.set_data(self._robust["step"], mean, low, high)
            self._robust_dots.setData(self._robust["step"], mean)

    # --- catastrophic overfitting ------------------------------------------------------------------------------

    def _take_checks(self, table: Table) -> None:
        before = len(self._checks)
        self._checks = [table.row(k) for k in range(len(table))]
        self._draw_checks()
        if 0 < before < len(self._checks) and not any(check["collapsed"] for check in self._checks[:before]):
            sentence = self.collapse()
            if sentence:
                self.noted.emit(sentence)

    def _draw_checks(self) -> None:
        first = next((check for check in self._checks if check["collapsed"]), None)
        self._collapse.setVisible(first is not None)
        if first is not None:
            self._collapse.setPos(float(first["step"]))

    def collapse(self) -> str:
        """What there is to say of catastrophic overfitting; "" where there was none."""
        first = next((check for check in self._checks if check["collapsed"]), None)
        if first is None:
            return ""
        done = "training went on"
        if _finite(first["restored"]):
            done = f"training was stopped and the network of step {int(first['restored']):,} put back"
        return (
            f"Catastrophic overfitting at step {int(first['step']):,}: of the checked training samples {first['single_step']:.0%} withstand "
            f"the single step, {first['pgd']:.0%} PGD; {done}."
        )

    def _say(self) -> None:
        parts = [f"step {int(self._loss.x[-1]):,}", f"loss {self._loss.smooth_at(len(self._loss) - 1):.3g}"]
        if self._epochs and np.isfinite(self._epochs["test_accuracy"][-1]):
            parts.append(f"test accuracy {self._epochs['test_accuracy'][-1]:.2%}")
        if self._robust:
            parts.append(f"robust {self._robust['robust_accuracy'][-1]:.1%}")
        if self.collapse():
            parts.append("catastrophic overfitting")
        self.set_subtitle(" · ".join(parts))

    @Slot()
    def _on_range(self) -> None:
        self._refresh.start()

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, position: int) -> str:
        """What the readout says of a row of the steps table."""
        step = int(self._loss.x[position])
        lines = [
            f"step {step:,}",
            f"loss {self._loss.y[position]:.4g} · mean of {self._loss.window()} {self._loss.smooth_at(position):.4g}",
            f"batch accuracy {self._accuracy.y[position]:.1%}",
        ]
        if self._epochs:
            done = np.flatnonzero(self._epochs["step"] <= step)
            if len(done):
                k = done[-1]
                lines.append(
                    f"after epoch {int(self._epochs['epoch'][k])}: test loss {self._epochs['test_loss'][k]:.4g}, "
                    f"accuracy {self._epochs['test_accuracy'][k]:.2%}"
                )
        done = np.flatnonzero(self._robust["step"] <= step) if self._robust else np.empty(0, int)
        if len(done):
            mean, low, high = (self._robust[f"robust_{end}"][done[-1]] for end in ("accuracy", "low", "high"))
            lines.append(f"robust accuracy to PGD {mean:.1%} [{low:.1%}, {high:.1%}]")
        if self._collapse.isVisible() and step >= self._collapse.value():
            lines.append("catastrophic overfitting")
        return "\n".join(lines)

    def _point(self, plot: Plot, position: int | None, y: float) -> None:
        self._pointed = position
        if position is None:
            plot.leave()
            return
        plot.readout.say(self.describe(position), plot.at(float(self._loss.x[position]), y))

    @Slot(float, float)
    def _on_hover_loss(self, x: float, y: float) -> None:
        self._point(self.loss_plot, self._loss.at(x), y)

    @Slot(float, float)
    def _on_hover_accuracy(self, x: float, y: float) -> None:
        self._point(self.accuracy_plot, self._loss.at(x), y)

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(float, float)
    def _on_click(self, x: float, _: float) -> None:
        position = self._loss.at(x)
        if position is not None:
            self.step_requested.emit(int(self._loss.x[position]))

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if not len(self._loss):
            return
        plot = self.accuracy_plot if self.accuracy_plot.hasFocus() else self.loss_plot
        stride = max(1, len(self._loss) // 200)
        start = self._pointed if self._pointed is not None else len(self._loss) - 1
        position = min(len(self._loss) - 1, max(0, start + across * stride))
        (_, _), (low, high) = plot.getViewBox().viewRange()
        self._point(plot, position, (low + high) / 2)

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self.step_requested.emit(int(self._loss.x[self._pointed]))

    @Slot(str, bool)
    def _on_chip(self, key: str, on: bool) -> None:
        if key == "log":
            self.set_log(on)
            return
        self._hidden.discard(key) if on else self._hidden.add(key)
        self._show_hidden()
        self._draw()

    def _show_hidden(self) -> None:
        self._raw.setVisible("batch" not in self._hidden)
        for item in (self._smooth, self._batch):
            item.setVisible("mean" not in self._hidden)
        self._train.setVisible("train" not in self._hidden)
        for item in (self._test_loss, self._test):
            item.setVisible("test" not in self._hidden)
        self._draw_epochs()

    # --- look --------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.loss_plot.set_theme(theme)
        self.accuracy_plot.set_theme(theme)
        self.chips.theme = theme
        self._recolour()

    def _recolour(self) -> None:
        theme = self.theme
        main, test, train = theme.accent, theme.palette["orange"], theme.palette["green"]
        self._raw.setPen(pen(theme.faint, 1, alpha=0.5))
        self._smooth.setPen(pen(main, 1.5))
        self._batch.setPen(pen(main, 1))
        for item, colour in ((self._test_loss, test), (self._test, test), (self._train, train)):
            item.setPen(pen(colour, 1))
            item.setSymbolPen(pen(theme.surface, 1))
            item.setSymbolBrush(pg.mkBrush(colour))
        robust = theme.palette["vermillion"]
        self._robust_curve.set_colour(robust)
        self._robust_dots.setPen(pen(theme.surface, 1))
        self._robust_dots.setBrush(pg.mkBrush(robust))
        self._collapse.setPen(pen(robust, 1, dash=True))
        self._collapse.label.setColor(robust)
        for cursor in self._cursors:
            cursor.setPen(pen(theme.text, 1, alpha=0.7))
        self._fill_chips()
        self.chips.set_theme(theme)

    def _fill_chips(self) -> None:
        theme = self.theme
        main, test, train = theme.accent, theme.palette["orange"], theme.palette["green"]
        entries = [
            Entry("batch", "each step", theme.faint, "Loss of each mini-batch"),
            Entry("mean", "running mean", main, "Running mean over about a sixtieth of the steps"),
            Entry("train", "train", train, TRAIN_TIP),
            Entry("test", "test", test, "Loss and accuracy on the test set after each epoch"),
            *self._robust_entries(),
            Entry("log", "log", theme.muted, "Logarithmic loss axis", "tag"),
        ]
        on = [e.key for e in entries if e.key not in self._hidden and e.key != "log"]
        self.chips.set_entries(entries, [*on, *(["log"] if self._loss_axis.log else [])])

    # --- export ------------------------------------------------------------------------------------------------

    def _robust_entries(self) -> list[Entry]:
        """The chip of robust accuracy, where any was measured."""
        if not self._robust:
            return []
        tip = "Test samples that withstand PGD with the training's eps, after some epochs; 95% Wilson interval"
        return [Entry("robust", "robust", self.theme.palette["vermillion"], tip)]

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("loss", self.loss_plot.getPlotItem()), ("accuracy", self.accuracy_plot.getPlotItem()))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every step as recorded, with the test numbers on the step that ended an epoch."""
        if self._steps is None or not len(self._loss):
            return
        robust = {int(step): k for k, step in enumerate(self._robust.get("step", ()))}
        head = ["step", "loss", "accuracy", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
        yield [*head, *(ROBUST if robust else ())]
        ends = {int(step): k for k, step in enumerate(self._epochs.get("step", ()))}
        for step, loss, accuracy in zip(
            self._loss.x.tolist(), self._loss.y.tolist(), self._accuracy.y.tolist(), strict=True
        ):
            k = ends.get(int(step))
            tail = ["", "", "", ""]
            if k is not None:
                tail = [self._epochs[n][k] for n in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")]
            if robust:
                k = robust.get(int(step))
                tail += ["", "", ""] if k is None else [self._robust[n][k] for n in ROBUST]
            yield [int(step), loss, accuracy, *tail]


def _came_to(epochs: dict[str, np.ndarray]) -> str:
    """Of a training without a curve, as a sweep keeps it, what it came to; "" where there was none."""
    if not epochs:
        return ""
    last = int(epochs["epoch"][-1])
    shares = {"on the training set": epochs["train_accuracy"][-1], "on the test set": epochs["test_accuracy"][-1]}
    said = " and ".join(f"{share:.1%} {where}" for where, share in shares.items() if math.isfinite(share))
    words = f"Trained for {last} epoch{'s' if last != 1 else ''} without a record of its steps, as a sweep does it."
    return f"{words} Accuracy at the end: {said}." if said else words


def _measured(epochs: Table) -> dict[str, np.ndarray]:
    """Robust accuracy with its interval and the step, of the epochs after which it was measured."""
    if not len(epochs) or ROBUST[0] not in epochs.columns:
        return {}
    found = {name: np.array(epochs.column(name), dtype=float) for name in ("step", *ROBUST)}
    known = np.isfinite(found[ROBUST[0]])
    return {name: values[known] for name, values in found.items()} if known.any() else {}


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)
