"""Saving: what cannot be written is told, and the file that was there stays whole."""

from __future__ import annotations

import errno
import os
import shutil

import pytest
from person import LONG

from engine.session import Session, saving


@pytest.mark.parametrize(
    ("number", "sentence"), [("ENOSPC", "disk is full"), ("EROFS", "not allowed"), ("EIO", "failing")]
)
def test_a_save_that_fails_leaves_the_old_file_whole(open_lab, story_file, tmp_path, monkeypatch, number, sentence):
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
