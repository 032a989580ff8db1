"""The table itself: a dot before each status, keys for what can be done with points, and a choice that follows its points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from gui.panels.sweep.model import PointsModel
from gui.panels.sweep.words import is_hollow, status_colour
from gui.plots.plot import pen
from gui.theme import Theme

LEAST, MOST = 62, 150  # pixels of a column


class PointsTable(QTableView):
    """``current_changed(point or None)`` is the row at hand; ``asked(what, points)`` is what a person wants done.

    ``what`` is "open", "cancel", "retry" or "copy". Rows may move while the sweep goes on: what is chosen are points,
    not places, and where the table is scrolled to stays.
    """

    current_changed = Signal(object)
    asked = Signal(str, object)

    def __init__(self, model: PointsModel, theme: Theme) -> None:
        super().__init__()
        self.points = model
        self.theme = theme
        self._chosen: set[int] = set()
        self._current: int | None = None
        self._following = False
        self.setAccessibleName("Points of the sweep")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMinimumSize(60, 60)
        self.setModel(model)
        self.setItemDelegate(_Cells(self))
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(30)
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorClearable(True)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setHighlightSections(False)
        rows.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        rows.setMinimumSectionSize(8)
        self.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._place = (0, 0)
        model.modelAboutToBeReset.connect(self._on_about_to_reset)
        model.modelReset.connect(self._on_reset)
        model.reordered.connect(self._on_reordered)
        model.arrived.connect(self._follow)
        self.selectionModel().selectionChanged.connect(self._on_selected)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(self._on_open)
        self.set_theme(theme)

    # --- what is chosen ------------------------------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """The point at hand."""
        return self._current

    @property
    def chosen(self) -> list[int]:
        """The chosen points whose rows have been seen, by number."""
        return sorted(self._chosen)

    def ranges(self) -> list[tuple[int, int]]:
        """(first row, rows) of every run of chosen rows, seen or not."""
        found = sorted((r.top(), r.height()) for r in self.selectionModel().selection() if not r.isEmpty())
        return list(dict.fromkeys(found))

    def choose(self, point: int, place: int) -> None:
        """Choose a point that is in a row, and bring it into view."""
        index = self.points.index(place, 0)
        self._following = True
        flag = QItemSelectionModel.SelectionFlag
        selection = self.selectionModel()
        selection.select(index, flag.ClearAndSelect | flag.Rows)  # whatever keys are held down
        selection.setCurrentIndex(index, flag.NoUpdate)
        self._following = False
        self._chosen, self._current = {point}, point
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        self.current_changed.emit(point)

    @Slot(QItemSelection, QItemSelection)
    def _on_selected(self, on: QItemSelection, off: QItemSelection) -> None:
        if self._following:
            return
        self._chosen -= set(self._ids(off))
        self._chosen |= set(self._ids(on))

    def _ids(self, selection: QItemSelection) -> Sequence[int]:
        if self.points.in_order:
            return [place for each in selection for place in range(each.top(), each.bottom() + 1)]
        rows = dict(self.points.places())
        return [rows[p] for each in selection for p in range(each.top(), each.bottom() + 1) if p in rows]

    @Slot(QModelIndex, QModelIndex)
    def _on_current(self, current: QModelIndex, _before: QModelIndex) -> None:
        if self._following or not current.isValid():
            return
        row = self.points.row(current.row())
        self._current = row.id if row is not None else current.row() if self.points.in_order else None
        self.current_changed.emit(self._current)

    @Slot()
    def _on_about_to_reset(self) -> None:
        self._place = self.horizontalScrollBar().value(), self.verticalScrollBar().value()

    @Slot()
    def _on_reset(self) -> None:
        """The columns are others, as when the first point is finished."""
        self._size_columns()
        self.updateGeometries()
        self.horizontalScrollBar().setValue(self._place[0])
        self.verticalScrollBar().setValue(self._place[1])

    @Slot()
    def _on_reordered(self) -> None:
        self._following = True
        self.selectionModel().clear()  # what is chosen is found again when its rows come
        self._following = False

    @Slot()
    def _follow(self) -> None:
        """Rows have come: choose again what was chosen, where it is now."""
        selection = self.selectionModel()
        places = {point: place for place, point in self.points.places()}
        wanted = {places[point] for point in self._chosen if point in places}
        shown = {index.row() for index in selection.selectedRows()} if len(self._chosen) < 1000 else wanted
        if wanted != shown and wanted:
            self._following = True
            chosen = QItemSelection()
            last = self.points.columnCount() - 1
            for place in wanted:
                chosen.select(self.points.index(place, 0), self.points.index(place, last))
            selection.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if self._current in places:
                here = self.points.index(places[self._current], max(0, self.currentIndex().column()))
                selection.setCurrentIndex(here, QItemSelectionModel.SelectionFlag.NoUpdate)
            self._following = False
        self.current_changed.emit(self._current)

    def forget(self) -> None:
        """Choose nothing, as for another file."""
        self._chosen.clear()
        self._current = None
        self.clearSelection()
        self.current_changed.emit(None)

    # --- asked by a person ---------------------------------------------------------------------------------------

    def ask(self, what: str) -> None:
        """Want something done with what is chosen."""
        self.asked.emit(what, self.chosen)

    @Slot(QModelIndex)
    def _on_open(self, _index: QModelIndex) -> None:
        self.ask("open")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        keys = {
            Qt.Key.Key_Return: "open",
            Qt.Key.Key_Enter: "open",
            Qt.Key.Key_Delete: "cancel",
            Qt.Key.Key_R: "retry",
        }
        if event.matches(QKeySequence.StandardKey.Copy):
            self.ask("copy")
        elif plain and event.key() in keys:
            self.ask(keys[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    # --- look ----------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self.theme = theme
        small = theme.font(theme.small)
        for widget in (self, self.horizontalHeader(), self.verticalHeader()):
            widget.setFont(small)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setStyleSheet(
            f"QTableCornerButton::section {{ background: transparent; border: none; border-bottom: 1px solid {theme.line}; }}"
        )
        self.verticalHeader().setStyleSheet(
            f"QHeaderView::section {{ border: none; padding: 0 6px; color: {theme.muted}; background: transparent; }}"
        )
        self._size_columns()
        self.viewport().update()

    def _size_columns(self) -> None:
        metrics = self.fontMetrics()
        for column in range(self.points.columnCount()):
            wanted = metrics.horizontalAdvance(self.points.label(column)) + 26
            self.setColumnWidth(
                column, max(LEAST, min(wanted, MOST)) + (20 if self.points.column(column) is None else 0)
            )


class _Cells(QStyledItemDelegate):
    """Draws the cells by itself: a table of a hundred cells is painted at every step of scrolling."""

    def __init__(self, table: PointsTable) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        table, theme, box = self._table, self._table.theme, option.rect
        state: Any = option.state
        style = table.style().StateFlag
        if state & style.State_Selected:
            painter.fillRect(box, QColor(theme.accent_soft))
        model = table.points
        text = model.data(index)
        ink = theme.text if text != "–" else theme.faint
        if model.column(index.column()) is None:
            self._dot(painter, option, text)
            box = box.adjusted(22, 0, -4, 0)
            way = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            ink = theme.error if text == "failed" else theme.muted if is_hollow(text) else theme.text
        else:
            box = box.adjusted(4, 0, -6, 0)
            way = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(ink))
        painter.setFont(table.font())
        painter.drawText(box, way, option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width()))
        if state & style.State_HasFocus:
            painter.setPen(QColor(theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))

    def _dot(self, painter: QPainter, option: QStyleOptionViewItem, status: str) -> None:
        if status not in ("finished", "running", "failed", "cancelled", "waiting"):
            return
        colour = status_colour(status, self._table.theme)
        centre = QPointF(option.rect.left() + 11.5, option.rect.center().y() + 0.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(colour, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush if is_hollow(status) else QColor(colour))
        painter.drawEllipse(centre, 3.6, 3.6)
        painter.restore()
