"""The Bell test: the bound that holds, and the three mistakes that a person can switch on."""

from __future__ import annotations

import look_frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.bell.panel import BellPanel
from gui.panels.bell.words import COSINES, DISJOINT, DROPPING

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = BellPanel(selection, theme)
    made.resize(720, 480)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.show_frame(look_frames.bell_frame())
    panel.grab()
    return panel


def test_the_button_asks_for_the_test(qtbot, panel):
    with qtbot.waitSignal(panel.bell_requested, timeout=1000):
        qtbot.mouseClick(panel.button, LEFT)
    panel.show_frame(look_frames.bell_frame())
    with qtbot.waitSignal(panel.bell_requested, timeout=1000):
        qtbot.mouseClick(panel.measure, LEFT)


def test_points_lie_at_their_angles_on_the_line_of_the_theorem(full):
    x, y = full.curves.measured.dots.getData()
    assert x == pytest.approx(np.degrees(np.linspace(0.3, 2.8, 6)))
    assert y == pytest.approx(1 - x / 90 + 0.004)
    line_x, line_y = full.curves.sawtooth.getData()
    assert (line_y[0], line_y[-1]) == pytest.approx((1, -1))
    assert line_y == pytest.approx(1 - line_x / 90)


def test_the_bound_is_said_to_hold_and_the_name_is_explained(full):
    assert full.sentence.text() == (
        "Theorem, and so measured: |S| ≤ 2 at every layer; the largest is +2.00 (SE 0.00) at input, with every row kept."
    )
    assert "zero Schmidt entanglement" in full.caption.full_text
    assert {level.line.value() for level in (full.scores.bounds.classical, full.scores.bounds.quantum)} == {
        2.0,
        2 * 2**0.5,
    }


def test_a_layer_without_features_that_vary_is_left_out_and_said(full):
    x, _ = full.scores.S.dots.getData()
    assert x.tolist() == [0, 2, 3, 4, 5]
    assert full.describe(1) == "linear 1: not measured, its features do not vary"


def test_mistakes_are_off_at_first_and_one_at_a_time(qtbot, full):
    assert full.mistakes.on() == []
    for key in (DISJOINT, COSINES, DROPPING):
        qtbot.mouseClick(full.mistakes.chip(key), LEFT)
        assert full.mistakes.on() == [key]
        assert full.sentence.text().startswith("Mistake")
        assert full.right_titled.title.full_text.startswith("Mistake")
        full.grab()
    qtbot.mouseClick(full.mistakes.chip(DROPPING), LEFT)
    assert full.mistakes.on() == []
    assert full.sentence.text().startswith("Theorem")
    assert full.right.currentWidget() is full.plot


def test_disjoint_samples_show_their_share_above_two(qtbot, full):
    qtbot.mouseClick(full.mistakes.chip(DISJOINT), LEFT)
    assert "38% of 8 trials exceed 2, up to 2.30" in full.sentence.text()
    edges, counts = full.trials.edges, full.trials.counts
    assert counts.sum() == 8
    assert counts[edges[:-1] >= 2 - 1e-9].sum() == 3, "a trial at exactly 2 is not above it"


def test_cosines_are_an_algebraic_score_and_not_bell(qtbot, full):
    assert not full.scores.algebraic.dots.isVisible()
    qtbot.mouseClick(full.mistakes.chip(COSINES), LEFT)
    assert full.scores.algebraic.dots.isVisible()
    said = full.sentence.text()
    assert "algebraic score is 2.40 at relu 2, where signs give 1.60" in said
    assert "2.8284" in said
    assert said.endswith("not Bell.")


def test_dropped_rows_are_flagged_as_the_detection_loophole(qtbot, full):
    qtbot.mouseClick(full.mistakes.chip(DROPPING), LEFT)
    said = full.sentence.text()
    assert "detection loophole: S = 3.23" in said
    assert "efficiency 74.0%" in said
    assert "more than 82.8%, and has less" in said
    full._on_dropping_hover(1.1, 2.5)
    lines = full.dropping.readout.text().splitlines()
    assert lines[0] == "below 0.2 σ dropped: 85.2% kept"
    assert lines[-1] == "detection loophole"
    full._on_dropping_hover(0.0, 2.0)
    assert "loophole" not in full.dropping.readout.text()


def test_the_layer_is_chosen_by_click_by_keys_or_elsewhere(qtbot, full, selection):
    assert "at relu 2" in full.left_titled.title.full_text
    qtbot.mouseClick(full.plot.viewport(), LEFT, pos=full.plot.at(2, 1.0))
    assert selection.tap == "relu 1"
    assert "at relu 1" in full.left_titled.title.full_text
    full.plot.setFocus()
    qtbot.keyClick(full.plot, Qt.Key.Key_Right)
    assert selection.tap == "linear 2"
    selection.set_tap("logits")
    assert "at logits" in full.left_titled.title.full_text


def test_hover_says_angle_error_and_both_lines(full):
    full._on_angle_hover(float(np.degrees(0.3)), 0.8)
    lines = full.angles.readout.text().splitlines()
    assert lines[0] == "θ = 17.2°, as signs tell it 17.2° ± 1.7°"
    assert lines[1] == "E +0.813 ± 0.020"
    assert lines[2] == "classical +0.809 · cosine +0.955"
    full._on_hover(4.2, 1.0)
    assert full.plot.readout.text().splitlines()[0] == "relu 2: S +1.600 ± 0.078"


def test_dead_pairs_are_left_out(panel):
    frame = look_frames.bell_frame()
    frame.arrays["E"][4, :2] = np.nan
    panel.show_frame(frame)
    assert "4 pairs" in panel.left_titled.title.full_text
    frame.arrays["E"][4] = np.nan
    panel.show_frame(frame)
    panel._on_angle_hover(10, 0.5)
    panel.grab()


def test_csv_is_even_and_holds_every_layer(full):
    head, *rows = full.csv_rows()
    assert {len(row) for row in rows} == {len(head)}
    assert ["S, reference algebraic score", "relu 2", "", 1.6, 0.04, pytest.approx(2.4)] in rows


def test_a_small_card_keeps_its_plots(qtbot, full):
    full.resize(280, 260)
    full.grab()
    qtbot.waitUntil(lambda: full.plot.height() >= 60, timeout=2000)
    assert "Schmidt" in full.sentence.toolTip()


def test_it_clears_and_everything_has_a_name(full, theme):
    assert unnamed(full) == []
    full.set_theme(type(theme).light())
    full.grab()
    full.clear()
    assert full.is_empty
