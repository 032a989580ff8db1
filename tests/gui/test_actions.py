from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from gui.actions import COMMANDS, MENUS, Actions
from gui.chrome.rail import STEPS


@pytest.fixture
def window(qtbot, theme):
    made = QMainWindow()
    qtbot.addWidget(made)
    made.actions_ = Actions(made, theme)
    return made


def test_every_command_has_its_own_id_and_a_help_and_a_menu():
    ids = Counter(command.id for command in COMMANDS)
    assert max(ids.values()) == 1
    for command in COMMANDS:
        assert command.help
        assert command.menu in MENUS


def test_no_two_commands_and_no_step_of_the_rail_share_a_key(qapp):
    keys = Counter(key.toString() for command in COMMANDS for key in command.shortcuts())
    keys.update(QKeySequence(str(number)).toString() for number in range(1, len(STEPS) + 1))
    assert [key for key, count in keys.items() if count > 1] == []


def test_menus_hold_every_command_once(window):
    menus = window.actions_.fill(window.menuBar())
    assert tuple(menus) == MENUS
    held = [action for menu in menus.values() for action in menu.actions() if not action.isSeparator()]
    assert len(held) == len(COMMANDS)
    assert {action.text() for action in held} == {command.text for command in COMMANDS}


def test_a_key_calls_what_is_bound(window, qtbot):
    called = []
    window.actions_.bind("run.start", called.append, "run")
    window.actions_.bind("view.centred", called.append)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert called == ["run", True]


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (
            "idle",
            {
                "run.step_action",
                "run.all",
                "run.start",
                "run.step",
                "run.decision_map",
                "run.class_matrix",
                "run.attack_checks",
                "run.robustness",
                "run.takeover",
                "run.falsifier",
                "run.null",
                "run.layers",
                "run.repeats",
                "run.bell",
                "run.structure",
                "run.all_pairs",
                "run.vulnerability",
                "run.transferability",
                "run.complexity",
                "run.max_likelihood",
                "run.reconciliation",
                "run.price",
                "run.hardening",
            },
        ),
        ("running", {"run.pause", "run.stop"}),
        ("paused", {"run.start", "run.step", "run.stop"}),
        ("stopping", set()),
    ],
)
def test_the_run_state_decides_what_can_be_used(window, state, allowed):
    window.actions_.set_state(state)
    usable = {command.id for command in COMMANDS if command.menu == "Run" and window.actions_[command.id].isEnabled()}
    assert usable == {*allowed, "run.sweep", "run.sweep_pause", "run.sweep_stop"}, "a sweep has an engine of its own"


def test_of_the_themes_one_is_chosen(window):
    actions = window.actions_
    actions["view.theme_dark"].trigger()
    actions["view.theme_light"].trigger()
    assert actions["view.theme_light"].isChecked()
    assert not actions["view.theme_dark"].isChecked()


def test_the_list_of_keys_names_every_key(window):
    listed = {help: keys for keys, help in window.actions_.key_list()}
    assert listed["Run, or go on after a pause"] == "F5"
    assert len(listed) == sum(bool(command.shortcuts()) for command in COMMANDS)
