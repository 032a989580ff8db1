"""Curves against a setting and relations over networks: what is drawn equals what the columns say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from scipy import stats
from sweep_files import DEPTHS, SMALL, WIDTHS, grid, made, outcome

from engine.events import Frame
from engine.sweep.work import Outcome
from gui.panels.complexity.networks import laid
from gui.panels.complexity.panel import RELATE, ComplexityPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made_one = ComplexityPanel(selection, theme)
    qtbot.addWidget(made_one)
    made_one.resize(900, 520)
    made_one.show()
    qtbot.waitExposed(made_one)
    return made_one


@pytest.fixture
def store(tmp_path, panel):
    with made(tmp_path / "known.sweep", finished=46, failed=(5,)) as known:
        yield known
        panel.set_store(None)  # as the window does before it closes a file: a refresh may be waiting


def frame(n: int = 8) -> Frame:
    width = np.repeat([8.0, 16.0], n // 2)
    arrays = {"width": width, "change": 1 / width + np.linspace(0, 0.01, n), "robust_accuracy": 0.5 - 1 / width}
    told = {"name": "change with robust_accuracy", "label": "Δ ln γ with robust accuracy", "unit": "network", "rho": -0.5, "p": 0.04,
            "low": -0.8, "high": -0.1, "least": None, "most": None, "n": n, "given": [], "wrong": ""}  # fmt: skip
    return Frame("complexity", "measure", 0, arrays, {"columns": list(arrays), "statistics": [told]})


def test_each_curve_is_the_mean_over_seeds_with_students_interval(panel, store):
    panel.set_store(store)
    page = panel.against
    assert (page.x, page.by) == ("model.width", "model.depth")
    page.draw_all()
    columns = store.column("model.width", "model.depth", "rapidity", "theory_change", "initial_change")
    for k, depth in enumerate(DEPTHS):
        found = page.drawing.curves["rapidity", "end"][k]
        assert found.x.tolist() == list(WIDTHS)
        for place, width in enumerate(WIDTHS):
            mine = columns["rapidity"][(columns["model.width"] == width) & (columns["model.depth"] == depth)]
            low, high = stats.t.interval(0.95, len(mine) - 1, mine.mean(), stats.sem(mine))
            if len(mine) < 3:
                low = high = np.nan
                assert found.few[1].tolist() == mine.tolist(), "too few for a band: each network stands for itself"
            low = max(low, 0.0)
            assert np.allclose(
                [found.mean[place], found.low[place], found.high[place]], [mine.mean(), low, high], equal_nan=True
            )
        assert np.allclose(page.drawing.curves["change", "theory"][k].mean, [depth / (2 * width) for width in WIDTHS])
    shown = page.drawn[1]._curves
    assert {kind for kind, _ in shown} == {"end", "initial", "theory"}
    x, y = shown["theory", 0].line.getData()
    assert np.allclose(x, np.log10(WIDTHS)), "widths that span a factor eight are drawn logarithmically"
    assert np.allclose(y, [1 / (2 * width) for width in WIDTHS])


def test_other_columns_are_chosen_and_curves_are_switched_off(panel, store, qtbot):
    panel.set_store(store)
    page = panel.against
    page.x_box.setCurrentIndex(page.x_box.findData("model.depth"))
    page.x_box.activated.emit(page.x_box.currentIndex())
    assert page.x == "model.depth" and page.by == "model.width"
    page.draw_all()
    assert len(page.drawing.split.labels) == 4
    qtbot.mouseClick(page.chips.chip("group 0"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.chips.chip("theory"), Qt.MouseButton.LeftButton)
    page.draw_all()
    visible = {key for key, curve in page.drawn[0]._curves.items() if curve.line.isVisible()}
    assert visible == {(kind, k) for kind in ("end", "initial") for k in (1, 2, 3)}
    page.drawn[0].on_hover(2.0, 0.7)
    assert page.drawn[0].plot.readout.text().startswith("Depth: 2\n")
    assert unnamed(panel) == []


def test_what_is_before_training_has_hollow_marks_that_the_theory_has_not(panel, store, qtbot):
    panel.set_store(store)
    page = panel.against
    page.draw_all()
    drawn = page.drawn[1]
    for k in range(len(DEPTHS)):
        curve = page.drawing.curves["change", "initial"][k]
        x, y = drawn._marks[k].getData()
        assert np.allclose(x, np.log10(WIDTHS)) and np.allclose(y, curve.mean)
    assert {entry.key: entry.mark for entry in page.chips.entries() if entry.key in ("initial", "theory")} == {
        "initial": "diamond",
        "theory": "dash",
    }
    qtbot.mouseClick(page.chips.chip("initial"), Qt.MouseButton.LeftButton)
    page.draw_all()
    assert not any(marks.isVisible() for marks in drawn._marks.values())
    assert drawn._curves["theory", 0].line.isVisible()


def test_names_stand_on_the_axis_by_name(panel, tmp_path):
    spec = grid(("model.activation", ("relu", "tanh", "erf")), ("seed", (0, 1, 2)))
    with made(tmp_path / "names.sweep", spec) as named:
        panel.set_store(named)
        page = panel.against
        page.draw_all()
        assert page.x == "model.activation" and page.axes[0].tickStrings([0, 1, 2], 1, 1) == ["erf", "relu", "tanh"]
        panel.set_store(None)


def test_the_relation_is_spearmans_over_networks_and_says_its_unit(panel, store):
    panel.set_store(store)
    panel.show_page(RELATE)
    page = panel.relate
    assert page.chosen == ("change", "robust_accuracy", "model.width")
    columns = store.column("change", "robust_accuracy")
    rho = stats.spearmanr(columns["change"], columns["robust_accuracy"]).statistic
    assert page.relation.rho == pytest.approx(rho) and page.relation.n == 45
    assert page.relation.low < rho < page.relation.high
    assert page.says.text().endswith("n = 45 · unit: network")
    assert sum(len(item.getData()[0]) for item in page.dots) == 45
    rows = list(panel.csv_rows())
    assert rows[0][-1] == "unit" and rows[1][-1] == "network" and len([r for r in rows[4:] if r]) == 45


def test_no_band_leaves_what_a_share_can_be(panel, tmp_path):
    spec = grid(("model.width", (8, 16)), ("seed", (0, 1, 2)))
    with made(tmp_path / "edge.sweep", spec, finished=0) as edge:
        for k, share in enumerate((0.98, 1.0, 0.9, 0.0, 0.02, 0.1)):
            edge.finish(Outcome(k, row={"test_accuracy": share, "robust_accuracy": share}, seconds=1.0))
        panel.set_store(edge)
        page = panel.against
        page.draw_all()
        for key in ("clean", "robust"):
            (found,) = page.drawing.curves[key, "end"]
            assert found.high[0] == 1 and found.low[1] == 0
        panel.set_store(None)


def test_a_relation_is_worked_out_given_another_column(panel, store):
    panel.set_store(store)
    panel.show_page(RELATE)
    page = panel.relate
    box = page.given_box
    offered = [box.itemData(k) for k in range(box.count())]
    assert offered[:3] == ["", "model.depth", "test_accuracy"] and page.given == ""
    assert not {"change", "robust_accuracy"} & set(offered), "what is drawn explains itself"
    box.setCurrentIndex(1)
    box.activated.emit(1)
    columns = store.column("change", "robust_accuracy", "model.depth")
    x, y, z = (stats.rankdata(columns[name]) for name in columns if name != "id")
    left = [v - np.polyval(np.polyfit(z, v, 1), z) for v in (x, y)]
    assert page.relation.rho == pytest.approx(np.corrcoef(*left)[0, 1])
    assert " given Depth · p = " in page.says.text()
    assert list(panel.csv_rows())[1][2] == "model.depth"
    # a column that is drawn cannot be given as well
    page.x_box.setCurrentIndex(page.x_box.findData("model.depth"))
    page.x_box.activated.emit(page.x_box.currentIndex())
    assert page.given == "" and box.findData("model.depth") < 0
    assert unnamed(panel) == []


def test_the_sessions_networks_open_on_their_relation_unless_a_page_was_chosen(panel, qtbot):
    panel.show_frame(frame())
    assert panel.page_choice.key() == RELATE
    qtbot.mouseClick(panel.page_choice.button("against"), Qt.MouseButton.LeftButton)
    panel.show_frame(frame(6))
    assert panel.page_choice.key() == "against"


def test_a_first_network_alone_does_not_decide_which_columns_are_related(panel):
    whole = frame()
    first = {"width": np.array([8.0, 16.0])}  # the others have no numbers yet
    panel.show_frame(replace(whole, arrays=first, info={"columns": list(first), "statistics": []}))
    boxes = panel.relate.x_box, panel.relate.y_box
    assert [box.currentData() for box in boxes] == ["width", "width"], "there is nothing else yet"
    panel.show_frame(whole)
    assert [box.currentData() for box in boxes] == ["change", "robust_accuracy"]
    boxes[0].setCurrentIndex(boxes[0].findData("width"))
    boxes[0].activated.emit(boxes[0].currentIndex())
    panel.show_frame(frame(6))
    assert [box.currentData() for box in boxes] == ["width", "robust_accuracy"], "what a person asks for stays"


def test_a_click_on_a_network_chooses_its_point_and_offers_to_open_it(panel, store, qtbot):
    panel.set_store(store)
    panel.show_page(RELATE)
    page = panel.relate
    assert page.open_button.isHidden()
    x, y = page.points()
    wanted = int(np.argmax(y))
    chosen, opened = [], []
    panel.point_chosen.connect(chosen.append)
    panel.open_requested.connect(opened.append)
    page.plot.clicked.emit(float(x[wanted]), float(y[wanted]))
    assert chosen == [int(page.networks.ids[wanted])] and page.ring.getData()[0].tolist() == [x[wanted]]
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert opened == chosen
    # chosen elsewhere: it is ringed here; by keyboard another one is reached
    panel.show_point(7)
    assert page.ring.getData()[1].tolist() == [y[page.networks.ids.tolist().index(7)]]
    QTest.keyClick(page.plot, Qt.Key.Key_Right)
    QTest.keyClick(page.plot, Qt.Key.Key_Return)
    assert chosen[-1] == int(page.networks.ids[np.argsort(x, kind="stable")[0]])


def test_more_points_are_drawn_when_they_are_finished(panel, store):
    panel.set_store(store)
    panel.against.draw_all()
    assert panel.subtitle.startswith("45 networks")
    store.finish(outcome(store, 46))
    panel.refresh()
    panel._soon.timeout.emit()
    assert panel.subtitle.startswith("46 networks")


def test_first_points_that_differ_by_their_seed_alone_decide_nothing(panel, tmp_path):
    with made(tmp_path / "young.sweep", SMALL, finished=2) as store:
        panel.set_store(store)
        assert panel.against.x == "seed"  # there is nothing else yet
        for point in (4, 16, 20):
            store.finish(outcome(store, point))
        panel.refresh()
        panel._soon.timeout.emit()
        assert (panel.against.x, panel.against.by) == ("model.width", "model.depth")
        box = panel.against.x_box
        box.setCurrentIndex(box.findData("seed"))
        box.activated.emit(box.currentIndex())
        panel.refresh()
        panel._soon.timeout.emit()
        assert panel.against.x == "seed", "what a person asks for stays"
        panel.set_store(None)  # a refresh may be waiting


def test_shares_are_drawn_as_they_are_and_one_colour_stays_one_colour(panel, store):
    panel.set_store(store)
    panel.show_page(RELATE)
    page = panel.relate
    wide = dict(page.networks.arrays)
    wide["robust_accuracy"] = np.where(np.arange(len(page.networks.ids)) < 3, 0.01, wide["robust_accuracy"])
    wide["change"] = np.where(np.arange(len(page.networks.ids)) < 2, np.nan, wide["change"])
    networks = replace(page.networks, arrays=wide)
    assert not laid(networks, "robust_accuracy").log and laid(networks, "parameters").log
    page.show_networks(networks)
    assert "n = 43 of 45: the others lack a value · unit: network" in page.says.text()
    page.colour_box.setCurrentIndex(0)
    page.colour_box.activated.emit(0)
    page.show_networks(networks)
    assert page.chosen[2] == ""


def test_a_frame_of_the_session_is_shown_where_no_sweep_is_open(panel, store):
    assert panel.is_empty
    panel.show_frame(frame())
    panel.against.draw_all()
    assert panel.page is panel.relate and panel.against.x == "width"
    assert (
        panel.subtitle.startswith("8 networks")
        and panel.relate.relation.n == 8
        and panel.relate.table.row_of("change with robust_accuracy") == 1
    )
    assert panel.source_choice.isHidden()
    panel.set_store(store)
    assert panel.networks.source == "sweep" and not panel.source_choice.isHidden()
    panel.source_choice.button("session").click()
    assert panel.networks.source == "session" and panel.relate.open_button.isHidden()
    panel.clear()
    assert panel.networks.source == "sweep", "another session does not close the sweep"
    panel.set_store(None)
    assert panel.is_empty


def test_what_a_look_measures_is_shown_when_it_comes_though_a_sweep_is_open(panel, store):
    panel.set_store(store)
    panel.show_frame(frame())
    assert panel.networks.n == 45, "a frame of an earlier moment changes nothing"
    panel.clear()
    panel.await_session()
    assert panel.networks.n == 45
    panel.show_frame(frame())
    assert panel.networks.n == 8 and panel.source_choice.key() == "session"
    panel.set_store(store)
    assert panel.networks.n == 45


def test_a_sweep_without_a_finished_point_says_so(panel, tmp_path):
    with made(tmp_path / "new.sweep", SMALL, finished=0) as new:
        panel.set_store(new)
        assert not panel.is_empty and panel.against.networks is None
        assert list(panel.csv_rows()) == []
        panel.set_store(None)
