"""The network at a glance: a small drawing of its layers, and a table of their shapes and parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.panels.base import Panel
from gui.plots.plot import pen
from gui.plots.readout import Readout
from gui.selection import Selection
from gui.theme import Theme, mix

if TYPE_CHECKING:
    from engine.events import Frame

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
THIN = ("activation", "block")  # they have no weights of their own
COLUMNS = ("Tap", "Kind", "Layer", "Shape", "Parameters")


class ModelPanel(Panel):
    """Layers in order with kind, shape and parameters; a click chooses the tap in all panels."""

    key = "model"
    title = "Model"
    topics = ("model",)
    empty_text = "No network yet. Choose one on the Model step and press its button."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self.schematic = Schematic(theme)
        self.schematic.chosen.connect(self._on_chosen)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Layers of the network")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeaderItem(0).setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.horizontalHeaderItem(1).setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in range(2, len(COLUMNS)):
            self.table.horizontalHeaderItem(column).setTextAlignment(_RIGHT)
        self.table.itemSelectionChanged.connect(self._on_row)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.schematic, 2)
        column.addWidget(self.table, 3)
        self.set_body(body)
        selection.tap_changed.connect(self._show_tap)
        self._recolour()

    def show_frame(self, frame: Frame) -> None:
        before, self._frame_shown = self._frame_shown, frame
        layers = frame.info["layers"]
        if not layers:
            self.show_empty("This network has no layers to show.")
            return
        if before is None or before.info != frame.info:
            self._fill(frame)
        self._show_tap(self.selection.tap)
        self.show_content()

    def _fill(self, frame: Frame) -> None:
        layers = frame.info["layers"]
        taps = {tap["name"]: tap for tap in frame.info["taps"]}
        self.table.blockSignals(True)
        self.table.setRowCount(len(layers))
        for row, layer in enumerate(layers):
            at = taps.get(layer["name"], {}).get("layer")
            texts = (
                layer["name"],
                layer["kind"],
                "" if at is None else str(at),
                shape_text(layer["shape"]),
                _count(layer["parameters"]),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if column >= 2:
                    item.setTextAlignment(_RIGHT)
                self.table.setItem(row, column, item)
        self.table.blockSignals(False)
        self.schematic.set_layers(layers)
        depth = max((int(tap["layer"]) for tap in frame.info["taps"]), default=0)
        self.set_subtitle(
            f"{int(frame.info['parameters']):,} parameters · {depth} layers · {len(frame.info['taps'])} taps"
        )

    def clear(self) -> None:
        self._frame_shown = None
        self.table.setRowCount(0)
        self.schematic.set_layers([])
        super().clear()

    @Slot(object)
    def _show_tap(self, name: str | None) -> None:
        layers = [] if self._frame_shown is None else self._frame_shown.info["layers"]
        row = next((k for k, layer in enumerate(layers) if layer["name"] == name), None)
        self.schematic.set_chosen(row)
        self.table.blockSignals(True)
        if row is None:
            self.table.clearSelection()
        else:
            self.table.setCurrentCell(row, 0)
        self.table.blockSignals(False)

    @Slot()
    def _on_row(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            self._on_chosen(rows[0].row())

    @Slot(int)
    def _on_chosen(self, row: int) -> None:
        if self._frame_shown is not None:
            name = self._frame_shown.info["layers"][row]["name"]
            if any(tap["name"] == name for tap in self._frame_shown.info["taps"]):
                self.selection.set_tap(name)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.schematic.set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        self.table.setFont(self.theme.font(self.theme.small))
        self.table.horizontalHeader().setFont(self.theme.font(self.theme.small))
        self.table.verticalHeader().setDefaultSectionSize(self.theme.small + 10)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The table as shown."""
        if self._frame_shown is None:
            return
        taps = {tap["name"]: tap["layer"] for tap in self._frame_shown.info["taps"]}
        yield ["name", "kind", "layer", "shape", "parameters"]
        for layer in self._frame_shown.info["layers"]:
            name = layer["name"]
            yield [name, layer["kind"], taps.get(name, ""), shape_text(layer["shape"]), int(layer["parameters"])]


class Schematic(QWidget):
    """The layers as bars from left to right: as high as they are wide (log scale), activations thin."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._layers: list[Mapping[str, Any]] = []
        self._chosen: int | None = None
        self._hovered: int | None = None
        self.setAccessibleName("Drawing of the network")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setMinimumHeight(56)
        self.readout = Readout(self, theme)

    def set_layers(self, layers: Sequence[Mapping[str, Any]]) -> None:
        self._layers = list(layers)
        self._hovered = None
        self.update()

    def set_chosen(self, row: int | None) -> None:
        self._chosen = row
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.readout.set_theme(theme)
        self.update()

    def boxes(self) -> list[QRectF]:
        """Where each layer is drawn."""
        sizes = [_units(layer) for layer in self._layers]
        known = [s for s in sizes if s]
        largest = max(known, default=1)
        shares = [0.55 if layer["kind"] in THIN else 1.0 for layer in self._layers]
        room = self.width() / max(1e-9, sum(shares))
        text = self.fontMetrics().height()
        high = self.height() - text - 8
        left, found, last = 0.0, [], largest
        for share, size in zip(shares, sizes, strict=True):
            last = size or last  # an activation is as wide as what it follows
            tall = high * (0.18 + 0.82 * math.log1p(last) / math.log1p(largest))
            wide = min(room * share * 0.5, 26.0 if share == 1 else 7.0)
            middle = left + room * share / 2
            found.append(QRectF(middle - wide / 2, 4 + (high - tall) / 2, wide, tall))
            left += room * share
        return found

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, boxes = self.theme, self.boxes()
        painter.setFont(theme.font(theme.small))
        metrics = painter.fontMetrics()
        painter.setPen(pen(theme.line_strong))
        for a, b in pairwise(boxes):
            painter.drawLine(QPointF(a.right(), a.top() + 1), QPointF(b.left(), b.top() + 1))
            painter.drawLine(QPointF(a.right(), a.bottom() - 1), QPointF(b.left(), b.bottom() - 1))
        colours = {
            "input": theme.muted,
            "linear": theme.palette["sky"],
            "activation": theme.palette["orange"],
            "block": theme.palette["violet"],
            "logits": theme.palette["green"],
        }
        end = -1e9
        for row, (layer, box) in enumerate(zip(self._layers, boxes, strict=True)):
            colour = colours.get(layer["kind"], theme.muted)
            fill = QColor(mix(theme.surface, colour, 0.75 if row == self._hovered else 0.5))
            painter.setPen(pen(theme.accent, 2) if row == self._chosen else pen(colour))
            painter.setBrush(fill)
            painter.drawRoundedRect(box, 2, 2)
            if layer["kind"] == "activation":
                continue
            name = str(layer["name"])
            wide = metrics.horizontalAdvance(name)
            left = min(max(0.0, box.center().x() - wide / 2), self.width() - wide)
            if left > end + 6:
                painter.setPen(QColor(theme.text if row == self._chosen else theme.muted))
                painter.drawText(QPointF(left, self.height() - metrics.descent()), name)
                end = left + wide
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.accent, alpha=0.6))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def at(self, x: float) -> int | None:
        """The layer nearest to a horizontal position."""
        boxes = self.boxes()
        return min(range(len(boxes)), key=lambda k: abs(boxes[k].center().x() - x)) if boxes else None

    def describe(self, row: int) -> str:
        layer = self._layers[row]
        shape = shape_text(layer["shape"])
        return (
            f"{layer['name']} · {layer['kind']}\n"
            + (f"{shape} · " if shape else "")
            + f"{_count(layer['parameters'])} parameters"
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = self.at(event.position().x())
        if self._hovered is not None:
            self.readout.say(self.describe(self._hovered), event.position().toPoint())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = None
        self.readout.silence()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.at(event.position().x())
        if row is not None:
            self.chosen.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps and self._layers:
            row = (self._chosen if self._chosen is not None else 0) + steps[Qt.Key(event.key())]
            self.chosen.emit(min(len(self._layers) - 1, max(0, row)))
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(300, 110)


def shape_text(shape: Any) -> str:
    """A shape as "128 × 784", from a text or a list of sides."""
    return " × ".join(str(side) for side in shape) if isinstance(shape, list | tuple) else str(shape)


def _units(layer: Mapping[str, Any]) -> int:
    """How many units come out of a layer: the first side of its weight; 0 where it has none."""
    found = re.match(r"\d+", shape_text(layer["shape"]))
    return int(found.group()) if found and layer["kind"] != "activation" else 0


def _count(parameters: Any) -> str:
    return f"{int(parameters):,}" if int(parameters) else "–"
