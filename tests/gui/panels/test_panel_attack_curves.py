"""The attack's curves: what is drawn is what the tables say, and the selection is shared."""

from __future__ import annotations

import frames
import numpy as np
import pace
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.experiments.attack_curves import usual
from engine.experiments.rates import share
from engine.session.table import Table
from gui.panels.curves.panel import CurvesPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = CurvesPanel(selection, theme)
    made.resize(520, 420)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    """Four samples of margins 1, 2, 3, 4, each losing 1 a step, over 6 steps; test indices 10, 20, 30, 40."""
    attack, samples = frames.attack_steps()
    panel.show_records("attack", attack)
    panel.show_records("attack_samples", samples)
    panel.show_frame(frames.gallery_frame())
    panel.grab()  # lays the plots out
    return panel


def lines(bundle) -> list[list[float]]:
    """The lines of a bundle, one list of values each."""
    _, y = bundle.data()
    cuts = np.flatnonzero(np.isnan(y))
    return [part[np.isfinite(part)].tolist() for part in np.split(y, cuts) if np.isfinite(part).any()]


def test_it_is_empty_until_there_is_an_attack(panel):
    assert panel.is_empty
    panel.show_records("attack", frames.attack_steps()[0])
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty


def test_lines_are_coloured_by_how_each_sample_came_out(panel):
    attack, samples = frames.attack_steps(steps=4)
    panel.show_records("attack", attack)
    panel.show_records("attack_samples", samples)
    assert lines(panel.lines.broken) == [[1, 0, -1, -2], [2, 1, 0, -1]]
    assert lines(panel.lines.held) == [[3, 2, 1, 0], [4, 3, 2, 1]]
    assert [panel.chips.chip(key).text() for key in ("broken", "held")] == ["broken (2)", "not broken (2)"]


def test_a_growing_attack_moves_samples_from_one_colour_to_the_other(panel):
    attack, samples = frames.attack_steps(steps=1)
    rows = [frames.attack_steps(steps=6)[1].row(k) for k in range(6)]
    panel.show_records("attack", attack)
    panel.show_records("attack_samples", samples)
    assert len(lines(panel.lines.broken)) == 0
    samples.extend(rows[1:])
    panel.show_records("attack_samples", samples)
    assert len(lines(panel.lines.broken)) == 4


def test_the_median_and_the_quartiles_are_over_the_watched_samples(full):
    x, y = full.lines.median.line.getData()
    assert x.tolist() == list(range(6))
    assert y.tolist() == [2.5 - s for s in range(6)]
    path = full.lines.median.band.path().boundingRect()
    assert (path.top(), path.bottom()) == (pytest.approx(1.75 - 5), pytest.approx(3.25))


def test_loss_and_margin_can_be_switched(qtbot, full):
    qtbot.mouseClick(full.metric_choice.button("loss"), Qt.MouseButton.LeftButton)
    assert lines(full.lines.broken)[0] == [-1, 0, 1, 2, 3, 4]
    assert not full.lines.zero.isVisible()
    qtbot.mouseClick(full.metric_choice.button("margin"), Qt.MouseButton.LeftButton)
    assert lines(full.lines.broken)[0] == [1, 0, -1, -2, -3, -4]
    assert full.lines.zero.isVisible()


def test_the_share_broken_has_wilson_s_band_and_the_share_before(full):
    _, y = full.share.curve.line.getData()
    assert y.tolist() == [0, 0, 0.25, 0.5, 0.75, 1]
    expected = share(5, 20)
    assert (
        full.describe_share(2).splitlines()[1] == f"broken so far 25.0% [{expected.low:.1%}, {expected.high:.1%}] of 20"
    )
    assert full.share.before.value() == pytest.approx(0.05)
    assert "before the attack 5.0%" in full.describe_share(0)
    assert "100.0%" in full.subtitle


def test_an_attack_for_the_smallest_norm_can_show_how_it_falls(qtbot, panel):
    attack, samples = frames.attack_steps()
    panel.show_records("attack", attack)
    assert panel.lower_choice.isHidden()
    minimal = Table({**attack.row(k), "smallest": 1 / (k + 1)} for k in range(6))
    panel.clear()
    panel.show_records("attack", minimal)
    panel.show_records("attack_samples", samples)
    assert not panel.lower_choice.isHidden()
    qtbot.mouseClick(panel.lower_choice.button("norm"), Qt.MouseButton.LeftButton)
    assert panel.share.curve.line.getData()[1].tolist() == [1 / (k + 1) for k in range(6)]
    assert "median norm so far 0.5" in panel.describe_share(1)


def test_members_of_an_ensemble_are_named_where_they_begin(panel):
    attack, samples = frames.attack_steps()
    names = ["apgd-ce", "apgd-ce", "fab-t", "fab-t", "square", "best found"]
    panel.show_records("attack", Table({**attack.row(k), "stage": name} for k, name in enumerate(names)))
    panel.show_records("attack_samples", samples)
    assert [text.toPlainText() for text in panel.lines.marks._texts] == ["apgd-ce", "fab-t", "square"]
    assert sorted(set(panel.lines.marks._lines.getData()[0].tolist())) == [0, 2, 4]


def test_the_selected_sample_is_drawn_over_the_others(full, selection):
    selection.set_sample(30)
    assert lines(full.lines.chosen) == [[3, 2, 1, 0, -1, -2]]
    selection.set_sample(999)
    assert lines(full.lines.chosen) == []


def test_a_click_near_a_line_chooses_its_sample_everywhere(qtbot, full, selection):
    full._on_hover(1, 3)  # a dot is under the pointer then
    where = full.plot.at(1, 3)  # sample 40 (margin 4) after one step
    qtbot.mouseClick(full.plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert selection.sample == 40


def test_a_click_far_from_every_line_chooses_nothing(full, selection):
    full._on_click(5.0, 3.9)
    assert selection.sample is None


def test_a_click_below_asks_for_that_step_and_tables_ask_for_none(qtbot, full):
    asked = []
    full.step_requested.connect(asked.append)
    qtbot.mouseClick(full.share_plot.viewport(), Qt.MouseButton.LeftButton, pos=full.share_plot.at(3, 0.5))
    assert asked == [3]


def test_hover_says_the_table_s_numbers(full):
    full._on_hover(2.1, 1.9)
    said = full.plot.readout.text()
    assert said.splitlines() == ["step 2 · sample 40 (class zero)", "margin +2 · loss −2", "broken first at step 5"]
    full._on_hover(0.0, 4.0)
    assert "sample 40" in full.plot.readout.text()


def test_keys_walk_along_a_line_and_from_line_to_line(qtbot, full, selection):
    full.plot.setFocus()
    full._on_hover(0.0, 1.0)
    qtbot.keyClick(full.plot, Qt.Key.Key_Right)
    assert "step 1 · sample 10" in full.plot.readout.text()
    qtbot.keyClick(full.plot, Qt.Key.Key_Up)
    assert "step 1 · sample 20" in full.plot.readout.text()
    qtbot.keyClick(full.plot, Qt.Key.Key_Return)
    assert selection.sample == 20


def test_the_time_cursor_is_of_the_attack_alone(full):
    full.set_moment("attack", 4)
    assert [cursor.value() for cursor in (full.lines.cursor, full.share.cursor)] == [4, 4]
    assert all(cursor.isVisible() for cursor in (full.lines.cursor, full.share.cursor))
    full.set_moment("train", 4)
    assert not any(cursor.isVisible() for cursor in (full.lines.cursor, full.share.cursor))


def test_chips_hide_their_curves(qtbot, full):
    qtbot.mouseClick(full.chips.chip("broken"), Qt.MouseButton.LeftButton)
    assert not full.lines.broken._curve.isVisible()
    full.show_records("attack", frames.attack_steps()[0])
    assert not full.lines.broken._curve.isVisible()


def test_csv_equals_the_tables(full):
    head, *rows = full.csv_rows()
    assert len(rows) == 6
    assert [row[head.index("step")] for row in rows] == list(range(6))
    assert [row[head.index("margin 30")] for row in rows] == [3, 2, 1, 0, -1, -2]
    assert [row[head.index("loss median")] for row in rows] == [s - 2.5 for s in range(6)]
    assert [row[head.index("share_broken")] for row in rows] == [0, 0, 0.25, 0.5, 0.75, 1]


def test_numbers_that_are_none_do_no_harm(panel):
    attack, samples = frames.attack_steps()
    rows = [samples.row(k) for k in range(6)]
    rows[2]["margin 1"] = float("nan")
    rows[3] = {name: float("nan") if name != "step" else 3 for name in rows[3]}
    panel.show_records("attack", attack)
    panel.show_records("attack_samples", Table(rows))
    panel._on_hover(3.0, 0.0)
    panel.grab()
    assert "nan" not in panel.subtitle


def test_a_thousand_steps_of_48_samples_are_drawn_in_time(panel):
    attack, samples = frames.attack_steps(steps=1001, m=48)
    panel.show_records("attack", attack)
    assert pace.least(lambda: panel.show_records("attack_samples", samples), 0.15, tries=1) < 0.15
    assert pace.least(lambda: panel.show_records("attack_samples", samples), 0.05) < 0.05
    assert len(panel.lines.broken.data()[0]) < 48 * 700


def test_everything_has_a_name_and_the_theme_changes_live(full, theme):
    assert unnamed(full) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    full.set_theme(other)
    full.grab()
    assert full.plot.backgroundBrush().color().name() == other.surface


def ended(panel, steps=6):
    """The same attack with the best points found as its last row."""
    attack, samples = frames.attack_steps(steps=steps)
    stages = [""] * (steps - 1) + ["best found"]
    panel.show_records("attack", Table({**attack.row(k), "stage": stage} for k, stage in enumerate(stages)))
    panel.show_records("attack_samples", samples)


def test_the_best_points_found_are_not_drawn_as_a_step(panel):
    ended(panel)
    assert panel.share.curve.line.getData()[0].tolist() == [0, 1, 2, 3, 4]
    assert lines(panel.lines.broken)[0] == [1, 0, -1, -2, -3]
    assert "100.0%" in panel.subtitle, "what the attack came to counts them"
    panel._on_hover(9.0, -3.0)
    assert panel.plot.readout.text().startswith("step 4")


def test_a_freak_value_does_not_ruin_the_range_and_is_told_at_the_edge(panel):
    attack, samples = frames.attack_steps(steps=60, m=48)
    rows = [samples.row(k) for k in range(60)]
    rows = [
        {name: v if name == "step" else np.sin(k + n) for n, (name, v) in enumerate(row.items())}
        for k, row in enumerate(rows)
    ]
    rows[30]["margin 3"] = 4000.0
    panel.show_records("attack", attack)
    panel.show_records("attack_samples", Table(rows))
    panel.grab()
    _, high = panel.plot.getViewBox().viewRange()[1]
    assert high < 5
    below, above = panel.lines.beyond.texts
    assert above.isVisible()
    assert above.toPlainText() == "▲ to 4e+03"
    assert not below.isVisible()


def test_where_lines_begin_is_seen_unless_all_the_rest_would_be_a_sliver():
    falling = np.linspace(10, -5, 41)[:, None] + np.linspace(-1, 1, 20)
    low, high = usual(falling)
    assert high >= 10.5
    settled = np.concatenate([np.full((2, 20), 20.0), 0.1 * np.sin(np.arange(58 * 20)).reshape(58, 20)])
    low, high = usual(settled)
    assert high < 1
    assert low > -1
    assert usual(np.full((3, 2), np.nan)) == (0.0, 1.0)


def test_names_of_short_parts_stand_above_each_other(panel):
    attack, samples = frames.attack_steps(steps=60)
    stages = ["APGD-CE"] * 2 + ["APGD-DLR"] * 2 + ["APGD-T"] * 2 + ["Square"] * 53 + ["best found"]
    panel.show_records("attack", Table({**attack.row(k), "stage": stage} for k, stage in enumerate(stages)))
    panel.show_records("attack_samples", samples)
    panel.grab()
    shown = [text for text in panel.lines.marks._texts if text.isVisible()]
    assert [text.toPlainText() for text in shown] == ["APGD-CE", "APGD-DLR", "APGD-T", "Square"]
    assert len({text.pos().y() for text in shown[:3]}) == 3


def test_long_numbers_make_room_for_the_axis_s_name(qtbot, panel):
    attack, samples = frames.attack_steps()
    panel.show_records("attack", attack)
    rows = ({name: v if name == "step" else v / 1e5 for name, v in samples.row(k).items()} for k in range(6))
    panel.show_records("attack_samples", Table(rows))
    panel.grab()
    axes = [plot.getPlotItem().getAxis("left") for plot in (panel.plot, panel.share_plot)]
    qtbot.waitUntil(lambda: axes[0].width() == axes[1].width() > 46, timeout=3000)
