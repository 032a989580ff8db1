"""Sessions as files: open, save, recent files, dropped files, and every way in which that can go wrong."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from idx_files import write_idx_folder
from person import LONG, TINY
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine.cli import ready_example
from engine.session import Session
from engine.spec_files import dump_spec, load_spec
from engine.specs import IdxSpec


def open_file(person, path: Path) -> None:
    person.opens = str(path)
    person.press("Ctrl+O")
    person.wait_for_files()


def drop(target: QWidget, path: Path) -> bool:
    """Drag a file over a widget and let it go, by the way that Qt takes; False where nobody would have it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    at, copy, left, no = (
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(at, copy, data, left, no)
    QApplication.sendEvent(target, enter)
    move = QDragMoveEvent(at, copy, data, left, no)
    QApplication.sendEvent(target, move)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(target, QDropEvent(QPointF(at), copy, data, left, no))
    return True


# --- opening ---------------------------------------------------------------------------------------------------


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
    open_file(person, bad)
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
    open_file(person, bad)
    assert "eps" in person.notices()[0]
    assert window.editor.spec == before


def test_an_opened_session_shows_what_it_holds(person, window, story_file):
    open_file(person, story_file)
    assert window.documents.session.path == story_file
    assert set(person.drawn()) == {"training", "gallery", "matrix", "profile", "spacetime", "dataset", "model"}
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
    open_file(person, story_file)
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
    open_file(person, story_file)
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
    open_file(person, story_file)
    assert window.documents.session.path is None
    rows = len(window.stage.table("steps"))
    person.wait(lambda: len(window.stage.table("steps")) > rows + 20)


def test_a_baseline_of_one_session_is_not_drawn_in_the_next(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    window.compare.choose(1, None)
    assert window.profile._baseline is not None
    open_file(person, story_file)
    assert window.compare.chosen == (None, None)
    assert window.profile._baseline is None


def test_a_new_session_keeps_the_settings_and_nothing_else(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    spec = window.editor.spec
    person.press("Ctrl+N")
    assert window.editor.spec == spec
    assert person.drawn() == {}
    assert person.recorded() == []
    assert window.documents.session.path is None
    assert not any(window.rail.is_done(step) for step in ("data", "train", "entangle"))


def test_an_example_is_opened_from_the_menu(person, window):
    (first, *_) = window._examples_menu.actions()
    first.trigger()
    assert window.editor.spec.title != TINY.title
    assert person.form("experiment").field("title").text() == window.editor.spec.title


# --- saving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "sentence"), [("ENOSPC", "disk is full"), ("EROFS", "not allowed"), ("EIO", "failing")]
)
def test_a_save_that_fails_leaves_the_old_file_whole(open_lab, story_file, tmp_path, monkeypatch, number, sentence):
    import errno
    import os

    file = tmp_path / "mine.rapidity"
    shutil.copy(story_file, file)
    person = open_lab(file)
    window = person.window
    person.run("data")
    before = file.read_bytes()

    def refuse(*_):
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))

    monkeypatch.setattr("engine.session.saving.os.open", refuse)
    person.press("Ctrl+S")
    person.wait_for_files()
    monkeypatch.undo()
    (notice,) = person.notices()
    assert sentence in notice
    assert str(file) in notice
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.rapidity*")] == ["mine.rapidity"]
    person.wait(window.isWindowModified)
    person.press("Ctrl+S")
    person.wait_for_files()
    assert not window.isWindowModified()
    assert file.read_bytes() != before


def test_a_read_only_file_is_told(open_lab, story_file, tmp_path):
    file = tmp_path / "mine.rapidity"
    shutil.copy(story_file, file)
    person = open_lab(file)
    person.run("data")
    before = file.read_bytes()
    import engine.session.saving as saving

    with pytest.MonkeyPatch.context() as patch:  # root may write everything: ask as another user would
        patch.setattr(saving.os, "access", lambda *_: False)
        person.press("Ctrl+S")
        person.wait_for_files()
    assert "read-only" in person.notices()[0]
    assert file.read_bytes() == before


def test_a_save_that_fails_at_the_end_keeps_the_window_open(open_lab, tmp_path, monkeypatch):
    person = open_lab()
    person.run("data")
    person.when_unsaved, person.saves_to = "save", str(tmp_path / "gone" / "mine")
    assert not person.close()
    assert person.window.isVisible()
    assert "folder" in person.notices()[0]
    person.window.notices.clear()
    person.run("data")


def test_a_file_changed_by_another_program_is_not_overwritten_unasked(open_lab, story_file, tmp_path):
    file = tmp_path / "mine.rapidity"
    shutil.copy(story_file, file)
    person = open_lab(file)
    window = person.window
    person.run("data")
    file.write_bytes(file.read_bytes() + b"something else")
    changed = file.read_bytes()
    person.press("Ctrl+S")
    person.wait_for_files()
    (notice,) = window.notices.notices
    assert "another program" in notice.text
    assert file.read_bytes() == changed
    person.click(notice.buttons["Replace it"])
    person.wait_for_files()
    assert person.notices() == []
    assert Session.open(file, tmp_path / "copies").close() is None


def test_save_as_while_training_writes_what_was_recorded(open_lab, tmp_path):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    seen = len(window.stage.table("steps"))
    person.saves_to = str(tmp_path / "part.rapidity")
    person.press("Ctrl+Shift+S")
    person.wait_for_files()
    assert person.notices() == []
    assert window.jobs.state == "running"
    with Session.open(tmp_path / "part.rapidity", tmp_path / "copies") as part:
        assert part.runs()[0].status == "interrupted"
        assert len(part.table(1, "steps")) >= seen


# --- recent files ----------------------------------------------------------------------------------------------


def test_recent_files_are_offered_latest_first_and_open(person, window, story_file, tmp_path):
    other = tmp_path / "other.rapidity"
    shutil.copy(story_file, other)
    for file in (story_file, other):
        open_file(person, file)
    window._recent_menu.aboutToShow.emit()
    actions = window._recent_menu.actions()
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
    person.window._recent_menu.aboutToShow.emit()
    (action,) = person.window._recent_menu.actions()
    assert not action.isEnabled()


# --- dropped files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["window", "plot", "gallery", "rail"])
def test_a_dropped_session_is_opened(person, window, story_file, place):
    window.docks.show_panel("profile")
    targets = {
        "window": window,
        "plot": window.profile.plot.viewport(),
        "gallery": window.gallery,
        "rail": window.rail.button("data"),
    }
    assert drop(targets[place], story_file)
    person.wait_for_files()
    assert window.documents.session.path == story_file


def test_a_dropped_experiment_is_opened(person, window, tmp_path):
    file = tmp_path / "other.toml"
    file.write_text(dump_spec(TINY.model_copy(update={"title": "Dropped"})))
    assert drop(window, file)
    assert window.editor.spec.title == "Dropped"


def test_a_dropped_idx_folder_becomes_the_data_and_can_be_undone(person, window, tmp_path):
    write_idx_folder(tmp_path / "images", train=60, test=30, size=(6, 6))
    before = window.editor.spec.dataset
    assert drop(window, tmp_path / "images")
    assert window.editor.spec.dataset == IdxSpec(folder=str(tmp_path / "images"))
    assert window.rail.current == "data"
    person.run("data")
    assert window.stage.frame("dataset").info["train"] == 60
    person.press("Ctrl+Z")
    assert window.editor.spec.dataset == before


def test_a_dropped_idx_file_stands_for_its_folder(person, window, tmp_path):
    write_idx_folder(tmp_path / "images")
    assert drop(window, tmp_path / "images" / "train-images-idx3-ubyte")
    assert window.editor.spec.dataset == IdxSpec(folder=str(tmp_path / "images"))


def test_anything_else_that_is_dropped_is_refused_in_words(person, window, tmp_path):
    (tmp_path / "holiday.jpeg").write_bytes(b"x")
    before = window.editor.spec
    drop(window, tmp_path / "holiday.jpeg")
    assert "holiday.jpeg" in person.notices()[0]
    assert window.editor.spec == before
