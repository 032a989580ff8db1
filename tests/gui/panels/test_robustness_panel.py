"""Robustness: curves with their worst case, norms, and the signs that gradients mislead."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import robustness_frames as made
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.specs import ExperimentSpec, RobustnessSpec
from gui.helptext import read_help
from gui.panels.robustness.page import ALL
from gui.panels.robustness.panel import CURVES, NORMS, SIGNS, RobustnessPanel
from gui.theme import Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    built = RobustnessPanel(selection, theme)
    built.resize(680, 420)
    qtbot.addWidget(built)
    built.show()
    return built


@pytest.fixture
def full(panel):
    panel.show_frame(made.robustness_frame())
    assert panel.page.made
    panel.grab()
    return panel


def show(panel, key):
    panel.show_page(key)
    return panel.page


def points(curve):
    x, y = curve.line.getData()
    return np.asarray(x), np.asarray(y)


def test_before_anything_is_measured_it_offers_to_and_leads_to_its_settings(qtbot, panel):
    assert panel.is_empty
    for button, asked in (
        (panel.button, panel.robustness_requested),
        (panel.measure, panel.robustness_requested),
        (panel.settings_button, panel.settings_requested),
        (panel.settings, panel.settings_requested),
    ):
        with qtbot.waitSignal(asked, timeout=1000):
            qtbot.mouseClick(button, LEFT)


def test_a_page_is_made_while_the_window_goes_on(qtbot, panel):
    panel.show_frame(made.robustness_frame())
    page = panel._pages[CURVES]
    assert not page.made
    qtbot.waitUntil(lambda: page.made and page.plot.isVisible(), timeout=5000)
    assert "worst case" in panel.subtitle


def test_every_attack_has_a_curve_with_its_band_and_the_worst_case_lies_below(full):
    page, arrays = full.page, made.robustness_frame().arrays
    for a, name in enumerate(page.names):
        x, y = points(page.lines[name])
        if name != "minimal":
            assert x.tolist() == made.EPS.tolist() and y.tolist() == arrays["robust"][0, a].tolist()
        assert not page.lines[name].band.path().isEmpty()
    x, worst = points(page.worst[0])
    assert worst.tolist() == arrays["worst"][0].tolist() and worst[0] == 0.95
    assert page.clean[0].value() == 0.95 and page.clean[0].isVisible()
    assert page.worst[0].line.opts["pen"].widthF() > 2 > page.lines["pgd"].line.opts["pen"].widthF()


def test_the_attack_for_the_smallest_norm_has_its_whole_curve(full):
    x, y = points(full.page.lines["minimal"])
    assert x[-1] == 0.3 and y[0] == 0.95 and len(x) == 2 * 20
    at = np.searchsorted(x, 0.1, side="right") - 1
    assert y[at] == pytest.approx(np.mean(made.robustness_frame().arrays["norm"][0] > 0.1))


def test_dots_say_at_which_budgets_a_curve_was_measured(qtbot, full):
    page, steps = full.page, len(made.EPS)
    assert "minimal" in page.names and len(page.budgets.getData()[0]) == len(page.names) * steps  # worst for minimal
    assert set(page.budgets.getData()[0]) == set(made.EPS)
    qtbot.mouseClick(page.chips.chip("fgsm"), LEFT)
    assert len(page.budgets.getData()[0]) == (len(page.names) - 1) * steps


def test_a_chip_hides_its_curve(qtbot, full):
    page = full.page
    qtbot.mouseClick(page.chips.chip("fgsm"), LEFT)
    assert not page.lines["fgsm"].line.isVisible() and page.lines["pgd"].line.isVisible()
    qtbot.mouseClick(page.chips.chip("fgsm"), LEFT)
    assert page.lines["fgsm"].line.isVisible()


def test_the_caption_states_the_worst_case_and_its_gap_to_the_best_attack(full):
    text = full.page.caption.full_text
    assert text.startswith("Measurement, 20 samples.") and "below the best single attack, smallest norm" in text
    assert "bounds robustness from above" in text.replace("bounds\nrobustness", "bounds robustness")
    assert full.subtitle.startswith("Standard · worst case")


def test_pointing_at_a_budget_says_every_number_there_and_arrow_keys_walk(qtbot, full):
    page = full.page
    page.plot.hovered.emit(0.11, 0.5)
    lines = page.plot.readout.text().splitlines()
    assert lines[0] == "ε = 0.1" and len(lines) == 1 + 8 + 1 and lines[-1] == "of 20 samples"
    page.plot.setFocus()
    qtbot.keyClick(page.plot, Qt.Key.Key_Right)
    assert page.plot.readout.text().startswith("ε = 0.2")


def test_while_it_runs_only_what_is_known_is_drawn(panel):
    panel.show_frame(made.robustness_frame(done=False))
    page = panel.page
    assert np.isfinite(points(page.lines["noise"])[1]).all() and not np.isfinite(points(page.lines["pgd"])[1]).any()
    assert panel.subtitle.startswith("measuring")
    assert show(panel, SIGNS).waiting.isVisible() and panel.page.cards == []
    assert "once all attacks" in show(panel, NORMS).summary


def test_several_networks_show_their_worst_cases_until_one_is_chosen(qtbot, panel):
    panel.show_frame(made.robustness_frame(2))
    page = panel.page
    assert panel.network == ALL and panel.network_box.isVisible()
    assert [curve.line.isVisible() for curve in page.worst] == [True, True] and not page.lines["pgd"].line.isVisible()
    assert page.worst[0].line.opts["pen"].color() != page.worst[1].line.opts["pen"].color()
    panel.network_box.setFocus()
    qtbot.keyClick(panel.network_box, Qt.Key.Key_Down)
    qtbot.keyClick(panel.network_box, Qt.Key.Key_Down)
    assert panel.network == 1 and page.lines["pgd"].line.isVisible()
    assert points(page.worst[0])[1].tolist() == made.robustness_frame(2).arrays["worst"][1].tolist()


def test_norms_are_drawn_as_a_distribution_with_its_band_and_median(full):
    page = show(full, NORMS)
    _, y = points(page.lines[0][0])
    assert y[0] == 0 and y[-1] == 1 and (np.diff(y) >= 0).all()
    assert page.medians[0].value() == 0.14 and not page.lines[0][0].band.path().isEmpty()
    assert page.lines[0][1].band.path().isEmpty(), "the smallest of all attacks has no band"
    assert full.subtitle == "median norm: Standard 0.14 [0.1, 0.2]"
    assert page.describe(0.14).splitlines()[1].startswith("FMN: 52.6% of 19")


def test_signs_are_cards_with_the_raised_ones_first_and_what_to_do(full):
    page = show(full, SIGNS)
    assert [card.raised for card in page.cards] == [True, False, None]
    first, second, third = page.cards
    assert first.figure.text() == "4 of 20" and first.reason.text() == "Reason of unbounded."
    assert first.advice.isVisible() and not second.advice.isVisible() and third.advice.isVisible()
    assert full.subtitle == "Standard · 1 sign raised"
    assert first.accessibleName() == "Standard, Unbounded attack: raised. Reason of unbounded."


def test_of_several_networks_only_raised_signs_are_listed_below_a_heading(panel):
    panel.show_frame(made.robustness_frame(2))
    page = show(panel, SIGNS)
    assert [heading.text() for heading in page._headings] == ["Standard: 1 sign raised", "PGD-AT: 1 sign raised"]
    assert [card.raised for card in page.cards] == [True, True]


def test_other_settings_are_told(full):
    full.set_experiment(ExperimentSpec())
    assert not full.other.isVisible()
    full.set_experiment(ExperimentSpec(robustness=RobustnessSpec(norm="L2")))
    assert full.other.isVisible() and "norm Linf → L2" in full.other.toolTip()


def test_clearing_forgets_everything(full):
    for key in (CURVES, NORMS, SIGNS):
        show(full, key)
    full.clear()
    assert full.is_empty and full.plots() == () and list(full.csv_rows()) == []


def test_every_page_saves_its_numbers_and_takes_another_theme(full, tmp_path):
    for key, columns in ((CURVES, "attack"), (NORMS, "any_attack"), (SIGNS, "advice")):
        show(full, key)
        target = tmp_path / f"{key}.csv"
        full.ask_save = lambda *_, target=target: str(target)
        full.save_csv()
        rows = list(csv.reader(target.open(encoding="utf-8")))
        assert columns in rows[0] and len({len(row) for row in rows}) == 1 and len(rows) > 3
    full.set_theme(Theme.light())
    assert full.page.theme.name == "light"


def test_it_explains_itself_and_every_control_has_a_name(full):
    help = read_help("robustness")
    assert help is not None and "Honest reading" in help.body and help.kinds == ("measurement",)
    for key in (CURVES, NORMS, SIGNS):
        show(full, key)
        assert unnamed(full) == []
