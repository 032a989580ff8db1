"""All pairs: densities, the layer and the view, what stands in the caption."""

from __future__ import annotations

import numpy as np
import pytest
from look_frames import all_pairs_frame
from PySide6.QtCore import Qt

from gui.panels.all_pairs import AllPairsPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = AllPairsPanel(selection, theme)
    made.resize(420, 360)
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_button_asks_for_them(qtbot, panel):
    with qtbot.waitSignal(panel.all_pairs_requested, timeout=1000):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)


def test_densities_integrate_to_one_at_the_last_hidden_layer(panel):
    panel.show_frame(all_pairs_frame())
    assert panel.slider.value_label.text() == "relu 1"
    np.testing.assert_allclose(panel.density("same"), [0, 0, 1, 1])
    assert panel.density("different").sum() * 0.5 == pytest.approx(1)
    assert "10 pairs" in panel.caption.full_text and "2 dead features" in panel.caption.full_text


def test_the_slider_chooses_the_layer_for_all_panels_and_the_view_its_own(qtbot, panel, selection):
    panel.show_frame(all_pairs_frame())
    panel.slider.slider.setValue(2)
    assert selection.tap == "logits"
    np.testing.assert_allclose(panel.density("same"), [0, 0, 0, 2])
    selection.set_tap("relu 1")
    selection.set_view("uncentred")
    np.testing.assert_allclose(panel.density("same"), [0, 0, 0, 2])


def test_layers_not_yet_measured_are_not_shown(panel, selection):
    selection.set_tap("logits")
    panel.show_frame(all_pairs_frame(measured=1))
    assert panel.slider.value_label.text() == "input"
    assert "being measured" in panel.caption.full_text


def test_its_table_holds_every_bin_that_has_pairs(panel):
    panel.show_frame(all_pairs_frame())
    rows = list(panel.csv_rows())
    assert len(rows) == 1 + 6 * 2 + 1
    panel.clear()
    assert list(panel.csv_rows()) == []
