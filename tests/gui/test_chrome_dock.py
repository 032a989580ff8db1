import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from gui.chrome.dock import DockArea
from gui.panels.base import Panel


def panel_class(name):
    class Made(Panel):
        key = name
        title = name.capitalize()

    return Made


@pytest.fixture
def area(qtbot, selection, theme):
    made = DockArea()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    for name, place in (
        ("training", {}),
        ("profile", {"below": "training"}),
        ("matrix", {"beside": "training"}),
        ("spacetime", {"beside": "profile"}),
        ("log", {"behind": "profile"}),
    ):
        panel = panel_class(name)(selection, theme)
        panel.set_body(QLabel(name))
        made.add_panel(panel, **place)
    made.show_panel("profile")
    made.show()
    qtbot.waitUntil(lambda: made.is_shown("spacetime"))
    made.arrange({"training": 500, "matrix": 500}, {"training": 350, "profile": 350})
    return made


def shown(area):
    return {panel.key for panel in area.shown_panels()}


ALL = {"training", "profile", "matrix", "spacetime"}  # the log is behind the profile


def test_panels_fill_the_area_in_two_rows(area):
    assert shown(area) == ALL
    training, matrix, profile = (area.dock(key).geometry() for key in ("training", "matrix", "profile"))
    assert training.top() == matrix.top() == 0
    assert matrix.left() > training.right()
    assert profile.top() > training.bottom()
    assert matrix.right() >= area.width() - 3


def test_the_title_bar_is_the_panel_s_own_header(area):
    dock = area.dock("training")
    assert dock.titleBarWidget() is area.panel("training").header
    assert dock.titleBarWidget().height() < 40


def test_a_panel_behind_a_tab_is_not_worth_drawing_until_it_comes_to_the_front(area, qtbot):
    assert not area.is_shown("log")
    with qtbot.waitSignal(area.shown_changed):
        area.show_panel("log")
    qtbot.waitUntil(lambda: area.is_shown("log"))
    assert not area.is_shown("profile")


def test_maximise_shows_one_alone_and_restore_brings_all_back(area, qtbot):
    before = {key: area.dock(key).geometry() for key in ALL}
    with qtbot.waitSignal(area.maximised_changed) as told:
        qtbot.mouseClick(area.panel("matrix").header.maximise_button, Qt.MouseButton.LeftButton)
    assert told.args == ["matrix"]
    qtbot.waitUntil(lambda: shown(area) == {"matrix"})
    assert area.dock("matrix").width() >= area.width() - 3
    assert area.panel("matrix").header.maximise_button.toolTip() == "Restore"
    qtbot.mouseClick(area.panel("matrix").header.maximise_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown(area) == ALL)
    assert {key: area.dock(key).geometry() for key in ALL} == before
    assert area.panel("matrix").header.maximise_button.toolTip() == "Maximise"


def test_a_closed_panel_comes_back_from_the_view_menu(area, qtbot):
    actions = {action.text(): action for action in area.view_actions()}
    area.dock("matrix").close()
    qtbot.waitUntil(lambda: "matrix" not in shown(area))
    assert not actions["Matrix"].isChecked()
    actions["Matrix"].trigger()
    qtbot.waitUntil(lambda: "matrix" in shown(area))


def test_a_layout_survives_as_text_even_from_a_maximised_window(area, qtbot):
    area.dock("matrix").close()
    area.maximise("profile")
    text = area.save_layout()
    area.reset_layout()
    qtbot.waitUntil(lambda: shown(area) == ALL)
    assert area.restore_layout(text)
    qtbot.waitUntil(lambda: shown(area) == ALL - {"matrix"})
    area.reset_layout()
    qtbot.waitUntil(lambda: shown(area) == ALL)


@pytest.mark.parametrize("text", ["", "not base64!", "bm8gbGF5b3V0"])
def test_a_layout_that_cannot_be_used_changes_nothing(area, text):
    assert not area.restore_layout(text)
    assert shown(area) == ALL


def test_showing_another_panel_ends_a_maximised_view(area, qtbot):
    area.maximise("matrix")
    area.show_panel("profile")
    assert area.maximised == ""
    qtbot.waitUntil(lambda: shown(area) == ALL)


def test_a_theme_reaches_every_panel(area, theme):
    light = type(theme).light()
    area.set_theme(light)
    assert all(panel.theme is light for panel in area.panels)
