"""Sets of features: spectra with their null, CKA, and neural collapse with its bound."""

from __future__ import annotations

from dataclasses import replace

import look_frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.structure import COLLAPSE, NULL, SIMILARITY, TRAINED, StructurePanel

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = StructurePanel(selection, theme)
    made.resize(640, 420)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.show_frame(look_frames.structure_frame())
    panel.grab()
    return panel


def test_the_button_asks_for_it(qtbot, panel):
    with qtbot.waitSignal(panel.structure_requested, timeout=1000):
        qtbot.mouseClick(panel.button, LEFT)
    panel.show_frame(look_frames.structure_frame())
    with qtbot.waitSignal(panel.structure_requested, timeout=1000):
        qtbot.mouseClick(panel.measure, LEFT)


def test_effective_rank_of_both_networks_layer_by_layer(full):
    assert full._points[0]["trained"].dots.getData()[1].tolist() == [10, 12, 14, 15]
    assert full._points[0]["initial"].dots.getData()[1].tolist() == [20, 22, 24, 25]
    assert "At relu 2 the features use 14.0 directions" in full.caption.full_text
    assert "at initialisation 24.0" in full.caption.full_text


def test_purity_stands_beside_its_isotropic_null(qtbot, full):
    assert full._null.isVisible()
    assert full._null.getData()[1].tolist() == [0.02] * 4
    assert full._null.opts["pen"].dashPattern()
    qtbot.mouseClick(full.chips.chip(NULL), LEFT)
    assert not full._null.isVisible()


def test_the_view_is_that_of_all_panels(qtbot, full, selection):
    qtbot.mouseClick(full.view_choice.button("uncentred"), LEFT)
    assert selection.view == "uncentred"
    assert full.values(TRAINED, "effective_rank").tolist() == [8, 10, 12, 13]


def test_another_quantity_is_chosen_from_the_list(full):
    full.quantity_box.setCurrentIndex(1)
    full.quantity_box.activated.emit(1)
    assert full.column(0) == "entropy"
    assert full._points[0]["trained"].dots.getData()[1] == pytest.approx(np.log([10, 12, 14, 15]))


def test_cka_is_two_maps_from_zero_to_one(qtbot, full, selection):
    qtbot.mouseClick(full.page_choice.button(SIMILARITY), LEFT)
    first, second = full.heats
    assert first.image.image.shape == (4, 4)
    assert [first.image.image[k, k] for k in range(4)] == [254] * 4
    assert second.image.image[0, 0] == round(0.49 * 254)
    full.taps_choice.button("all").click()
    full._on_heat_hover(1, 0.5, 5.5)
    assert second.readout.text() == "logits (trained) and input (initial)\nCKA 0.2400"
    full.grab()
    qtbot.mouseClick(first.viewport(), LEFT, pos=first.at(0.5, 2.5))
    assert selection.tap == "relu 1"
    assert "at relu 1, trained against initialisation: 0.49" in full.caption.full_text


def test_collapse_has_a_log_axis_for_nc1_and_the_simplex_bound_for_the_cosine(qtbot, full):
    qtbot.mouseClick(full.page_choice.button(COLLAPSE), LEFT)
    assert full._scale.log
    assert full._points[0]["trained"].dots.getData()[1] == pytest.approx([0, -2, -4, -5])
    assert full._simplex.line.isVisible()
    assert full._simplex.line.value() == -0.5
    assert not full._null.isVisible()
    assert "(theorem: never below −0.5000)" in full.caption.full_text
    assert full.describe(1, 2).splitlines() == [
        "relu 2",
        "trained: −0.4900",
        "initial: −0.4900",
        "simplex bound: −0.5000",
    ]


def test_nc3_is_a_point_where_the_classifier_reads_and_undefined_elsewhere(qtbot, full):
    qtbot.mouseClick(full.page_choice.button(COLLAPSE), LEFT)
    full.quantity_box.activated.emit(3)
    assert full.column(0) == "nc3"
    assert not full._scale.log
    assert full._points[0]["trained"].dots.getData()[0].tolist() == [2]
    assert "trained: undefined" in full.describe(0, 0)


def test_one_class_has_no_bound_and_too_few_samples_no_similarity(qtbot, panel):
    frame = look_frames.structure_frame(simplex=None, classes=1)
    frame.arrays["cka_layers"][:] = np.nan
    frame.arrays["collapse"][:] = np.nan
    panel.show_frame(frame)
    for page in (SIMILARITY, COLLAPSE):
        qtbot.mouseClick(panel.page_choice.button(page), LEFT)
        panel.grab()
    assert not panel._simplex.line.isVisible()
    assert "mean cosine of class means undefined" in panel.caption.full_text


def test_a_layer_chosen_elsewhere_is_marked(full, selection):
    selection.set_tap("relu 1")
    assert [line.value() for line in full._tap_lines] == [1, 1]
    assert "At relu 1" in full.caption.full_text


def test_csv_holds_every_number(full):
    head, *rows = full.csv_rows()
    assert {len(row) for row in rows} == {len(head)}
    assert ["spectrum", "trained", "centred", "effective_rank", "relu 2", "", 14.0] in rows
    assert len(rows) == 2 * 2 * 6 * 7 + 2 * 6 * 6 + 2 * 36


def test_a_small_card_keeps_its_plots(qtbot, full):
    full.resize(280, 230)
    full.grab()
    qtbot.waitUntil(lambda: full.plots_[0].height() >= 60, timeout=2000)


def test_it_clears_and_everything_has_a_name(full, theme):
    assert unnamed(full) == []
    full.set_theme(type(theme).light())
    full.grab()
    full.clear()
    assert full.is_empty


def test_a_probe_of_a_training_leaves_similarity_out(qtbot, panel):
    frame = look_frames.structure_frame()
    arrays = {name: values for name, values in frame.arrays.items() if not name.startswith("cka")}
    panel.show_frame(replace(frame, arrays=arrays, phase="train", step=10))
    qtbot.mouseClick(panel.page_choice.button(SIMILARITY), LEFT)
    assert "on demand" in panel.caption.full_text
    assert panel.describe_cell(0, 0, 0) == ""
    assert {row[0] for row in panel.csv_rows()} == {"part", "spectrum", "collapse"}
