"""Tested statistics in a table, as a paper would print them; what must not be believed is struck out and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

from gui.theme import Theme

RELATION, GIVEN, RHO, INTERVAL, P, N, UNIT = range(7)
COLUMNS = (
    ("relation", "What is related"),
    ("given", "What was taken away from both sides first"),
    ("ρ", "Spearman's rank correlation; within networks, the median over them"),
    ("95%", "95% bootstrap interval; in brackets { } the range over networks"),
    ("p", "By permutation"),
    ("n", "How many there are of what is counted as independent, or of entries"),
    ("unit", "What is counted as independent"),
)
LESS = (UNIT, N, GIVEN, INTERVAL)  # columns that a narrow table leaves out, in this order
LEAST = 104  # pixels of the names of the relations
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Section:
    """Statistics below a heading."""

    title: str
    statistics: tuple[Mapping[str, Any], ...]


class StatisticsTable(QTableWidget):
    """``chosen(name)`` is the statistic that a person pressed; ``mark`` tints the one that is drawn beside the table."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, short: Mapping[str, str]) -> None:
        """``short`` names what frames call ``boost``, ``cka``, … for a narrow column."""
        super().__init__(0, len(COLUMNS))
        self.theme = theme
        self._short = dict(short)
        self._sections: tuple[Section, ...] = ()
        self._names: list[str | None] = []  # of each row; None for a heading
        self._marked = ""
        self.setAccessibleName("Statistics")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(10)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(20)
        for column, (text, tip) in enumerate(COLUMNS):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            item.setTextAlignment(_RIGHT if column in (RHO, INTERVAL, P, N) else _LEFT)
            self.setHorizontalHeaderItem(column, item)
        self.setMinimumSize(60, 50)
        self.cellClicked.connect(self._on_cell)
        self.set_theme(theme)

    def show_sections(self, sections: Sequence[Section]) -> None:
        """The statistics, each section below its heading."""
        self._sections = tuple(sections)
        self._fill()

    def mark(self, name: str) -> None:
        """Tint the row of a statistic."""
        if name != self._marked:
            self._marked = name
            self._tint()

    @property
    def marked(self) -> str:
        return self._marked

    def row_of(self, name: str) -> int:
        """The row of a statistic; ValueError if it is not there."""
        return self._names.index(name)

    def cell(self, row: int, column: int) -> str:
        """What a cell says."""
        item = self.item(row, column)
        return item.text() if item is not None else ""

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setFont(theme.font(theme.small))
        for column in range(len(COLUMNS)):
            self.horizontalHeaderItem(column).setFont(theme.font(theme.small))
        self._fill()

    # --- filling -----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self.clearSpans()
        self.horizontalHeader().setVisible(bool(self._sections))
        self._names = []
        count = sum(1 + len(section.statistics) for section in self._sections)
        self.setRowCount(count)
        high = self.fontMetrics().height() + 7
        row = 0
        for section in self._sections:
            heading = self._put(row, RELATION, section.title)
            heading.setForeground(QBrush(QColor(self.theme.muted)))
            font = self.theme.font(self.theme.small, bold=True)
            heading.setFont(font)
            self.setSpan(row, 0, 1, len(COLUMNS))
            self.setRowHeight(row, high)
            self._names.append(None)
            row += 1
            for found in section.statistics:
                self._write(row, found)
                self.setRowHeight(row, high)
                self._names.append(str(found["name"]))
                row += 1
        self._tint()
        self._share_out()

    def _put(self, row: int, column: int, text: str) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        if column in (RHO, INTERVAL, P, N):
            item.setTextAlignment(_RIGHT)
        self.setItem(row, column, item)
        return item

    def _write(self, row: int, found: Mapping[str, Any]) -> None:
        given = ", ".join(self._name(each) for each in found["given"])
        wrong = str(found["wrong"])
        texts = {
            RELATION: self._relation(found),
            GIVEN: given or "–",
            RHO: signed(found["rho"]),
            INTERVAL: interval_text(found),
            P: p_text(found["p"]),
            N: f"{found['n']:,}",
            UNIT: str(found["unit"]),
        }
        tip = "\n".join(
            [
                str(found["label"]),
                f"ρ = {signed(found['rho'])} {interval_text(found)}, p = {p_text(found['p'])}",
                f"n = {found['n']:,}, independent unit: {found['unit']}",
                *([f"⚠ {wrong}"] if wrong else []),
            ]
        )
        for column, text in texts.items():
            item = self._put(row, column, text)
            item.setToolTip(tip)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, tip)
            if wrong:
                item.setForeground(QBrush(QColor(self.theme.warning if column == RELATION else self.theme.faint)))
                if column in (RHO, P):
                    font = self.theme.font(self.theme.small)
                    font.setStrikeOut(True)
                    item.setFont(font)
            elif found["given"] or column in (GIVEN, UNIT, N):
                item.setForeground(QBrush(QColor(self.theme.muted)))

    def _name(self, key: str) -> str:
        return self._short.get(key, key)

    def _relation(self, found: Mapping[str, Any], *, merged: bool = False) -> str:
        head = str(found["name"]).split(" | ")[0]
        for unit in ("input ", "network "):
            head = head.removeprefix(unit)
        if found["wrong"]:
            return "⚠ wrong: pairs as independent"
        if merged and found["given"]:
            return f"    | {', '.join(self._name(each) for each in found['given'])}"
        return self._name(head)

    # --- look --------------------------------------------------------------------------------------------------

    def _tint(self) -> None:
        for row, name in enumerate(self._names):
            soft = QColor(self.theme.accent_soft) if name is not None and name == self._marked else None
            for column in range(len(COLUMNS)):
                item = self.item(row, column)
                if item is not None:
                    item.setBackground(QBrush(soft) if soft is not None else QBrush())

    def _share_out(self) -> None:
        """Numbers get what they need, names the rest; a narrow table leaves columns out, and ``given`` joins the name."""
        for column in range(len(COLUMNS)):
            self.setColumnHidden(column, False)
        self.resizeColumnsToContents()
        wanted = {column: self.columnWidth(column) for column in range(1, len(COLUMNS))}
        room = self.viewport().width()
        merged = False
        if all(self.cell(row, INTERVAL) in ("", "–") for row in range(self.rowCount())):
            del wanted[INTERVAL]
            self.setColumnHidden(INTERVAL, True)
        for column in LESS:
            if sum(wanted.values()) + LEAST <= room:
                break
            wanted.pop(column, None)
            self.setColumnHidden(column, True)
            merged = merged or column == GIVEN
        statistics = {str(s["name"]): s for section in self._sections for s in section.statistics}
        for row, name in enumerate(self._names):
            item = self.item(row, RELATION)
            if item is not None and name is not None:
                item.setText(self._relation(statistics[name], merged=merged))
                wide = 1 if merged else 2
                if statistics[name]["wrong"] and self.columnSpan(row, RELATION) != wide:
                    self.setSpan(row, RELATION, 1, wide)
        self.setColumnWidth(RELATION, max(60, room - sum(wanted.values())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._share_out()

    def sizeHint(self) -> QSize:
        return QSize(360, 160)

    # --- asked by a person -------------------------------------------------------------------------------------

    @Slot(int, int)
    def _on_cell(self, row: int, _: int) -> None:
        name = self._names[row]
        if name is not None:
            self.chosen.emit(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentRow() >= 0:
            self._on_cell(self.currentRow(), 0)
        else:
            super().keyPressEvent(event)


def signed(value: float | None) -> str:
    """A correlation with its sign."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def interval_text(found: Mapping[str, Any]) -> str:
    """[low, high], or where there is only a range over networks {least, most}."""
    for ends, brackets in ((("low", "high"), "[]"), (("least", "most"), "{}")):
        low, high = (found[end] for end in ends)
        if low is not None and high is not None:
            return f"{brackets[0]}{low:.2f}, {high:.2f}{brackets[1]}".replace("-", "−")
    return "–"


def p_text(p: float | None) -> str:
    """A p value: two figures, small ones as powers."""
    if p is None:
        return "–"
    if 0 < p < 1e-4:
        mantissa, _, power = f"{p:.0e}".partition("e")
        return f"{mantissa}e−{abs(int(power))}"
    return f"{p:.2g}" if p >= 1e-3 else f"{p:.1g}".replace("1e-04", "0.0001") if p else "0"
