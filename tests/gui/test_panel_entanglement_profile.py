"""The entanglement profile: groups, intervals, nulls, baseline, and the selection it shares."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.experiments.groups import GROUPS
from gui.panels.profile.panel import ProfilePanel
from gui.panels.profile.references import BASELINE_CHIP
from gui.panels.profile.switches import INIT_CHIP, MORE_CHIP

NAMES = [group.name for group in GROUPS]


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ProfilePanel(selection, theme)
    made.resize(530, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def mean_of(group: str, tap: int, net: int = 0, view: int = 0, quantity: int = 0) -> float:
    return 0.1 * net + 0.01 * view + 0.3 * quantity + 0.05 * NAMES.index(group) + 0.002 * tap


def drawn(panel, group, kind="now"):
    return list(panel.curves.curves[group, kind].line.getData()[1])


def test_it_is_empty_until_something_was_measured(panel):
    assert panel.is_empty
    panel.show_frame(frames.profile_frame(present=()))
    assert panel.is_empty
    panel.show_frame(frames.profile_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty


def test_before_an_attack_the_classes_are_shown_and_after_it_the_attack(panel):
    panel.show_frame(frames.profile_frame(present=("same", "different")))
    assert panel.shown_groups() == ["same", "different"]
    panel.show_frame(frames.profile_frame())
    assert panel.shown_groups() == ["target_members", "adv_target", "clean_target", "random_target"]


def test_curves_are_the_frame_s_numbers_at_the_layer_outputs(panel):
    panel.show_frame(frames.profile_frame())
    assert drawn(panel, "adv_target") == pytest.approx([mean_of("adv_target", t) for t in (0, 2, 4, 5)])
    assert drawn(panel, "adv_target", "init") == pytest.approx([mean_of("adv_target", t, net=1) for t in (0, 2, 4, 5)])


def test_every_tap_can_be_shown(qtbot, panel):
    panel.show_frame(frames.profile_frame())
    qtbot.mouseClick(panel.taps_choice.button("all"), Qt.MouseButton.LeftButton)
    assert drawn(panel, "adv_target") == pytest.approx([mean_of("adv_target", t) for t in range(6)])


def test_the_initialisation_is_dashed_and_in_the_same_colour(panel, theme):
    panel.show_frame(frames.profile_frame())
    now, init = (panel.curves.curves["adv_target", kind].line.opts["pen"] for kind in ("now", "init"))
    assert now.style() == Qt.PenStyle.SolidLine
    assert init.style() == Qt.PenStyle.CustomDashLine
    assert now.color().name() == init.color().name() == theme.group_colour("adv_target")


def test_bands_reach_from_low_to_high(panel):
    panel.show_frame(frames.profile_frame())
    box = panel.curves.curves["adv_target", "now"].band.path().boundingRect()
    assert box.top() == pytest.approx(mean_of("adv_target", 0) - 0.01)
    assert box.bottom() == pytest.approx(mean_of("adv_target", 5) + 0.02)
    assert panel.curves.curves["adv_target", "now"].band.brush().color().alphaF() > 0.2


def test_the_quantity_is_chosen_and_its_unit_is_on_the_axis(qtbot, panel):
    panel.show_frame(frames.profile_frame())
    place = panel.quantity_box.findData("angle")
    panel.quantity_box.setCurrentIndex(place)
    panel.quantity_box.activated.emit(place)
    assert drawn(panel, "adv_target")[0] == pytest.approx(mean_of("adv_target", 0, quantity=1))
    assert "rad" in panel.plot.getPlotItem().getAxis("left").labelText


def test_the_view_is_shared(panel, selection):
    panel.show_frame(frames.profile_frame())
    selection.set_view("uncentred")
    assert drawn(panel, "adv_target")[0] == pytest.approx(mean_of("adv_target", 0, view=1))
    assert panel.view_choice.key() == "uncentred"
    assert "uncentred" in panel.subtitle


def test_chips_switch_groups_and_stay_switched(qtbot, panel):
    panel.show_frame(frames.profile_frame())
    qtbot.mouseClick(panel.chips.chip("clean_target"), Qt.MouseButton.LeftButton)
    assert "clean_target" not in panel.shown_groups()
    assert not panel.curves.curves["clean_target", "now"].line.isVisible()
    panel.show_frame(frames.profile_frame())
    assert "clean_target" not in panel.shown_groups()
    qtbot.mouseClick(panel.chips.chip(INIT_CHIP), Qt.MouseButton.LeftButton)
    assert not panel.curves.curves["adv_target", "init"].line.isVisible()


def test_further_groups_wait_behind_one_chip(qtbot, panel):
    panel.show_frame(frames.profile_frame())
    assert panel.chips.chip(MORE_CHIP).text() == f"+{len(NAMES) - 4} groups"
    qtbot.mouseClick(panel.chips.chip(MORE_CHIP), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.chips.chip("clean_adv"), Qt.MouseButton.LeftButton)
    assert "clean_adv" in panel.shown_groups()


def test_the_legend_is_never_over_a_curve(panel):
    panel.show_frame(frames.profile_frame())
    assert not panel.chips.geometry().intersects(panel.plot.geometry())


def test_hover_says_mean_interval_and_number_of_inputs(panel):
    panel.show_frame(frames.profile_frame())
    place = 2  # relu 2, tap 4
    panel._on_hover(1.9, mean_of("adv_target", 4) + 0.001)
    mean = mean_of("adv_target", 4)
    said = panel.plot.readout.text()
    assert said.splitlines()[0] == "x_adv with target class"
    assert f"relu 2: +{mean:.3f} [+{mean - 0.01:.3f}, +{mean + 0.02:.3f}]" in said
    assert f"at initialisation: +{mean + 0.1:.3f}" in said
    assert f"n = {100 + NAMES.index('adv_target')} inputs" in said
    assert panel._pointed == (place, 1)
    panel.plot.leave()
    assert not panel.curves.dot.isVisible()


def test_clicking_a_layer_chooses_it_and_back(panel, selection):
    panel.show_frame(frames.profile_frame())
    panel._on_click(1.1, 0.0)
    assert selection.tap == "relu 1"
    assert panel.curves.tap_line.isVisible()
    assert panel.curves.tap_line.value() == 1
    selection.set_tap("linear 1")
    assert not panel.curves.tap_line.isVisible()


def test_keys_walk_along_the_curves_and_return_chooses_the_layer(qtbot, panel, selection):
    panel.show_frame(frames.profile_frame())
    panel.plot.setFocus()
    qtbot.keyClick(panel.plot, Qt.Key.Key_Right)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Left)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Down)
    assert panel.plot.readout.text().startswith("x_adv with target class\nrelu 2")
    qtbot.keyClick(panel.plot, Qt.Key.Key_Return)
    assert selection.tap == "relu 2"


def test_the_caption_says_what_the_bands_are(panel):
    panel.show_frame(frames.profile_frame(present=("same",)))
    assert panel.caption.full_text == "Mean and 95% bootstrap over inputs · n = 100 · 200 resamples"


def test_a_baseline_is_dotted_and_can_be_taken_away(qtbot, panel):
    panel.show_frame(frames.profile_frame())
    panel.set_baseline(frames.profile_frame(scale=0.5), "run 2")
    curve = panel.curves.curves["adv_target", "baseline"]
    assert drawn(panel, "adv_target", "baseline")[0] == pytest.approx(0.5 * mean_of("adv_target", 0))
    assert curve.line.opts["pen"].dashPattern()[0] < 2
    assert panel.chips.chip(BASELINE_CHIP).text() == "run 2"
    panel.set_baseline(None)
    assert not curve.line.isVisible()
    assert BASELINE_CHIP not in [entry.key for entry in panel.chips.entries()]


def test_a_baseline_of_another_network_is_matched_by_tap_name(panel):
    other = frames.profile_frame(scale=0.5)
    taps = [{**tap, "name": tap["name"].replace("relu 1", "conv 1")} for tap in frames.TAPS]
    object.__setattr__(other, "info", {**other.info, "taps": taps})
    panel.show_frame(frames.profile_frame())
    panel.set_baseline(other, "other")
    row = drawn(panel, "adv_target", "baseline")
    assert np.isnan(row[1])
    assert row[2] == pytest.approx(0.5 * mean_of("adv_target", 4))


def test_csv_equals_the_curves(panel, selection):
    panel.show_frame(frames.profile_frame())
    selection.set_view("uncentred")
    head, *rows = panel.csv_rows()
    assert len(rows) == 4 * 2 * 4
    table = [dict(zip(head, row, strict=True)) for row in rows]
    found = next(r for r in table if r["group"] == "adv_target" and r["net"] == "init" and r["tap"] == "relu 1")
    assert found["mean"] == pytest.approx(mean_of("adv_target", 2, net=1, view=1))
    assert found["high"] - found["low"] == pytest.approx(0.03)
    assert found["n"] == 103


def test_missing_numbers_leave_gaps(panel):
    frame = frames.profile_frame()
    frame.arrays["mean"][:, :, :, NAMES.index("adv_target"), 4] = np.nan
    frame.arrays["low"][:, :, :, NAMES.index("adv_target"), 4] = np.nan
    panel.show_frame(frame)
    panel.grab()
    assert "relu 2: not measured" in panel.describe(2, "adv_target")
    panel._on_hover(2, 0)
    assert not panel.plot.readout.text().startswith("x_adv with target class")


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.profile_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel.curves.curves["adv_target", "now"].line.opts["pen"].color().name() == other.group_colour("adv_target")
    assert panel.chips.chip("adv_target").entry.colour == other.group_colour("adv_target")
