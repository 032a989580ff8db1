"""Themes, text size, the layout, and what is remembered of them."""

from __future__ import annotations

import json

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from gui.theme import Theme


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_theme_is_chosen_from_the_menu_and_every_part_follows(open_lab, story_file, name):
    person = open_lab(story_file)
    window = person.window
    person.drawn()
    window.actions_[f"view.theme_{name}"].trigger()
    wanted = Theme.light() if name == "light" else Theme.dark()
    assert window.theme.name == wanted.name
    assert all(panel.theme.name == wanted.name for panel in window.docks.panels)
    assert QApplication.palette().color(QPalette.ColorRole.Window).lightness() > 128 or name == "dark"
    assert window.profile.plot.backgroundBrush().color().name() == wanted.surface
    pixel = window.profile.plot.grab().toImage().pixelColor(3, 3).name()
    assert pixel == wanted.surface
    assert [a.isChecked() for a in (window.actions_["view.theme_light"], window.actions_["view.theme_dark"])] == [
        name == "light",
        name == "dark",
    ]
    assert person.drawn(), "the panels still show their numbers"


def test_a_theme_can_change_while_a_job_runs(person, window):
    window.runner.run_all()
    for name in ("dark", "light", "dark"):
        window.actions_[f"view.theme_{name}"].trigger()
        person.qtbot.wait(1)
    person.wait_for_job()
    assert person.notices() == []


def test_what_was_chosen_is_remembered(open_lab, home):
    person = open_lab()
    window = person.window
    window.actions_["view.theme_dark"].trigger()
    person.press("Ctrl++")
    person.step("attack")
    window.docks.show_panel("log")
    window.docks.dock("gallery").close()
    layout = window.docks.save_layout()
    assert person.close()
    person.leave()
    saved = json.loads((home / "settings.json").read_text())
    assert (saved["theme"], saved["text_scale"], saved["step"], saved["layout"]) == ("dark", 1.1, "attack", layout)
    person = open_lab()
    window = person.window
    assert window.theme.name == "dark"
    assert window.theme.scale == pytest.approx(1.1)
    assert window.rail.current == "attack"
    person.wait(lambda: window.docks.dock("gallery").isHidden())
    assert window.docks.is_shown("log")
    window.actions_["view.reset_layout"].trigger()
    assert not window.docks.dock("gallery").isHidden()


def test_settings_that_cannot_be_read_are_told_in_the_log_and_nothing_else(open_lab, home):
    home.mkdir()
    (home / "settings.json").write_text("{ this is no JSON")
    person = open_lab()
    assert "settings" in person.window.log.text()
    assert person.notices() == []


def test_settings_that_cannot_be_written_do_not_keep_the_window_open(person, window, monkeypatch):
    def refuse():
        raise OSError("read-only")

    monkeypatch.setattr(window.settings, "save", refuse)
    assert person.close()


@pytest.mark.parametrize(("key", "start", "limit"), [("Ctrl++", 1.9, 2.0), ("Ctrl+-", 0.85, 0.8)])
def test_text_grows_and_shrinks_within_limits(person, window, key, start, limit):
    window.settings.update(text_scale=start)
    for _ in range(2):
        person.press(key)
    assert window.theme.scale == limit


def test_a_panel_is_shown_alone_and_all_again(person, window):
    window.profile.plot.setFocus()
    person.press("F11")
    assert window.docks.maximised == "profile"
    person.press("F11")
    assert window.docks.maximised == ""
    assert window.docks.is_shown("gallery")
