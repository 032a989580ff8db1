"""Every claim's experiments at one press: queued, followed on the board, and stopped together."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from engine.specs import ControlsSpec
from gui.panels.claims.words import MEASURING, WAITING

LEFT = Qt.MouseButton.LeftButton
QUICK = {"controls": ControlsSpec(draws=2, repeats=2, memorised=20, networks=4, permutations=100, rows=100)}


@pytest.fixture
def board(person):
    """The board in front, with settings by which its experiments take a moment."""
    window = person.window
    for part, value in QUICK.items():
        window.editor.edit(part, value, "quick")
    window.docks.show_panel("claims")
    person.wait(window.docks.claims.runs.button.isVisible)
    return window.docks.claims


def test_all_that_is_missing_is_queued_at_one_press_and_stopped_at_another(qtbot, person, board):
    jobs = person.window.jobs
    missing = board.runs.missing
    qtbot.mouseClick(board.runs.button, LEFT)
    assert tuple(job.experiment for job in jobs.all) == missing and len(missing) > 4
    person.wait(lambda: any(card.state == MEASURING for card in board.cards.values()))
    assert any(card.state == WAITING for card in board.cards.values())
    assert board.runs.progress.full_text.startswith(f"1 of {len(missing)}: ")
    qtbot.mouseClick(board.runs.stop_button, LEFT)
    person.wait(lambda: not jobs.all, 5000)
    statuses = {run.experiment: run.status for run in person.window.documents.session.runs()}
    assert set(statuses) <= {missing[0]}  # none of those that waited began
    person.wait(board.runs.button.isVisible)
    assert board.runs.missing == missing
    assert person.notices() == []


def test_what_is_run_is_no_longer_missing(qtbot, person, board):
    """The first experiment is let through to its end, the others are stopped."""
    missing = board.runs.missing
    qtbot.mouseClick(board.runs.button, LEFT)
    person.wait(lambda: missing[0] not in {job.experiment for job in person.window.jobs.all})
    qtbot.mouseClick(board.runs.stop_button, LEFT)
    person.wait_for_job()
    person.window.rotation.draw_all()
    assert missing[0] not in board.runs.missing and missing[-1] in board.runs.missing
