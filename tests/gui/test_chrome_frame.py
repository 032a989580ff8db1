import itertools
import time
from datetime import datetime

import numpy as np
import pace
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QWidget

from engine.specs import PgdSpec
from gui.chrome.inspector import Inspector, Row, Section, to_image
from gui.chrome.jobs import Job, JobsPopup
from gui.chrome.log import LogPanel
from gui.chrome.notice import NoticeBar
from gui.chrome.rail import STEPS, Rail, Tall
from gui.chrome.status import StatusBar
from gui.chrome.step_form import StepForm
from gui.forms.form import SpecForm


@pytest.fixture
def shown(qtbot):
    def shown(widget, width=300, height=500):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        return widget

    return shown


# --- rail -----------------------------------------------------------------------------------------------------


def test_the_rail_chooses_by_click_number_and_arrow(shown, theme, qtbot):
    rail = shown(Rail(theme))
    rail.activateWindow()
    qtbot.waitUntil(rail.isActiveWindow)
    assert rail.current == "data"
    with qtbot.waitSignal(rail.step_chosen) as told:
        qtbot.mouseClick(rail.button("attack"), Qt.MouseButton.LeftButton)
    assert told.args == ["attack"] == [rail.current]
    with qtbot.waitSignal(rail.step_chosen) as told:
        qtbot.keyClick(rail, Qt.Key.Key_2)
    assert told.args == ["model"]
    rail.button("model").setFocus()
    qtbot.keyClick(rail.button("model"), Qt.Key.Key_Down)
    assert rail.current == "train"


def test_the_rail_is_set_without_telling_and_ticks_what_is_done(shown, theme, qtbot):
    rail = shown(Rail(theme))
    with qtbot.assertNotEmitted(rail.step_chosen):
        rail.set_current("report")
    assert rail.current == "report"
    before = rail.button("train").grab().toImage()
    rail.set_done("train", True)
    assert rail.button("train").grab().toImage() != before
    assert rail.button("train").accessibleDescription() == "done"
    rail.set_done("train", False)
    assert not rail.is_done("train")
    assert unnamed(rail) == []
    assert len(STEPS) == 8


# --- the step form --------------------------------------------------------------------------------------------


def test_the_big_button_asks_and_waits_while_a_field_is_not_valid(shown, theme, qtbot):
    step = shown(StepForm("attack", "Attack", theme))
    form = SpecForm("attack", PgdSpec(), theme)
    step.add_form(form)
    step.set_action("Attack 300 samples")
    with qtbot.waitSignal(step.action_requested):
        qtbot.mouseClick(step.action_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(step.run_all_requested):
        qtbot.mouseClick(step.run_all_button, Qt.MouseButton.LeftButton)
    field = form.field("eps")
    field.selectAll()
    qtbot.keyClicks(field, "-5")
    assert not step.action_button.isEnabled()
    assert "Mend" in step._note.text()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert step.action_button.isEnabled()
    assert not step._note.isVisible()


def test_an_action_can_be_refused_with_its_reason(shown, theme):
    step = shown(StepForm("compare", "Compare", theme))
    step.set_action("Compare", enabled=False, tip="Two runs are needed.", run_all=False)
    assert not step.action_button.isEnabled()
    assert step.action_button.toolTip() == "Two runs are needed."
    assert not step.run_all_button.isVisible()
    assert unnamed(step) == []


def test_forms_above_each_other_have_their_fields_in_line(shown, theme):
    from engine.specs import ExperimentSpec, IdxSpec

    step = shown(StepForm("data", "Data", theme))
    first, second = SpecForm("dataset", IdxSpec(), theme), SpecForm("experiment", ExperimentSpec(), theme)
    step.add_form(first)
    step.add_form(second)
    left = [form.field(name).mapTo(step, form.field(name).rect().topLeft()).x()
            for form, name in ((first, "test_limit"), (second, "seed"))]  # fmt: skip
    assert left[0] == left[1]


# --- the inspector --------------------------------------------------------------------------------------------


def test_the_inspector_shows_numbers_sections_and_pictures_and_copies_them(shown, theme, qtbot):
    inspector = shown(Inspector(theme))
    assert inspector._empty.isVisible()
    assert not inspector.copy_button.isEnabled()
    image = np.zeros((1, 8, 8), np.float32)
    inspector.set_content(
        "Sample 2",
        [(image, "x"), (image + 1, "x_adv")],
        [("true", "1"), Row("C with target", "+0.83", "accent")],
        [Section("At layer 5", [("same class", "+0.71")])],
        "attack step 23",
    )
    assert not inspector._empty.isVisible()
    qtbot.mouseClick(inspector.copy_button, Qt.MouseButton.LeftButton)
    expected = "Sample 2\ntrue\t1\nC with target\t+0.83\n\nAt layer 5\nsame class\t+0.71"
    assert QGuiApplication.clipboard().text() == expected
    visible = {label.text() for label in inspector.findChildren(QLabel) if label.isVisible()}
    assert {"Sample 2", "true", "+0.83", "At layer 5", "x_adv"} <= visible
    inspector.set_content("Layer 3", rows=[("width", "128")])
    visible = {label.text() for label in inspector.findChildren(QLabel) if label.isVisible()}
    assert "x_adv" not in visible
    assert "At layer 5" not in visible
    assert unnamed(inspector) == []
    inspector.clear()
    assert inspector._empty.isVisible()


def test_the_inspector_is_filled_in_a_few_milliseconds(shown, theme):
    inspector = shown(Inspector(theme))
    image = np.random.default_rng(0).random((3, 32, 32))
    steps = itertools.count()

    def fill():
        step = next(steps)
        inspector.set_content("Sample", image, [(f"row {i}", f"{i * step}") for i in range(12)])

    assert pace.least(fill, 0.01) < 0.01


def test_pictures_are_exact_and_vectors_have_none():
    ramp = np.linspace(0, 1, 4, dtype=np.float32).reshape(1, 2, 2)
    image = to_image(ramp)
    assert [image.pixelColor(x, y).red() for y in range(2) for x in range(2)] == [0, 85, 170, 255]
    colour = to_image(np.stack([np.ones((2, 3)), np.zeros((2, 3)), np.full((2, 3), np.nan)]))
    assert (colour.width(), colour.height()) == (3, 2)
    assert colour.pixelColor(2, 1).getRgb()[:3] == (255, 0, 0)
    assert to_image(np.zeros(64)) is None
    assert to_image(np.zeros((2, 4, 4))) is None


def test_the_inspector_holds_one_small_plot(shown, theme, qtbot):
    inspector = shown(Inspector(theme))
    inspector.set_content("Pair 1 and 2", rows=[("C", "0.5")])
    first, second = QWidget(), QWidget()
    inspector.set_plot(first)
    qtbot.waitUntil(first.isVisible)
    inspector.set_plot(second)
    qtbot.waitUntil(second.isVisible)
    inspector.clear()
    assert not second.isVisible()


# --- status, log, notices, jobs -------------------------------------------------------------------------------


def test_the_status_line_shows_facts_and_forgets_messages(shown, theme, qtbot):
    status = shown(StatusBar(), 900, 24)
    status.set_device("CPU · 1 thread")
    status.set_rate(211.7)
    status.set_memory(612 * 2**20)
    status.set_session("a.rapidity · saved 12:04")
    assert [status.text(name) for name in ("device", "rate", "memory")] == ["CPU · 1 thread", "212 steps/s", "612 MB"]
    status.set_rate(3.14)
    assert status.text("rate") == "3.1 steps/s"
    status.set_rate(None)
    assert status.text("rate") == ""
    status.show_message("Copied.", seconds=0.05)
    assert status.message == "Copied."
    qtbot.waitUntil(lambda: status.message == "", timeout=2000)


def test_the_log_keeps_times_and_levels_filters_and_copies(shown, theme, selection, qtbot):
    log = shown(LogPanel(selection, theme), 500, 300)
    assert log.is_empty
    noon = datetime(2026, 1, 2, 12, 0, 5)
    log.append("info", "Engine ready", noon)
    log.append("error", "Loss became NaN.\nLower the rate.", noon)
    assert not log.is_empty
    assert "12:00:05  Engine ready" in log.view.toPlainText()
    log.filter.setFocus()
    qtbot.keyClick(log.filter, Qt.Key.Key_End)
    assert "Engine ready" not in log.view.toPlainText()
    assert "Lower the rate" in log.view.toPlainText()
    log.copy_text()
    assert QGuiApplication.clipboard().text().startswith("12:00:05  error")
    assert list(log.csv_rows())[1] == ("2026-01-02T12:00:05", "info", "Engine ready")
    log.set_theme(type(theme).light())
    assert "Lower the rate" in log.view.toPlainText()
    assert unnamed(log) == []
    log.clear()
    assert log.is_empty


def test_the_log_takes_a_burst_of_lines_and_keeps_the_latest(shown, theme, selection):
    log = shown(LogPanel(selection, theme), 500, 300)
    begin = time.thread_time()
    for number in range(5100):
        log.append("info", f"line {number}")
    assert time.thread_time() - begin < 5100 * 0.002 * pace.slowness()
    assert len(log.lines) == 5000
    assert log.lines[-1].text == "line 5099"
    assert log.view.blockCount() <= 5000
    assert log.view.verticalScrollBar().value() == log.view.verticalScrollBar().maximum()


def test_notices_have_buttons_replace_their_like_and_go_away(shown, theme, qtbot):
    bar = shown(NoticeBar(theme), 800, 100)
    bar.clear()
    assert not bar.isVisible()
    pressed = []
    notice = bar.show_notice(
        "A session was not closed.", level="warning", buttons=[("Recover", lambda: pressed.append(1))], key="r"
    )
    assert bar.isVisible()
    bar.show_notice("A session was not closed, again.", level="warning", key="r")
    assert [n.text for n in bar.notices] == ["A session was not closed, again."]
    notice = bar.show_notice("Two.", buttons=[("Recover", lambda: pressed.append(2))])
    qtbot.mouseClick(notice.buttons["Recover"], Qt.MouseButton.LeftButton)
    assert pressed == [2]
    assert len(bar.notices) == 1
    qtbot.mouseClick(bar.notices[0].close_button, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_no_more_than_three_notices_stand_at_once(shown, theme):
    bar = shown(NoticeBar(theme), 800, 300)
    for number in range(5):
        bar.show_error(f"Error {number}.")
    assert [notice.text for notice in bar.notices] == ["Error 4.", "Error 3.", "Error 2."]


def test_a_bug_opens_its_traceback_and_copies_it(shown, theme, qtbot):
    bar = shown(NoticeBar(theme), 800, 300)
    notice = bar.show_bug("training stopped.", "Traceback: line 1")
    qtbot.waitUntil(notice.isVisible)
    assert not notice._details.isVisible()
    qtbot.mouseClick(notice.buttons["Details"], Qt.MouseButton.LeftButton)
    assert notice._details.isVisible()
    qtbot.mouseClick(notice.buttons["Copy"], Qt.MouseButton.LeftButton)
    assert "Traceback: line 1" in QGuiApplication.clipboard().text()
    assert "training stopped." in QGuiApplication.clipboard().text()
    assert len(bar.notices) == 1
    assert unnamed(bar) == []


def test_escape_dismisses_the_notice_in_use(shown, theme, qtbot):
    bar = shown(NoticeBar(theme), 800, 300)
    notice = bar.show_error("Wrong.")
    bar.activateWindow()
    qtbot.waitUntil(bar.isActiveWindow)
    notice.close_button.setFocus()
    qtbot.keyClick(notice.close_button, Qt.Key.Key_Escape)
    assert bar.notices == ()


def test_jobs_can_be_paused_resumed_and_cancelled_from_the_list(shown, theme, qtbot):
    popup = JobsPopup(theme)
    qtbot.addWidget(popup)
    popup.set_jobs([Job(1, "Train", "running", 3, 10), Job(2, "Attack", "waiting"), Job(3, "Old", "finished")])
    popup.show()
    first = popup.row(1)
    with qtbot.waitSignal(popup.pause_requested) as told:
        qtbot.mouseClick(first.pause, Qt.MouseButton.LeftButton)
    assert told.args == [1]
    popup.set_jobs([Job(1, "Train", "paused", 3, 10), Job(2, "Attack", "waiting")])
    assert popup.row(1) is first, "rows that are there are kept"
    with qtbot.waitSignal(popup.resume_requested):
        qtbot.mouseClick(first.pause, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(popup.cancel_requested) as told:
        qtbot.mouseClick(popup.row(2).cancel, Qt.MouseButton.LeftButton)
    assert told.args == [2]
    assert not popup.row(2).pause.isVisible()
    assert unnamed(popup) == []
    popup.set_jobs([])
    assert popup._empty.isVisible()
    qtbot.keyClick(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_the_rail_scrolls_where_the_window_is_too_low(shown, theme):
    rail = Rail(theme)
    area = shown(Tall(rail))
    area.resize(area.sizeHint().width(), 200)
    area.grab()
    assert area.minimumSizeHint().height() < 100
    assert rail.width() == area.viewport().width()
    assert rail.height() > area.viewport().height()
    area.ensureWidgetVisible(rail.button("report"))
    assert not rail.button("report").visibleRegion().isEmpty()
