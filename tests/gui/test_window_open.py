"""Opening sessions: by name, from the list of recent ones, while a job runs, and files that cannot be opened."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from person import LONG, TINY

from engine.cli import ready_example
from engine.session import Session
from engine.spec_files import load_spec


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_session(path: Path) -> None:
    path.write_text("Dear diary, today I trained a network.")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (no_session, "not a Rapidity Lab session"),
        (newer, "newer version"),
        (cut_off, "cut off"),
        (Path.unlink, "no file"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_and_the_old_session_stays(
    person, window, story_file, tmp_path, spoil, sentence
):
    person.run("data")
    before = person.drawn()
    bad = tmp_path / "bad.rapidity"
    shutil.copy(story_file, bad)
    spoil(bad)
    content = bad.read_bytes() if bad.exists() else None
    session = window.lab.session
    person.open(bad)
    (notice,) = person.notices()
    assert sentence in notice
    assert str(bad) in notice
    assert window.documents.session is session is window.lab.session
    assert person.drawn() == before
    assert (bad.read_bytes() if bad.exists() else None) == content, "a file that cannot be opened is left as it was"
    assert window.settings.recent() == []
    window.notices.clear()
    person.run("data")


@pytest.mark.parametrize("spoil", [no_session, newer, cut_off])
def test_a_bad_file_named_at_the_start_is_told_and_the_ready_example_opens(open_lab, story_file, tmp_path, spoil):
    bad = tmp_path / "bad.rapidity"
    shutil.copy(story_file, bad)
    spoil(bad)
    person = open_lab(bad)
    assert str(bad) in person.notices()[0]
    assert person.window.editor.spec == load_spec(ready_example())


def test_a_spec_that_is_not_right_is_told(person, window, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[attack]\neps = -1\n")
    before = window.editor.spec
    person.open(bad)
    assert "eps" in person.notices()[0]
    assert window.editor.spec == before


def test_an_opened_session_shows_what_it_holds(person, window, story_file):
    person.open(story_file)
    assert window.documents.session.path == story_file
    assert set(person.drawn()) == {
        "training",
        "gallery",
        "curves",
        "matrix",
        "profile",
        "spacetime",
        "dataset",
        "model",
        "structure",
        "claims",
    }
    assert window.windowTitle().startswith("story")
    assert not window.isWindowModified()
    assert not window.actions_["edit.undo"].isEnabled(), "edits of the session before cannot be undone in this one"


def test_opening_while_a_job_runs_ends_it_in_silence(open_lab, story_file, home):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    old = window.lab.session
    still_there = []
    window.documents.opened.connect(lambda _: still_there.append(bool(old.runs())))
    person.open(story_file)
    assert still_there == [True], "it is closed when nothing writes into it any more"
    assert person.asked == ["open", "unsaved"]
    person.wait_for_job()
    assert person.notices() == []
    assert window.documents.session.path == story_file
    assert [run.experiment for run in window.lab.session.runs()] == ["story"]
    assert not old.working_copy.exists(), "the old session is closed and its working copy gone"
    person.run("data")


def test_saving_what_runs_and_then_opening_another(open_lab, story_file, tmp_path):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    person.when_unsaved, person.saves_to = "save", str(tmp_path / "mine.rapidity")
    person.open(story_file)
    person.wait_for_job()
    assert person.notices() == []
    assert window.documents.session.path == story_file
    with Session.open(tmp_path / "mine.rapidity", tmp_path / "copies") as saved:
        assert saved.runs()[0].status == "interrupted"
        assert len(saved.table(1, "steps")) > 20


def test_a_cancelled_question_keeps_the_session_and_the_job(open_lab, story_file):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    person.when_unsaved = "cancel"
    person.open(story_file)
    assert window.documents.session.path is None
    rows = len(window.stage.table("steps"))
    person.wait(lambda: len(window.stage.table("steps")) > rows + 20)


def test_a_baseline_of_one_session_is_not_drawn_in_the_next(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    window.compare.choose(1, None)
    assert window.profile.baseline is not None
    person.open(story_file)
    assert window.compare.chosen == (None, None)
    assert window.profile.baseline is None


def test_a_new_session_keeps_the_settings_and_nothing_else(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    spec = window.editor.spec
    person.press("Ctrl+N")
    assert window.editor.spec == spec
    assert set(person.drawn()) <= {"claims"}, "what is claimed stands there before anything is measured"
    assert person.recorded() == []
    assert window.documents.session.path is None
    assert not any(window.rail.is_done(step) for step in ("data", "train", "entangle"))


def test_an_example_is_opened_from_the_menu(person, window):
    (first, *_) = window.file_menus.examples.actions()
    first.trigger()
    assert window.editor.spec.title != TINY.title
    assert person.form("experiment").field("title").text() == window.editor.spec.title


# --- recent files ----------------------------------------------------------------------------------------------


def test_recent_files_are_offered_latest_first_and_open(person, window, story_file, tmp_path):
    other = tmp_path / "other.rapidity"
    shutil.copy(story_file, other)
    for file in (story_file, other):
        person.open(file)
    window.file_menus.recent.aboutToShow.emit()
    actions = window.file_menus.recent.actions()
    assert [action.text() for action in actions] == [str(other), str(story_file)]
    actions[1].trigger()
    person.wait_for_files()
    assert person.notices() == []
    assert window.documents.session.path == story_file


def test_recent_files_are_remembered_and_those_that_are_gone_are_dropped(open_lab, story_file, tmp_path):
    file = tmp_path / "mine.rapidity"
    shutil.copy(story_file, file)
    person = open_lab(file)
    assert person.close()
    person.leave()
    person = open_lab()
    assert person.window.settings.recent() == [file]
    file.unlink()
    person.window.file_menus.recent.aboutToShow.emit()
    (action,) = person.window.file_menus.recent.actions()
    assert not action.isEnabled()
