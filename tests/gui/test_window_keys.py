"""Everything by keyboard, and a name for everything."""

from __future__ import annotations

import pytest
from conftest import unnamed
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QWhatsThis

from gui.actions import COMMANDS


@pytest.fixture
def unbound(person, window):
    """Every action with its own doing taken away, so that only the key is tried."""
    fired: list[str] = []
    for command in COMMANDS:
        action = window.actions_[command.id]
        action.triggered.disconnect()
        action.setEnabled(True)
        action.triggered.connect(lambda _=False, id=command.id: fired.append(id))
    return fired


def test_every_key_reaches_its_command_and_no_other(person, unbound):
    of_their_own = (Qt.Key.Key_Undo, Qt.Key.Key_Redo)  # on some keyboards; QTest cannot press them
    for command in COMMANDS:
        for key in command.shortcuts():
            if key[0].key() in of_their_own:
                continue
            unbound.clear()
            person.press(key.toString())
            assert unbound == [command.id], key.toString()


def test_every_command_is_in_a_menu_with_a_tip(window):
    shown = {action for menu in window.menuBar().actions() for action in menu.menu().actions()}
    for command in COMMANDS:
        action = window.actions_[command.id]
        assert action in shown, command.id
        assert action.toolTip()


def test_the_numbers_choose_the_steps_of_the_rail(person, window):
    for number, key in enumerate(("data", "model", "train", "attack", "entangle", "sweep", "compare", "report"), 1):
        person.press(str(number))
        assert window.rail.current == key
        assert window.step_stack.currentWidget() is window.step_forms[key]


def test_the_commands_follow_the_run(person, window):
    def usable() -> set[str]:
        names = ("run.start", "run.pause", "run.step", "run.stop")
        return {name for name in names if window.actions_[name].isEnabled()}

    assert usable() == {"run.start", "run.step"}
    person.press("8")
    person.press("F7")
    person.wait(lambda: window.jobs.state == "paused")
    assert usable() == {"run.start", "run.step", "run.stop"}
    person.press("F5")
    person.wait(lambda: window.jobs.state != "paused")
    person.wait_for_job()
    assert usable() == {"run.start", "run.step"}


def test_a_run_is_driven_by_keys_alone(open_lab):
    from person import LONG

    person = open_lab(spec=LONG)
    window = person.window
    person.press("3")
    person.press("Ctrl+Return")
    person.wait(lambda: len(window.stage.table("steps")) > 5)
    person.press("F6")
    person.wait(lambda: window.jobs.state == "paused")
    person.press("F7")
    person.press("F5")
    person.wait(lambda: window.jobs.state == "running")
    person.press("F8")
    person.wait_for_job()
    assert [run.status for run in window.lab.session.runs()] == ["cancelled"]


def test_moments_and_the_view_are_reached_by_keys(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    last = window.stage.instants[-1]
    person.press(",")
    assert window.stage.moment == window.stage.instants[-2]
    person.press(".")
    assert window.stage.moment == last
    person.press("L")
    assert window.stage.live
    person.press("C")
    assert window.selection.view == "uncentred"
    assert not window.actions_["view.centred"].isChecked()
    person.press("C")
    assert window.selection.view == "centred"


def test_the_log_the_jobs_and_the_help_open_and_close_by_keys(person, window):
    person.press("Ctrl+L")
    assert window.docks.is_shown("log")
    person.press("Ctrl+J")
    assert window.jobs_popup.isVisible()
    person.press("Esc", window.jobs_popup)
    assert not window.jobs_popup.isVisible()
    person.come_back()
    for key, title in (("F1", "User's guide"), ("Ctrl+/", "Keyboard")):
        person.press(key)
        (dialog,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        assert dialog.windowTitle() == title
        assert unnamed(dialog) == []
        dialog.close()
        person.come_back()
    person.press("Shift+F1")
    assert QWhatsThis.inWhatsThisMode()
    QWhatsThis.leaveWhatsThisMode()


def test_everything_that_can_be_worked_with_has_a_name(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    person.drawn()
    window.notices.show_error("Something to read.", buttons=(("Mend it", lambda: None),))
    window.notices.show_bug("Something broke.", "Traceback …")
    person.press("F7")  # a job, so that the list of jobs has something to press
    person.wait(lambda: window.jobs.state == "paused")
    person.press("Ctrl+J")
    assert unnamed(window) == []
    window.jobs_popup.close()


def test_every_step_and_panel_is_named_for_a_screen_reader(window):
    assert window.accessibleName() or window.windowTitle()
    for form in window.step_forms.values():
        assert form.accessibleName()
    for panel in window.docks.panels:
        assert panel.accessibleName()


def test_tab_goes_through_the_form_in_order_of_its_fields(person, window):
    person.step("attack")
    form = person.form("attack")
    order = [form.field(name) for name in ("eps", "goal", "samples", "stop", "alpha", "steps")]
    order[0].setFocus()
    seen = [QApplication.focusWidget()]
    for _ in order[1:]:
        person.press("Tab", QApplication.focusWidget())
        seen.append(QApplication.focusWidget())
    assert seen == order
