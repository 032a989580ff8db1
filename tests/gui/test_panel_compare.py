"""Compare: two runs, their differences, and the baseline."""

from __future__ import annotations

import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.specs import ExperimentSpec
from gui.panels.compare import ComparePanel, flat_spec


def spec(**changes):
    made = ExperimentSpec().model_dump(mode="json")
    for part, fields in changes.items():
        made[part].update(fields) if isinstance(fields, dict) else made.update({part: fields})
    return made


RUNS = [
    {"id": 1, "title": "First", "experiment": "train", "started": "12:00", "status": "finished", "spec": spec(), "numbers": {"accuracy": 0.9}},
    {
        "id": 2,
        "title": "Second",
        "experiment": "attack",
        "started": "12:10",
        "status": "failed",
        "spec": spec(attack={"eps": 0.2}, seed=7),
        "numbers": {"accuracy": 0.9, "success rate": 0.5},
    },
    {"id": 3, "title": "Third", "experiment": "train", "started": "12:20", "status": "running"},
]  # fmt: skip


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ComparePanel(selection, theme)
    made.resize(530, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def cell(qtbot, panel, row, column):
    where = panel.runs_table.visualItemRect(panel.runs_table.item(row, column)).center()
    qtbot.mouseClick(panel.runs_table.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_runs_are_listed_with_their_numbers(panel):
    assert panel.is_empty
    panel.set_runs(RUNS)
    assert not panel.is_empty
    assert panel.runs_table.rowCount() == 3
    heads = [panel.runs_table.horizontalHeaderItem(k).text() for k in range(panel.runs_table.columnCount())]
    assert heads[-2:] == ["accuracy", "success rate"]
    assert panel.runs_table.item(1, heads.index("success rate")).text() == "0.5"
    assert panel.runs_table.item(2, heads.index("accuracy")).text() == "–"
    assert panel.subtitle == "3 runs"


def test_choosing_a_and_b_lists_what_differs_by_the_names_of_the_forms(qtbot, panel):
    panel.set_runs(RUNS)
    cell(qtbot, panel, 0, 0)
    cell(qtbot, panel, 1, 1)
    assert panel.chosen == (1, 2)
    assert panel.rows() == [
        ("Seed", "0", "7"),
        ("Attack · ε", "0.1", "0.2"),
        ("accuracy", "0.9", "0.9"),
        ("success rate", "–", "0.5"),
    ]
    assert panel.differences.item(1, 2).text() == "0.2"


def test_a_is_the_baseline_and_choosing_it_again_takes_it_away(qtbot, panel):
    panel.set_runs(RUNS)
    chosen = []
    panel.baseline_chosen.connect(chosen.append)
    cell(qtbot, panel, 1, 0)
    cell(qtbot, panel, 2, 1)
    cell(qtbot, panel, 1, 0)
    assert chosen == [2, None]


def test_keys_choose_too(qtbot, panel):
    panel.set_runs(RUNS)
    panel.runs_table.setFocus()
    panel.runs_table.setCurrentCell(2, 2)
    qtbot.keyClick(panel.runs_table, Qt.Key.Key_A)
    qtbot.keyClick(panel.runs_table, Qt.Key.Key_Up)
    qtbot.keyClick(panel.runs_table, Qt.Key.Key_B)
    assert panel.chosen == (3, 2)


def test_a_run_that_is_gone_is_no_longer_chosen(panel):
    panel.set_runs(RUNS)
    chosen = []
    panel.choose(2, 3)
    panel.baseline_chosen.connect(chosen.append)
    panel.set_runs(RUNS[:1])
    assert panel.chosen == (None, None)
    assert chosen == [None]
    panel.set_runs([])
    assert panel.is_empty


def test_equal_specs_are_said_to_be_equal(panel):
    panel.set_runs([RUNS[0], {**RUNS[0], "id": 9}])
    panel.choose(1, 9)
    assert panel.hint.text() == "The same spec in both."


def test_specs_of_different_kinds_are_compared_by_name():
    flat = flat_spec(spec())
    assert flat["Training · Learning rate"] == 0.001
    assert "Title" not in flat


def test_csv_is_the_differences_or_else_the_runs(panel):
    panel.set_runs(RUNS)
    assert [row[1] for row in panel.csv_rows()] == ["title", "First", "Second", "Third"]
    panel.choose(1, 2)
    head, *rows = panel.csv_rows()
    assert head == ["field", "A", "B"]
    assert rows == panel.rows()


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.set_runs(RUNS)
    assert unnamed(panel) == []
    panel.set_theme(type(theme).light())
    panel.grab()
