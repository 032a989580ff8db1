"""Files dropped on the window, wherever they fall."""

from __future__ import annotations

from pathlib import Path

import pytest
from idx_files import write_idx_folder
from person import TINY
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine.spec_files import dump_spec
from engine.specs import IdxSpec


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
