"""The class matrix: counts, shares, intervals and the class that it chooses."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.experiments.rates import share
from gui.panels.class_matrix import ClassMatrixPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ClassMatrixPanel(selection, theme)
    made.resize(420, 400)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.show_frame(frames.class_matrix_frame())
    panel.grab()
    return panel


def test_it_is_empty_until_it_is_measured(panel):
    assert panel.is_empty
    panel.show_frame(frames.class_matrix_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty


def test_the_colour_is_the_share_and_the_diagonal_is_left_out(full):
    pixels = full.heat.image.image
    assert pixels[1, 2] == round(0.5 * 254)
    assert pixels[2, 0] == round(0.6 * 254)
    assert [pixels[k, k] for k in range(3)] == [255] * 3
    assert full.heat.image.lut[255, 3] == 0, "what is not a number is see-through"


def test_the_shares_stand_in_the_cells_in_percent(full):
    assert full.texts._texts == [["", "10", "20"], ["30", "", "50"], ["60", "70", ""]], (
        "in percent, as the bar beside it"
    )


def test_rows_that_are_not_measured_yet_are_blank(panel):
    panel.show_frame(frames.class_matrix_frame(done=1))
    assert panel.texts._texts == [["", "10", "20"], ["", "", ""], ["", "", ""]]
    assert (panel.heat.image.image[1:] == 255).all()
    assert "class 1 of 3" in panel.subtitle
    assert panel.describe(1, 0) == "class one to class zero: not measured"


def test_hover_says_the_pair_its_interval_and_what_was_so_before(full):
    found = share(7, 10)
    full._on_hover(1.5, 2.2)  # column 1, row 2
    assert full.heat.readout.text().splitlines() == [
        "class two to class one",
        f"7 of 10: 70.0% [{found.low:.1%}, {found.high:.1%}]",
        "1 seen as class one before the attack",
    ]
    full._on_hover(0.5, 0.5)
    assert "not driven to itself" in full.heat.readout.text()
    full._on_hover(7.0, 0.5)
    assert not full.heat.readout.isVisible()


def test_a_click_chooses_the_true_class_and_a_class_chosen_elsewhere_is_framed(qtbot, full, selection):
    qtbot.mouseClick(full.heat.viewport(), Qt.MouseButton.LeftButton, pos=full.heat.at(0.5, 2.5))
    assert selection.klass == 2
    selection.set_klass(1)
    _, y = full.heat._band.getData()
    assert (np.nanmin(y[:5]), np.nanmax(y[:5])) == (1, 2)
    selection.set_klass(9)
    assert full.heat._band.getData()[0] is None or not len(full.heat._band.getData()[0])


def test_keys_walk_over_the_cells_and_return_chooses(qtbot, full, selection):
    full.heat.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(full.heat, key)
    assert "class two to class one" in full.heat.readout.text()
    qtbot.keyClick(full.heat, Qt.Key.Key_Return)
    assert selection.klass == 2


def test_the_button_asks_for_it_to_be_measured(qtbot, panel):
    with qtbot.waitSignal(panel.measure_requested, timeout=1000):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)


def test_it_says_what_was_measured(full):
    assert full.subtitle == "PGD · L∞ · ε = 0.1"
    found = share(24, 60)
    assert full.caption.full_text.endswith(f"all pairs 40.0% [{found.low:.1%}, {found.high:.1%}]")
    full.show_frame(frames.class_matrix_frame(eps=None, budget="smallest norm", title="DDN", norm="L2"))
    assert full.subtitle == "DDN · L2 · smallest norm"


def test_the_picture_has_the_counts_and_a_small_one_has_none(panel):
    panel.resize(420, 400)
    panel.show_frame(frames.class_matrix_frame())
    assert not panel.grab().isNull()
    panel.resize(120, 110)
    assert not panel.grab().isNull()


def test_csv_equals_the_frame(full):
    head, *rows = full.csv_rows()
    assert len(rows) == 6
    row = next(row for row in rows if row[:2] == ["two", "one"])
    assert row[2:5] == [7, 10, 1]
    assert row[head.index("share")] == 0.7
    assert row[head.index("low")] < 0.7 < row[head.index("high")]


def test_everything_has_a_name_and_the_theme_changes_live(full, theme):
    assert unnamed(full) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    full.set_theme(other)
    full.grab()
    assert full.heat.backgroundBrush().color().name() == other.surface
