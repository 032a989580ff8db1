"""Clean and robust accuracy of each training in a table, with intervals, and whether fast training overfitted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

from gui.theme import Theme

COLUMNS = (
    ("training", "How the network was trained, from the same initial weights and in the same order"),
    ("clean", "Accuracy on clean test samples, 95% Wilson interval"),
    ("robust", "Accuracy under the strong attack, 95% Wilson interval"),
    ("clean − standard", "Difference to standard training on the same samples, 95% interval (Newcombe 1998)"),
    ("robust − standard", "Difference to standard training on the same samples, 95% interval (Newcombe 1998)"),
    ("overfitting", "Whether fast training overfitted catastrophically, and what was done"),
)
LESS = (3, 4, 5)  # columns that a narrow table leaves out, in this order
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class AccuracyTable(QTableWidget):
    """One row a training, as high as its rows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, len(COLUMNS))
        self.setAccessibleName("Accuracy of each training")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(10)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(20)
        header.setDefaultAlignment(_LEFT)
        for column, (text, tip) in enumerate(COLUMNS):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        self.setMinimumSize(60, 40)
        self.theme = theme
        self.set_theme(theme)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Texts, one sequence a training."""
        self.setRowCount(len(rows))
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
                item.setToolTip(text)
                self.setItem(row, column, item)
        self._arrange()

    def cell(self, row: int, column: int) -> str:
        """What a cell says."""
        item = self.item(row, column)
        return item.text() if item is not None else ""

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setFont(theme.font(theme.small))
        for column in range(len(COLUMNS)):
            header = self.horizontalHeaderItem(column)
            header.setFont(theme.font(theme.small))
            header.setForeground(QColor(theme.muted))
        self._arrange()

    def _arrange(self) -> None:
        """Rows as high as a line, columns as wide as their texts; what does not fit is left out, the least needed first."""
        high, metrics = self.fontMetrics().height() + 5, self.fontMetrics()
        for row in range(self.rowCount()):
            self.setRowHeight(row, high)
        self.horizontalHeader().setFixedHeight(high + 4)
        wanted = []
        for column, (title, _) in enumerate(COLUMNS):
            texts = [title, *(self.cell(row, column) for row in range(self.rowCount()))]
            wanted.append(max(metrics.horizontalAdvance(text) for text in texts) + 18)
        empty = {c for c in LESS if not any(self.cell(row, c) for row in range(self.rowCount()))}
        shown = [c for c in range(len(COLUMNS)) if c not in empty]
        for column in LESS:
            if sum(wanted[c] for c in shown) > self.width() and column in shown:
                shown.remove(column)
        for column in range(len(COLUMNS)):
            self.setColumnHidden(column, column not in shown)
            self.setColumnWidth(column, wanted[column])
        self.setFixedHeight(high * (self.rowCount() + 1) + 6)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(320, self.height())
