import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QToolTip

from gui.chrome.dock import DockArea
from gui.chrome.tab_menu import TabMenu
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


# --- tabs that do not fit ------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(area, selection, theme, qtbot):
    """Nine more panels behind the profile, more than there is room for."""
    for k in range(9):
        panel = panel_class(f"panel{k}")(selection, theme)
        panel.title, panel.tab = f"The whole title {k}", f"Short name {k}"
        panel.set_body(QLabel(panel.key))
        area.add_panel(panel, behind="log" if k == 0 else f"panel{k - 1}")
    area.show_panel("profile")
    qtbot.waitUntil(lambda: any(menu.isVisible() for menu in area.findChildren(TabMenu)))
    return area


def lists(area):
    return [menu for menu in area.findChildren(TabMenu) if menu.isVisible()]


def test_names_of_tabs_are_never_cut_and_a_button_lists_those_that_do_not_fit(crowded, qtbot):
    (button,) = lists(crowded)
    bar = button.parentWidget()
    assert bar.elideMode() == Qt.TextElideMode.ElideNone and button.text() == "11"
    assert button.geometry().right() == bar.width() - 1 and button.height() == bar.height()
    width = bar.fontMetrics().horizontalAdvance
    assert all(bar.tabRect(k).width() > width(bar.tabText(k)) for k in range(bar.count()))

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    menu = button.findChild(QMenu)
    titles = [action.text() for action in menu.actions()]
    assert titles == ["Profile", "Log", *(f"The whole title {k}" for k in range(9))]
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["Profile"]
    menu.actions()[9].trigger()
    menu.close()
    qtbot.waitUntil(lambda: crowded.is_shown("panel7"))
    assert not crowded.is_shown("profile")


def test_where_all_tabs_fit_there_is_no_button(crowded, qtbot):
    for k in range(8):
        crowded.dock(f"panel{k}").close()
    qtbot.waitUntil(lambda: not lists(crowded))
    crowded.dock("panel3").show()
    for k in range(8):
        crowded.dock(f"panel{k}").show()
    qtbot.waitUntil(lambda: [menu.text() for menu in lists(crowded)] == ["11"])


def test_a_short_name_of_a_tab_tells_its_whole_title(crowded, qtbot):
    bar = lists(crowded)[0].parentWidget()
    at = bar.tabRect(2).center()
    QApplication.sendEvent(bar, QHelpEvent(QEvent.Type.ToolTip, at, bar.mapToGlobal(at)))
    qtbot.waitUntil(lambda: QToolTip.text() == "The whole title 0")
    QToolTip.hideText()
