"""The correlation matrix: numbers, layers, and the selection it shares."""

from __future__ import annotations

import math

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.correlation_matrix import MatrixPanel, tap_position


@pytest.fixture
def panel(qtbot, selection, theme):
    made = MatrixPanel(selection, theme)
    made.resize(330, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def eta_of(i: int, j: int, tap: int, view: int = 0) -> float:
    flat = {pair: k for k, pair in enumerate(zip(*np.triu_indices(6, 1), strict=True))}
    return float(frames.matrix_eta()[view, tap, flat[min(i, j), max(i, j)]])


def test_it_is_empty_until_there_is_a_matrix(panel):
    assert panel.is_empty
    panel.show_frame(frames.matrix_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty
    assert panel.frame is None


def test_without_a_chosen_layer_the_last_before_the_logits_is_shown(panel):
    panel.show_frame(frames.matrix_frame())
    assert panel.slider.value_label.text() == "relu 2"
    assert tap_position(frames.TAPS, "linear 1") == 1


def test_the_slider_chooses_the_layer_for_all_panels(qtbot, panel, selection):
    panel.show_frame(frames.matrix_frame())
    panel.slider.slider.setFocus()
    qtbot.keyClick(panel.slider.slider, Qt.Key.Key_Left)
    assert selection.tap == "linear 2"
    assert panel.slider.value_label.text() == "linear 2"


def test_a_layer_chosen_elsewhere_moves_the_slider_and_the_picture(panel, selection):
    panel.show_frame(frames.matrix_frame())
    selection.set_tap("relu 1")
    assert panel.slider.slider.value() == 2
    assert panel._values[0, 1] == pytest.approx(math.tanh(eta_of(0, 1, 2)))


def test_the_view_is_shared(qtbot, panel, selection):
    panel.show_frame(frames.matrix_frame())
    qtbot.mouseClick(panel.view_choice.button("uncentred"), Qt.MouseButton.LeftButton)
    assert selection.view == "uncentred"
    assert panel._values[0, 1] == pytest.approx(math.tanh(eta_of(0, 1, 4, view=1)))
    selection.set_view("centred")
    assert panel.view_choice.key() == "centred"
    assert panel._values[0, 1] == pytest.approx(math.tanh(eta_of(0, 1, 4)))


def test_adversarial_inputs_are_offered_once_there_are_any(qtbot, panel):
    panel.show_frame(frames.matrix_frame())
    assert not panel.inputs.button("adversarial").isEnabled()
    other = frames.matrix_eta() * 0.5
    panel.show_frame(frames.matrix_frame("adversarial", other))
    qtbot.mouseClick(panel.inputs.button("adversarial"), Qt.MouseButton.LeftButton)
    assert panel._values[0, 1] == pytest.approx(math.tanh(0.5 * eta_of(0, 1, 4)))
    assert "attacked inputs" in panel.subtitle


def test_the_choice_of_inputs_outlives_a_moment_without_them(panel):
    panel.show_frame(frames.matrix_frame())
    panel.show_frame(frames.matrix_frame("adversarial"))
    panel.inputs.button("adversarial").click()
    panel.clear()
    panel.show_frame(frames.matrix_frame())
    assert "clean inputs" in panel.subtitle
    panel.show_frame(frames.matrix_frame("adversarial"))
    assert "attacked inputs" in panel.subtitle


def test_hover_says_both_samples_and_the_numbers_of_the_frame(panel):
    panel.show_frame(frames.matrix_frame())
    panel._on_hover(3.5, 1.2)  # column 3, row 1
    said = panel.heat.readout.text()
    eta = eta_of(1, 3, 4)
    assert "sample 10 (class zero) · sample 20 (class one)" in said
    assert f"C {math.tanh(eta):+.3f}".replace("-", "−") in said
    assert f"angle {math.degrees(math.acos(math.tanh(eta))):.1f}°" in said
    assert f"η {eta:+.3f}".replace("-", "−") in said
    assert f"γ {math.cosh(eta):.3f}" in said
    panel._on_hover(9.5, 1.2)
    assert not panel.heat.readout.isVisible()


def test_clicking_a_cell_chooses_the_pair_and_the_diagonal_its_sample(panel, selection):
    panel.show_frame(frames.matrix_frame())
    panel._on_click(4.5, 0.5)
    assert selection.pair == (40, 60)
    panel._on_click(2.5, 2.5)
    assert selection.sample == 30


def test_a_real_click_reaches_the_cell_under_it(qtbot, panel, selection):
    panel.show_frame(frames.matrix_frame())
    panel.grab()  # lays the plot out
    where = panel.heat.at(3.5, 1.5)
    qtbot.mouseClick(panel.heat.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert selection.pair == (10, 20)


def test_pair_sample_and_class_chosen_elsewhere_are_framed(panel, selection):
    panel.show_frame(frames.matrix_frame())
    selection.set_pair((60, 40))
    x, y = panel.heat._spot.getData()
    assert (np.nanmin(x), np.nanmin(y)) == pytest.approx((-0.4, -0.4))
    assert {(round(a, 1), round(b, 1)) for a, b in zip(x, y, strict=True) if np.isfinite(a)} >= {
        (3.6, -0.4),
        (-0.4, 3.6),
    }
    selection.set_klass(1)
    x, y = panel.heat._band.getData()
    assert (np.nanmin(y[:5]), np.nanmax(y[:5])) == (2, 4)
    selection.set_pair((1, 2))
    assert not len(panel.heat._spot.getData()[0] if panel.heat._spot.getData()[0] is not None else [])


def test_keys_move_over_the_cells_and_return_chooses(qtbot, panel, selection):
    panel.show_frame(frames.matrix_frame())
    panel.heat.setFocus()
    qtbot.keyClick(panel.heat, Qt.Key.Key_Right)
    qtbot.keyClick(panel.heat, Qt.Key.Key_Right)
    qtbot.keyClick(panel.heat, Qt.Key.Key_Down)
    assert "sample 10 (class zero) · sample 30 (class one)" in panel.heat.readout.text()
    qtbot.keyClick(panel.heat, Qt.Key.Key_Return)
    assert selection.pair == (10, 30)


def test_csv_equals_the_matrix_shown(panel, selection):
    panel.show_frame(frames.matrix_frame())
    selection.set_tap("input")
    head, *rows = panel.csv_rows()
    assert head[2:] == frames.INDEX.tolist()
    assert [row[:2] for row in rows] == [[i, k] for i, k in zip(frames.INDEX, frames.LABEL, strict=True)]
    assert rows[0][3] == pytest.approx(math.tanh(eta_of(0, 1, 0)))
    assert all(rows[k][2 + k] == 1 for k in range(6))


def test_dead_and_saturated_pairs_are_shown_as_what_they_are(panel):
    eta = frames.matrix_eta()
    eta[:, :, 0] = np.nan
    eta[:, :, 1] = np.inf
    panel.show_frame(frames.matrix_frame(eta=eta))
    panel.grab()
    assert "dead" in panel.describe(0, 1)
    assert "η +∞" in panel.describe(0, 2)
    assert panel.heat.image.image[0, 1] == 255
    assert panel.heat.image.image[0, 2] == 254


def test_a_matrix_of_one_sample_says_so(panel):
    frame = frames.matrix_frame(eta=np.zeros((2, 6, 0), dtype=np.float32))
    frame.arrays["index"] = frames.INDEX[:1]
    frame.arrays["label"] = frames.LABEL[:1]
    panel.show_frame(frame)
    assert panel.is_empty


def test_zoom_stays_while_frames_come_and_a_double_click_goes_home(qtbot, panel):
    panel.show_frame(frames.matrix_frame())
    panel.heat.zoom(0.5)
    zoomed = panel.heat.getViewBox().viewRange()
    panel.show_frame(frames.matrix_frame())
    assert panel.heat.getViewBox().viewRange() == zoomed
    panel.grab()
    qtbot.mouseDClick(panel.heat.viewport(), Qt.MouseButton.LeftButton, pos=panel.heat.at(3, 3))
    assert not panel.heat.zoomed


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.matrix_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel.heat.backgroundBrush().color().name() == other.surface
