"""The takeover: where the target overtakes, what the controls decide, and what a person reads of it."""

from __future__ import annotations

import look_frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from gui.panels.takeover import FALSIFIER, TakeoverPanel

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    made = TakeoverPanel(selection, theme)
    made.resize(720, 520)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.show_frame(look_frames.takeover_frame())
    panel.grab()
    return panel


def test_the_buttons_ask_for_the_takeover_and_for_its_falsifier(qtbot, panel):
    assert panel.is_empty
    with qtbot.waitSignal(panel.takeover_requested, timeout=1000):
        qtbot.mouseClick(panel.button, LEFT)
    with qtbot.waitSignal(panel.falsifier_requested, timeout=1000):
        qtbot.mouseClick(panel.falsifier_button, LEFT)
    takeover, falsifier = panel.measure.menu().actions()
    with qtbot.waitSignal(panel.takeover_requested, timeout=1000):
        takeover.trigger()
    with qtbot.waitSignal(panel.falsifier_requested, timeout=1000):
        falsifier.trigger()


def test_the_verdict_names_the_layer_the_interval_the_controls_and_the_ceiling(full):
    assert full.sentence.text() == (
        "Measurement: x_adv reaches 0.33 [0.30, 0.35] at relu 2: beyond every control (highest 0.11, network at "
        "initialisation), on the same inputs by 0.22 [0.21, 0.23] or more, short of the ceiling (0.66)."
    )
    assert full.subtitle == "PGD · L2 · ε = 1 · 70% fooled"


def test_the_takeover_is_where_the_target_stays_ahead_and_the_logits_do_not_count(full):
    assert "Takeover at layer relu 2, step 8; in the end at 1 of 3 layers before the logits." in full.caption.full_text
    assert full.map._marked == (2, 2, "relu 2, step 8")
    assert full.map.label.isVisible()


def test_a_lead_that_is_lost_again_is_no_takeover(panel):
    frame = look_frames.takeover_frame()
    frame.arrays["target_mean"][-1, 4] = 0.2
    panel.show_frame(frame)
    assert "no layer before the logits is taken over" in panel.caption.full_text
    assert panel.map._marked is None


def test_the_map_has_a_column_for_each_step_and_a_row_for_each_layer(full):
    assert full.map.image.image.shape == (4, 4), "the end, measured once more at step 12, has no column of its own"
    row = full.map.image.image[2].astype(float) / 254 * 2 - 1
    assert row == pytest.approx([-0.3, -0.3, 0.03, 0.03], abs=0.01)
    full.taps_choice.button("all").click()
    assert full.map.image.image.shape == (6, 4)


def test_a_control_is_beaten_on_the_same_inputs_though_the_intervals_side_by_side_meet(panel):
    frame = look_frames.takeover_frame()
    frame.arrays["all_high"][4, 4] = 0.31
    panel.show_frame(frame)
    assert "beyond every control" in panel.sentence.text()
    frame.arrays["all_paired_low"][4, 4] = -0.01
    panel.show_frame(frame)
    assert "but not beyond another seed's network 0.10, short of" in panel.sentence.text()


def test_a_control_whose_interval_meets_that_of_x_adv_is_not_beaten_where_no_inputs_were_paired(panel):
    frame = look_frames.takeover_frame()
    for end in ("mean", "low", "high"):
        del frame.arrays[f"all_paired_{end}"]
    frame.arrays["all_high"][4, 4] = 0.31
    panel.show_frame(frame)
    assert "but not beyond another seed's network 0.10" in panel.sentence.text()


def test_successes_are_shown_alone_at_a_click(qtbot, full):
    qtbot.mouseClick(full.inputs_choice.button("success"), LEFT)
    assert "reaches 0.43 [0.40, 0.45] at relu 2" in full.sentence.text()
    assert "n = 70" in full.notes.full_text
    assert full.values("members")[0][2] == pytest.approx(0.76)


def test_no_success_at_all_is_said_and_nothing_is_drawn(qtbot, panel):
    frame = look_frames.takeover_frame(success=0.0)
    for end in ("mean", "low", "high"):
        frame.arrays[f"success_{end}"][:5] = np.nan
    panel.show_frame(frame)
    qtbot.mouseClick(panel.inputs_choice.button("success"), LEFT)
    assert "No input was fooled" in panel.sentence.text()
    panel.grab()


def test_while_it_runs_the_course_is_drawn_and_no_verdict_is_given(panel):
    panel.show_frame(look_frames.takeover_frame(done=False, moments=2))
    assert not panel.is_empty
    assert "under way" in panel.sentence.text()
    assert panel.map.image.image.shape == (4, 2)
    assert panel.shown() == []
    panel.show_frame(look_frames.takeover_frame())
    assert panel.shown() == ["members", "adversarial", "other", "initial", "random", "clean"]


def test_the_falsifier_is_laid_over_the_curves_and_said(full):
    full.show_frame(look_frames.falsifier_frame())
    assert FALSIFIER in full.shown()
    assert full.values(FALSIFIER)[0].tolist() == [0.0, 0.01, 0.057, 0.6]
    assert full._curves[FALSIFIER].line.opts["pen"].dashPattern(), "dashed"
    assert (
        "random labels (it learnt 99.8% of 500), 100% are fooled with C = 0.06 [0.05, 0.07] at relu 2"
        in full.caption.full_text
    )


def test_the_falsifier_alone_stands_without_a_course(panel):
    panel.show_frame(look_frames.falsifier_frame())
    assert panel.shown() == [FALSIFIER]
    assert panel._left_titled.isHidden()
    assert len(panel.plots()) == 1
    assert len(list(panel.csv_rows())) > 6
    panel.grab()


def test_a_chip_takes_a_curve_away(qtbot, full):
    qtbot.mouseClick(full.chips.chip("clean"), LEFT)
    assert "clean" not in full.shown()
    assert not full._curves["clean"].line.isVisible()


def test_a_layer_chosen_here_or_elsewhere_is_the_one_spoken_of(qtbot, full, selection):
    qtbot.mouseClick(full.plot.viewport(), LEFT, pos=full.plot.at(1, 0.2))
    assert selection.tap == "relu 1"
    assert "at relu 1" in full.sentence.text()
    assert full._tap_line.value() == 1
    qtbot.mouseClick(full.map.viewport(), LEFT, pos=full.map.at(1, 3))
    assert selection.tap == "logits"
    selection.set_tap("linear 2")
    assert "at relu 2" in full.sentence.text(), "where only layers are drawn, a tap is stood for by its layer"


def test_hover_says_both_correlations_with_their_intervals(full):
    full.left._on_map_hover(2.1, 1.9)
    assert full.map.readout.text().splitlines() == [
        "relu 2, step 8",
        "C with target class +0.330 [+0.310, +0.350]",
        "C with true class +0.300 [+0.280, +0.320]",
        "the target class is nearer from step 8 on",
    ]
    full._on_hover(2.0, 0.7)
    assert full.plot.readout.text() == "members (ceiling)\nrelu 2: C +0.660 [+0.630, +0.680]"
    full._on_hover(2.0, 0.12)
    assert full.plot.readout.text().splitlines()[1:] == [
        "relu 2: C +0.110 [+0.080, +0.130]",
        "x_adv has +0.220 [+0.210, +0.230] more, paired over the same inputs",
    ]


def test_one_layer_along_the_attack_shows_both_curves_and_the_crossing(qtbot, full):
    qtbot.mouseClick(full.left_choice.button("layer"), LEFT)
    assert full.left.currentWidget() is full.left.curves
    x, y = full.left._target.line.getData()
    assert x.tolist() == [0, 4, 8, 12]
    assert y.tolist() == [0, 0, 0.33, 0.33]
    assert full.left._moment.value() == 8


def test_keys_walk_and_return_chooses(qtbot, full, selection):
    full.plot.setFocus()
    qtbot.keyClick(full.plot, Qt.Key.Key_Left)
    assert "relu 2" in full.plot.readout.text()
    qtbot.keyClick(full.plot, Qt.Key.Key_Left)
    qtbot.keyClick(full.plot, Qt.Key.Key_Return)
    assert selection.tap == "relu 1"


def test_csv_holds_the_course_and_every_control(full):
    head, *rows = full.csv_rows()
    assert {len(row) for row in rows} == {len(head)}
    last = next(r for r in rows if r[:3] == ["takeover", "adversarial", "all"] and r[4] == "relu 2")
    assert last[5:9] == pytest.approx([0.33, 0.30, 0.35, 100]) and last[9:] == ["", "", ""]
    other = next(r for r in rows if r[:3] == ["takeover", "other", "success"] and r[4] == "relu 2")
    assert other[9:] == pytest.approx([0.23, 0.22, 0.24])
    assert sum(row[0] == "attack" for row in rows) == 2 * 5 * 6


def test_a_small_card_keeps_its_plots_and_gives_its_texts_to_the_tool_tip(qtbot, full):
    full.resize(380, 270)
    full.grab()
    assert full.notes.isHidden()
    qtbot.waitUntil(lambda: full.plot.height() >= 60, timeout=2000)
    assert "Takeover at layer relu 2" in full.sentence.toolTip()


def test_it_clears_and_everything_has_a_name(full, theme):
    assert unnamed(full) == []
    full.set_theme(type(theme).light())
    full.grab()
    full.clear()
    assert full.is_empty
    full.show_frame(look_frames.falsifier_frame())
    assert full.shown() == [FALSIFIER]


def test_it_is_measured_in_the_window_from_the_step_s_form(open_lab):
    person = open_lab()
    window = person.window
    person.step("attack")
    form = window.step_forms["attack"]
    from PySide6.QtWidgets import QPushButton

    link = next(b for b in form.findChildren(QPushButton) if b.text() == "Measure takeover")
    person.click(link)
    person.wait(lambda: window.jobs.all)
    person.wait_for_job()
    window.rotation.draw_all()
    panel = window.docks.takeover
    assert person.notices() == []
    assert window.docks.is_shown("takeover")
    assert not panel.is_empty
    assert panel.sentence.text().startswith("Measurement: x_adv reaches")
    said = panel.words()
    # the time slider: at a moment before it there is none, live it is there again
    person.slide_to(0)
    window.rotation.draw_all()
    assert panel.is_empty
    person.press("L")
    window.rotation.draw_all()
    assert panel.words() == said
    # another attack makes it a thing of the past
    person.act()
    person.wait_for_job()
    window.rotation.draw_all()
    assert panel.is_empty
