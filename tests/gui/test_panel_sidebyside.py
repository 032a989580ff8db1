"""Columns of one panel: shared axes, mirrored choices, one legend, differences, and nothing kept of what is gone."""

from __future__ import annotations

import csv
import gc
import weakref
from dataclasses import replace
from xml.etree import ElementTree

import frames
import look_frames
import pytest
from conftest import unnamed
from PySide6.QtCore import QCoreApplication, QEvent, Qt

from engine.specs import ExperimentSpec, MlpSpec, PgdSpec
from gui.comparing import readings
from gui.helptext import read_help
from gui.panels.sidebyside.kinds import KINDS, TABLES, TOPICS
from gui.panels.sidebyside.panel import SideBySidePanel
from gui.sidebyside import MOST, Content, Source

FRAMES = {
    "gallery": frames.gallery_frame,
    "matrix/clean": frames.matrix_frame,
    "profile": frames.profile_frame,
    "pairs": frames.pairs_frame,
    "class_matrix": frames.class_matrix_frame,
    "takeover": look_frames.takeover_frame,
    "bell": look_frames.bell_frame,
    "structure": look_frames.structure_frame,
    "all_pairs": look_frames.all_pairs_frame,
}


def content(run=1, spec=None, made=None, tables=None):
    if made is None:
        made = {topic: make() for topic, make in FRAMES.items()}
    if tables is None:
        attack, samples = frames.attack_steps()
        tables = {
            "steps": frames.steps_table(),
            "epochs": frames.epochs_table(),
            "attack": attack,
            "attack_samples": samples,
        }
    plain = (spec or ExperimentSpec(title=f"Run {run}")).model_dump(mode="json")
    numbers = tuple(readings({}, made.get("profile")))
    return Content(run, plain["title"], "story", plain, False, made, tables, numbers, {}, ((1, "run 1"), (2, "run 2")))


def source(name):
    return Source(f"file:{name}", name, lambda: None)


@pytest.fixture
def panel(qtbot, selection, theme):
    made = SideBySidePanel(selection, theme)
    made.resize(900, 480)
    qtbot.addWidget(made)
    made.show()
    return made


def show(panel, *contents):
    panel.set_sources([(source(f"s{k}"), each, "") for k, each in enumerate(contents)])
    panel.finish()


def test_it_explains_itself_and_says_what_to_add(panel):
    assert panel.is_empty
    assert "session files" in panel._empty.text()
    text = read_help(panel.key)
    assert text is not None and text.kinds and text.source and "Honest reading" in text.body


@pytest.mark.parametrize("kind", [kind.key for kind in KINDS])
def test_every_kind_of_panel_is_drawn_in_every_column(panel, kind):
    panel.set_kind(kind)
    show(panel, content(1), content(2))
    assert [type(each).key for each in panel.panels()] == [kind, kind]
    assert not any(each.is_empty for each in panel.panels())
    assert unnamed(panel) == []


def test_shared_axes_cover_all_columns_and_a_zoom_moves_all(panel):
    show(
        panel,
        content(made={"profile": frames.profile_frame()}),
        content(made={"profile": frames.profile_frame(scale=2)}),
    )
    a, b = (each.plot for each in panel.panels())
    assert a.own_home != b.own_home
    assert a.getViewBox().viewRange() == b.getViewBox().viewRange()
    a.zoom(0.5)
    assert b.getViewBox().viewRange() == a.getViewBox().viewRange()
    b.home()
    assert a.getViewBox().viewRange()[1][1] == pytest.approx(max(a.own_home[1][1], b.own_home[1][1]))
    panel.axes_choice.button("own").click()
    assert a.getViewBox().viewRange() != b.getViewBox().viewRange()


def test_loss_axes_are_logarithmic_in_all_or_in_none(panel):
    panel.set_kind("training")
    tables = [{"steps": frames.steps_table(start=start), "epochs": frames.epochs_table()} for start in (2.0, 2000.0)]
    alone = [content(made={}, tables=each) for each in tables]
    show(panel, *alone)
    assert len({each.is_log for each in panel.panels()}) == 1


def test_perturbations_are_amplified_alike(panel):
    panel.set_kind("gallery")
    show(panel, *(content(made={"gallery": frames.gallery_frame(eps=eps)}) for eps in (0.1, 0.25)))
    assert [each.factor for each in panel.panels()] == ["×4", "×4"]


def test_what_is_chosen_in_one_column_is_chosen_in_all(panel, selection):
    show(panel, content(1), content(2))
    a, b = panel.panels()
    b.taps_choice.button("all").click()
    assert a.taps_choice.key() == "all"
    assert len(a.reading.places) == len(b.reading.places) == len(frames.TAPS)
    a.quantity_box.setCurrentIndex(1)
    a.quantity_box.activated.emit(1)
    assert b.reading.quantity == frames.profile_frame().info["quantities"][1]["name"]
    selection.set_tap("relu 1")
    assert a.curves.tap_line.isVisible() and b.curves.tap_line.isVisible()
    show(panel, content(1), content(2), content(3))  # a column that comes later is brought to the same
    assert panel.panels()[2].reading.quantity == b.reading.quantity
    assert panel.panels()[2].taps_choice.key() == "all"


def test_one_legend_switches_a_group_in_all_columns(panel, qtbot):
    show(panel, content(1), content(2))
    assert [each.chips.isVisible() for each in panel.panels()] == [False, False]
    panel.legend.chip("clean_target").click()
    qtbot.waitUntil(lambda: "clean_target" not in panel.legend.on())
    assert all("clean_target" not in each.shown_groups() for each in panel.panels())


def test_a_source_that_lacks_it_says_what_to_run(panel):
    panel.set_kind("takeover")
    show(panel, content(1), content(2, made={"profile": frames.profile_frame()}))
    assert [column.panel is None for column in panel.columns] == [False, True]
    assert "Measure takeover" in panel.columns[1].message.text()
    assert "s1" in panel.columns[1].message.text()


def test_a_point_of_a_sweep_that_lacks_it_is_to_be_opened_first(panel):
    panel.set_kind("profile")
    show(panel, replace(content(1, made={}), row={"test_accuracy": 0.9}), content(2))
    assert "open the point as a session, run the Entangle step" in panel.columns[0].message.text()


def test_a_problem_stands_in_the_column(panel):
    panel.set_sources([(source("gone"), None, "There is no file gone.rapidity."), (source("new"), None, "")])
    panel.finish()
    assert panel.columns[0].message.text() == "There is no file gone.rapidity."
    assert "Reading new" in panel.columns[1].message.text()


def test_differences_are_listed_with_marks_and_numbers(panel):
    other = ExperimentSpec(title="Other", attack=PgdSpec(eps=0.3), model=MlpSpec(width=7))
    show(panel, content(1), content(2, other))
    panel.page_choice.button("differences").click()
    assert panel.table.isVisible()
    rows = {name: (part, values, mark) for part, name, values, mark in panel.table.rows()}
    part, values, mark = rows["ε (input units)"]
    assert (part, values[1], mark) == ("Attack", "0.3", "other eps")
    assert rows["Width (units)"] == ("Model", (str(MlpSpec().width), "7"), "")
    assert any(part == "What came out" and "[" in values[0] for part, values, _ in rows.values())
    assert "Not like with like: other eps" in panel.summary.full_text


def test_equal_specs_say_so(panel):
    show(panel, content(1), content(2))
    assert "same spec" in panel.summary.full_text
    assert {part for part, *_ in panel.table.rows()} == {"What came out"}


def test_six_are_the_most(panel):
    show(panel, *(content(k, made={"profile": frames.profile_frame()}) for k in range(MOST)))
    assert len(panel.panels()) == MOST
    assert not panel.add_button.isEnabled()
    show(panel, content(1))
    assert panel.add_button.isEnabled()


def test_columns_are_made_one_after_another_and_only_where_they_are_seen(panel, qtbot):
    panel.hide()
    panel.set_sources([(source("a"), content(1), ""), (source("b"), content(2), "")])
    QCoreApplication.processEvents()
    assert panel.panels() == []
    panel.show()
    qtbot.waitUntil(lambda: len(panel.panels()) == 1)
    assert not panel.is_made
    qtbot.waitUntil(lambda: panel.is_made)
    assert len(panel.panels()) == 2


def test_a_column_that_stays_is_not_made_again_when_another_goes(panel):
    show(panel, content(1), content(2))
    shown = [(column.source, column.content, "") for column in panel.columns]
    first, second = panel.panels()
    panel.set_sources(shown[::-1])
    panel.finish()
    assert panel.panels() == [second, first]
    panel.set_sources(shown[1:])
    panel.finish()
    assert panel.panels() == [second]
    assert second.plot.getViewBox().viewRange()[0] == list(second.plot.own_home[0])


def test_nothing_is_kept_of_a_source_that_is_removed(panel):
    frame = frames.profile_frame()
    gone = weakref.ref(frame.arrays["mean"])
    show(panel, content(1, made={"profile": frame}), content(2))
    del frame
    panel.set_sources([(column.source, column.content, "") for column in panel.columns[1:]])
    panel.finish()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert gone() is None


def test_the_cross_and_the_arrow_ask(panel, qtbot):
    show(panel, content(1), content(2))
    with qtbot.waitSignal(panel.remove_wanted) as removed:
        qtbot.mouseClick(panel.columns[1].remove_button, Qt.MouseButton.LeftButton)
    assert removed.args == ["file:s1"]
    panel.columns[0].menu.aboutToShow.emit()
    actions = {action.text(): action for action in panel.columns[0].menu.actions()}
    assert not actions["Move left"].isEnabled()
    with qtbot.waitSignal(panel.move_wanted) as moved:
        actions["Move right"].trigger()
    assert moved.args == ["file:s0", 1]
    runs = actions["Another run"].menu().actions()
    assert [action.isEnabled() for action in runs] == [True, False]  # run 2, and run 1 which is shown
    with qtbot.waitSignal(panel.run_of_wanted) as other:
        runs[0].trigger()
    assert other.args == ["file:s0", 2]


def test_it_is_saved_as_picture_drawings_and_numbers(panel, tmp_path):
    other = ExperimentSpec(title="Other", attack=PgdSpec(eps=0.3))
    show(panel, content(1), content(2, other))
    assert not panel.picture().isNull()
    target = tmp_path / "plot.svg"
    panel.ask_save = lambda *_: str(target)
    panel.save_svg()
    assert [ElementTree.parse(p).getroot().tag[-3:] for p in sorted(tmp_path.glob("plot*.svg"))] == ["svg", "svg"]
    target = tmp_path / "numbers.csv"
    panel.ask_save = lambda *_: str(target)
    panel.save_csv()
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["part", "field", "1 · s0, run 1", "2 · s1, run 2", "not like with like"]
    assert ["Attack", "ε (input units)", "0.1", "0.3", "other eps"] in rows
    numbers = {row[1]: row[2:4] for row in rows if row[0] == "What came out"}
    name = "C of x_adv with target, last hidden layer"
    reading = panel.columns[0].content.readings[0]
    assert [numbers[name + word][0] for word in ("", ", 95% low", ", 95% high", ", n")] == [
        str(each) for each in (reading.value, reading.low, reading.high, reading.n)
    ]


def test_the_theme_changes_live(panel, theme):
    show(panel, content(1), content(2))
    panel.set_theme(type(theme).light())
    panel.grab()
    assert all(each.theme.name == "light" for each in panel.panels())


def test_every_topic_and_table_of_a_kind_is_read():
    for kind in KINDS:
        assert set(kind.panel.topics) <= set(TOPICS)
        assert set(kind.panel.tables) <= set(TABLES)
