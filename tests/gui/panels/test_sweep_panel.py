"""The table of a sweep: what stands in it, that it reads only what is seen, and that a choice follows its points."""

from __future__ import annotations

import csv

import pytest
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from sweep_files import SMALL, grid, made, outcome

from engine.errors import SweepError
from engine.sweep.store import SweepStore
from gui.panels.sweep.model import KEPT, PAGE
from gui.panels.sweep.panel import SweepPanel

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def show(qtbot, selection, theme, tmp_path):
    """Shows a panel on a known sweep; the file is read at once. Gives the panel and the sweep."""
    stores: list[SweepStore] = []

    def open_one(spec=SMALL, **how):
        panel = SweepPanel(selection, theme)
        qtbot.addWidget(panel)
        panel.resize(900, 420)
        panel.show()
        qtbot.waitExposed(panel)
        store = made(tmp_path / f"known-{len(stores)}.sweep", spec, **how)
        stores.append(store)
        panel.set_store(store)
        panel.set_state("idle")
        panel.table.grab()  # as painting does, it asks for the rows that are seen
        return panel, store

    yield open_one
    for store in stores:
        store.close()


def cells(panel, row):
    panel.model._page(row // PAGE)
    return [panel.model.data(panel.model.index(row, column)) for column in range(panel.model.columnCount())]


def test_axes_come_first_then_the_status_then_what_was_measured(show):
    panel, store = show(finished=46, failed=(5,), running=2)
    keys = [panel.model.key(column) for column in range(panel.model.columnCount())]
    assert keys[:4] == ["model.width", "model.depth", "seed", "status"] and "robust_accuracy" in keys[4:]
    assert "width" not in keys and "layers" in keys, "what an axis says is not said again"
    assert cells(panel, 6)[:4] == ["16", "2", "2", "finished"]
    assert cells(panel, 5)[:5] == ["16", "2", "1", "failed", "–"]
    assert cells(panel, 47)[3] == "running"
    shown = dict(zip(keys, cells(panel, 20), strict=True))
    assert shown["test_accuracy"] == f"{store.row(20).row['test_accuracy']:.4g}"
    assert panel.model.headerData(20, Qt.Orientation.Vertical) == "20"


def test_the_header_says_how_far_it_is(show):
    panel, _ = show(finished=30, failed=(5, 17), running=2)
    assert panel.counts_label.accessibleName() == "28 finished, 2 running, 2 failed, 16 waiting"
    assert (panel.bar.value(), panel.bar.maximum()) == (30, 48)
    assert panel.run_button.isEnabled() and panel.run_button.text() == "Go on"
    assert not panel.pause_button.isEnabled()
    panel.set_state("running")
    panel.set_progress("28 of 48 points, 2 failed, about 12 s left")
    assert panel.left_label.text() == "about 12 s left"
    assert panel.pause_button.isEnabled() and panel.stop_button.isEnabled() and not panel.run_button.isEnabled()
    assert unnamed(panel) == []


def test_a_failed_row_says_why(show, qtbot):
    panel, _ = show(finished=46, failed=(5,))
    view = panel.table
    assert panel.reason.isHidden()
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(panel.model.index(5, 0)).center())
    assert "smaller learning rate" in panel.reason.full_text and panel.reason.full_text.startswith("Point 5:")
    assert "smaller learning rate" in panel.model.data(panel.model.index(5, 3), Qt.ItemDataRole.ToolTipRole)
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(panel.model.index(6, 0)).center())
    assert panel.reason.isHidden()


def test_a_heading_sorts_once_up_twice_down_thrice_as_it_was(show, qtbot):
    panel, store = show()
    header = panel.table.horizontalHeader()
    column = next(c for c in range(panel.model.columnCount()) if panel.model.key(c) == "rapidity")
    panel.table.horizontalScrollBar().setValue(panel.table.columnViewportPosition(column))
    at = QPoint(header.sectionViewportPosition(column) + 30, header.height() // 2)
    wanted = sorted(range(48), key=lambda i: store.row(i).row["rapidity"])
    orders = []
    for _ in range(3):
        qtbot.mouseClick(header.viewport(), LEFT, pos=at)
        panel.table.grab()
        orders.append([panel.model.row(k).id for k in range(10)])
    assert orders == [wanted[:10], wanted[::-1][:10], list(range(10))]


def test_the_sorted_column_stays_in_view_where_a_point_is_chosen(show, qtbot):
    panel, _ = show(finished=48)
    table = panel.table
    table.selectRow(2)
    column = next(c for c in range(panel.model.columnCount()) if panel.model.key(c) == "rapidity")
    table.scrollTo(panel.model.index(2, column))
    across = table.horizontalScrollBar().value()
    assert across > 0
    header = table.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(column) + 12, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
    table.grab()
    assert table.chosen == [2] and table.horizontalScrollBar().value() == across


def test_a_long_heading_is_cut_at_its_end_and_told_whole(show):
    panel, _ = show()
    header = panel.table.horizontalHeader()
    assert header.textElideMode() == Qt.TextElideMode.ElideRight
    for column in range(panel.model.columnCount()):
        tip = panel.model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        assert panel.model.column(column) is None or panel.model.label(column) in tip


def test_pages_beside_the_one_in_view_are_read_ahead(show):
    panel, _ = show(spec=grid(("model.width", tuple(range(8, 108))), ("seed", (0, 1, 2))))
    panel.table.grab()
    assert panel.model.row(PAGE) is not None and panel.model.row(2 * PAGE) is None
    panel.table.scrollTo(panel.model.index(2 * PAGE + 5, 0))
    panel.table.grab()
    panel.table.grab()
    assert panel.model.row(3 * PAGE) is not None


def test_only_failed_points_can_be_shown(show, qtbot):
    panel, _ = show(finished=46, failed=(5, 17))
    panel.status_box.setCurrentIndex(panel.status_box.findData("failed"))
    panel.status_box.activated.emit(panel.status_box.currentIndex())
    panel.table.grab()
    assert panel.model.rowCount() == 2
    assert [panel.model.row(k).id for k in range(2)] == [5, 17]
    assert panel.model.headerData(1, Qt.Orientation.Vertical) == "17"


def test_another_sweep_is_shown_whole_and_the_list_of_statuses_says_so(show, tmp_path):
    panel, _ = show(finished=46, failed=(5, 17))
    panel.status_box.setCurrentIndex(panel.status_box.findData("failed"))
    panel.status_box.activated.emit(panel.status_box.currentIndex())
    with made(tmp_path / "other.sweep", grid(("seed", (0, 1, 2))), failed=(1,)) as other:
        panel.set_store(other)
        assert panel.model.rowCount() == 3 and panel.status_box.currentText() == "All points"
        assert panel.subtitle == "other · 3 points"
        panel.set_store(None)


def test_a_large_sweep_is_never_read_as_a_whole(show):
    panel, _ = show(grid(("model.width", tuple(range(1, 1001))), ("seed", tuple(range(1000)))), finished=3)
    assert panel.model.rowCount() == 1_000_000
    bar = panel.table.verticalScrollBar()
    for k in range(60):
        bar.setValue(bar.maximum() * k // 59)
        panel.table.grab()
    assert panel.model.loaded <= PAGE * KEPT
    assert cells(panel, 999_999)[:4] == ["1000", "999", "waiting", "–"]


def test_what_is_shown_lives_and_stays_where_it_is(show, qtbot):
    spec = grid(("model.width", tuple(range(8, 108))), ("seed", (0, 1, 2, 3)))
    panel, store = show(spec, finished=100)
    panel.table.choose(60, 60)
    panel.table.verticalScrollBar().setValue(panel.table.rowHeight(0) * 55)
    panel.table.grab()
    place = panel.table.verticalScrollBar().value()
    before = cells(panel, 101)
    for index in range(100, 130):
        store.finish(outcome(store, index))
    panel.refresh()
    panel.table.grab()
    assert panel.table.verticalScrollBar().value() == place
    assert panel.table.chosen == [60] and [i.row() for i in panel.table.selectionModel().selectedRows()] == [60]
    assert before[2] == "waiting" and cells(panel, 101)[2] == "finished"


def test_the_first_finished_point_brings_its_columns_and_moves_nothing(show):
    spec = grid(("model.width", tuple(range(8, 108))), ("seed", (0, 1, 2, 3)))
    panel, store = show(spec, finished=0)
    assert [panel.model.key(c) for c in range(panel.model.columnCount())] == ["model.width", "seed", "status"]
    panel.table.verticalScrollBar().setValue(1000)
    panel.table.grab()
    panel.table.choose(60, 60)
    place = panel.table.verticalScrollBar().value()
    store.finish(outcome(store, 0))
    panel.refresh()
    panel.table.grab()
    assert panel.model.columnCount() > 10
    assert panel.table.verticalScrollBar().value() == place
    assert panel.table.chosen == [60] and [i.row() for i in panel.table.selectionModel().selectedRows()] == [60]


def test_a_choice_follows_its_point_where_rows_move(show):
    panel, store = show(finished=40)
    column = next(c for c in range(panel.model.columnCount()) if panel.model.key(c) == "status")
    panel.table.horizontalHeader().setSortIndicator(column, Qt.SortOrder.DescendingOrder)  # waiting, …, finished
    panel.table.grab()
    panel.table.choose(3, next(place for place, point in panel.model.places() if point == 3))
    old = panel.table.selectionModel().selectedRows()[0].row()
    for index in range(40, 48):
        store.finish(outcome(store, index))
    panel.refresh()
    panel.table.grab()
    new = [index.row() for index in panel.table.selectionModel().selectedRows()]
    assert panel.table.chosen == [3] and panel.model.row(new[0]).id == 3 and len(new) == 1
    assert panel.table.current == 3
    assert old >= 0


def test_points_are_opened_cancelled_retried_and_copied_by_key(show, qtbot):
    panel, _ = show(finished=30, failed=(5,))
    asked = []
    panel.open_requested.connect(lambda point: asked.append(("open", point)))
    panel.cancel_requested.connect(lambda points: asked.append(("cancel", points)))
    panel.retry_requested.connect(lambda points: asked.append(("retry", points)))
    refused = []
    panel.failed.connect(refused.append)
    panel.table.choose(7, 7)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    panel.table.choose(5, 5)
    QTest.keyClick(panel.table, Qt.Key.Key_R)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    assert refused == ["Point 5 is failed: only a finished point can be opened as a session."]
    panel.table.choose(40, 40)
    QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    assert asked == [("open", 7), ("retry", [5]), ("cancel", [40, 41])]
    QTest.keySequence(panel.table, "Ctrl+C")
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 3 and lines[0].startswith("point\tmodel.width\t") and lines[1].startswith("40\t")
    panel.table.selectAll()
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    assert asked[-1] == ("cancel", list(range(30, 48))), "rows that were never in view too"


def test_what_is_done_with_sorted_rows_is_done_with_their_points_wherever_they_are_by_then(show):
    panel, store = show(finished=40)
    column = next(c for c in range(panel.model.columnCount()) if panel.model.key(c) == "status")
    panel.table.horizontalHeader().setSortIndicator(column, Qt.SortOrder.DescendingOrder)  # waiting first
    panel.table.grab()
    place = next(place for place, point in panel.model.places() if point == 45)
    panel.table.choose(45, place)
    for index in range(40, 44):  # the file has gone on, and the table has not heard of it
        store.finish(outcome(store, index))
    asked = []
    panel.cancel_requested.connect(asked.append)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    assert asked == [[45]]


def test_two_to_six_finished_points_are_compared_by_key(show):
    panel, _ = show(finished=30, failed=(5,))
    asked, refused = [], []
    panel.compare_requested.connect(asked.append)
    panel.failed.connect(refused.append)

    def press_on(first, last):
        panel.table.choose(first, first)
        for _ in range(last - first):
            QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClick(panel.table, Qt.Key.Key_B)

    press_on(7, 9)
    assert asked == [[7, 8, 9]] and not refused
    press_on(7, 7)
    press_on(7, 13)
    press_on(4, 6)
    assert asked == [[7, 8, 9]]
    assert refused == [
        "Choose two to 6 points to compare side by side; 1 is chosen.",
        "Choose two to 6 points to compare side by side; 7 are chosen.",
        "Point 5 is failed: only finished points can be compared.",
    ]


def test_a_file_that_could_not_be_read_for_a_moment_is_read_again(show, monkeypatch):
    panel, store = show(finished=40)
    told = []
    panel.failed.connect(told.append)

    def locked(*_, **__):
        raise SweepError("The file cannot be read for now.")

    with monkeypatch.context() as trouble:
        trouble.setattr(SweepStore, "counts", locked)
        trouble.setattr(SweepStore, "page", locked)
        panel.refresh()
        panel.model._ask(0)
    assert told == ["The file cannot be read for now."] * 2
    store.finish(outcome(store, 40))
    panel.refresh()
    panel.table.grab()
    assert panel.model.counts["finished"] == 41 and cells(panel, 40)[3] == "finished"


def test_the_menu_allows_what_the_chosen_points_allow(show):
    panel, _ = show(finished=30, failed=(5,))

    def allowed(point):
        panel.table.choose(point, point)
        panel.offer()
        return {what for what, action in panel.row_actions.items() if action.isEnabled()}

    assert allowed(7) == {"open", "copy"}
    QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    panel.offer()
    assert panel.row_actions["compare"].isEnabled() and not panel.row_actions["open"].isEnabled()
    assert allowed(5) == {"retry", "copy"}
    panel.table.verticalScrollBar().setValue(10_000)
    panel.table.grab()
    assert allowed(40) == {"cancel", "copy"}


def test_the_numbers_are_exported_as_the_table_stands(show, tmp_path):
    panel, store = show(finished=40, failed=(5,))
    panel.ask_save = lambda *_: str(tmp_path / "points.csv")
    panel.save_csv()
    with (tmp_path / "points.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48 and rows[47]["status"] == "waiting" and "learning rate" in rows[5]["error"]
    assert float(rows[20]["rapidity"]) == store.row(20).row["rapidity"]


def test_without_a_sweep_it_says_what_to_do(show):
    panel, _ = show()
    assert not panel.is_empty
    panel.clear()
    assert not panel.is_empty, "another session does not close the sweep"
    panel.set_store(None)
    panel.set_state("none")
    assert panel.is_empty and panel.model.rowCount() == 0
