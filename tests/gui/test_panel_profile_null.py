"""The profile beside its null: what networks that learned nothing do, the excess over it, and other seeds."""

from __future__ import annotations

import frames
import null_frames
import numpy as np
import pace
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from gui.helptext import read_help
from gui.panels.profile.panel import ProfilePanel
from gui.panels.profile.references import NULL_CHIP, REPEATS_CHIP, THEORY_CHIP
from gui.panels.profile.switches import INIT_CHIP

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ProfilePanel(selection, theme)
    made.resize(530, 420)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def beside(panel):
    """The panel with a profile of clean pairs and its null, which theory knows."""
    panel.show_frame(frames.profile_frame(present=("same", "different")))
    panel.show_frame(null_frames.null_frame("exact"))
    return panel


def keys(panel):
    return [entry.key for entry in panel.chips.entries()]


def text_of(panel, key):
    return panel.chips.chip(key).text()


def drawn(panel, group, kind="now"):
    return panel.curves.curves[group, kind].line.getData()[1]


def test_without_a_null_nothing_is_said_of_one(panel):
    panel.show_frame(frames.profile_frame())
    assert not {NULL_CHIP, THEORY_CHIP, REPEATS_CHIP} & set(keys(panel))
    assert not panel.values_choice.isVisible()
    assert "null" not in panel.describe(2, "adv_target")
    assert "null_mean" not in next(iter(panel.csv_rows()))


def test_the_null_is_dashed_in_a_faint_band_and_named_by_its_networks(beside, theme):
    curve = beside.curves.curves["same", "null"]
    assert curve.line.isVisible()
    assert curve.line.opts["pen"].style() == Qt.PenStyle.CustomDashLine
    assert curve.line.opts["pen"].color().name() == theme.group_colour("same")
    assert drawn(beside, "same", "null") == pytest.approx([0.1] * 4)
    box = curve.band.path().boundingRect()
    assert (box.top(), box.bottom()) == pytest.approx((0.06, 0.14))
    assert curve.band.brush().color().alphaF() < beside.curves.curves["same", "now"].band.brush().color().alphaF()
    assert text_of(beside, NULL_CHIP) == "null: 20 networks drawn anew"


def test_one_network_before_training_steps_back_for_the_null_but_can_be_had(qtbot, beside):
    assert (
        not beside.curves.curves["same", "init"].line.isVisible() if ("same", "init") in beside.curves.curves else True
    )
    assert INIT_CHIP not in beside.chips.on()
    qtbot.mouseClick(beside.chips.chip(INIT_CHIP), LEFT)
    assert beside.curves.curves["same", "init"].line.isVisible()


@pytest.mark.parametrize("kind", ["exact", "infinite width"])
def test_theory_has_a_line_of_its_own_and_says_what_it_is(panel, kind):
    panel.show_frame(frames.profile_frame(present=("same", "different")))
    panel.show_frame(null_frames.null_frame(kind))
    assert text_of(panel, THEORY_CHIP) == f"null: {kind}"
    tip = panel.chips.chip(THEORY_CHIP).toolTip()
    assert tip.startswith("Theorem: " if kind == "exact" else "Theorem in the limit: ")
    assert tip.endswith("Said of the theory.")
    assert drawn(panel, "same", "theory")[1:] == pytest.approx([0.11] * 3)
    pens = [panel.curves.curves["same", which].line.opts["pen"].dashPattern() for which in ("null", "theory")]
    assert pens[0] != pens[1]


def test_the_wide_limit_has_a_band_of_this_width_drawn_by_its_edges(qtbot, panel):
    panel.show_frame(frames.profile_frame(present=("same", "different")))
    panel.show_frame(null_frames.null_frame("infinite width", phase="chaotic"))
    curve = panel.curves.curves["same", "theory"]
    box = curve.band.path().boundingRect()
    assert (box.top(), box.bottom()) == pytest.approx((0.09, 0.14))
    assert curve.band.brush().style() == Qt.BrushStyle.NoBrush and curve.band.pen().style() != Qt.PenStyle.NoPen
    assert text_of(panel, THEORY_CHIP) == "null: infinite width, chaotic"
    assert "Null: Said of the theory." in panel.caption.full_text
    assert "null, infinite width: +0.110 [+0.090, +0.140] at this width" in panel.describe(2, "same")
    head, *rows = panel.csv_rows()
    found = next(d for d in (dict(zip(head, row, strict=True)) for row in rows) if d["tap"] == "relu 1")
    assert (found["null_theory_low"], found["null_theory_high"]) == pytest.approx((0.09, 0.14))
    qtbot.mouseClick(panel.values_choice.button("excess"), LEFT)
    box = curve.band.path().boundingRect()
    assert (box.top(), box.bottom()) == pytest.approx((-0.01, 0.04))


def test_where_no_theory_is_known_none_is_named(panel):
    panel.show_frame(frames.profile_frame(present=("same",)))
    panel.show_frame(null_frames.null_frame(""))
    assert NULL_CHIP in keys(panel)
    assert THEORY_CHIP not in keys(panel)


def test_theory_of_clean_pairs_is_not_named_over_groups_of_the_attack(panel):
    panel.show_frame(frames.profile_frame())
    panel.show_frame(null_frames.null_frame("exact"))
    assert THEORY_CHIP not in keys(panel)


def test_excess_subtracts_the_null_s_mean(qtbot, beside):
    before = drawn(beside, "same").copy()
    qtbot.mouseClick(beside.values_choice.button("excess"), LEFT)
    assert drawn(beside, "same") == pytest.approx(before - 0.1)
    assert drawn(beside, "same", "null") == pytest.approx([0.0] * 4)
    box = beside.curves.curves["same", "null"].band.path().boundingRect()
    assert (box.top(), box.bottom()) == pytest.approx((-0.04, 0.04))
    assert beside.curves.zero.isVisible()
    assert beside.curves.zero.pen.style() == Qt.PenStyle.CustomDashLine
    assert beside.plot.getPlotItem().getAxis("left").labelText == "excess of correlation C"
    assert "excess over the null" in beside.subtitle
    qtbot.mouseClick(beside.values_choice.button("measured"), LEFT)
    assert drawn(beside, "same") == pytest.approx(before)


def test_excess_ends_where_the_null_does(qtbot, beside):
    qtbot.mouseClick(beside.values_choice.button("excess"), LEFT)
    beside.clear()
    beside.show_frame(frames.profile_frame(present=("same", "different")))
    assert not beside.excess
    assert not beside.values_choice.isVisible()
    assert not beside.curves.curves["same", "null"].line.isVisible()


def test_hover_names_the_null_the_theory_and_the_excess(beside):
    beside.grab()
    mean = float(beside.values(0, "same")[0][2])
    beside._on_hover(2.0, mean)
    said = beside.plot.readout.text().splitlines()
    assert "null: +0.100 [+0.060, +0.140], 20 networks drawn anew" in said
    assert "null, exact: +0.110" in said
    assert any(line.startswith("excess over the null: −0.092, below its band") for line in said)


def test_hover_says_when_the_null_explains_it(panel):
    panel.show_frame(frames.profile_frame(present=("same",)))
    panel.show_frame(null_frames.null_frame(mean=0.01))
    assert "within its band" in panel.describe(2, "same")
    panel.show_frame(null_frames.null_frame(mean=-0.4))
    assert "above its band" in panel.describe(2, "same")


def test_repetition_is_drawn_as_intervals_over_networks(qtbot, beside):
    beside.show_frame(null_frames.repeats_frame())
    whiskers = beside.curves.whiskers["same"]
    assert whiskers.count == 4
    assert whiskers.bars.isVisible()
    assert whiskers.bars.opts["top"] == pytest.approx([0.05] * 4)
    assert text_of(beside, REPEATS_CHIP) == "5 networks, 95%"
    assert "90.0% to 94.0%" in beside.chips.chip(REPEATS_CHIP).toolTip()
    assert "5 networks, 95%: +0.300 [+0.250, +0.350]" in beside.describe(1, "same")
    qtbot.mouseClick(beside.values_choice.button("excess"), LEFT)
    assert whiskers.points.getData()[1] == pytest.approx([0.2] * 4)
    qtbot.mouseClick(beside.chips.chip(REPEATS_CHIP), LEFT)
    assert not whiskers.bars.isVisible()


def test_groups_without_a_repetition_have_no_bars(panel):
    panel.show_frame(frames.profile_frame(present=("adv_true",)))
    panel.switches.turn("adv_true", True)
    panel.show_frame(null_frames.repeats_frame())
    assert REPEATS_CHIP not in keys(panel)


def test_a_null_of_another_network_is_matched_by_the_names_of_its_taps(panel):
    null = null_frames.null_frame()
    taps = [{**tap, "name": tap["name"].replace("relu 1", "conv 1")} for tap in frames.TAPS]
    object.__setattr__(null, "info", {**null.info, "taps": taps})
    panel.show_frame(frames.profile_frame(present=("same",)))
    panel.show_frame(null)
    row = drawn(panel, "same", "null")
    assert np.isnan(row[1])
    assert row[2] == pytest.approx(0.1)


def test_csv_holds_the_null_the_excess_and_the_repetition(beside):
    beside.show_frame(null_frames.repeats_frame())
    head, *rows = beside.csv_rows()
    table = [dict(zip(head, row, strict=True)) for row in rows]
    found = next(row for row in table if row["group"] == "same" and row["tap"] == "relu 1")
    assert found["null_mean"] == pytest.approx(0.1)
    assert (found["null_low"], found["null_high"]) == pytest.approx((0.06, 0.14))
    assert found["null_theory"] == pytest.approx(0.11)
    assert found["excess"] == pytest.approx(found["mean"] - 0.1)
    assert (found["repeats_mean"], found["repeats_low"]) == pytest.approx((0.3, 0.25))


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("Measure the null", "null_requested"),
        ("Repeat over seeds", "repeats_requested"),
        ("Split every layer", "layers_requested"),
    ],
)
def test_the_menu_asks_for_each_measurement(qtbot, panel, text, signal):
    menu = panel.measure_button.menu()
    assert isinstance(menu, QMenu)
    action = next(each for each in menu.actions() if each.text() == text)
    menu.popup(panel.mapToGlobal(panel.rect().center()))
    with qtbot.waitSignal(getattr(panel, signal)):
        qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def test_the_ceiling_of_float32_stands_where_rapidity_is_drawn(panel):
    panel.show_frame(frames.profile_frame())
    assert not any(line.isVisible() for line in panel.curves.ceilings)
    panel.set_quantity("rapidity")
    assert all(line.isVisible() for line in panel.curves.ceilings)
    assert sorted(round(line.value(), 1) for line in panel.curves.ceilings) == [-16.6, 16.6]


def test_everything_drawn_at_once_takes_no_longer_than_a_moment(beside):
    beside.show_frame(null_frames.repeats_frame())
    beside.show_frame(frames.profile_frame())
    for name in beside.present():
        beside.switches.turn(name, True)
    beside._redraw()
    beside.grab()
    assert pace.least(lambda: beside.show_frame(frames.profile_frame()), 0.05) < 0.05


def test_the_null_is_explained_as_theorem_and_measurement():
    text = read_help("profile")
    assert text is not None
    assert text.kinds == ("theorem", "measurement")
    assert "gap(n)" in text.body
