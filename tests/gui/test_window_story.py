"""The story of the first start: choose, train, pause, step, attack, select, slide, save, reopen, compare."""

from __future__ import annotations

import pytest
from person import TINY, Person
from PySide6.QtCore import QPoint

from engine.experiments.views import layer_taps
from engine.specs import LinearSpec, MlpSpec, TrainingSpec
from gui.panels.compare import A, B

STORY = TINY.model_copy(
    update={
        "model": LinearSpec(depth=2, width=16),
        "training": TrainingSpec(epochs=1, batch_size=1),  # one long epoch, so that every step that is seen trains
        "probe": TINY.probe.model_copy(update={"every": 50}),
    }
)
DRAWN = {"structure", "claims", "training", "gallery", "curves", "matrix", "profile", "spacetime", "dataset", "model"}
"""The panels that a run of everything fills."""


def positions(person: Person, phase: str) -> list[int]:
    moments = person.window.transport.timeline.moments
    return [position for position, moment in enumerate(moments) if moment.phase == phase]


def click_cell(person: Person, row: int, column: int) -> None:
    heat = person.window.docks.matrix.heat
    person.click(heat.viewport(), heat.at(column + 0.5, row + 0.5))


def test_the_whole_story(open_lab, tmp_path):
    person = open_lab(spec=STORY)
    window = person.window

    # choose the model in the form
    person.step("model")
    form = person.form("model")
    person.choose(form.chooser, "mlp")
    person.type("model", "depth", "2")
    person.type("model", "width", "12")
    assert window.editor.spec.model == MlpSpec(depth=2, width=12)

    # train, pause, single step, go on
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 3)
    person.transport("pause")
    person.wait(lambda: window.jobs.state == "paused")
    paused_at = window.jobs.current.progress.done
    for more in (1, 2, 3):
        person.transport("step")
        person.wait(lambda more=more: window.jobs.current.progress.done == paused_at + more)
        assert len(window.stage.table("steps")) == paused_at + more
        assert window.jobs.state == "paused"
    person.transport("run")
    person.wait_for_job()
    assert window.rail.is_done("train")
    assert window.stage.table("steps").column("step").tolist() == list(range(1, 1348))
    assert len(window.stage.table("epochs")) == 1

    # attack what was trained: nothing is trained again
    person.run("attack")
    assert window.stage.frame("gallery").step == TINY.attack.steps + 1, "after the last step, the best points found"
    assert [run.experiment for run in window.lab.session.runs()] == ["train", "attack"]
    assert not len(window.lab.session.table(2, "steps"))

    # select a pair in the matrix: all see it
    window.docks.show_panel("matrix")
    window.rotation.draw_all()
    click_cell(person, 0, 3)
    index = window.stage.frame("matrix/clean").arrays["index"]
    a, b = int(index[0]), int(index[3])
    assert window.selection.pair == (a, b)
    assert window.inspector.text().startswith(f"Samples {a} and {b}")

    # drag the time slider into the training: every panel shows that moment, and no attack yet
    at = positions(person, "train")
    middle = window.transport.timeline.moments[at[len(at) // 2]].step
    person.slide_to(at[len(at) // 2])
    assert not window.stage.live
    assert (window.stage.moment.phase, window.stage.moment.step) == ("train", middle)
    window.rotation.draw_all()
    assert window.gallery.is_empty
    assert window.docks.matrix.frame.step == middle
    past = person.drawn()
    assert window.inspector.text().startswith(f"Samples {a} and {b}")
    # and into the attack, by the gallery's own moments
    person.slide_to(positions(person, "attack")[0])
    window.rotation.draw_all()
    assert not window.gallery.is_empty
    assert window.stage.frame("gallery").step == 0

    # live again
    person.click(window.transport.live_button)
    assert window.stage.live
    assert window.stage.frame("gallery").step == TINY.attack.steps + 1

    person.run("entangle")
    before, moments = person.drawn(), person.recorded()
    assert set(before) == DRAWN
    assert past["profile"] != before["profile"]

    # save, close
    person.saves_to = str(tmp_path / "mine")
    person.press("Ctrl+S")
    person.wait_for_files()
    file = tmp_path / "mine.rapidity"
    assert file.is_file()
    assert window.windowTitle().startswith("mine")
    assert not window.isWindowModified()
    assert person.close()
    assert person.asked == ["save"]
    person.leave()

    # reopen in a new window: the same numbers, curves and moments
    person = open_lab(file)
    window = person.window
    assert person.drawn() == before
    assert person.recorded() == moments
    assert window.editor.spec.model == MlpSpec(depth=2, width=12)
    assert all(window.rail.is_done(step) for step in ("data", "model", "train", "attack", "entangle"))
    person.slide_to(positions(person, "train")[len(at) // 2])
    assert person.drawn() == past

    # another network, and compare: the first run's curves lie dotted under the second's
    person.step("model")
    person.type("model", "width", "24")
    assert not window.rail.is_done("train")
    person.step("train")
    person.click(window.step_forms["train"].run_all_button)
    person.wait_for_job()
    person.step("compare")
    person.act()
    table = window.compare.runs_table
    assert [window.compare.run_at(row)["experiment"] for row in range(4)] == ["train", "attack", "entangle", "story"]
    for row, column in ((2, A), (3, B)):
        person.click(table.viewport(), table.visualItemRect(table.item(row, column)).center())
    assert window.compare.chosen == (3, 4)
    assert ("Model · Width", "12", "24") in window.compare.rows()
    window.docks.show_panel("profile")
    window.rotation.draw_all()
    frame = window.lab.session.frame("profile", run=3)
    group = [g["name"] for g in frame.info["groups"]].index("adv_target")
    line = window.profile.curves.curves["adv_target", "baseline"].line
    assert line.isVisible()
    assert line.getData()[1].tolist() == frame.arrays["mean"][0, 0, 0, group, layer_taps(frame.info["taps"])].tolist()


@pytest.mark.parametrize("place", ["form", "transport", "menu"])
def test_one_press_runs_everything(open_lab, place):
    person = open_lab()
    window = person.window
    if place == "form":
        person.click(window.step_forms["data"].run_all_button)
    elif place == "transport":
        person.transport("run")
    else:
        person.press("Shift+F5")
    person.wait_for_job()
    assert not person.notices()
    assert [(run.experiment, run.status) for run in window.lab.session.runs()] == [("story", "finished")]
    assert set(person.drawn()) == DRAWN


def test_the_first_start_offers_the_ready_experiment_in_one_press(open_lab):
    person = open_lab(first_time=True)
    (notice,) = person.window.notices.notices
    assert "Tiny" in notice.text
    person.click(notice.buttons["Run everything"])
    person.wait_for_job()
    assert person.notices() == []
    assert [(run.experiment, run.status) for run in person.window.lab.session.runs()] == [("story", "finished")]


def test_a_single_step_where_nothing_runs_begins_the_step_shown_and_pauses(person, window):
    person.step("train")
    person.transport("step")
    person.wait(lambda: window.jobs.state == "paused")
    person.wait(lambda: window.transport.progress.isVisible())
    assert [run.experiment for run in window.lab.session.runs()] == ["train"]
    before = window.jobs.current.progress
    person.press("F7")
    person.wait(lambda: window.jobs.current.progress != before)
    assert window.jobs.state == "paused"


def test_a_moment_of_the_past_stays_while_the_run_goes_on(open_lab):
    person = open_lab(spec=TINY.model_copy(update={"training": TrainingSpec(epochs=200)}))
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.transport.timeline.moments) > 3)
    person.click(window.transport.timeline, QPoint(round(window.transport.timeline._x(2)), 10))
    chosen, rows = window.stage.moment, len(window.stage.table("steps"))
    seen = window.stage.frame("profile")
    person.wait(lambda: len(window.transport.timeline.moments) > 6)
    assert window.stage.moment == chosen == window.transport.timeline.moment
    assert window.stage.frame("profile") is seen
    person.press("L")
    assert window.stage.live
    assert len(window.stage.table("steps")) > rows
