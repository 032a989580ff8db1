"""The results of all attacks: pages, choice of A and B, and the numbers drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from attack_tables import FIXED, INF, attack_run, fast, smallest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.experiments import attack_results as results
from engine.specs import MlpSpec
from gui.panels.attack_results import ResultsPanel

PGD = attack_run([0.1, 0.1, 0.1, INF, INF, INF], run=2, clean_wrong=[0], random_success=[1, 0, 0, 0, 0, 0])
FGSM = attack_run([0.1, 0.1, INF, INF, INF, INF], run=3, clean_wrong=[0], spec=fast())
FOOL = smallest(
    attack_run([0.1, 0.04, 0.08, 0.12, 0.3, INF], run=5, clean_wrong=[0], random_success=[1, 0, 1, 0, 0, 0])
)
ELSEWHERE = attack_run([0.1] * 6, run=7, spec=FIXED.model_copy(update={"model": MlpSpec(width=5)}))


@pytest.fixture
def panel(qtbot, selection, theme):
    made = ResultsPanel(selection, theme)
    made.resize(620, 400)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def full(panel):
    panel.set_runs([PGD, FGSM, FOOL])
    panel.grab()
    return panel


def turn_to(qtbot, panel, page):
    qtbot.mouseClick(panel.page_choice.button(page), Qt.MouseButton.LeftButton)
    panel.grab()
    return panel.page


def test_it_is_empty_until_an_attack_has_ended(panel):
    assert panel.is_empty
    panel.set_runs([PGD])
    assert not panel.is_empty
    panel.set_runs([])
    assert panel.is_empty


def test_the_latest_attack_is_a_and_the_latest_other_on_the_same_network_is_b(panel):
    panel.set_runs([PGD, FGSM, FOOL])
    assert (panel.a, panel.b) == (FOOL, FGSM)
    panel.set_runs([PGD, FOOL, ELSEWHERE])
    assert (panel.a, panel.b) == (ELSEWHERE, None)
    panel.set_runs([PGD])
    assert (panel.a, panel.b) == (PGD, None)


def test_a_choice_outlives_new_attacks_and_nothing_chosen_follows_the_latest(panel):
    panel.set_runs([PGD, FGSM])
    panel.choose(2, 3)
    panel.set_runs([PGD, FGSM, FOOL])
    assert (panel.a, panel.b) == (PGD, FGSM)
    panel.choose()
    assert panel.a is FOOL
    panel.choose(2, -1)
    assert panel.b is None


def test_a_and_b_are_chosen_from_lists(qtbot, full):
    box = full.boxes[0]
    assert box.itemText(0) == "A · 5 · DeepFool, L∞, smallest norm"
    box.setCurrentIndex(box.findData(2))
    box.activated.emit(box.currentIndex())
    assert full.a is PGD
    other = full.boxes[1]
    assert other.findData(2) == -1, "an attack is not compared with itself"
    other.setCurrentIndex(other.findData(-1))
    other.activated.emit(other.currentIndex())
    assert full.b is None
    assert "robust accuracy 50.0%" in full.subtitle


def test_the_past_knows_no_later_attacks(full):
    full.set_moment(3)
    assert (full.a, full.b) == (FGSM, PGD)
    full.set_moment(1)
    assert full.is_empty
    full.set_moment(None)
    assert full.a is FOOL


def test_an_attack_without_a_budget_is_told_by_its_median(full):
    assert full.subtitle.startswith("DeepFool, L∞, smallest norm · median norm 0.12 [")


# --- norms -------------------------------------------------------------------------------------------------------


def test_the_bars_are_the_histogram_and_failures_stand_beside_it(full):
    page = full.norms
    found = results.histogram(FOOL, "Linf", page._found[0].edges)
    x, y = page._steps[0].getData()
    assert np.array_equal(x, found.edges)
    assert np.array_equal(y, found.counts)
    assert sum(y) == 4
    assert [text.toPlainText() for text in page._texts] == ["1", "1", "4", "1"]  # A: failed, before; B: failed, before
    assert "A: 4 of 6 broken" in page.caption.full_text


def test_another_norm_can_be_chosen_among_those_recorded(full):
    full.norm_box.setCurrentIndex(full.norm_box.findData("L2"))
    full.norm_box.activated.emit(full.norm_box.currentIndex())
    assert full.norm == "L2"
    edges = full.norms._found[0].edges
    assert (edges[0], edges[-1]) == pytest.approx((0.08, 0.6))
    bare = replace(FOOL, norms={"Linf": FOOL.norms["Linf"]}, run=9)
    full.set_runs([bare])
    assert full.norm == "Linf"
    assert full.norm_box.count() == 1


def test_the_selected_sample_s_norm_is_marked(full, selection):
    selection.set_sample(int(FOOL.sample[2]))
    assert full.norms._line.isVisible()
    assert full.norms._line.value() == pytest.approx(0.08)
    selection.set_sample(int(FOOL.sample[5]))
    assert not full.norms._line.isVisible(), "a failure has no norm"


def test_hover_says_the_bin_s_counts(full):
    page = full.norms
    page._on_hover(float(page._found[0].edges[0]) + 1e-6, 0.5)
    assert "A: 1 samples · DeepFool" in page.plot.readout.text()


# --- robustness --------------------------------------------------------------------------------------------------


def test_the_curve_is_the_engine_s_step_function_and_a_budget_is_one_point(qtbot, full):
    page = turn_to(qtbot, full, "robustness")
    curve = results.robustness(FOOL, "Linf")
    x, y = page._lines[0].line.getData()
    for eps, held in zip(curve.eps, curve.share, strict=True):
        assert y[np.flatnonzero(x == eps)[-1]] == held
    assert page._curves[1] is None
    eps, held = page.point(1)
    assert (eps, held.value) == (0.1, pytest.approx(4 / 6))
    whisker = page._whiskers[1].getData()[1]
    assert (whisker[0], whisker[1]) == pytest.approx((held.low, held.high))


def test_the_clean_accuracy_is_dashed_and_the_control_drawn_where_recorded(qtbot, full):
    page = turn_to(qtbot, full, "robustness")
    assert page._clean[0].value() == pytest.approx(5 / 6)
    assert page._dotted[0].line.isVisible()
    assert page.random_point(1) is None
    full.choose(2, -1)
    assert page.random_point(0).value == pytest.approx(5 / 6)
    assert page._rings[0].isVisible()


def test_a_budget_in_another_norm_is_no_point_and_it_is_said(qtbot, full):
    full.choose(2, -1)
    page = turn_to(qtbot, full, "robustness")
    full.norm_box.setCurrentIndex(full.norm_box.findData("L2"))
    full.norm_box.activated.emit(full.norm_box.currentIndex())
    assert page.point(0) is None
    assert "no curve: it keeps to ε = 0.1 in L∞" in page.caption.full_text


def test_hover_says_the_share_at_a_budget(qtbot, full):
    page = turn_to(qtbot, full, "robustness")
    assert "A: 50.0% [" in page.describe(0.1)
    assert "of 6 not broken" in page.describe(0.1)
    assert "clean accuracy 83.3%" in page.describe(0.1)


# --- A against B -------------------------------------------------------------------------------------------------


def test_the_fourfold_table_and_its_test_are_the_engine_s(qtbot, full):
    full.choose(5, 2)
    page = turn_to(qtbot, full, "comparison")
    found = results.compare(FOOL, PGD, "Linf")
    assert [cell.text() for cell in page.table.cells] == ["3", "2", "0", "1"]
    assert f"p = {found.p:.4f}" in page.says.text()
    assert f"{found.difference.value:+.1%}" in page.says.text()
    assert "1 of them broken before" in page.says.text()


def test_failures_lie_on_the_rim_and_never_at_a_number(qtbot, full):
    full.choose(5, 2)
    page = turn_to(qtbot, full, "comparison")
    x, y = page.places()
    rim = page._top * 1.12
    assert x.tolist() == pytest.approx([0, 0.04, 0.08, 0.12, 0.3, rim])
    assert y.tolist() == pytest.approx([0, 0.1, 0.1, rim, rim, rim])
    assert page.kinds().tolist() == [0, 0, 0, 1, 1, 3]
    drawn = [len(scatter.points()) for scatter in page._scatters]
    assert drawn == [3, 2, 0, 1]
    assert all(value < 0.95 * rim for axis in page._axes.values() for value in axis.tickValues(0, rim, 300)[0][1])


def test_a_point_is_a_sample_of_every_panel(qtbot, full, selection):
    full.choose(5, 2)
    page = turn_to(qtbot, full, "comparison")
    qtbot.mouseClick(page.plot.viewport(), Qt.MouseButton.LeftButton, pos=page.plot.at(0.08, 0.1))
    assert selection.sample == int(FOOL.sample[2])
    assert len(page._ring.points()) == 1
    assert page.describe(3).splitlines() == [f"sample {FOOL.sample[3]}", "A: norm 0.12", "B: not broken"]


def test_keys_walk_through_the_samples(qtbot, full, selection):
    full.choose(5, 2)
    page = turn_to(qtbot, full, "comparison")
    page.plot.setFocus()
    qtbot.keyClick(page.plot, Qt.Key.Key_Right)
    qtbot.keyClick(page.plot, Qt.Key.Key_Right)
    qtbot.keyClick(page.plot, Qt.Key.Key_Return)
    assert selection.sample == int(FOOL.sample[1])


def test_one_attack_alone_and_strangers_are_told_in_a_sentence(qtbot, panel):
    panel.set_runs([PGD])
    page = turn_to(qtbot, panel, "comparison")
    assert "Choose a second attack" in page._empty.text()
    assert page.plot.isHidden()
    panel.set_runs([PGD, attack_run([0.1], sample=[7], run=4)])
    panel.choose(2, 4)
    assert "no sample in common" in page._empty.text()
    panel.set_runs([PGD, ELSEWHERE])
    panel.choose(2, 7)
    assert "Not the same network" in page.says.text()


# --- all attacks -------------------------------------------------------------------------------------------------


def test_the_list_has_a_row_for_each_attack_with_its_intervals(qtbot, full):
    page = turn_to(qtbot, full, "listed")
    assert page.table.rowCount() == 3
    found = results.summary(PGD)
    assert page.texts(PGD)[3:5] == [
        f"50.0% [{found.robust.low:.1%}, {found.robust.high:.1%}]",
        f"50.0% [{found.success.low:.1%}, {found.success.high:.1%}]",
    ]
    assert page.texts(FOOL)[3] == "–", "without a budget there is no robust accuracy"
    assert page.table.item(2, 0).text() == "●"


def test_the_worst_case_over_all_attacks_is_said(qtbot, full):
    page = turn_to(qtbot, full, "listed")
    worst = results.worst_case(FOOL, [PGD, FGSM, FOOL], "Linf", 0.1)
    assert worst.robust.value == 0.5
    assert "Worst case over 3 attacks on A's 6 samples, L∞ ≤ 0.1: robust accuracy 50.0%" in page.says.text()


def test_a_and_b_are_chosen_in_the_list_too(qtbot, full):
    page = turn_to(qtbot, full, "listed")
    page.table.cellClicked.emit(0, 0)
    assert full.a is PGD
    page.table.setFocus()
    page.table.setCurrentCell(1, 2)
    qtbot.keyClick(page.table, Qt.Key.Key_B)
    assert full.b is FGSM
    qtbot.keyClick(page.table, Qt.Key.Key_B)
    assert full.b is None, "pressed again, there is no second attack"


# --- all pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["norms", "robustness", "comparison", "listed"])
def test_every_page_can_be_exported_and_drawn_in_both_themes(qtbot, full, theme, page):
    turn_to(qtbot, full, page)
    rows = list(full.csv_rows())
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert unnamed(full) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    full.set_theme(other)
    for size in ((150, 120), (330, 260), (1200, 800)):
        full.resize(*size)
        full.grab()
    assert bool(full.plots()) == (page != "listed")


def test_the_export_of_norms_has_no_number_for_failures(full):
    head, *rows = full.csv_rows()
    outcome, norm = head.index("outcome"), head.index("norm_Linf")
    assert {row[outcome] for row in rows if row[norm] == ""} == {"not broken", "before"}
    assert len(rows) == 12


def test_a_narrow_list_leaves_columns_to_the_tool_tip_rather_than_cut_them(qtbot, full):
    page = turn_to(qtbot, full, "listed")
    full.resize(1200, 400)
    full.grab()
    assert "[" in page.table.item(0, 3).text()
    full.resize(374, 300)
    full.grab()
    table = page.table
    shown = [column for column in range(table.columnCount()) if not table.isColumnHidden(column)]
    assert sum(table.columnWidth(column) for column in shown) <= table.width()
    assert table.item(0, 3).text() == "50.0%"
    assert "Gradients" in table.item(0, 2).toolTip()
    assert "[" in table.item(0, 3).toolTip()


def test_long_names_are_cut_in_the_boxes_and_whole_in_their_tool_tips(full):
    for width in (620, 374, 280):
        full.resize(width, 400)
        full.grab()
        for box in full.boxes:
            assert box.geometry().right() <= full._row.width()
    assert full.boxes[0].toolTip().endswith(full.a.label)


@pytest.mark.parametrize("page", ["norms", "robustness", "comparison", "listed"])
def test_a_low_panel_scrolls_instead_of_cutting(qtbot, full, page):
    turn_to(qtbot, full, page)
    full.resize(374, 160)
    full.grab()
    pages = full._stack_of_pages
    assert pages.width() <= full.width()
    assert pages.height() >= pages.heightForWidth(pages.width())
