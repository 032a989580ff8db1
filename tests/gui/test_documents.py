"""Names of files, and the one question that is asked about unsaved work. The rest is in test_window_files.py."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.documents import ask_unsaved, file_name

Button = QMessageBox.StandardButton


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Digits: who does x_adv look like?", "digits-who-does-x-adv-look-like"),
        ("Zürich 2026", "zürich-2026"),
        ("../../etc/passwd", "etc-passwd"),
        ("???", "session"),
        ("", "session"),
        ("long " * 40, ("long-" * 12).rstrip("-")),
    ],
)
def test_a_title_becomes_a_file_name_that_any_system_takes(title, name):
    assert file_name(title) == name
    assert len(file_name(title)) <= 60


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [(Button.Save, "save"), (Button.Discard, "discard"), (Button.Cancel, "cancel"), (Button.NoButton, "cancel")],
)
def test_the_question_about_unsaved_work(qtbot, monkeypatch, pressed, answer):
    seen: list[QMessageBox] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: seen.append(box) or pressed.value)
    window = QWidget()
    qtbot.addWidget(window)
    assert ask_unsaved(window, "Digits") == answer
    (box,) = seen
    assert "Digits" in box.text()
    assert box.defaultButton() is box.button(Button.Save)
