"""The relations panel: contraction against vulnerability, similarity against transfer, and what the tests say."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import relation_frames as made
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt

from engine.events import Artifact, Frame
from engine.experiments import open_experiment
from engine.specs import ControlsSpec, ExperimentSpec, TrainingSpec
from gui.helptext import read_help
from gui.panels.related.table import INTERVAL, RELATION, RHO, P, p_text
from gui.panels.relations import RelationsPanel
from gui.theme import Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    built = RelationsPanel(selection, theme)
    built.resize(650, 420)
    qtbot.addWidget(built)
    built.show()
    return built


@pytest.fixture
def vulnerable(panel):
    panel.show_frame(made.vulnerability_frame())
    panel.grab()
    return panel.vulnerability


@pytest.fixture
def transfer(panel):
    panel.show_frame(made.transferability_frame())
    panel.grab()
    return panel.transfer


def drawn(*items):
    """How many points are shown."""
    return sum(len(item.getData()[0]) for item in items)


def choose(qtbot, box, data):
    """Choose from a list as the arrow keys do."""
    box.setFocus()
    wanted = box.findData(data)
    while box.currentIndex() != wanted:
        qtbot.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < wanted else Qt.Key.Key_Up)


# --- asking for it -----------------------------------------------------------------------------------------------


def test_before_anything_is_measured_it_offers_to(qtbot, panel):
    assert panel.is_empty
    with qtbot.waitSignal(panel.vulnerability_requested):
        qtbot.mouseClick(panel.vulnerability_button, LEFT)
    with qtbot.waitSignal(panel.transferability_requested):
        qtbot.mouseClick(panel.transfer_button, LEFT)
    texts = [action.text() for action in panel.measure.menu().actions()]
    assert texts == ["Relate contraction to vulnerability", "Relate similarity to transfer"]
    with qtbot.waitSignal(panel.transferability_requested):
        panel.measure.menu().actions()[1].trigger()


def test_a_page_that_is_not_measured_says_so_and_offers_to(qtbot, panel, vulnerable):
    qtbot.mouseClick(panel.page_choice.button("transferability"), LEFT)
    assert panel.transfer.button.isVisible() and not panel.transfer.row.isVisible()
    with qtbot.waitSignal(panel.transferability_requested):
        qtbot.mouseClick(panel.transfer.button, LEFT)
    panel.show_frame(made.transferability_frame())
    assert panel.transfer.row.isVisible() and panel.transfer.heats[0].isVisible()


def test_the_first_frame_brings_its_page_to_the_front_but_later_ones_do_not(panel, transfer):
    assert panel.page is transfer
    panel.show_frame(made.vulnerability_frame())
    assert panel.page is transfer


def test_clearing_forgets_both(panel, vulnerable):
    panel.show_frame(made.transferability_frame())
    panel.clear()
    assert panel.is_empty and panel.subtitle == "" and panel.plots() == () and list(panel.csv_rows()) == []
    assert drawn(*vulnerable.dots, panel.transfer.dots) == 0


# --- vulnerability -----------------------------------------------------------------------------------------------


def test_points_are_inputs_of_the_chosen_network_and_what_was_never_broken_is_left_out(qtbot, panel, vulnerable):
    x, y = vulnerable.dots[0].getData()
    assert x.tolist() == pytest.approx([0.0, 0.1, 0.3, 0.4]) and y.tolist() == [1, 2, 4, 5]
    assert "1 never broken" in vulnerable._titled.title.full_text
    choose(qtbot, vulnerable.network_box, 2)
    x, y = vulnerable.dots[0].getData()
    assert x.tolist() == pytest.approx([2.0, 2.1, 2.2, 2.3, 2.4])
    choose(qtbot, vulnerable.x_box, "input_distance")
    assert vulnerable.dots[0].getData()[0].tolist() == [0, 1, 2, 3, 4]


def test_points_can_be_networks_with_a_shape_for_their_layers(qtbot, panel, vulnerable):
    qtbot.mouseClick(vulnerable.unit_choice.button("network"), LEFT)
    assert not vulnerable.network_box.isVisible()
    assert [drawn(item) for item in vulnerable.dots] == [1, 1, 1, 1, 0]
    assert vulnerable.dots[3].getData()[1].tolist() == [5.0]
    assert "▲" in vulnerable.legend.text()
    choose(qtbot, vulnerable.x_box, "total_boost")
    assert vulnerable.across == "total_boost"


def test_the_table_lists_statistics_with_interval_or_range_and_the_drawn_one_is_marked(qtbot, panel, vulnerable):
    table = vulnerable.table
    assert table.marked == "input boost"
    row = table.row_of("input boost")
    assert (
        table.cell(row, RHO) == "−0.06" and table.cell(row, INTERVAL) == "{−0.28, 0.08}" and table.cell(row, P) == "0.3"
    )
    assert table.cell(table.row_of("input margin"), INTERVAL) == "[0.80, 1.00]"
    assert "margin, input distance" in table.cell(row + 1, RELATION)
    assert "ρ = −0.06" in panel.subtitle
    cell = table.visualItemRect(table.item(table.row_of("network rate | accuracy, layers"), RELATION)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=cell)
    assert vulnerable.unit == "network" and vulnerable.across == "rate" and table.marked == "network rate"


def test_pointing_at_an_input_says_its_numbers_and_a_click_selects_it(qtbot, panel, vulnerable, selection):
    plot = vulnerable.plot
    at = plot.at(0.3, 4.0)
    plot.hovered.emit(0.3, 4.0)
    assert plot.readout.isVisible()
    assert plot.readout.text().splitlines() == [
        "test sample 30, class 3",
        "Boost (centred): 0.300",
        "Smallest L2 norm: 4.000",
    ]
    qtbot.mouseClick(plot.viewport(), LEFT, pos=QPoint(at.x(), at.y()))
    qtbot.waitUntil(lambda: selection.sample == 30)
    assert vulnerable.ring.getData()[0].tolist() == pytest.approx([0.3])
    plot.hovered.emit(0.2, 100.0)
    assert not plot.readout.isVisible()


def test_points_can_be_walked_by_keyboard_past_those_left_out(qtbot, panel, vulnerable, selection):
    plot = vulnerable.plot
    plot.setFocus()
    for _ in range(3):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert "test sample 30" in plot.readout.text()
    qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert selection.sample == 30


def test_it_is_drawn_as_it_grows(panel):
    panel.show_frame(made.vulnerability_frame(2, done=False))
    page = panel.vulnerability
    assert panel.subtitle == "network 2 of 4"
    assert drawn(page.dots[0]) == 4 and page.table.rowCount() == 0 and page.network_box.count() == 2
    panel.show_frame(made.vulnerability_frame())
    assert page.network_box.count() == 4 and page.table.rowCount() == 7


# --- transfer ----------------------------------------------------------------------------------------------------


def test_maps_and_points_hold_every_ordered_pair(panel, transfer):
    assert np.array_equal(transfer.numbers.matrix(0), made.transferability_frame().arrays["transfer"])
    x, y = transfer.numbers.points()
    assert drawn(transfer.dots) == len(x) == 12
    k = 5  # the third pair of source 1
    assert transfer.numbers.pair(k) == (1, 3)
    assert y[k] == pytest.approx(0.13) and x[k] == pytest.approx(0.52)
    assert "ρ = +0.80" in panel.subtitle


def test_the_similarity_can_be_chosen_and_what_lies_below_0_is_said(qtbot, panel, transfer):
    assert "below 0" not in transfer.caption.full_text
    choose(qtbot, transfer.similarity_box, "rsa")
    assert transfer.numbers.similarity == "rsa"
    assert transfer.numbers.points()[0].tolist() == pytest.approx([-0.2] * 12)
    assert "below 0 have the colour of 0" in transfer.caption.full_text


def test_the_naive_p_is_struck_out_and_called_wrong(qtbot, panel, transfer):
    qtbot.mouseClick(transfer.part_choice.button("relation"), LEFT)
    table = transfer.table
    assert table.isVisible() and not transfer.heats[0].isVisible()
    row = table.row_of("cka naive")
    assert table.item(row, P).font().strikeOut() and table.item(row, RHO).font().strikeOut()
    assert table.cell(row, RELATION).startswith("⚠ wrong") and made.WRONG in table.item(row, P).toolTip()
    assert not table.item(table.row_of("cka"), P).font().strikeOut()
    assert "not independent" in transfer.caption.full_text
    assert table.isColumnHidden(INTERVAL)  # a Mantel test has none
    cell = table.visualItemRect(table.item(table.row_of("gradient_cosine | cka"), RELATION)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=cell)
    assert transfer.numbers.similarity == "gradient_cosine" == table.marked


def test_a_table_of_any_width_says_nothing_on_the_terminal(qtbot, qtlog, panel, transfer):
    qtbot.mouseClick(transfer.part_choice.button("relation"), LEFT)
    for wide in (300, 900, 300):
        panel.resize(wide, 600)
        qtbot.wait(10)
    assert not [each.message for each in qtlog.records if "setSpan" in each.message]


def test_a_pair_chosen_in_a_map_is_marked_everywhere(qtbot, panel, transfer):
    heat = transfer.heats[0]
    heat.hovered.emit(3.5, 1.5)
    assert heat.readout.text().splitlines()[:2] == ["2, 2x32 relu  →  4, 4x32 relu", "transfer 13.0% of 100 inputs"]
    qtbot.mouseClick(heat.viewport(), LEFT, pos=heat.at(3.5, 1.5))
    qtbot.waitUntil(lambda: transfer.cell == (1, 3))
    assert transfer.ring.getData()[1].tolist() == pytest.approx([0.13])
    heat.setFocus()
    qtbot.keyClick(heat, Qt.Key.Key_Left)
    assert transfer.cell == (1, 2)
    assert "on itself" in transfer.describe(2, 2)


def test_with_room_maps_and_relation_stand_together(qtbot, panel, transfer):
    assert transfer.part_choice.isVisible() and not transfer.table.isVisible()
    panel.resize(1000, 700)
    qtbot.waitUntil(lambda: transfer.table.isVisible())
    assert transfer.heats[0].isVisible() and not transfer.part_choice.isVisible()
    # the maps one above the other
    qtbot.waitUntil(lambda: transfer._titled[1].y() > transfer._titled[0].y())


def test_transfer_grows_before_similarities_are_known(panel):
    panel.show_frame(made.transferability_frame(attacked=2, done=False))
    page = panel.transfer
    assert panel.subtitle.startswith("source 2 of 4")
    assert np.isnan(page.numbers.matrix(1)).all() and drawn(page.dots) == 0
    assert "once all transfer is measured" in page._titled[1].title.full_text
    assert page.describe(3, 0).splitlines()[1] == "transfer not measured"
    panel.show_frame(made.transferability_frame(done=False))
    assert drawn(page.dots) == 12


def test_of_several_attacks_one_is_chosen_and_its_own_tests_are_listed(qtbot, panel):
    frame = made.transfers_frame()
    panel.show_frame(frame)
    panel.grab()
    page = panel.transfer
    assert page.attack_box.isVisible() and page.numbers.attack == 0 and "mean transfer 83% of PGD" in panel.subtitle
    assert "ρ = +0.80" in panel.subtitle and page.table.rowCount() == 7
    choose(qtbot, page.attack_box, "mi")
    assert np.array_equal(page.numbers.matrix(0), frame.arrays["transfer"][1])
    assert page.numbers.points()[1].max() == frame.arrays["transfer"][1][~np.eye(4, dtype=bool)].max()
    assert "mean transfer 40% of MI-FGSM" in panel.subtitle and "ρ = +0.50" in panel.subtitle
    assert page.table.rowCount() == 7 and "MI-FGSM" in page._titled[0].title.full_text
    assert page.describe(1, 3).splitlines()[1] == "transfer 6.5% [1.5%, 11.5%] of 100 inputs"
    choose(qtbot, page.attack_box, "noise")
    assert not page.numbers.matrix(0).any() and page.table.rowCount() == 0
    assert page.caption.full_text.startswith("Measurement. Random noise, ε = 1")


def test_transfer_can_be_seen_corrected_for_clean_errors(qtbot, panel):
    panel.show_frame(made.transfers_frame())
    page = panel.transfer
    choose(qtbot, page.view_box, "corrected")
    assert page.numbers.matrix(0)[1, 3] == pytest.approx(0.03)
    assert "(err_adv − err_clean)" in page.caption.full_text
    assert page.describe(1, 3).splitlines()[2] == "corrected for clean errors 3.0%"


def test_all_three_similarities_stand_beside_transfer_in_the_same_order(qtbot, panel):
    frame = made.transfers_frame()
    panel.show_frame(frame)
    panel.grab()
    page = panel.transfer
    choose(qtbot, page.similarity_box, "every")
    assert len(page.heats) == 4 and all(heat.isVisible() for heat in page.heats)
    for which, name in enumerate(("cka", "rsa", "gradient_cosine"), 1):
        assert np.array_equal(page.numbers.matrix(which), frame.arrays[name])
    assert len(page.plots()) == 5 and page.numbers.similarity == "gradient_cosine"
    page.choose((1, 3))
    assert page.ring.getData()[0].tolist() == pytest.approx([0.5])
    choose(qtbot, page.similarity_box, "rsa")
    assert [heat.isVisible() for heat in page.heats] == [True, True, False, False]
    assert page.numbers.points()[0].tolist() == pytest.approx([-0.2] * 12)


def test_a_frame_recorded_when_there_was_one_attack_is_drawn_as_it_was(panel, transfer):
    assert not transfer.attack_box.isVisible() and not transfer.view_box.isVisible()
    assert transfer.caption.full_text.startswith("Measurement. Untargeted L₂ PGD, ε = 1 (2 x the median), 40 steps")


# --- all of it ---------------------------------------------------------------------------------------------------


def test_p_values_are_short():
    assert [p_text(p) for p in (None, 0.0, 3e-70, 0.0005, 0.016, 0.85)] == [
        "–",
        "0",
        "3e−70",
        "0.0005",
        "0.016",
        "0.85",
    ]


def test_csv_holds_statistics_networks_and_inputs(panel, vulnerable, tmp_path):
    path = tmp_path / "relations.csv"
    panel.ask_save = lambda *_: str(path)
    panel.save_csv()
    rows = list(csv.reader(path.open(encoding="utf-8")))
    assert rows[0][0] == "statistic" and rows[1][:2] == ["input boost", "label of input boost"]
    assert ["0", "20", "2", "2.0", "0.2", "0.2", "0.2", "0.2", ""] in rows
    panel.show_frame(made.transferability_frame())
    panel.show_page("transferability")
    panel.save_csv()
    rows = list(csv.reader(path.open(encoding="utf-8")))
    assert rows[2][-1] == made.WRONG
    (row,) = [row for row in rows if row[:4] == ["1", "2x32 relu", "3", "4x32 relu"]]
    assert float(row[4]) == pytest.approx(0.13)


@pytest.mark.parametrize("look", [Theme.dark(), Theme.light()])
def test_both_themes_draw_both_pages_and_export_them(panel, vulnerable, look, tmp_path):
    panel.show_frame(made.transferability_frame())
    panel.set_theme(look)
    for topic, count in (("vulnerability", 1), ("transferability", 3)):
        panel.show_page(topic)
        assert not panel.grab().isNull()
        assert len(panel.plots()) == count
        panel.ask_save = lambda *_: str(tmp_path / "plot.svg")
        panel.save_svg()
    assert (tmp_path / "plot-3.svg").exists()


def test_every_control_has_a_name_and_there_is_a_help_text(panel):
    assert unnamed(panel) == []
    found = read_help(RelationsPanel.key)
    assert found is not None and found.kinds == ("measurement",) and "Mantel" in found.source


def test_real_tiny_runs_are_drawn_as_they_come(panel):
    spec = ExperimentSpec(
        training=TrainingSpec(epochs=4, learning_rate=0.003), controls=ControlsSpec(networks=4, permutations=100)
    )
    given: dict[str, Artifact] = {}
    for name in panel.topics:
        for event in open_experiment(name, spec, given):
            if isinstance(event, Artifact):
                given[event.name] = event
            if isinstance(event, Frame) and event.topic == name:
                panel.show_frame(event)
                panel.show_page(name)
                panel.grab()
    for page in (panel.vulnerability, panel.transfer):
        assert page.frame is not None and page.frame.info["done"]
        assert page.table.rowCount() > 4
    assert drawn(panel.transfer.dots) == 12
    panel.show_page("vulnerability")
    assert "4 networks" in panel.subtitle
