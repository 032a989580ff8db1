"""The spacetime diagram: world lines, the cone, and the selection it shares."""

from __future__ import annotations

import math

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.spacetime_diagram import SpacetimePanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = SpacetimePanel(selection, theme)
    made.resize(330, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def line_of(panel, group):
    x, y = panel._curves[group].getData()
    return x[np.isfinite(x)], y[np.isfinite(y)]


def test_it_is_empty_until_there_are_pairs(panel):
    panel.show_frame(frames.matrix_frame())
    assert panel.is_empty
    panel.show_frame(frames.pairs_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty
    assert panel.marked() == []


def test_a_world_line_is_the_running_sum_of_correlations(panel):
    panel.show_frame(frames.pairs_frame())
    x, y = line_of(panel, "adv_target")
    assert x == pytest.approx(np.arange(4) * math.tanh(1.0))
    assert list(y) == [0, 1, 2, 3]


def test_the_cone_is_dashed_and_named_and_no_line_leaves_it(panel):
    panel.show_frame(frames.pairs_frame(np.random.default_rng(0).normal(0, 9, (2, 4, 6))))
    x, y = panel._marks.cone.getData()
    assert [list(x), list(y)] == [[-3, 0, 3], [3, 0, 3]]
    assert panel._marks.cone.opts["pen"].style() == Qt.PenStyle.CustomDashLine
    assert panel._marks.cone_text.toPlainText().split() == ["light", "cone", "|C|", "=", "1"]
    for group in panel._curves:
        x, y = line_of(panel, group)
        assert (np.abs(x) <= y + 1e-12).all()


def test_the_caption_says_what_is_theorem_and_what_is_analogy(panel):
    panel.show_frame(frames.pairs_frame())
    assert "analogy" in panel.caption.text()
    assert "theorem" in panel.caption.text()
    assert "ceiling" not in panel.caption.text()


def test_the_precision_ceiling_is_said_where_it_is_reached(panel):
    eta = np.zeros((2, 4, 6))
    eta[0, 1, 3:] = 16.5
    panel.show_frame(frames.pairs_frame(eta))
    assert panel.caption.text().startswith("1 line reaches |η| ≈ 16.6, float32's ceiling")


def test_hover_takes_the_nearest_line_and_says_its_numbers(panel):
    panel.show_frame(frames.pairs_frame())
    panel.grab()
    x = 2 * math.tanh(1.0)
    panel._on_hover(x + 0.01, 2.0)
    said = panel.plot.readout.text()
    assert said.splitlines()[:3] == ["x_adv with target class", "sample 30 · a training sample", "layer 2 (relu 2)"]
    assert f"C +{math.tanh(1.0):.3f}" in said
    assert f"angle {math.degrees(math.acos(math.tanh(1.0))):.1f}°" in said
    assert "η +1.000" in said
    assert f"γ {math.cosh(1.0):.3f}" in said
    panel._on_hover(-2.9, 0.1)
    assert not panel.plot.readout.isVisible()


def test_clicking_a_line_chooses_its_pair(panel, selection):
    panel.show_frame(frames.pairs_frame())
    panel.grab()
    panel._on_click(3 * math.tanh(-0.3), 3.0)
    assert selection.pair == (40, 60)
    assert [group for group, _ in panel.marked()] == ["different"]


def test_a_pair_with_a_training_sample_marks_all_its_lines(panel, selection):
    panel.show_frame(frames.pairs_frame())
    selection.set_pair((30, -1))
    assert [group for group, _ in panel.marked()] == ["adv_target", "clean_target"]


def test_a_pair_that_is_not_drawn_is_taken_from_the_matrix(panel, selection):
    panel.show_frame(frames.pairs_frame())
    selection.set_pair((20, 50))
    assert panel.marked() == []
    panel.show_frame(frames.matrix_frame())
    ((group, line),) = panel.marked()
    assert group == ""
    pairs = list(zip(*np.triu_indices(6, 1), strict=True))
    c = np.tanh(frames.matrix_eta()[0, [2, 4, 5], pairs.index((3, 5))])
    assert line == pytest.approx(np.concatenate([[0], np.cumsum(c)]))
    x, _ = panel._chosen[""].getData()
    assert np.nanmax(x) == pytest.approx(max(0.0, line.max()))


def test_the_view_is_shared(panel, selection):
    panel.show_frame(frames.pairs_frame())
    selection.set_view("uncentred")
    x, _ = line_of(panel, "adv_target")
    assert x[1] == pytest.approx(math.tanh(1.5))
    assert panel.view_choice.key() == "uncentred"


def test_a_chip_hides_its_group_also_from_the_pointer(qtbot, panel, selection):
    panel.show_frame(frames.pairs_frame())
    panel.grab()
    qtbot.mouseClick(panel.chips.chip("adv_target"), Qt.MouseButton.LeftButton)
    assert not panel._curves["adv_target"].isVisible()
    panel._on_click(3 * math.tanh(1.0), 3.0)
    assert selection.pair is None


def test_a_chosen_layer_is_marked(panel, selection):
    panel.show_frame(frames.pairs_frame())
    selection.set_tap("linear 2")
    assert panel._tap_line.isVisible()
    assert panel._tap_line.value() == 2


def test_keys_walk_from_line_to_line_and_layer_to_layer(qtbot, panel, selection):
    panel.show_frame(frames.pairs_frame())
    panel.plot.setFocus()
    qtbot.keyClick(panel.plot, Qt.Key.Key_Down)
    assert panel._pointed == (0, 2)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Right)
    assert panel._pointed == (2, 2)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Return)
    assert selection.pair == (30, -1)


def test_csv_equals_the_lines_drawn(qtbot, panel):
    panel.show_frame(frames.pairs_frame())
    qtbot.mouseClick(panel.chips.chip("same"), Qt.MouseButton.LeftButton)
    head, *rows = panel.csv_rows()
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert {row["group"] for row in table} == {"different", "adv_target", "clean_target"}
    last = next(r for r in table if r["group"] == "adv_target" and r["layer"] == 3)
    assert last["X"] == pytest.approx(3 * math.tanh(1.0))
    assert last["rapidity"] == pytest.approx(1.0)
    assert last["C"] == pytest.approx(math.tanh(1.0))


def test_dead_layers_end_a_line_and_no_pairs_are_said(panel):
    eta = np.full((2, 4, 6), np.nan)
    panel.show_frame(frames.pairs_frame(eta))
    panel.grab()
    panel._on_hover(0.0, 2.0)
    assert "dead" in panel.describe(0, 2)
    empty = frames.pairs_frame(np.zeros((2, 4, 6))[:, :0])
    for name in ("a", "b", "group"):
        empty.arrays[name] = empty.arrays[name][:0]
    panel.show_frame(empty)
    assert panel.is_empty


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.pairs_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel._curves["adv_target"].opts["pen"].color().name() == other.group_colour("adv_target")
