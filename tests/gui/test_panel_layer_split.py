"""The layer split: linear map, bias and activation of each layer, their null and the speed limit."""

from __future__ import annotations

import frames
import null_frames
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.helptext import read_help
from gui.panels.profile.panel import ProfilePanel
from gui.panels.profile.split import GAP_CHIP, INIT_CHIP, LOGITS_CHIP
from gui.panels.profile.split_words import limit_of

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ProfilePanel(selection, theme)
    made.resize(560, 420)
    qtbot.addWidget(made)
    made.show()
    made.show_frame(frames.profile_frame())
    return made


@pytest.fixture
def split(qtbot, panel):
    """The page of the layer split, with its frame."""
    panel.show_frame(null_frames.layers_frame())
    qtbot.mouseClick(panel.page_choice.button("split"), LEFT)
    panel.grab()
    return panel.split


def heights(bars):
    return list(bars.opts["height"])


def test_before_it_is_measured_the_page_says_so_and_offers_to(qtbot, panel):
    qtbot.mouseClick(panel.page_choice.button("split"), LEFT)
    assert not panel.split.isVisible()
    assert panel.no_split.button.isVisible()
    with qtbot.waitSignal(panel.layers_requested):
        qtbot.mouseClick(panel.no_split.button, LEFT)
    panel.show_frame(null_frames.layers_frame())
    assert panel.split.isVisible()


def test_the_page_has_no_controls_that_say_nothing_about_it(qtbot, panel, split):
    assert not panel.quantity_box.isVisible()
    assert not panel.view_choice.isVisible()
    assert "uncentred" in panel.subtitle
    qtbot.mouseClick(panel.page_choice.button("curves"), LEFT)
    assert panel.plot.isVisible()
    assert panel.quantity_box.isVisible()


def test_bars_are_the_frame_s_means_side_by_side(split):
    same, different = split._bars["same"], split._bars["different"]
    expected = [0.1 * layer + 0.02 * part + 0.05 for layer in range(3) for part in range(3)][:-1]
    assert heights(same.trained) == pytest.approx(expected)
    assert heights(different.trained) == pytest.approx([value + 0.01 for value in expected])
    assert heights(same.initial) == pytest.approx([value / 10 for value in expected])
    gaps = different.trained.opts["x"] - same.trained.opts["x"]
    assert gaps == pytest.approx([gaps[0]] * 8)
    assert gaps[0] > split._bars["same"].trained.opts["width"]
    assert same.whiskers.count == 8


def test_initialisation_is_an_outline_and_the_trained_network_filled(split, theme):
    bars = split._bars["same"]
    assert bars.trained.opts["brush"].name() == theme.group_colour("same")
    assert bars.initial.opts["brush"].style() == Qt.BrushStyle.NoBrush


def test_the_null_of_linear_maps_is_dashed_at_its_gap(qtbot, split):
    _, y = split._gap.getData()
    assert list(y[[0, 1, 3, 4, 6, 7]]) == [0.008, 0.008, 0.008, 0.008, 0.06, 0.06]
    assert split._gap.opts["pen"].style() == Qt.PenStyle.CustomDashLine
    qtbot.mouseClick(split.chips.chip(GAP_CHIP), LEFT)
    assert not split._gap.isVisible()


def test_the_speed_limit_is_told_below_and_of_every_layer(split):
    assert split.caption.full_text.startswith("Theorem |Δη| ≤ ln κ: largest 0.50 of 2.00 (linear 2); 1 with a kernel")
    assert limit_of(split.frame, 0) == "largest |Δη| of W 0.38 of ln κ = 5.83"
    assert "no limit: the map has a kernel" in limit_of(split.frame, 2)


def test_hover_names_the_part_its_intervals_null_and_limit(split):
    split._on_hover(split.place(0, 0), 0.0)
    said = split.plot.readout.text().splitlines()
    assert said[0] == "linear 1: linear map W"
    assert said[1] == "same class: +0.050 [+0.030, +0.080], at initialisation +0.005"
    assert "null: gap(n) = +0.0080" in said
    assert "largest |Δη| of W 0.38 of ln κ = 5.83" in said
    split._on_hover(split.place(0, 2), 0.0)
    said = split.plot.readout.text()
    assert said.startswith("linear 1: activation σ")
    assert "κ" not in said


def test_a_network_without_biases_has_no_place_for_them(panel):
    panel.show_frame(null_frames.layers_frame(bias=False))
    assert panel.split._parts == [0, 2]
    assert len(heights(panel.split._bars["same"].trained)) == 5
    assert "bias" not in {row[2] for row in panel.split.csv_rows()}


def test_the_axis_names_parts_and_layers(split):
    axis = split.plot.getPlotItem().getAxis("bottom")
    ((_, places),) = axis.tickValues(-0.5, 2.5, 500)
    texts = axis.tickStrings(places, 1, 1)
    assert texts[:3] == ["W\n ", "b\nlinear 1", "σ\n "]
    assert [text.split("\n")[0] for text in texts].count("σ") == 2  # logits have none


def test_logits_and_groups_can_be_left_out(qtbot, split):
    qtbot.mouseClick(split.chips.chip(LOGITS_CHIP), LEFT)
    assert split.shown_layers() == ["linear 1", "linear 2"]
    assert len(heights(split._bars["same"].trained)) == 6
    qtbot.mouseClick(split.chips.chip("different"), LEFT)
    assert not split._bars["different"].trained.isVisible()
    qtbot.mouseClick(split.chips.chip(INIT_CHIP), LEFT)
    assert not split._bars["same"].initial.isVisible()
    split.grab()


def test_clicking_a_layer_chooses_it_and_back(split, selection):
    split._on_click(1.2, 0.0)
    assert selection.tap == "linear 2"
    assert split._tap_line.isVisible()
    selection.set_tap("relu 1")
    assert not split._tap_line.isVisible()


def test_keys_walk_along_the_bars(qtbot, split, selection):
    split.plot.setFocus()
    qtbot.keyClick(split.plot, Qt.Key.Key_Right)
    qtbot.keyClick(split.plot, Qt.Key.Key_Right)
    assert split.plot.readout.text().startswith("linear 1: bias b")
    qtbot.keyClick(split.plot, Qt.Key.Key_Return)
    assert selection.tap == "linear 1"


def test_export_is_of_the_page_shown(panel, split):
    head, *rows = panel.csv_rows()
    assert "boost" in head
    table = [dict(zip(head, row, strict=True)) for row in rows]
    first = table[0]
    assert (first["net"], first["layer"], first["part"], first["group"]) == ("trained", "linear 1", "linear", "same")
    assert (first["gap"], first["largest"], first["ln_kappa"]) == (0.008, 0.38, 5.83)
    assert {row["net"] for row in table} == {"trained", "initial"}
    assert panel.plots()[0][0] == "layer split"


def test_it_is_explained_by_a_text_of_its_own(panel, split):
    panel.show_help()
    assert panel._split_help.isVisible()
    assert "ln κ" in panel._split_help.browser.toPlainText()
    panel._split_help.close()
    assert read_help("layers").kinds == ("theorem", "measurement")


def test_everything_has_a_name_and_the_theme_changes_live(panel, split, theme):
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert split._bars["same"].trained.opts["brush"].name() == other.group_colour("same")


def test_clear_forgets_it(panel, split):
    panel.clear()
    assert split.frame is None
    assert not split._bars["same"].trained.isVisible()
