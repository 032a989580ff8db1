"""Every attack of the session in one table, and the worst case over those on the same samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout

from engine.experiments.attack_results import AttackRun, Summary, WorstCase, budgets, summary, together, worst_case
from gui.panels.results.page import Page, Shown, colours, norm_name, percent, size
from gui.theme import Theme

COLUMNS = (
    ("A", "Draw as A"),
    ("B", "Draw as B"),
    ("Attack", "Run, name, norm and budget"),
    (
        "Robust accuracy",
        "Share still classified rightly within the attack's budget, with its 95% Wilson interval; an attack that looks for the "
        "smallest norm has no budget: see its curve on the robustness page",
    ),
    ("Success", "Share that reached the goal, before the attack or by it"),
    ("Median norm", "In the attack's own norm, with its 95% bootstrap interval; not broken counts as infinite"),
    ("8-bit", "Share of the successes that are successes after rounding to 8 bits"),
    ("Forwards", "Forward passes a sample, mean"),
    ("Gradients", "Gradients a sample, mean"),
    ("Samples", "Samples attacked"),
)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
A, B = 0, 1
SHORT = {"Robust accuracy": "Robust", "Median norm": "Norm", "Forwards": "Fwd", "Gradients": "Grad", "Samples": "n"}
LESS = (9, 8, 7, 6, 5)  # columns that a narrow table leaves out, in this order
NAME, LEAST_NAME = 240, 110  # pixels of an attack's name: that are enough, and that it has at least
LISTED_BUDGETS = 3  # worst cases said in the line above the table; the others are in the export


class ListedPage(Page):
    """One row an attack. ``picked(run, which)`` asks for an attack as A (0) or B (1)."""

    picked = Signal(int, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._shown: Shown | None = None
        self._summaries: dict[int, Summary] = {}
        self._short = False  # the table is too narrow for intervals: they are in the tool tips
        self._worst: list[WorstCase] = []
        self.says = QLabel(wordWrap=True)
        self.says.setProperty("role", "small")
        self.says.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = _Table()
        self.table.setAccessibleName("Attacks; press A or B to choose")
        self.table.cellClicked.connect(self._on_cell)
        self.table.picked.connect(self._pick)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.says)
        column.addWidget(self.table, 1)
        self._recolour()

    def show_results(self, shown: Shown) -> None:
        self._shown = shown
        known = self._summaries
        self._summaries = {run.run: known.get(run.run) or summary(run) for run in shown.runs}
        group = together(shown.a, shown.runs)
        self._worst = [worst_case(shown.a, group, norm, eps) for norm, eps in budgets(group)]
        self.says.setText(self._says(shown))
        self.says.setVisible(bool(self._worst))
        self._fill(shown)

    def _says(self, shown: Shown) -> str:
        lines = []
        for worst in self._worst[:LISTED_BUDGETS]:
            several = f"{len(worst.runs)} attacks" if len(worst.runs) > 1 else "the only attack"
            lines.append(
                f"Worst case over {several} on A's {len(shown.a):,} samples, {norm_name(worst.norm)} ≤ {worst.eps:g}: "
                f"robust accuracy {percent(worst.robust)}"
            )
        return "\n".join(lines)

    def _fill(self, shown: Shown) -> None:
        """Every number with its interval where the table is wide enough; else without, and the last columns not at all:
        the tool tip of the name has them."""
        self.table.setRowCount(len(shown.runs))
        self._write(shown, short=False)
        self._wide = self._numbers() + min(NAME, self.table.sizeHintForColumn(2) + 6)
        self._short = self._wide > self._room()
        if self._short:
            self._write(shown, short=True)
        self._share_out()

    def _numbers(self) -> int:
        """How wide all columns but the names are, when they hold what they must."""
        self.table.resizeColumnsToContents()
        for column in (A, B):
            self.table.setColumnWidth(column, 24)
        return sum(self.table.columnWidth(c) for c in range(len(COLUMNS)) if c != 2)

    def _room(self) -> int:
        bar = self.table.verticalScrollBar()
        return self.table.width() - (bar.sizeHint().width() if bar.isVisible() else 0) - 4

    def _share_out(self) -> None:
        """The names take the room that the numbers leave, and are cut where that is little."""
        table = self.table
        for column in LESS:
            table.setColumnHidden(column, False)
        others = self._numbers()
        for column in LESS if self._short else ():
            if others + LEAST_NAME > self._room():
                others -= table.columnWidth(column)
                table.setColumnHidden(column, True)
        wanted = max(table.sizeHintForColumn(2) + 6, 60)
        table.setColumnWidth(2, min(wanted, max(LEAST_NAME, self._room() - others)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._shown is not None and (self._wide > self._room()) is not self._short:
            self._fill(self._shown)
        else:
            self._share_out()

    _wide = 0

    def _write(self, shown: Shown, *, short: bool) -> None:
        table = self.table
        for column, (name, _) in enumerate(COLUMNS):
            table.horizontalHeaderItem(column).setText(SHORT.get(name, name) if short else name)
        for row, run in enumerate(shown.runs):
            whole = self.texts(run)
            for column, text in enumerate(self.short_texts(run) if short else whole):
                item = QTableWidgetItem(text)
                if column in (A, B):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                    item.setToolTip(COLUMNS[column][1])
                    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{COLUMNS[column][1]}: {run.label}")
                else:
                    said = [f"{head}: {text}" for (head, _), text in zip(COLUMNS, whole, strict=True)]
                    item.setToolTip("\n".join([run.label, *said[3:]]) if column == 2 else said[column])
                if column > 2:
                    item.setTextAlignment(_RIGHT)
                table.setItem(row, column, item)
        self._colour_letters()

    def short_texts(self, run: AttackRun) -> list[str]:
        """A row without its intervals, for a narrow table."""
        return [
            text.partition(" [")[0].partition(" (")[0] if column > 2 else text
            for column, text in enumerate(self.texts(run))
        ]

    def texts(self, run: AttackRun) -> list[str]:
        """A row as it is shown."""
        shown, found = self._shown, self._summaries[run.run]
        chosen = [
            "●" if shown is not None and run is each else "○"
            for each in ((shown.a, shown.b) if shown else (None, None))
        ]
        return [
            *chosen,
            run.label,
            percent(found.robust) if run.bounds_accuracy else "–",
            percent(found.success),
            size(found.median),
            percent(found.survives),
            f"{found.forwards:,.1f}",
            f"{found.gradients:,.1f}",
            f"{found.n:,}" + (f" ({found.invalid:,} without an answer)" if found.invalid else ""),
        ]

    @Slot(int, int)
    def _on_cell(self, row: int, column: int) -> None:
        if column in (A, B):
            self._pick(row, column)

    @Slot(int, int)
    def _pick(self, row: int, which: int) -> None:
        if self._shown is not None and 0 <= row < len(self._shown.runs):
            self.picked.emit(self._shown.runs[row].run, which)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        font = self.theme.font(self.theme.small)
        self.table.setFont(font)
        self.table.horizontalHeader().setFont(font)
        self.table.verticalHeader().setDefaultSectionSize(self.theme.small + 11)
        self._colour_letters()

    def _colour_letters(self) -> None:
        for row in range(self.table.rowCount()):
            for column, colour in zip((A, B), colours(self.theme), strict=True):
                item = self.table.item(row, column)
                if item is not None:
                    item.setForeground(QColor(colour if item.text() == "●" else self.theme.faint))

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row an attack and one for each worst case, every share with the ends of its interval."""
        if self._shown is None:
            return
        shares = ("robust_accuracy", "success", "median_norm", "survives_8bit")
        heads = [f"{name}{end}" for name in shares for end in ("", "_low", "_high")]
        yield ["run", "attack", "samples", *heads, "forwards", "gradients"]
        for run in self._shown.runs:
            found = self._summaries[run.run]
            numbers = (found.robust, found.success, found.median, found.survives)
            flat = [v for n in numbers for v in (n.value, n.low, n.high)]
            yield [run.run, run.name, found.n, *flat, found.forwards, found.gradients]
        for worst in self._worst:
            name = f"worst case over {len(worst.runs)}, {worst.norm} <= {worst.eps:g}"
            robust = [worst.robust.value, worst.robust.low, worst.robust.high]
            yield ["+".join(map(str, worst.runs)), name, worst.n, *robust, *[""] * 11]


class _Table(QTableWidget):
    """Rows of attacks; A and B choose the current one."""

    picked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels([name for name, _ in COLUMNS])
        for column, (_, tip) in enumerate(COLUMNS):
            head = self.horizontalHeaderItem(column)
            head.setToolTip(tip)
            if column > 2:
                head.setTextAlignment(_RIGHT)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setMinimumHeight(80)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_A: A, Qt.Key.Key_B: B}
        if event.key() in keys and self.currentRow() >= 0:
            self.picked.emit(self.currentRow(), keys[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)
