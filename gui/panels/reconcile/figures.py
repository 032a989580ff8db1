"""A plain table of figures, as a paper would print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

from gui.theme import Theme

LEAST = 70  # pixels of the first column
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Cell:
    """What stands in a cell; ``tip`` says it in full, ``mark`` names a colour of the theme (muted, warning, …)."""

    text: str
    tip: str = ""
    mark: str = ""


class FiguresTable(QTableWidget):
    """A first column of names, then numbers. ``chosen(row)`` is what a person pressed; ``mark_row`` tints one."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self._head: tuple[Cell, ...] = ()
        self._rows: tuple[tuple[Cell, ...], ...] = ()
        self._marked: int | None = None
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(10)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(20)
        self.setMinimumSize(60, 50)
        self.cellClicked.connect(self._on_cell)
        self.set_theme(theme)

    def show_rows(self, head: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> None:
        """The columns' names, and the rows."""
        fresh = tuple(head), tuple(tuple(row) for row in rows)
        if fresh != (self._head, self._rows):
            self._head, self._rows = fresh
            self._fill()

    def mark_row(self, row: int | None) -> None:
        """Tint a row."""
        if row != self._marked:
            self._marked = row
            self._tint()

    def cell(self, row: int, column: int) -> str:
        """What a cell says."""
        item = self.item(row, column)
        return item.text() if item is not None else ""

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setFont(theme.font(theme.small))
        self._fill()

    # --- filling -----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self.clear()
        self.setColumnCount(len(self._head))
        self.setRowCount(len(self._rows))
        for column, cell in enumerate(self._head):
            item = QTableWidgetItem(cell.text)
            item.setToolTip(cell.tip)
            item.setFont(self.theme.font(self.theme.small))
            item.setTextAlignment(_RIGHT if column else _LEFT)
            if cell.mark:
                item.setForeground(QBrush(QColor(cell.mark)))
            self.setHorizontalHeaderItem(column, item)
        high = self.fontMetrics().height() + 7
        for r, row in enumerate(self._rows):
            self.setRowHeight(r, high)
            for column, cell in enumerate(row):
                item = QTableWidgetItem(cell.text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
                item.setTextAlignment(_RIGHT if column else _LEFT)
                item.setToolTip(cell.tip)
                if cell.mark:
                    item.setForeground(QBrush(QColor(getattr(self.theme, cell.mark))))
                self.setItem(r, column, item)
        self._tint()
        self._share_out()

    def _tint(self) -> None:
        for row in range(self.rowCount()):
            brush = QBrush(QColor(self.theme.accent_soft)) if row == self._marked else QBrush()
            for column in range(self.columnCount()):
                item = self.item(row, column)
                if item is not None:
                    item.setBackground(brush)

    def _share_out(self) -> None:
        """Each column gets what it needs, and what is left is shared, so that numbers stay near their names."""
        self.resizeColumnsToContents()
        if not self.columnCount():
            return
        wanted = [self.columnWidth(column) + 4 for column in range(self.columnCount())]
        extra = max(0, min(26, (self.viewport().width() - sum(wanted)) // len(wanted)))
        for column, width in enumerate(wanted):
            self.setColumnWidth(column, max(width + extra, 0 if column else LEAST))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._share_out()

    def sizeHint(self) -> QSize:
        high = self.horizontalHeader().height() + sum(self.rowHeight(row) for row in range(self.rowCount())) + 4
        return QSize(360, max(60, high))

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(int, int)
    def _on_cell(self, row: int, _: int) -> None:
        self.chosen.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentRow() >= 0:
            self.chosen.emit(self.currentRow())
        else:
            super().keyPressEvent(event)
