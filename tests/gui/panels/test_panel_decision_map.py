"""The decision map: regions, the straight edge of an affine margin, the points, and what is asked for."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.decision_map import DecisionMapPanel, regions
from gui.plots.contour import zero_line


@pytest.fixture
def panel(qtbot, selection, theme):
    made = DecisionMapPanel(selection, theme)
    made.resize(520, 420)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.show_frame(frames.decision_map_frame())
    panel.grab()
    return panel


def test_it_is_empty_until_there_is_a_map(panel):
    assert panel.is_empty
    panel.show_frame(frames.decision_map_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty


def test_the_edge_of_an_affine_margin_is_drawn_as_the_straight_line_that_it_is(full):
    x, y = full._boundary.getData()
    assert len(x) >= 40
    assert x == pytest.approx(np.ones(len(x)), abs=1e-6)
    assert (y.min(), y.max()) == (-1, 3)


def test_a_slanted_line_is_exact_and_gaps_stay_gaps():
    a, b = np.meshgrid(np.linspace(-1, 1, 13), np.linspace(-2, 2, 9))
    values = 0.3 + 1.7 * a - 0.9 * b
    x, y = zero_line(values, a[0], b[:, 0])
    assert 0.3 + 1.7 * x - 0.9 * y == pytest.approx(np.zeros(len(x)), abs=1e-12)
    assert len(x) % 2 == 0
    values[:, 6] = np.nan
    x, _ = zero_line(values, a[0], b[:, 0])
    assert not ((x > a[0, 5]) & (x < a[0, 7])).any()
    assert len(zero_line(np.ones((4, 4)), np.arange(4), np.arange(4))[0]) == 0


def test_regions_have_their_class_s_colour_and_are_pale_at_the_edge(theme):
    prediction = np.array([[0, 0, 1], [-1, 0, 1]])
    margin = np.array([[0.0, 5.0, -5.0], [np.nan, 5.0, -5.0]])
    pixels = regions(prediction, margin, theme)[..., :3].astype(int)
    from PySide6.QtGui import QColor

    paper = np.array(QColor(theme.surface).getRgb()[:3])
    own = np.array(QColor(theme.class_colour(0)).getRgb()[:3])
    other = np.array(QColor(theme.class_colour(1)).getRgb()[:3])
    assert np.abs(pixels[0, 0] - paper).sum() < np.abs(pixels[0, 1] - paper).sum()
    assert np.abs(pixels[0, 1] - own).sum() < np.abs(pixels[0, 1] - other).sum()
    assert np.abs(pixels[0, 2] - other).sum() < np.abs(pixels[0, 2] - own).sum()
    assert pixels[1, 0].tolist() == [128, 128, 128]


def test_every_pixel_is_centred_on_its_point(full):
    rect = full.image.boundingRect()
    placed = full.image.mapRectToParent(rect)
    assert (placed.left(), placed.right()) == pytest.approx((-1.1, 3.1))
    assert (placed.top(), placed.bottom()) == pytest.approx((-1.1, 3.1))


def test_ball_box_and_points_lie_where_the_frame_says(full):
    x, y = full._ball.getData()
    assert np.hypot(x, y) == pytest.approx(np.full(len(x), 1.6))
    x, y = full._box.getData()
    assert np.hypot(x, y) == pytest.approx(np.full(len(x), 0.5))
    found = [tuple(np.array(point.getData()).ravel().tolist()) for point in full._points]
    assert found == [(0, 0), (1.5, 0), (1, 2)]
    assert [full.thumbnails.says(k) for k in range(3)] == ["one · 62%", "two · 56%", "two · 50%"]


def test_a_circle_is_drawn_round(full):
    across, up = full.plot.pixel()
    assert across == pytest.approx(up, rel=0.01)


def test_hover_says_class_confidence_margin_and_distance(full):
    full._on_hover(2.0, -0.8)
    said = full.plot.readout.text().splitlines()
    assert said == [
        "seen as two · confidence 62.5%",
        "margin of one −1",
        f"L2 distance from x {np.hypot(2.0, 0.8):.3g}",
        "outside the L2 ball · not a valid input",
    ]
    full._on_hover(99.0, 0.0)
    assert not full.plot.readout.isVisible()


def test_a_click_on_a_point_chooses_its_sample(qtbot, full, selection):
    qtbot.mouseClick(full.plot.viewport(), Qt.MouseButton.LeftButton, pos=full.plot.at(1.0, 2.0))
    assert selection.sample == 70
    full._on_click(1.5, 0.0)
    assert selection.sample == 20
    full._on_click(-0.9, 2.9)
    assert selection.sample == 20


def test_the_button_asks_for_the_selected_sample_or_a_fooled_one(qtbot, panel, selection):
    asked = []
    panel.map_requested.connect(lambda sample, third: asked.append((sample, third)))
    assert panel.button.text() == "Map a fooled sample"
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    selection.set_sample(30)
    assert panel.button.text() == "Map the selected sample"
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert asked == [(-1, -1), (30, -1)]


def test_the_plane_can_be_turned_to_the_selected_sample(qtbot, full, selection):
    asked = []
    full.map_requested.connect(lambda sample, third: asked.append((sample, third)))
    full.third_box.setCurrentIndex(1)
    full.third_box.activated.emit(1)
    assert not full.button.isEnabled(), "there is none yet"
    selection.set_sample(70)
    qtbot.mouseClick(full.button, Qt.MouseButton.LeftButton)
    assert asked == [(20, 70)]


def test_a_plane_that_is_not_the_one_asked_for_is_told_on_screen(panel):
    note = "x_adv is x itself, so the first axis goes to the third sample and the second is a random direction."
    frame = frames.decision_map_frame(note=note, axes=["sample 70 (class two)", "a random direction"])
    frame.arrays["points"][1] = 0
    panel.show_frame(frame)
    assert panel.note.text() == note
    assert not panel.note.isHidden()
    assert panel._words[0].toPlainText() == "x = x_adv"
    assert not panel._points[1].isVisible()
    assert panel.plot.getPlotItem().getAxis("left").labelText.startswith("to a random direction (L2")
    panel.show_frame(frames.decision_map_frame())
    assert panel.note.isHidden()


def test_an_attack_without_a_budget_has_the_ball_of_its_own_length(panel):
    panel.show_frame(frames.decision_map_frame(eps=None))
    assert panel.chips.chip("ball").text() == "L2 ball, ‖x_adv − x‖ = 1.6"


def test_a_norm_without_an_outline_and_data_without_a_range_have_no_lines(panel):
    frame = frames.decision_map_frame(norm="L0", eps=None)
    arrays = {k: v for k, v in frame.arrays.items() if k not in ("ball", "box")}
    panel.show_frame(type(frame)("decision_map", "map", 0, arrays, frame.info))
    assert [entry.key for entry in panel.chips.entries()] == ["class 1", "class 2", "boundary"]
    assert "ball" not in panel.describe(0, 0)
    panel.grab()


def test_chips_hide_lines_and_choose_classes(qtbot, full, selection):
    full.chips.toggled.emit("ball", False)
    assert not full._ball.isVisible()
    qtbot.mouseClick(full.chips.chip("class 2"), Qt.MouseButton.LeftButton)
    assert selection.klass == 2
    assert full.chips.chip("class 2").isChecked()


def test_keys_walk_over_the_map(qtbot, full):
    full.plot.setFocus()
    qtbot.keyClick(full.plot, Qt.Key.Key_Right)
    assert "L2 distance from x 0" in full.plot.readout.text()
    for _ in range(6):
        qtbot.keyClick(full.plot, Qt.Key.Key_Right)
    assert "seen as two" in full.plot.readout.text()


def test_vectors_are_strips_and_points_without_an_answer_are_grey(panel):
    frame = frames.decision_map_frame()
    frame.arrays["images"] = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    frame.arrays["prediction"][0, 0] = -1
    frame.arrays["margin"][0, 0] = np.nan
    panel.show_frame(frame)
    panel.grab()
    assert "seen as no answer" in panel.describe(0, 0)


def test_csv_equals_the_frame(full):
    head, *rows = full.csv_rows()
    frame = frames.decision_map_frame()
    assert len(rows) == 21 * 21
    assert [row[head.index("margin")] for row in rows] == frame.arrays["margin"].ravel().tolist()
    assert rows[1][head.index("a")] - rows[0][head.index("a")] == pytest.approx(0.2)


def test_everything_has_a_name_and_the_theme_changes_live(full, theme):
    assert unnamed(full) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    before = full.image.image.copy()
    full.set_theme(other)
    full.grab()
    assert not np.array_equal(full.image.image, before)


def test_what_a_low_panel_has_no_room_for_is_in_the_tool_tip(full):
    full.resize(300, 220)
    assert not full.grab().isNull()
    assert full.thumbnails.describe(1).startswith("x_adv (sample ")
    assert full.thumbnails.describe(1).endswith(full.thumbnails.says(1))
    words = full.thumbnails.fontMetrics()
    assert full.thumbnails.width() >= words.horizontalAdvance("8") + 6


def test_x_and_x_adv_are_named_on_either_side(full):
    assert full._words[0].anchor.x() == 1
    assert full._words[1].anchor.x() == 0
