"""The spacetime diagram's other readings: rapidity with its ceiling, three conventions of the boost, proper depth."""

from __future__ import annotations

import math

import frames
import numpy as np
import pytest
from PySide6.QtCore import Qt

from engine.experiments import spacetime
from gui.helptext import read_help
from gui.panels.spacetime_diagram import SpacetimePanel

LEFT = Qt.MouseButton.LeftButton


def eta_of(*angles: float) -> np.ndarray:
    """Rapidities at the input and behind three layers, for a pair at these angles."""
    at = [-math.log(math.tan(angle / 2)) for angle in angles]
    return np.array([at[0], 0.0, at[1], 0.0, at[2], at[3]])


@pytest.fixture
def panel(qtbot, selection, theme):
    made = SpacetimePanel(selection, theme)
    made.resize(360, 420)
    qtbot.addWidget(made)
    made.show()
    eta = np.zeros((2, 4, 6))
    eta[:, 2] = eta_of(math.pi / 2, math.pi / 3, math.pi / 4, math.pi / 6)  # x_adv with target: contraction
    eta[:, 1] = eta_of(math.pi / 6, math.pi / 4, math.pi / 3, math.pi / 2)  # different classes: expansion
    made.show_frame(frames.pairs_frame(eta))
    return made


def choose(qtbot, panel, convention):
    qtbot.mouseClick(panel.diagram_choice.button("boost"), LEFT)
    qtbot.mouseClick(panel.convention_choice.button(convention), LEFT)
    panel.grab()


def line_of(panel, group):
    x, _ = panel._curves[group].getData()
    return x[np.isfinite(x)]


def test_the_cone_comes_first_and_of_the_boosts_the_gram_rapidity(qtbot, panel):
    assert panel.diagram == "cone"
    assert not panel.convention_choice.isVisible()
    qtbot.mouseClick(panel.diagram_choice.button("boost"), LEFT)
    assert panel.diagram == "R"
    assert panel.convention_choice.isVisible()
    assert not panel._marks.cone.isVisible()
    qtbot.mouseClick(panel.diagram_choice.button("cone"), LEFT)
    assert panel._marks.cone.isVisible()
    assert not panel.convention_choice.isVisible()


@pytest.mark.parametrize(
    ("convention", "golden"), [("R", 1.31695789692481671), ("D", 1.00505253874238101), ("E", 1.66288589105862108)]
)
def test_each_convention_draws_its_own_rapidity_from_the_input(qtbot, panel, convention, golden):
    choose(qtbot, panel, convention)
    inward, outward = line_of(panel, "adv_target"), line_of(panel, "different")
    assert inward[0] == outward[0] == 0
    assert inward[-1] == pytest.approx(golden, abs=1e-6)
    assert outward[-1] == pytest.approx(-golden, abs=1e-6)


def test_the_paper_s_view_names_swapped_frames_and_forbids_summing(qtbot, panel):
    choose(qtbot, panel, "E")
    assert panel._marks.sides[0].toPlainText() == "← expansion (frames swapped)"
    assert panel._marks.sides[0].isVisible()
    assert "do not sum" in panel.caption.text()
    assert "Analogy" in panel.caption.text()
    assert "do not sum" in panel.plot.getPlotItem().getAxis("bottom").labelText
    choose(qtbot, panel, "R")
    assert "frames swapped" not in panel._marks.sides[0].toPlainText()
    assert "do not sum" not in panel.caption.text()
    assert "theorem" in panel.caption.text()


def test_the_precision_ceiling_stands_where_rapidity_is_drawn(qtbot, panel):
    assert not any(line.isVisible() for line in panel._marks.ceilings)
    qtbot.mouseClick(panel.diagram_choice.button("rapidity"), LEFT)
    assert all(line.isVisible() for line in panel._marks.ceilings)
    assert [line.value() for line in panel._marks.ceilings] == pytest.approx([-spacetime.CEILING, spacetime.CEILING])
    assert line_of(panel, "adv_target")[-1] == pytest.approx(1.31695789692481671, abs=1e-6)
    assert "float32's ceiling 16.6" in panel.caption.text()


def test_the_range_holds_the_ceiling_once_lines_come_near_it(qtbot, panel):
    qtbot.mouseClick(panel.diagram_choice.button("rapidity"), LEFT)
    assert not panel.plot.shows(spacetime.CEILING, 1.0)
    eta = np.zeros((2, 4, 6))
    eta[:, 0, 3:] = 12.0
    panel.show_frame(frames.pairs_frame(eta))
    assert panel.plot.shows(spacetime.CEILING, 1.0)
    assert panel._marks.ceiling_text.isVisible()


def test_a_pair_tells_its_time_dilation_proper_depth_and_all_three_boosts(qtbot, panel):
    said = panel.describe(2, 3).splitlines()
    depth = math.sin(math.pi / 3) + math.sin(math.pi / 4) + math.sin(math.pi / 6)
    assert f"dτ/dl = sin θ 0.500 · τ {depth:.2f} of 3" in said
    assert said[-1] == "R +1.317 · D +1.005 · E +1.663 (do not sum)"
    assert panel.describe(1, 3).splitlines()[-1].endswith("(frames swapped, do not sum)")


def test_each_group_shows_its_mean_proper_depth(qtbot, panel):
    depth = math.sin(math.pi / 3) + math.sin(math.pi / 4) + math.sin(math.pi / 6)
    assert panel.chips.chip("adv_target").text() == f"x_adv · target · τ {depth:.2f}"
    assert panel.chips.chip("same").text() == "same class · τ 3.00"
    assert "dτ/dl = sin θ behind the last layer 0.500" in panel.chips.chip("adv_target").toolTip()


def test_the_chosen_pair_is_told_below_the_plot(panel, selection):
    assert not panel.chosen.isVisible()
    selection.set_pair((40, 60))
    assert panel.chosen.isVisible()
    assert panel.chosen.full_text.startswith("Chosen pair, different class: dτ/dl = sin θ 1.000 · τ ")
    assert "R −1.317" in panel.chosen.full_text
    selection.set_pair((30, -1))
    assert panel.chosen.full_text.count("Chosen pair") == 2
    panel.clear()
    assert not panel.chosen.isVisible()


def test_hover_and_clicks_follow_the_diagram(qtbot, panel, selection):
    choose(qtbot, panel, "D")
    panel._on_click(-1.00505253874238101, 3.0)
    assert selection.pair == (40, 60)
    ((group, line),) = panel.marked()
    assert group == "different"
    assert line[-1] == pytest.approx(-1.00505253874238101, abs=1e-6)


def test_thick_lines_are_the_means_of_the_groups_drawn(qtbot, panel):
    choose(qtbot, panel, "R")
    x, y = panel._means["adv_target"].getData()
    assert x[-1] == pytest.approx(1.31695789692481671, abs=1e-6)
    assert list(y) == [0, 1, 2, 3]
    qtbot.mouseClick(panel.chips.chip("adv_target"), LEFT)
    assert not panel._means["adv_target"].isVisible()


def test_saturated_and_dead_pairs_leave_gaps(qtbot, panel):
    eta = np.zeros((2, 4, 6))
    eta[:, 0, 4:] = np.inf
    eta[:, 1, 4:] = np.nan
    panel.show_frame(frames.pairs_frame(eta))
    for convention in "RDE":
        choose(qtbot, panel, convention)
        assert np.isfinite(panel._lines[0, :2]).all()
        assert np.isnan(panel._lines[:2, 2:]).all()
    assert panel.proper_of("different")[2] == 0
    assert panel.chips.chip("different").text() == "different class"
    assert "dead" in panel.describe(1, 2)


def test_csv_holds_every_convention_and_the_proper_depth(panel):
    head, *rows = panel.csv_rows()
    table = [dict(zip(head, row, strict=True)) for row in rows]
    last = next(row for row in table if row["group"] == "adv_target" and row["layer"] == 3)
    assert (last["boost_R"], last["boost_D"], last["boost_E"]) == pytest.approx(
        (1.3169579, 1.0050525, 1.6628859), abs=1e-6
    )
    assert last["sin_theta"] == pytest.approx(0.5)
    assert last["proper_depth"] == pytest.approx(0.5 + math.sqrt(0.5) + math.sqrt(0.75))


def test_all_three_kinds_of_statement_are_explained():
    text = read_help("spacetime")
    assert text.kinds == ("theorem", "measurement", "analogy")
    assert "never sum it" in text.body
