"""The session's runs side by side: what was different, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.specs import PARTS, parameters, variants
from gui.panels.base import Panel
from gui.plots.plot import pen
from gui.selection import Selection
from gui.theme import Theme

A, B = 0, 1
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
COLUMNS = ("A", "B", "Run", "Experiment", "Started", "Status")


class ComparePanel(Panel):
    """Choose run A, the baseline, and run B; below stand the differences of their specs and their numbers.

    ``baseline_chosen(run id or None)`` asks for A's curves to be laid under the profile, ``side_by_side_requested(run
    ids)`` for the chosen runs in columns beside each other.
    """

    key = "compare"
    title = "Compare"
    empty_text = "No runs yet. Every run of this session is listed here, to be compared with another."

    baseline_chosen = Signal(object)
    side_by_side_requested = Signal(object)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._runs: list[Mapping[str, Any]] = []
        self._chosen: list[Any] = [None, None]  # run ids of A and B
        self.side_button = QToolButton(text="Side by side", autoRaise=True)
        self.side_button.setAccessibleName("Show the chosen runs side by side")
        self.side_button.setToolTip("The same panel for each, on shared axes; session files can be added")
        self.side_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.side_button.clicked.connect(self._ask_side_by_side)
        self.add_tool(self.side_button)
        self.runs_table = _RunsTable()
        self.runs_table.setAccessibleName("Runs; press A or B to choose")
        self.runs_table.cellClicked.connect(self._on_cell)
        self.runs_table.picked.connect(self._pick_row)
        self.runs_table.setItemDelegateForColumn(A, _Dot(self))
        self.runs_table.setItemDelegateForColumn(B, _Dot(self))
        self.differences = _plain_table(("", "A", "B"))
        self.differences.setAccessibleName("Differences between run A and run B")
        self.hint = QLabel("Choose A, the baseline, and B.", wordWrap=True)
        self.hint.setProperty("role", "small")
        lower = QWidget()
        under = QVBoxLayout(lower)
        under.setContentsMargins(0, 4, 0, 0)
        under.setSpacing(4)
        under.addWidget(self.hint)
        under.addWidget(self.differences, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.runs_table)
        split.addWidget(lower)
        split.setChildrenCollapsible(False)
        split.setSizes([150, 200])
        self.set_body(split)
        self._recolour()

    # --- runs --------------------------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """The session's runs, oldest first.

        Each has id, title, experiment, started, status, spec (an ``ExperimentSpec`` as plain data) and numbers
        (name to value); spec and numbers may be missing.
        """
        self._runs = list(runs)
        ids = [run["id"] for run in self._runs]
        before = self._chosen[A]
        self._chosen = [chosen if chosen in ids else None for chosen in self._chosen]
        if not self._runs:
            self.clear()
            return
        names = self._number_names()
        table = self.runs_table
        table.setColumnCount(len(COLUMNS) + len(names))
        table.setHorizontalHeaderLabels([*COLUMNS, *names])
        table.setRowCount(len(self._runs))
        for row, run in enumerate(self._runs):
            for column, text in enumerate(
                ("", "", *(str(run.get(k) or "") for k in ("title", "experiment", "started", "status")))
            ):
                item = QTableWidgetItem(text)
                if column in (A, B):
                    which = "AB"[column]
                    item.setToolTip(f"Choose as {which}" + (", the baseline" if column == A else ""))
                    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{which} {run.get('title', '')}")
                table.setItem(row, column, item)
            for k, name in enumerate(names):
                table.setItem(row, len(COLUMNS) + k, _right(_text(_numbers(run).get(name))))
        for k in range(len(names)):
            table.horizontalHeaderItem(len(COLUMNS) + k).setTextAlignment(_RIGHT)
        table.resizeColumnsToContents()
        table.setColumnWidth(2, min(220, table.columnWidth(2)))
        for column in (A, B):
            table.setColumnWidth(column, 28)
        self._redraw()
        if before != self._chosen[A]:
            self.baseline_chosen.emit(self._chosen[A])
        self.set_subtitle(f"{len(self._runs)} runs" if len(self._runs) != 1 else "1 run")
        self.show_content()

    def clear(self) -> None:
        had = self._chosen[A] is not None
        self._runs = []
        self._chosen = [None, None]
        self.runs_table.setRowCount(0)
        self.differences.setRowCount(0)
        if had:
            self.baseline_chosen.emit(None)
        super().clear()

    def choose(self, a: Any = None, b: Any = None) -> None:
        """Choose run A, the baseline, and run B by their ids; None chooses none."""
        changed = a != self._chosen[A]
        self._chosen = [a, b]
        self._redraw()
        if changed:
            self.baseline_chosen.emit(a)

    @Slot()
    def _ask_side_by_side(self) -> None:
        self.side_by_side_requested.emit([run for run in self._chosen if run is not None])

    @property
    def chosen(self) -> tuple[Any, Any]:
        """Run ids of A and B, None where none is chosen."""
        return self._chosen[A], self._chosen[B]

    def run_at(self, row: int) -> Mapping[str, Any]:
        return self._runs[row]

    @Slot(int, int)
    def _on_cell(self, row: int, column: int) -> None:
        if column in (A, B):
            self._pick_row(row, column)

    @Slot(int, int)
    def _pick_row(self, row: int, which: int) -> None:
        wanted = list(self._chosen)
        found = self._runs[row]["id"]
        wanted[which] = None if wanted[which] == found else found
        self.choose(*wanted)

    # --- differences -------------------------------------------------------------------------------------------

    def rows(self) -> list[tuple[str, str, str]]:
        """(name, A, B): the fields of the specs that differ, then every number that either run has."""
        a, b = (self._run(which) for which in self._chosen)
        if a is None or b is None:
            return []
        left, right = flat_spec(a.get("spec") or {}), flat_spec(b.get("spec") or {})
        found = []
        for name in dict.fromkeys([*left, *right]):
            if left.get(name) != right.get(name):
                found.append((name, _text(left.get(name)), _text(right.get(name))))
        for name in self._number_names():
            x, y = _numbers(a).get(name), _numbers(b).get(name)
            if x is not None or y is not None:
                found.append((name, _text(x), _text(y)))
        return found

    def _run(self, run_id: Any) -> Mapping[str, Any] | None:
        return next((run for run in self._runs if run["id"] == run_id), None) if run_id is not None else None

    def _number_names(self) -> list[str]:
        return list(dict.fromkeys(name for run in self._runs for name in _numbers(run)))

    def _redraw(self) -> None:
        self.runs_table.viewport().update()
        a, b = (self._run(which) for which in self._chosen)
        rows = self.rows()
        table = self.differences
        table.setRowCount(len(rows))
        for row, (name, left, right) in enumerate(rows):
            table.setItem(row, 0, QTableWidgetItem(name))
            table.setItem(row, 1, _right(left))
            table.setItem(row, 2, _right(right))
        if a is not None and b is not None:
            heads = ("", f"A · {a.get('title', a['id'])}", f"B · {b.get('title', b['id'])}")
            table.setHorizontalHeaderLabels(heads)
            same = flat_spec(a.get("spec") or {}) == flat_spec(b.get("spec") or {})
            self.hint.setText("The same spec in both." if same else "What differs, then what came out.")
        else:
            table.setHorizontalHeaderLabels(("", "A", "B"))
            self.hint.setText("Choose A, the baseline, and B: click in their columns, or press A or B on a row.")
        for column in (1, 2):
            table.horizontalHeaderItem(column).setTextAlignment(_RIGHT)
        table.setVisible(bool(rows))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._recolour()

    def _recolour(self) -> None:
        self.side_button.setFont(self.theme.font(self.theme.small))
        for table in (self.runs_table, self.differences):
            table.setFont(self.theme.font(self.theme.small))
            table.horizontalHeader().setFont(self.theme.font(self.theme.small))
            table.verticalHeader().setDefaultSectionSize(self.theme.small + 11)
            table.viewport().update()

    def is_chosen(self, row: int, column: int) -> bool:
        """Whether the run of a row is A (column 0) or B (column 1)."""
        return 0 <= row < len(self._runs) and self._runs[row]["id"] == self._chosen[column]

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """The differences shown; where no two runs are chosen, the list of runs."""
        rows = self.rows()
        if rows:
            yield ["field", "A", "B"]
            yield from rows
        elif self._runs:
            names = self._number_names()
            yield ["id", "title", "experiment", "started", "status", *names]
            for run in self._runs:
                head = [run.get(k, "") for k in ("id", "title", "experiment", "started", "status")]
                yield [*head, *(_numbers(run).get(name, "") for name in names)]


class _RunsTable(QTableWidget):
    """Rows of runs; A and B choose the current one."""

    picked = Signal(int, int)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        _dress(self)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.horizontalHeader().setStretchLastSection(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_A: A, Qt.Key.Key_B: B}
        if event.key() in keys and self.currentRow() >= 0:
            self.picked.emit(self.currentRow(), keys[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)


class _Dot(QStyledItemDelegate):
    """A ring, filled where the run is chosen."""

    def __init__(self, panel: ComparePanel) -> None:
        super().__init__(panel)
        self._panel = panel

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        on = self._panel.is_chosen(index.row(), index.column())
        theme = self._panel.theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(theme.accent if on else theme.line_strong, 1.4))
        painter.setBrush(QColor(theme.accent) if on else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(option.rect.center(), 4, 4)
        painter.restore()


def flat_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as plain data into "Training · Learning rate" → 0.001, with the labels that the forms show."""
    flat: dict[str, Any] = {}
    for name, value in spec.items():
        if name in PARTS and isinstance(value, Mapping):
            kinds = variants(name)
            kind = next((value[k] for k in ("source", "family", "method") if k in value), "")
            labels = {p.name: p.label for p in parameters(kinds[kind])} if kind in kinds else {}
            for field, found in value.items():
                flat[f"{name.capitalize()} · {labels.get(field, field)}"] = found
        elif name != "title":
            flat[name.capitalize()] = value
    return flat


def _numbers(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run.get("numbers") or {}


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _right(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(_RIGHT)
    return item


def _plain_table(heads: Sequence[str]) -> QTableWidget:
    table = QTableWidget(0, len(heads))
    table.setHorizontalHeaderLabels(heads)
    _dress(table)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    return table


def _dress(table: QTableWidget) -> None:
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.setShowGrid(False)
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.setMinimumHeight(60)
