"""Which class can be made to look like which: the share of samples of each class driven to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from engine.experiments.rates import share
from gui.panels.base import Panel
from gui.panels.labels import Caption
from gui.panels.results.page import norm_name, percent
from gui.plots.celltexts import CellTexts
from gui.plots.flow import FlowRow
from gui.plots.heatmap import HeatMap
from gui.plots.images import indices, table
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

SHARES = ((0.0, "0%"), (0.25, "25%"), (0.5, "50%"), (0.75, "75%"), (1.0, "100%"))


class ClassMatrixPanel(Panel):
    """Heat map of the success of targeted attacks: true class down, target across. A click chooses the class.

    ``measure_requested()`` asks for it to be measured.
    """

    key = "classes"
    title = "Class matrix"
    topics = ("class_matrix",)
    empty_text = (
        "Not measured yet. Samples of each class are driven to every other class, with the attack of the Attack step in its "
        "targeted form."
    )

    measure_requested = Signal()

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._pointed: tuple[int, int] | None = None
        self.button, self.first_button = QPushButton("Measure all pairs"), QPushButton("Measure all pairs")
        for button in (self.button, self.first_button):
            button.setProperty("role", "link")
            button.setToolTip("The attack in its targeted form, from each class to every other")
            button.clicked.connect(self.measure_requested)
        self.add_empty_action(self.first_button)
        self.heat = HeatMap(theme, SHARES, "cividis", blank=True)
        self.heat.setAccessibleName("Share of samples of each class driven to each other class")
        self.heat.set_axis_text("left", "true class")
        self.heat.set_axis_text("bottom", "target class")
        self.texts = CellTexts(theme)
        self.texts.setZValue(1.5)
        self.heat.addItem(self.texts, ignoreBounds=True)
        self.heat.hovered.connect(self._on_hover)
        self.heat.left.connect(self._on_left)
        self.heat.clicked.connect(self._on_click)
        self.heat.moved.connect(self._on_keys)
        self.heat.entered.connect(self._on_enter)
        self.caption = Caption()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(FlowRow([self.button]))
        column.addWidget(self.heat, 1)
        column.addWidget(self.caption)
        self.set_body(body)
        selection.klass_changed.connect(self._mark)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_frame(self, frame: Frame) -> None:
        self._frame_shown = frame
        count = frame.arrays["count"]
        shares = self.shares()
        self.heat.set_values(shares)
        classes = [str(name) for name in frame.info["classes"]]
        self.heat.set_blocks(list(range(len(classes))), classes)
        known = count > 0
        # each colour's own lightness says which ink can be read on it
        light = table("cividis").astype(float) @ np.array([0.299, 0.587, 0.114]) > 140
        self.texts.set_texts(
            [
                [f"{value:.0%}".rstrip("%") if there else "" for value, there in zip(*row, strict=True)]
                for row in zip(shares, known, strict=True)
            ],
            light[indices(shares, 0.0, 1.0)].tolist(),
        )
        self._mark()
        self._say(frame)
        self.show_content()
        if self._pointed is not None and self.heat.readout.isVisible():
            self._point(*self._pointed)

    def clear(self) -> None:
        self._frame_shown = None
        self._pointed = None
        self.heat.clear_values()
        self.texts.set_texts([], [])
        super().clear()

    def shares(self) -> np.ndarray:
        """Share of successes [K, K], NaN on the diagonal and where nothing is measured yet."""
        assert self._frame_shown is not None
        success, count = (self._frame_shown.arrays[name].astype(float) for name in ("success", "count"))
        return np.where(count > 0, success / np.maximum(count, 1), np.nan)

    def _say(self, frame: Frame) -> None:
        info = frame.info
        words = [str(info.get("title") or info["method"]), norm_name(str(info["norm"]))]
        words += [str(info["budget"])] if info.get("budget") else []
        if info["done"] < info["total"]:
            words.append(f"class {info['done']} of {info['total']}")
        self.set_subtitle(" · ".join(words))
        total = share(int(frame.arrays["success"].sum()), int(frame.arrays["count"].sum()))
        self.caption.set_text(f"% of up to {info['per_class']:,} samples a class · all pairs {percent(total)}")

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot()
    def _mark(self, *_: object) -> None:
        frame, klass = self._frame_shown, self.selection.klass
        if frame is not None:
            inside = klass is not None and 0 <= klass < len(frame.info["classes"])
            self.heat.mark_bands([(klass, klass + 1)] if inside and klass is not None else [])

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, row: int, column: int) -> str:
        """What the readout says of a cell."""
        frame = self._frame_shown
        if frame is None:
            return ""
        true, target = (str(frame.info["classes"][k]) for k in (row, column))
        if row == column:
            return f"class {true}: a class is not driven to itself"
        won, n = int(frame.arrays["success"][row, column]), int(frame.arrays["count"][row, column])
        if not n:
            return f"class {true} to class {target}: not measured"
        lines = [f"class {true} to class {target}", f"{won} of {n}: {percent(share(won, n))}"]
        before = int(frame.arrays["before"][row, column]) if "before" in frame.arrays else 0
        if before:
            lines.append(f"{before} seen as class {target} before the attack")
        return "\n".join(lines)

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
            self.selection.set_klass(cell[0])

    @Slot(int, int)
    def _on_keys(self, across: int, up: int) -> None:
        frame = self._frame_shown
        if frame is not None:
            last = len(frame.info["classes"]) - 1
            row, column = self._pointed or (0, 0)
            self._point(min(last, max(0, row - up)), min(last, max(0, column + across)))

    @Slot()
    def _on_enter(self) -> None:
        if self._pointed is not None:
            self.selection.set_klass(self._pointed[0])

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.heat.set_theme(theme)
        self.texts.set_theme(theme)

    def plots(self) -> Sequence[tuple[str, Any]]:
        return (("matrix", self.heat.getPlotItem()),)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a pair of classes: successes, samples, and the share with its interval."""
        frame = self._frame_shown
        if frame is None:
            return
        yield ["true", "target", "success", "samples", "before", "share", "low", "high"]
        classes = frame.info["classes"]
        before = frame.arrays.get("before", np.zeros_like(frame.arrays["count"]))
        for row, column in np.argwhere(frame.arrays["count"] > 0):
            won, n = int(frame.arrays["success"][row, column]), int(frame.arrays["count"][row, column])
            found = share(won, n)
            yield [classes[row], classes[column], won, n, int(before[row, column]), found.value, found.low, found.high]
