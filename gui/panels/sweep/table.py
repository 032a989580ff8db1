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
    QRect,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QTableView,
)

from gui.panels.sweep.model import PointsModel
from gui.panels.sweep.words import STATUSES, is_hollow, status_colour
from gui.plots.plot import pen
from gui.theme import Theme

LEAST, MOST = 62, 170  # pixels of a column
SHORT = 9  # letters that every column has room for
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PointsTable(QTableView):
    """``current_changed(point or None)`` is the row at hand; ``asked(what, points)`` is what a person wants done.

    ``what`` is "open", "compare", "cancel", "retry" or "copy". Rows may move while the sweep goes on: what is chosen are points,
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
        self._cells = _Cells(self)
        self.setItemDelegate(self._cells)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(30)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)  # else what is too long loses its beginning
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
                across = self.horizontalScrollBar().value()
                selection.setCurrentIndex(here, QItemSelectionModel.SelectionFlag.NoUpdate)
                self.horizontalScrollBar().setValue(across)  # Qt would go to its cell, away from the sorted column
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
            Qt.Key.Key_B: "compare",
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
        self._cells.set_theme(theme)
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
        self._fill()
        self._size_columns()
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fill()

    def _fill(self) -> None:
        """Make the ground opaque, which style sheets undo: what scrolling only moves is then not painted again."""
        colours = self.viewport().palette()
        for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
            colours.setColor(role, QColor(self.theme.surface))
        self.viewport().setPalette(colours)
        self.viewport().setAutoFillBackground(True)

    def _size_columns(self) -> None:
        metrics = self.fontMetrics()
        for column in range(self.points.columnCount()):
            wanted = metrics.horizontalAdvance(self.points.label(column)) + 26
            self.setColumnWidth(
                column, max(LEAST, min(wanted, MOST)) + (20 if self.points.column(column) is None else 0)
            )


class _Cells(QStyledItemDelegate):
    """Draws the cells by itself, with as few calls as can be: hundreds are painted at every step of scrolling."""

    def __init__(self, table: PointsTable) -> None:
        super().__init__(table)
        self._table = table
        self.set_theme(table.theme)

    def set_theme(self, theme: Theme) -> None:
        """Make the colours once."""
        self._theme = theme
        self._text, self._faint, self._muted, self._error, self._soft = (
            QColor(colour) for colour in (theme.text, theme.faint, theme.muted, theme.error, theme.accent_soft)
        )

    def paint(self, painter: QPainter, option: Any, index: QModelIndex | QPersistentModelIndex) -> None:
        model, box, state, column = self._table.points, option.rect, option.state, index.column()
        text = model.text(index.row(), column)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, self._soft)
        if column == model.status_column:
            self._dot(painter, box, text)
            painter.setPen(self._error if text == "failed" else self._muted if is_hollow(text) else self._text)
            painter.drawText(box.adjusted(22, 0, -4, 0), _LEFT, text)
        else:
            painter.setPen(self._faint if text == "–" else self._text)
            if len(text) > SHORT:
                text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width() - 10)
            painter.drawText(box.adjusted(4, 0, -6, 0), _RIGHT, text)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(self._theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0, 0, -1, -1))

    def _dot(self, painter: QPainter, box: QRect, status: str) -> None:
        if status not in STATUSES:
            return
        colour = status_colour(status, self._theme)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(colour, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush if is_hollow(status) else QColor(colour))
        painter.drawEllipse(QPointF(box.left() + 11.5, box.center().y() + 0.5), 3.6, 3.6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
