"""The model summary: layers, drawing, and the tap it shares."""

from __future__ import annotations

from itertools import pairwise

import frames
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.model_summary import ModelPanel, shape_text


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ModelPanel(selection, theme)
    made.resize(420, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_lists_every_tap_with_shape_and_parameters(panel):
    assert panel.is_empty
    panel.show_frame(frames.model_frame())
    assert panel.table.rowCount() == 6
    assert [panel.table.item(1, c).text() for c in range(5)] == ["linear 1", "linear", "1", "4 × 64", "260"]
    assert panel.subtitle == "295 parameters · 3 layers · 6 taps"
    panel.clear()
    assert panel.is_empty


def test_a_row_chooses_the_tap_and_back(qtbot, panel, selection):
    panel.show_frame(frames.model_frame())
    where = panel.table.visualItemRect(panel.table.item(3, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert selection.tap == "linear 2"
    selection.set_tap("relu 1")
    assert panel.table.currentRow() == 2
    selection.set_tap(None)
    assert not panel.table.selectionModel().hasSelection()


def test_the_drawing_chooses_the_tap_by_mouse_and_keys(qtbot, panel, selection):
    panel.show_frame(frames.model_frame())
    box = panel.schematic.boxes()[4]
    qtbot.mouseClick(panel.schematic, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert selection.tap == "relu 2"
    qtbot.keyClick(panel.schematic, Qt.Key.Key_Right)
    assert selection.tap == "logits"


def test_wider_layers_are_drawn_higher(panel):
    panel.show_frame(frames.model_frame())
    boxes = panel.schematic.boxes()
    assert boxes[1].height() > boxes[5].height()
    assert all(a.right() < b.left() for a, b in pairwise(boxes))
    assert "linear 1 · linear\n4 × 64 · 260 parameters" in panel.schematic.describe(1)


def test_shapes_may_be_texts_or_lists():
    assert shape_text([16, 1, 3, 3]) == "16 × 1 × 3 × 3"
    assert shape_text("4 × 64") == "4 × 64"


def test_csv_equals_the_table(panel):
    panel.show_frame(frames.model_frame())
    head, *rows = panel.csv_rows()
    assert head == ["name", "kind", "layer", "shape", "parameters"]
    assert rows[1] == ["linear 1", "linear", 1, "4 × 64", 260]
    assert sum(row[4] for row in rows) == 295


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.model_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel.schematic.theme is other
