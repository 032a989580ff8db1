"""The attack's panels in the window: filled by an attack, asked for by buttons, replayed by the time slider."""

from __future__ import annotations

import pytest
from person import TINY

from engine.specs import FgsmSpec
from gui.stage import read_opening

FAST = TINY.model_copy(update={"map": TINY.map.model_copy(update={"resolution": 15})})


@pytest.fixture
def attacked(open_lab):
    """A person whose attack has just ended."""
    person = open_lab(spec=FAST)
    person.run("attack")
    return person


def results_read(person) -> bool:
    """Whether the session's attacks are on the results panel."""
    return not person.window.background.busy and bool(person.window.docks.results.runs)


def test_an_attack_fills_the_curves_and_the_results(attacked):
    window = attacked.window
    window.rotation.draw_all()
    curves = window.docks.curves
    assert not curves.is_empty
    assert len(curves.course.watched) == len(window.stage.table("attack"))
    assert curves.course.watched.samples == 16
    attacked.wait(lambda: results_read(attacked))
    (found,) = window.docks.results.runs
    assert (found.title, len(found), found.eps) == ("PGD", 16, 0.3)
    broken = float(window.stage.table("attack").column("success_so_far")[-1])
    assert found.success.mean() == pytest.approx(broken)


def test_two_attacks_on_the_same_samples_are_compared(attacked):
    window = attacked.window
    window.editor.edit("attack", FgsmSpec(eps=0.3, samples=16), "method")
    attacked.run("attack")
    attacked.wait(lambda: len(window.docks.results.runs) == 2)
    panel = window.docks.results
    assert (panel.a.title, panel.b.title) == ("FGSM", "PGD")
    panel.page_choice.button("comparison").click()
    assert panel.comparison._found.n == 16


def test_the_selected_sample_is_mapped_and_the_settings_stay(attacked):
    window = attacked.window
    index = int(window.stage.frame("gallery").arrays["index"][3])
    window.selection.set_sample(index)
    before = window.editor.spec
    window.docks.show_panel("map")
    attacked.click(window.docks.map.first_button)
    attacked.wait_for_job()
    assert attacked.notices() == []
    frame = window.stage.frame("decision_map")
    assert frame.info["index"] == index
    assert frame.arrays["margin"].shape == (15, 15)
    assert window.editor.spec == before
    run = window.lab.session.runs()[-1]
    assert (run.experiment, run.spec["map"]["sample"]) == ("decision_map", index)
    assert "attack" not in window.lab.session.tables(run.id), "the attack that is there is used"
    window.rotation.draw_all()
    assert not window.docks.map.is_empty


def test_a_sample_that_was_not_attacked_is_told_in_a_sentence(attacked):
    window = attacked.window
    others = set(window.stage.frame("dataset").arrays["index"].tolist()) - set(
        window.stage.frame("gallery").arrays["index"].tolist()
    )
    window.selection.set_sample(min(others))
    window.actions_["run.decision_map"].trigger()
    attacked.wait_for_job()
    assert len(attacked.notices()) == 1
    assert "was not attacked" in attacked.notices()[0]


def test_all_pairs_of_classes_are_measured_from_the_attack_step(attacked):
    window = attacked.window
    attacked.step("attack")
    (button,) = [
        b for b in window.step_forms["attack"].findChildren(type(window.docks.classes.button)) if "pairs" in b.text()
    ]
    attacked.click(button)
    attacked.wait_for_job()
    frame = window.stage.frame("class_matrix")
    assert (frame.info["done"], frame.info["total"]) == (10, 10)
    assert window.docks.is_shown("classes")
    window.rotation.draw_all()
    assert not window.docks.classes.is_empty
    assert window.rail.is_done("attack"), "a closer look puts nothing out of date"


def test_a_new_attack_makes_the_looks_at_the_last_one_a_thing_of_the_past(attacked):
    window = attacked.window
    window.looks.map_selected()
    attacked.wait_for_job()
    shown = [i.id for i in window.stage.instants if i.phase == "map"]
    assert window.stage.frame("decision_map") is not None
    window.editor.edit("attack", FgsmSpec(eps=0.2, samples=16), "method")
    attacked.run("attack")
    assert window.stage.frame("decision_map") is None
    window.stage.go_to(shown[-1])
    assert window.stage.frame("decision_map") is not None
    assert window.stage.frame("gallery").info["method"] == "pgd"
    window.stage.go_live()
    assert window.stage.frame("decision_map") is None


def test_the_time_slider_moves_the_cursor_in_the_curves(attacked):
    window = attacked.window
    window.rotation.draw_all()
    at = [i for i in window.stage.instants if i.phase == "attack"]
    window.stage.go_to(at[2].id)
    window.rotation.draw_all()
    cursors = (window.docks.curves.lines.cursor, window.docks.curves.share.cursor)
    assert [c.value() for c in cursors] == [at[2].step] * 2
    assert all(c.isVisible() or not window.docks.curves.isVisible() for c in cursors)
    train = next(i for i in window.stage.instants if i.phase == "train")
    window.stage.go_to(train.id)
    assert window.stage.attack_step() is None


def test_a_click_below_the_curves_goes_to_that_step(attacked):
    window = attacked.window
    window.rotation.draw_all()
    window.docks.curves._on_click_share(2.2, 0.5)
    assert window.stage.moment.phase == "attack"
    assert window.stage.moment.step == 2


def test_a_saved_session_shows_its_attacks_again(open_lab, story_file):
    person = open_lab(story_file)
    window = person.window
    person.wait(lambda: results_read(person))
    window.rotation.draw_all()
    assert not window.docks.curves.is_empty
    assert not window.docks.results.is_empty
    opening = read_opening(window.lab.session)
    assert any(name == "attack_samples" for _, name in opening.tables)
    assert not any(name == "attacked" for _, name in opening.tables), "it is read beside the window"


def test_another_session_takes_the_results_of_the_last_one_away(attacked):
    window = attacked.window
    attacked.wait(lambda: results_read(attacked))
    window.documents.new(window.editor.spec)
    attacked.wait_for_files()
    attacked.wait(lambda: not window.docks.results.runs)
    assert window.docks.results.is_empty


def test_the_slider_names_the_attack_and_its_result_is_no_step(attacked):
    window = attacked.window
    at = [i for i in window.stage.instants if i.phase == "attack"]
    line = window.transport.timeline
    assert line.name(at[1].id) == f"PGD: step {at[1].step} / {at[-1].step - 1}"
    assert line.name(at[-1].id) == "PGD: best found"


def test_what_was_measured_later_is_said_to_be_so(attacked):
    window = attacked.window
    window.looks.map_selected()
    attacked.wait_for_job()
    at = [i for i in window.stage.instants if i.phase == "attack"]
    window.stage.go_to(at[1].id)
    window.rotation.draw_all()
    said = window.docks.map._empty.text()
    assert "“PGD: step" in said
    assert "measured later, at “PGD: decision map”" in said
    assert "press L" in said
    assert window.docks.classes.empty_text in window.docks.classes._empty.text(), "never measured in this session"
    window.stage.go_live()
    window.rotation.draw_all()
    assert not window.docks.map.is_empty
