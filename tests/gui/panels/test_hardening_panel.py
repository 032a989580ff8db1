"""Adversarial trainings: a table of accuracies, and one column a training on shared axes."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import unnamed
from hardening_frames import TAPS, hardening_frame
from PySide6.QtCore import Qt

from gui.panels.hardening.columns import GAP
from gui.panels.hardening.panel import ROWS, HardeningPanel
from gui.theme import system_theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = HardeningPanel(selection, theme)
    made.resize(900, 760)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(qtbot, panel):
    panel.show_frame(hardening_frame())
    panel.grab()
    qtbot.waitUntil(lambda: panel.shown_rows() == list(ROWS))
    panel.grab()
    return panel


def curve(panel, row, name):
    return panel.rows[row]._curves[name].line.getData()


def test_the_buttons_ask_for_it_and_for_its_settings(qtbot, panel):
    with qtbot.waitSignal(panel.hardening_requested, timeout=1000):
        qtbot.mouseClick(panel.button, LEFT)
    with qtbot.waitSignal(panel.settings_requested, timeout=1000):
        qtbot.mouseClick(panel.settings_button, LEFT)


def test_the_table_has_accuracies_with_intervals_differences_and_what_was_seen_of_overfitting(full):
    table = full.table
    assert [table.cell(row, 0) for row in range(table.rowCount())] == ["Standard", "PGD-AT", "Fast AT"]
    assert table.cell(0, 2) == "10.0% [8.0, 12.0]"
    assert table.cell(1, 4) == "+60.0 [+57.0, +63.0] pp"
    assert table.cell(0, 4) == "–"
    assert table.cell(2, 5) == "overfitted at step 200 (PGD 5%, one step 90%), step 150 restored"
    assert table.cell(1, 5) == ""


def test_each_training_is_a_column_with_layers_across(full):
    x, y = curve(full, "adv_target", "adv after")
    outputs = [0, 2, 3]  # what comes out of each layer
    stride = len(outputs) - 1 + GAP
    expected = [[0.1 * k + 0.01 * t for t in outputs] for k in range(3)]
    assert np.isnan(y[3::4]).all()  # a curve ends with its column
    np.testing.assert_allclose(y.reshape(3, 4)[:, :3], expected)
    np.testing.assert_allclose(x.reshape(3, 4)[:, :3], [[k * stride + p for p in range(3)] for k in range(3)])


def test_before_training_is_dashed(full):
    _, before = curve(full, "rank", "rank before")
    _, after = curve(full, "rank", "rank after")
    np.testing.assert_allclose(before[:3], after[:3] / 2)
    assert full.rows["rank"]._curves["rank before"].line.opts["pen"].dashPattern()
    assert not full.rows["rank"]._curves["rank after"].line.opts["pen"].dashPattern()


def test_the_caption_gives_the_differences_at_the_chosen_layer(qtbot, full, selection):
    assert (
        "at relu 1, less standard training on the same inputs: PGD-AT +0.10 [+0.08, +0.12]; Fast AT"
        in full.caption.full_text
    )
    qtbot.mouseClick(full.row_choice.button("rank"), LEFT)
    assert full.caption.full_text.startswith("Measurement. Effective rank at relu 1")
    selection.set_tap("logits")
    assert "at logits" in full.caption.full_text


def test_a_click_chooses_the_layer_in_all_columns(full, selection):
    plot = full.rows["adv_target"]
    plot.clicked.emit(plot.position(1, 0), 0.0)
    assert selection.tap == "input"
    assert [line.value() for line in plot._lines[:3]] == [plot.position(k, 0) for k in range(3)]


def test_the_readout_names_training_layer_and_interval(full):
    said = full.describe("same", 2, 1)
    assert said.startswith("Fast AT, relu 1\nsame class, trained: 2.22 [2.17, 2.27]")


def test_where_there_is_little_room_the_chosen_row_stays(qtbot, full):
    full.resize(460, 380)
    qtbot.mouseClick(full.row_choice.button("rank"), LEFT)
    qtbot.waitUntil(lambda: full.shown_rows() == ["rank"])
    assert full._visible_rows() == ["rank"]
    assert not full.table.isColumnHidden(2) or full.table.isHidden()


def test_chips_hide_curves(qtbot, full):
    qtbot.mouseClick(full.chips.chip("clean after"), LEFT)
    assert not full.rows["adv_target"]._curves["clean after"].line.isVisible()


def test_while_it_is_measured_it_says_how_far_it_is(panel):
    panel.show_frame(hardening_frame(1))
    assert panel.subtitle.endswith("1 of 3 measured")
    assert "standard training alone so far" in panel.caption.full_text
    panel.show_frame(hardening_frame(2))
    assert panel.table.rowCount() == 2


def test_cleared_it_is_empty_again(full):
    full.clear()
    assert full.is_empty
    assert list(full.csv_rows()) == []


def test_all_numbers_are_in_the_csv(full):
    rows = list(full.csv_rows())
    assert len(rows) == 1 + 3 * (2 + 5 * len(TAPS) * 2)
    assert rows[1 + 2 + 40 + 1][:4] == ("PGD-AT", "after", "robust accuracy", "")


def test_everything_has_a_name(full):
    assert unnamed(full) == []


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_theme_reaches_every_part(full, name):
    full.set_theme(system_theme(name, 1.0))
    full.grab()
    assert all(plot.theme is full.theme for plot in (*full.rows.values(), full.table, full.chips))
