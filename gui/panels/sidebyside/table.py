"""The table below the columns: the fields in which the sources differ, then the numbers of each with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

from engine.sweep.columns import COLUMNS
from gui.differing import NO_VALUE, Difference, differences, value_text
from gui.sidebyside import Content
from gui.theme import Theme

RESULTS = "What came out"
POINT = "Row of the sweep"
LABELS = {column.name: f"{column.label} ({column.unit})" if column.unit else column.label for column in COLUMNS}
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class DifferencesTable(QTableWidget):
    """One row a field or a number, one column a source; what makes a comparison unfair is marked in the last column."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, 0)
        self._rows: list[tuple[str, str, tuple[str, ...], str]] = []
        self._heads: list[str] = []
        self._contents: list[Content] = []
        self.setAccessibleName("What differs between the sources, and their numbers")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.set_theme(theme)

    def set_sources(self, heads: Sequence[str], contents: Sequence[Content]) -> list[Difference]:
        """Show what these sources, named by ``heads``, differ in; gives the differences of their specs."""
        found = differences([content.spec for content in contents]) if len(contents) > 1 else []
        self._heads, self._contents = list(heads), list(contents)
        self._rows = list(table_rows(found, contents))
        self._fill()
        return found

    def rows(self) -> list[tuple[str, str, tuple[str, ...], str]]:
        """(part, name, one text a source, mark)."""
        return list(self._rows)

    def csv_rows(self) -> Iterator[Sequence[Any]]:
        """As shown, with a head; intervals as numbers in rows of their own."""
        if not self._heads:
            return
        yield ["part", "field", *self._heads, "not like with like"]
        for part, name, values, mark in self._rows:
            if part != RESULTS:
                yield [part, name, *values, mark]
        each = [{reading.name: reading for reading in content.readings} for content in self._contents]
        for name in dict.fromkeys(name for readings in each for name in readings):
            for what, word in (("value", ""), ("low", ", 95% low"), ("high", ", 95% high"), ("n", ", n")):
                numbers = [getattr(readings[name], what) if name in readings else "" for readings in each]
                yield [RESULTS, name + word, *numbers, ""]

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setFont(theme.font(theme.small))
        self.horizontalHeader().setFont(theme.font(theme.small))
        self.verticalHeader().setDefaultSectionSize(theme.small + 11)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        self.clearSpans()
        heads = ["", *self._heads, ""]
        self.setColumnCount(len(heads))
        self.setHorizontalHeaderLabels(heads)
        lines: list[tuple[str, str, tuple[str, ...], str] | str] = []
        part = ""
        for row in self._rows:
            if row[0] != part:
                part = row[0]
                lines.append(part)
            lines.append(row)
        self.setRowCount(0)  # heights of rows before are forgotten
        self.setRowCount(len(lines))
        for at, line in enumerate(lines):
            if isinstance(line, str):
                item = QTableWidgetItem(line)
                item.setFont(self.theme.font(self.theme.small, bold=True))
                self.setItem(at, 0, item)
                self.setSpan(at, 0, 1, len(heads))
                continue
            _, name, values, mark = line
            if any("\n" in value for value in values):
                self.setRowHeight(at, 2 * self.theme.small + 16)
            self.setItem(at, 0, QTableWidgetItem(f"   {name}"))
            for k, value in enumerate(values):
                item = QTableWidgetItem(value)
                item.setTextAlignment(_RIGHT)
                item.setToolTip(value)
                if mark:
                    item.setForeground(QColor(self.theme.warning))
                self.setItem(at, 1 + k, item)
            item = QTableWidgetItem(f"⚠ {mark}" if mark else "")
            item.setForeground(QColor(self.theme.warning))
            self.setItem(at, len(heads) - 1, item)
        header = self.horizontalHeader()
        for k in range(len(heads)):
            middle = 0 < k < len(heads) - 1
            header.setSectionResizeMode(
                k, QHeaderView.ResizeMode.Stretch if middle else QHeaderView.ResizeMode.ResizeToContents
            )
            if middle:
                self.horizontalHeaderItem(k).setTextAlignment(_RIGHT)
        header.setStretchLastSection(False)


def table_rows(
    found: Sequence[Difference], contents: Sequence[Content]
) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Every difference, then every number that some source has."""
    for each in found:
        yield each.part, each.name, each.values, each.unfair
    readings = [
        {reading.name: f"{reading.shown}\n{reading.interval}" for reading in content.readings} for content in contents
    ]
    yield from _numbers(RESULTS, readings)
    yield from _numbers(
        POINT, [{LABELS.get(k, k): value_text(v) for k, v in c.row.items() if not _is_setting(k)} for c in contents]
    )


def _is_setting(name: str) -> bool:
    """Whether it says which point it is: the names of the columns and the fields that differ say so already."""
    return name in ("id", "seed") or "." in name


def _numbers(part: str, each: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    for name in dict.fromkeys(name for numbers in each for name in numbers):
        yield part, name, tuple(numbers.get(name, NO_VALUE) for numbers in each), ""
