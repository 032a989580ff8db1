"""A sweep while it runs and afterwards: how far it is, and the table of its points."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui.icons import icon
from gui.panels.base import Panel
from gui.panels.labels import ElidedLabel
from gui.panels.sweep.model import PAGE, STATUS, PointsModel, Read
from gui.panels.sweep.table import PointsTable
from gui.panels.sweep.words import STATUSES, cell, counts_text, plain_counts
from gui.plots.boxes import fill_box, quiet_box
from gui.plots.flow import FlowRow
from gui.selection import Selection
from gui.sidebyside import MOST
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.sweep.store import PointRow, SweepStore

COPIED = 10_000  # rows at most that are copied or acted upon at once
ROW_COMMANDS = (
    ("open", "Open as session", "Return", "A new session with this point's settings and its trained network"),
    (
        "compare",
        "Compare side by side",
        "B",
        "The chosen networks in columns: their numbers, and where their settings differ",
    ),
    ("cancel", "Cancel", "Del", "Take the chosen points out of the sweep"),
    ("retry", "Retry", "R", "Run the chosen points again, those that failed or were cancelled"),
    ("copy", "Copy row", "Ctrl+C", "Copy the chosen rows with their headings, to paste into a table"),
)


class SweepPanel(Panel):
    """The open sweep. Its signals ask for what is done: to run, to pause, to stop, to open a file, to use points."""

    key = "sweep"
    title = "Sweep"
    empty_text = (
        "No sweep is open. On the Sweep step choose what varies and press the big button, or open a sweep file: its points go "
        "on where they were left."
    )

    run_requested = Signal()
    pause_requested = Signal()
    stop_requested = Signal()
    file_requested = Signal()  # ask for a sweep file and open it
    step_requested = Signal()  # show the Sweep step
    settings_requested = Signal()  # put the sweep's settings into the forms
    open_requested = Signal(int)  # a point
    compare_requested = Signal(object)  # points
    cancel_requested = Signal(object)  # points
    retry_requested = Signal(object)
    point_chosen = Signal(object)  # the point at hand, or None

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self.read: Read = lambda work, done: done(work())  # the window does it in the background
        self._state = "none"
        self._left = ""
        self._counts: dict[str, int] = {}
        self._wanted: int | None = None  # a point to go to once its place is known

        self.model = PointsModel(lambda work, done: self.read(work, done), self)
        self.table = PointsTable(self.model, theme)
        self.run_button = self._button(
            "Run", "play", "Run the points that wait, or go on after a pause", self.run_requested
        )
        self.pause_button = self._button(
            "Pause", "pause", "Start no more points; those that run are finished", self.pause_requested
        )
        self.stop_button = self._button(
            "Stop", "stop", "Stop now; finished points are kept, running ones wait again", self.stop_requested
        )
        self.status_box = quiet_box("Points shown", "Show only the points with one status")
        self.status_box.activated.connect(self._on_status)
        self.settings_button = QPushButton("Take its settings")
        self.settings_button.setProperty("role", "link")
        self.settings_button.setToolTip("Put the settings of this sweep into the forms; can be undone")
        self.settings_button.clicked.connect(self.settings_requested)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress of the sweep")
        self.bar.setFixedHeight(6)
        self.counts_label = QLabel()
        self.counts_label.setProperty("role", "small")
        self.counts_label.setWordWrap(True)
        self.left_label = QLabel()
        self.left_label.setProperty("role", "small")
        self.reason = ElidedLabel()
        self.reason.setProperty("role", "error")
        self.reason.hide()

        self._first = FlowRow(
            [self.run_button, self.pause_button, self.stop_button, self.status_box, self.settings_button], gap=4
        )
        second = QHBoxLayout()
        second.setSpacing(10)
        second.addWidget(self.counts_label, 1)
        second.addWidget(self.left_label)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._first)
        column.addWidget(self.bar)
        column.addLayout(second)
        column.addWidget(self.table, 1)
        column.addWidget(self.reason)
        self.set_body(body)
        for text, asked in (("Choose what varies", self.step_requested), ("Open a sweep…", self.file_requested)):
            link = QPushButton(text)
            link.setProperty("role", "link")
            link.clicked.connect(asked)
            self.add_empty_action(link)

        self.menu = QMenu(self.table)
        self.menu.setAccessibleName("What can be done with points")
        self.menu.setToolTipsVisible(True)
        self.row_actions = {}
        for what, text, keys, tip in ROW_COMMANDS:
            action = self.menu.addAction(text, partial(self.table.ask, what))
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # shown; the table hears the keys itself
            action.setToolTip(tip)
            self.row_actions[what] = action
        self.table.customContextMenuRequested.connect(self._on_menu)
        self.table.asked.connect(self._on_asked)
        self.table.current_changed.connect(self._on_current)
        self.model.counted.connect(self._on_counts)
        self.model.troubled.connect(self.failed)
        self.set_state("none")

    def _button(self, text: str, picture: str, tip: str, asked: Any) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("picture", picture)
        button.setAccessibleName(f"{text} the sweep")
        button.setToolTip(tip)
        button.setIconSize(QSize(14, 14))
        button.clicked.connect(asked)
        return button

    # --- told by the window --------------------------------------------------------------------------------------

    def set_store(self, store: SweepStore | None) -> None:
        """Show another sweep, or none."""
        self._left, self._counts = "", {}
        self._wanted = None
        self.table.forget()
        self.status_box.setCurrentIndex(0)
        self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.model.set_store(store)
        if store is None:
            self.clear()
        else:
            self._say()
            self.show_content()

    def clear(self) -> None:
        if self.model.store is None:  # the open sweep is none of the session's
            super().clear()

    def set_state(self, state: str) -> None:
        """none, opening, idle, running, paused or stopping."""
        if state != self._state:
            self._left = ""
        self._state = state
        waiting = self._counts.get("waiting", 0) + self._counts.get("running", 0)
        self.run_button.setEnabled(state == "paused" or (state == "idle" and waiting > 0))
        self.run_button.setText("Go on" if state == "paused" or self._counts.get("finished") else "Run")
        self.pause_button.setEnabled(state == "running")
        self.stop_button.setEnabled(state in ("running", "paused"))
        self._first.arrange()
        if state == "opening":
            self.show_empty("Opening the sweep…")
        elif state == "none":
            self.show_empty()
        self._say_time()

    def set_progress(self, text: str) -> None:
        """What the run says of itself: its last words are the time that is left."""
        last = text.rpartition(", ")[2]
        self._left = last if last.endswith("left") else ""
        self._say_time()

    def refresh(self) -> None:
        """The file has changed."""
        self.model.refresh()

    def go_to(self, point: int) -> None:
        """Choose a point and bring its row into view, whatever is sorted or left out now."""
        self._wanted = point
        if self.model.in_order:
            self._go(point, point)
            return
        places = {each: place for place, each in self.model.places()}
        if point in places:
            self._go(point, places[point])
        else:  # its place is not known: in the order of the points it is
            self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self.status_box.setCurrentIndex(0)
            self.model.sort(-1)
            self.model.set_status(None)
            self._go(point, point)

    def _go(self, point: int, place: int) -> None:
        self._wanted = None
        if place < self.model.rowCount():
            self.table.choose(point, place)

    # --- what is said --------------------------------------------------------------------------------------------

    @Slot(object)
    def _on_counts(self, counts: dict[str, int]) -> None:
        self._counts = counts
        total = sum(counts.values())
        over = total - counts.get("waiting", 0) - counts.get("running", 0)
        self.bar.setMaximum(max(1, total))
        self.bar.setValue(over)
        self.counts_label.setText(counts_text(counts, self.theme))
        self.counts_label.setAccessibleName(plain_counts(counts))
        there = [status for status in STATUSES if counts.get(status) or status == self._status()]
        items = [("All points", None), *((f"Only {status}", status) for status in there)]
        fill_box(self.status_box, items, self._status())
        self.set_state(self._state)
        self._say()

    def _say(self) -> None:
        store = self.model.store
        if store is None:
            self.set_subtitle("")
            return
        total = sum(self._counts.values())
        self.set_subtitle(f"{Path(store.path).stem} · {total:,} point{'s' if total != 1 else ''}" if total else "")

    def _say_time(self) -> None:
        words = {"running": self._left or "running", "paused": "paused", "stopping": "stopping…"}
        text = words.get(self._state, "")
        if self._state == "idle" and self._counts and not self._counts.get("waiting"):
            text = "all points are done"
        self.left_label.setText(text)

    @Slot(object)
    def _on_current(self, point: int | None) -> None:
        row = self._row_of(point)
        text = f"Point {row.id}: {row.error}" if row is not None and row.error else ""
        self.reason.set_text(text)
        self.reason.setVisible(bool(text))
        self.point_chosen.emit(point)

    def _row_of(self, point: int | None) -> PointRow | None:
        place = next((place for place, each in self.model.places() if each == point), None)
        return self.model.row(place) if place is not None else None

    # --- asked by a person ---------------------------------------------------------------------------------------

    def _status(self) -> str | None:
        found = self.status_box.currentData()
        return str(found) if found else None

    @Slot(int)
    def _on_status(self, _place: int) -> None:
        self.model.set_status(self._status())

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        self.offer()
        self.menu.popup(self.table.viewport().mapToGlobal(at))

    def offer(self) -> None:
        """Allow in the menu what the chosen points allow."""
        rows = [row for row in (self._row_of(point) for point in self.table.chosen) if row is not None]
        unseen = len(rows) < len(self.table.chosen)
        states = {row.status for row in rows}
        self.row_actions["open"].setEnabled(len(rows) == 1 and rows[0].status == "finished")
        finished = sum(row.status == "finished" for row in rows)
        self.row_actions["compare"].setEnabled(
            2 <= len(self.table.chosen) <= MOST and finished == len(self.table.chosen)
        )
        self.row_actions["cancel"].setEnabled(unseen or bool(states & {"waiting", "running"}))
        self.row_actions["retry"].setEnabled(unseen or bool(states & {"failed", "cancelled"}))
        self.row_actions["copy"].setEnabled(bool(self.table.ranges()))

    @Slot(str, object)
    def _on_asked(self, what: str, _points: object) -> None:
        if what == "open":
            row = self._row_of(self.table.current)
            if row is not None and row.status == "finished":
                self.open_requested.emit(row.id)
            elif row is not None:
                self.failed.emit(f"Point {row.id} is {row.status}: only a finished point can be opened as a session.")
            return
        wanted = {"cancel": ("waiting", "running"), "retry": ("failed", "cancelled")}.get(what, STATUSES)

        def done(rows: list[PointRow]) -> None:
            if what == "copy":
                self._copy(rows)
                return
            if what == "compare":
                self._compare(rows)
                return
            points = [row.id for row in rows if row.status in wanted]
            if points:
                (self.cancel_requested if what == "cancel" else self.retry_requested).emit(points)
            elif rows:
                self.failed.emit(f"Nothing to {what}: that is for points that are {' or '.join(wanted)}.")

        self._with_chosen(done)

    def _compare(self, rows: Sequence[PointRow]) -> None:
        others = [row for row in rows if row.status != "finished"]
        if not 2 <= len(rows) <= MOST:
            many = f"{len(rows):,} {'is' if len(rows) == 1 else 'are'}"
            self.failed.emit(f"Choose two to {MOST} points to compare side by side; {many} chosen.")
        elif others:
            self.failed.emit(f"Point {others[0].id} is {others[0].status}: only finished points can be compared.")
        else:
            self.compare_requested.emit([row.id for row in rows])

    def _with_chosen(self, done: Callable[[list[PointRow]], None]) -> None:
        """Read the chosen rows, those too that were never in view."""
        store, ranges = self.model.store, self.table.ranges()
        if store is None or not ranges:
            return
        view, in_order = self.model.view(), self.model.in_order
        # what is sorted moves while the sweep goes on: rows that are shown are taken by their points
        shown = {} if in_order else dict(self.model.places())

        def work() -> list[PointRow]:
            rows: list[PointRow] = []
            for first, count in ranges:
                last = first + min(count, COPIED - len(rows))
                for is_shown, places in groupby(range(first, last), key=shown.__contains__):
                    run = list(places)
                    rows += [store.row(shown[k]) for k in run] if is_shown else store.page(run[0], len(run), **view)
            return rows

        self.read(work, done)

    def _copy(self, rows: Sequence[PointRow]) -> None:
        lines = ["\t".join(self._heads()), *("\t".join(map(str, self._line(row))) for row in rows)]
        QGuiApplication.clipboard().setText("\n".join(lines))
        self.exported.emit(f"{len(rows)} row{'s' if len(rows) != 1 else ''} copied.")

    # --- look and export -----------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for button in (self.run_button, self.pause_button, self.stop_button):
            button.setIcon(icon(str(button.property("picture")), theme, theme.text if button.isEnabled() else None))
        self.table.set_theme(theme)
        self.counts_label.setText(counts_text(self._counts, theme))

    def _heads(self) -> list[str]:
        return ["point", *(self.model.key(column) for column in range(self.model.columnCount())), "error"]

    def _line(self, row: PointRow) -> list[Any]:
        measured = row.row or {}
        cells = []
        for column in range(self.model.columnCount()):
            key, found = self.model.key(column), self.model.column(column)
            value = row.status if found is None else row.values.get(key) if found.kind == "axis" else measured.get(key)
            cells.append("" if value is None else value)
        return [row.id, *cells, row.error or ""]

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every point of the sweep, as the table is sorted and filtered."""
        return self._lines() if self.model.store is not None and self.model.rowCount() else ()

    def _lines(self) -> Iterator[list[Any]]:
        store, view = self.model.store, self.model.view()
        if store is None:
            return
        yield self._heads()
        for first in range(0, self.model.rowCount(), PAGE * 16):
            for row in store.page(first, PAGE * 16, **view):
                yield self._line(row)

    def _write_csv(self, path: Path) -> None:
        """In the background: a large sweep takes longer than a window may wait."""
        with path.open("w", newline="", encoding="utf-8"):
            pass  # what cannot be written is said at once

        def work() -> None:
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(self._lines())

        self.read(work, lambda _: None)


__all__ = ["PAGE", "STATUS", "SweepPanel", "cell"]
