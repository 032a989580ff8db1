"""A wall of tiles that fills its panel: one list view and one painter, however many samples there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gui.plots.plot import pen
from gui.plots.readout import Readout
from gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
Measure = Callable[[QSize, int, float], tuple[int, int]]
Paint = Callable[[QPainter, QRect, int], None]


class _Texts(QAbstractListModel):
    """One line of text a tile, for assistive technology; the tile itself is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def reset(self, texts: Sequence[str]) -> None:
        self.beginResetModel()
        self.texts = list(texts)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self.texts)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if index.isValid() and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.texts[index.row()]
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self, view: Tiles) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return self._view.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        self._view.paint_tile(painter, option.rect, index.row())
        theme = self._view.theme
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if chosen or hovered:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.accent, 2) if chosen else pen(theme.line_strong, 1))
            painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), 4, 4)
        painter.restore()


class Tiles(QListView):
    """Tiles in a grid. ``chosen(row)`` is what a person did, by mouse or arrow keys; ``set_chosen`` is silent.

    ``measure(room, count, zoom)`` gives (columns, tile height) for a viewport of ``room``; ``paint(painter, rect, row)``
    draws one tile. Ctrl and wheel, + and - change the tiles' size; 0 or a double click beside them resets it.
    """

    chosen = Signal(int)
    hovered = Signal(int, QPoint)
    laid_out = Signal()

    def __init__(self, theme: Theme, name: str, measure: Measure, paint: Paint) -> None:
        super().__init__()
        self.theme = theme
        self.zoom = 1.0
        self.columns = 1
        self._measure, self._paint = measure, paint
        self._silent = False
        self._texts = _Texts()
        self.setModel(self._texts)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setMinimumSize(60, 50)
        self.readout = Readout(self, theme)
        self.selectionModel().selectionChanged.connect(self._on_selection)

    # --- content -----------------------------------------------------------------------------------------------

    def set_texts(self, texts: Sequence[str]) -> None:
        """The tiles, by what each says. Equal texts keep scroll position and layout; call ``viewport().update()``."""
        if list(texts) == self._texts.texts:
            return
        same = len(texts) == len(self._texts.texts)
        if same:
            self._texts.texts = list(texts)
            return
        row = self.currentIndex().row()
        self._silent = True
        self._texts.reset(texts)
        self._silent = False
        self.lay_out()
        if 0 <= row < len(texts):
            self.verticalScrollBar().setValue(self.verticalScrollBar().value())

    def count(self) -> int:
        return len(self._texts.texts)

    def set_chosen(self, row: int | None) -> None:
        """Highlight a tile and bring it into view, silently; None highlights nothing."""
        if row == self.chosen_row():
            return
        self._silent = True
        if row is None or not 0 <= row < self.count():
            self.clearSelection()
        else:
            index = self._texts.index(row)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)
        self._silent = False

    def chosen_row(self) -> int | None:
        rows = self.selectionModel().selectedIndexes()
        return rows[0].row() if rows else None

    def paint_tile(self, painter: QPainter, rect: QRect, row: int) -> None:
        self._paint(painter, rect, row)

    # --- layout ------------------------------------------------------------------------------------------------

    def lay_out(self) -> None:
        """Choose the columns and the tile size for the room there is."""
        count = self.count()
        room = self.maximumViewportSize()
        bar = self.verticalScrollBar().sizeHint().width()
        if self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOn:
            room = QSize(room.width() + bar, room.height())
        columns, height = self._measure(room, count, self.zoom)
        rows = -(-count // max(1, columns))
        scrolls = rows * height > room.height()
        width = room.width()
        if scrolls:
            width -= bar
            columns, height = self._measure(QSize(width, room.height()), count, self.zoom)
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if policy != self.verticalScrollBarPolicy():
            self.setVerticalScrollBarPolicy(policy)
        self.columns = max(1, columns)
        size = QSize(max(8, (width - 1) // self.columns), max(8, height))  # exactly full would wrap
        if size != self.gridSize():
            self.setGridSize(size)
            self.verticalScrollBar().setSingleStep(max(8, height // 3))
        self.laid_out.emit()

    def set_zoom(self, zoom: float) -> None:
        """Tile size relative to what fits, 0.5 to 4."""
        self.zoom = min(4.0, max(0.5, zoom))
        self.lay_out()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.readout.set_theme(theme)
        self.lay_out()
        self.viewport().update()

    # --- pointer and keys --------------------------------------------------------------------------------------

    @Slot(QItemSelection, QItemSelection)
    def _on_selection(self, selected: QItemSelection, _: QItemSelection) -> None:
        rows = selected.indexes()
        if rows and not self._silent:
            self.chosen.emit(rows[0].row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        where = event.position().toPoint()
        row = self.indexAt(where).row()
        if row < 0:
            self.readout.silence()
        else:
            self.hovered.emit(row, self.viewport().mapTo(self, where))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.readout.silence()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.set_zoom(1.0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self.zoom * (1.15 if event.angleDelta().y() > 0 else 1 / 1.15))
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_0:
                self.set_zoom(1.0)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.set_zoom(self.zoom * 1.15)
            case Qt.Key.Key_Minus:
                self.set_zoom(self.zoom / 1.15)
            case _:
                super().keyPressEvent(event)


def ink(painter: QPainter, colour: str, alpha: float = 1.0) -> None:
    """Set the painter's pen to a colour."""
    made = QColor(colour)
    made.setAlphaF(alpha)
    painter.setPen(made)
