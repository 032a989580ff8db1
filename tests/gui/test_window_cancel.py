"""Stop takes effect at once, and what was stopped says nothing more."""

from __future__ import annotations

import time

import pace
import pytest
from person import LONG, TINY

from engine.runtime import Cancelled, Finished
from engine.specs import CnnSpec, MlpSpec, TrainingSpec

AT_ONCE = 0.2  # seconds
TRIES = 3  # the best of them counts: the machine does other things too


@pytest.mark.timing
@pytest.mark.parametrize("model", [MlpSpec(), CnnSpec()], ids=["mlp", "cnn"])
def test_stop_ends_training_in_under_200_ms(open_lab, model):
    person = open_lab(spec=LONG.model_copy(update={"model": model}))
    window = person.window
    person.step("train")
    took = []
    for _ in range(TRIES):
        person.act()
        person.wait(lambda: window.jobs.state == "running" and window.jobs.current.progress is not None)
        began = time.perf_counter()
        person.transport("stop")
        person.wait_for_job()
        took.append(time.perf_counter() - began)
    assert min(took) < AT_ONCE * pace.slowness(pace.perf_counter), took
    assert {run.status for run in window.lab.session.runs()} == {"cancelled"}
    assert not person.notices()


def test_nothing_of_a_stopped_job_arrives_later(open_lab):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    job = window.jobs.current.id
    person.transport("stop")
    rows, frame = len(window.stage.table("steps")), window.stage.frame("profile")
    deliveries = []
    window.bridge.delivered.connect(deliveries.append)
    person.wait_for_job()
    person.step("data")
    person.act()  # another job, long enough for anything late to come
    person.wait_for_job()
    assert [d.job for d in deliveries if d.job == job] == []
    ends = [e for d in deliveries for e in d.lifecycle if isinstance(e, Cancelled | Finished)]
    assert [(type(e), e.job) for e in ends] == [(Cancelled, job), (Finished, job + 1)]
    assert len(window.stage.table("steps")) == rows
    assert window.stage.frame("profile") is frame


def test_what_was_recorded_before_a_stop_stays_and_can_be_replayed(open_lab):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.wait(lambda: len(window.stage.table("steps")) > 20)
    person.transport("stop")
    rows = window.stage.table("steps").column("loss").tolist()
    person.wait_for_job()
    session = window.lab.session
    assert session.table(1, "steps").column("loss").tolist()[: len(rows)] == rows
    assert ("train", 5) in {(i.phase, i.step) for i in session.instants(1)} or len(session.instants(1)) >= 2
    assert not window.rail.is_done("train")
    # and the lab goes on
    person.form("training")
    person.step("train")
    person.type("training", "epochs", "1")
    person.run("train")
    assert window.rail.is_done("train")


def test_a_job_is_stopped_in_the_list_of_jobs_too(open_lab):
    person = open_lab(spec=LONG)
    window = person.window
    person.step("train")
    person.act()
    person.step("data")
    person.act()
    person.wait(lambda: window.jobs.state == "running" and window.jobs.current.run is not None)
    assert [job.state for job in window.jobs.all] == ["running", "waiting"]
    person.click(window.transport.jobs_button)
    popup = window.jobs_popup
    person.click(popup.row(2).cancel)
    person.wait(lambda: len(window.jobs.all) == 1)
    person.click(popup.row(1).pause)
    person.wait(lambda: window.jobs.state == "paused")
    person.click(popup.row(1).pause)
    person.wait(lambda: window.jobs.state == "running")
    person.click(popup.row(1).cancel)
    person.wait_for_job()
    popup.close()
    assert [run.status for run in window.lab.session.runs()] == ["cancelled"], "what waited never began"


def test_a_stop_before_the_engine_is_ready_takes_the_job_from_the_queue(open_lab):
    person = open_lab(spec=TINY, start=False)
    window = person.window
    person.step("train")
    person.act()
    person.transport("stop")
    window.start()
    person.wait_for_job()
    assert window.lab.session.runs() == []


def test_a_training_stopped_early_offers_its_network(open_lab):
    person = open_lab(spec=TINY.model_copy(update={"training": TrainingSpec(epochs=200)}))
    window = person.window
    person.step("train")
    person.click(window.step_forms["train"].action_button)
    person.wait(lambda: len(window.stage.table("epochs")) >= 21)
    person.transport("stop")
    person.wait(lambda: window.jobs.state == "idle" and window.notices.notices)
    (notice,) = window.notices.notices
    label = next(iter(notice.buttons))
    person.click(notice.buttons[label])
    assert window.editor.spec.training.epochs == int(label.split()[-2])
    assert window.editor.spec.training.epochs % 10 == 0
    assert window.rail.is_done("train"), "its result is there, and current"
    window.editor.undo_stack.undo()
    assert window.editor.spec.training.epochs == 200
