"""What is on stage: live from deliveries, the past from the session, never anything later than the moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.events import Frame, Record
from engine.runtime import Delivery, Finished, Started
from engine.session import Session
from engine.specs import ExperimentSpec
from gui.stage import PHASES, Stage, read_opening

SPEC = ExperimentSpec()
ORDER = {"dataset": "data", "model": "init", "matrix/clean": "train", "gallery": "attack", "profile": "measure"}


def frame(topic: str, phase: Any, step: int = 0, value: float = 0.0) -> Frame:
    return Frame(topic, phase, step, {"x": np.array([value])}, {})


def rows(table: str, *values: float) -> list[Record]:
    return [Record(table, {"step": i + 1, "loss": value}) for i, value in enumerate(values)]


def record(session: Session, *events: Frame | Record, experiment: str = "story") -> int:
    """A finished run that said this; gives its number."""
    recorder = session.recorder(session.begin_run(experiment, SPEC))
    for event in events:
        recorder.put(event)
    recorder.close("finished")
    return recorder.run


def whole_run(session: Session, value: float) -> int:
    """A run from the data to the measurement, with two steps of training and of the attack."""
    return record(
        session,
        frame("dataset", "data", 0, value),
        frame("model", "init", 0, value),
        frame("matrix/clean", "init", 0, value),
        *rows("steps", value, value / 2),
        frame("matrix/clean", "train", 1, value + 0.1),
        frame("matrix/clean", "train", 2, value + 0.2),
        *rows("attack", value),
        frame("gallery", "attack", 0, value),
        frame("gallery", "attack", 1, value + 0.1),
        frame("profile", "measure", 0, value),
    )


@pytest.fixture
def session(tmp_path) -> Iterator[Session]:
    with Session.create(tmp_path, SPEC) as made:
        yield made


@pytest.fixture
def stage(qapp, session) -> Stage:
    """A stage that shows what the session holds when the test calls :func:`attach`."""
    return Stage(session)


def attach(stage: Stage) -> None:
    stage.attach(read_opening(stage.session))


def value(stage: Stage, topic: str) -> float | None:
    found = stage.frame(topic)
    return None if found is None else round(float(found.arrays["x"][0]), 3)


def go(stage: Stage, run: int, phase: str, step: int = 0) -> None:
    (found,) = [i.id for i in stage.instants if (i.run, i.phase, i.step) == (run, phase, step)]
    stage.go_to(found)


def test_an_opened_session_is_shown_from_its_end(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    assert stage.live
    assert stage.moment is None
    assert [value(stage, topic) for topic in ORDER] == [1.0, 1.0, 1.2, 1.1, 1.0]
    assert stage.table("steps").column("loss").tolist() == [1.0, 0.5]
    assert len(stage.table("profile")) == 0


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_later_than_the_moment_is_shown(stage, session, phase):
    whole_run(session, 1.0)
    attach(stage)
    go(stage, 1, phase, {"train": 1}.get(phase, 0))
    for topic, its_phase in ORDER.items():
        found = stage.frame(topic)
        if PHASES.index(its_phase) > PHASES.index(phase) and topic != "matrix/clean":
            assert found is None, topic
        elif found is not None:
            assert PHASES.index(found.phase) <= PHASES.index(phase)
    assert stage.moment.phase == phase


def test_a_moment_of_training_shows_the_frame_of_that_step(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    go(stage, 1, "train", 1)
    assert value(stage, "matrix/clean") == 1.1
    assert stage.training_step() == 1
    go(stage, 1, "init")
    assert value(stage, "matrix/clean") == 1.0
    assert stage.training_step() is None
    go(stage, 1, "attack", 1)
    assert (value(stage, "matrix/clean"), value(stage, "gallery")) == (1.2, 1.1)


def test_a_moment_of_a_later_run_shows_no_attack_of_the_run_before(stage, session):
    whole_run(session, 1.0)
    record(session, frame("dataset", "data", 0, 2.0), frame("matrix/clean", "train", 1, 2.1), experiment="train")
    attach(stage)
    go(stage, 2, "train", 1)
    assert (value(stage, "dataset"), value(stage, "matrix/clean")) == (2.0, 2.1)
    assert value(stage, "gallery") is None
    assert value(stage, "profile") is None
    go(stage, 1, "attack", 0)
    assert (value(stage, "matrix/clean"), value(stage, "gallery")) == (1.2, 1.0)


def test_only_what_differs_is_told(stage, session, qtbot):
    whole_run(session, 1.0)
    attach(stage)
    go(stage, 1, "train", 1)
    told: list[str] = []
    stage.topic_changed.connect(told.append)
    stage.table_changed.connect(told.append)
    with qtbot.waitSignal(stage.moment_changed):
        go(stage, 1, "train", 2)
    assert told == ["matrix/clean"]


def test_a_moment_between_two_shows_the_one_before(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    stage.go_to(stage.instants[-1].id + 100)
    assert stage.moment == stage.instants[-1]
    stage.go_to(0)
    assert stage.moment == stage.instants[-1], "before the first there is nothing to go to"


def test_live_frames_wait_while_the_past_is_shown(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    go(stage, 1, "train", 1)
    told: list[str] = []
    stage.topic_changed.connect(told.append)
    stage.take(Delivery(job=1, frames={"matrix/clean": frame("matrix/clean", "train", 7, 7.0)}))
    assert told == []
    assert value(stage, "matrix/clean") == 1.1
    stage.go_live()
    assert value(stage, "matrix/clean") == 7.0
    assert "matrix/clean" in told


def test_a_new_training_makes_the_attack_before_it_a_thing_of_the_past(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    told: list[str] = []
    stage.topic_changed.connect(told.append)
    stage.take(Delivery(job=1, frames={"matrix/clean": frame("matrix/clean", "train", 1, 3.0)}))
    assert stage.frame("gallery") is None
    assert stage.frame("profile") is None
    assert value(stage, "dataset") == 1.0
    assert {"gallery", "profile", "matrix/clean"} <= set(told)


def test_rows_grow_within_a_job_and_begin_anew_with_the_next(stage, session):
    attach(stage)
    stage.take(Delivery(lifecycle=[Started(1, "train", 1)]))
    for loss in (3.0, 2.0):
        stage.take(Delivery(job=1, records=rows("steps", loss)))
    assert stage.table("steps").column("loss").tolist() == [3.0, 2.0]
    stage.take(Delivery(job=1, lifecycle=[Started(2, "train", 2)]))
    assert stage.table("steps").column("loss").tolist() == [3.0, 2.0], "the old rows stay until there are new ones"
    stage.take(Delivery(job=2, records=rows("steps", 9.0)))
    assert stage.table("steps").column("loss").tolist() == [9.0]


def test_the_past_of_an_earlier_run_shows_that_run_s_rows(stage, session):
    whole_run(session, 1.0)
    whole_run(session, 8.0)
    attach(stage)
    go(stage, 1, "train", 1)
    assert stage.table("steps").column("loss").tolist() == [1.0, 0.5]
    go(stage, 2, "train", 1)
    assert stage.table("steps").column("loss").tolist() == [8.0, 4.0]


def test_rows_of_a_job_that_has_just_begun_are_not_taken_for_those_of_the_past(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    # a second run says its first rows; they are not in the file yet
    session.begin_run("train", SPEC)
    stage.take(Delivery(lifecycle=[Started(1, "train", 2)]))
    stage.take(Delivery(job=1, records=rows("steps", 9.0)))
    go(stage, 1, "train", 1)
    assert stage.table("steps").column("loss").tolist() == [1.0, 0.5]
    stage.go_live()
    assert stage.table("steps").column("loss").tolist() == [9.0]


def test_rows_that_were_read_while_a_run_went_on_are_read_again_when_it_is_over(stage, session):
    attach(stage)
    recorder = session.recorder(session.begin_run("train", SPEC))
    stage.take(Delivery(lifecycle=[Started(1, "train", recorder.run)]))
    losses = (3.0, 2.0, 1.0)
    for step, loss in enumerate(losses, 1):
        for event in (Record("steps", {"step": step, "loss": loss}), frame("matrix/clean", "train", step, loss)):
            recorder.put(event)
        recorder.flush()
        stage.take(Delivery(job=1, records=[Record("steps", {"step": step, "loss": loss})]))
        stage.refresh_instants()
        if step == 1:
            go(stage, 1, "train", 1)
            assert stage.table("steps").column("loss").tolist() == [3.0]
            stage.go_live()
    recorder.close("finished")
    go(stage, 1, "train", 1)
    assert stage.table("steps").column("loss").tolist() == list(losses)
    stage.go_live()
    stage.take(Delivery(job=1, lifecycle=[Finished(1)]))
    go(stage, 1, "train", 1)
    assert stage.table("steps").column("loss").tolist() == list(losses)


def test_what_is_recorded_meanwhile_is_found(stage, session, qtbot):
    whole_run(session, 1.0)
    attach(stage)
    before = list(stage.instants)
    with qtbot.assertNotEmitted(stage.instants_changed):
        stage.refresh_instants()
    record(session, frame("dataset", "data"), experiment="data")
    with qtbot.waitSignal(stage.instants_changed):
        stage.refresh_instants()
    assert stage.instants[:-1] == before
    assert stage.instants == session.instants()


def test_a_moment_that_was_read_half_written_is_completed(stage, session):
    attach(stage)
    recorder = session.recorder(session.begin_run("train", SPEC))
    recorder.put(frame("matrix/clean", "train", 5, 1.0))
    recorder.flush()
    stage.refresh_instants()
    assert stage.instants[-1].topics == ("matrix/clean",)
    recorder.put(frame("profile", "train", 5, 2.0))
    recorder.close("finished")
    stage.refresh_instants()
    assert stage.instants == session.instants()
    stage.go_to(stage.instants[-1].id)
    assert value(stage, "profile") == 2.0


def test_another_session_leaves_nothing_of_the_last_one(stage, session, tmp_path, qtbot):
    whole_run(session, 1.0)
    attach(stage)
    go(stage, 1, "train", 1)
    with Session.create(tmp_path / "other", SPEC) as other:
        with qtbot.waitSignal(stage.cleared):
            stage.attach(read_opening(other))
        assert stage.live
        assert stage.instants == []
        assert all(stage.frame(topic) is None for topic in ORDER)
        assert len(stage.table("steps")) == 0
        whole_run(other, 5.0)
        stage.refresh_instants()
        go(stage, 1, "train", 1)
        assert value(stage, "matrix/clean") == 5.1, "nothing read from the last session is taken for this one's"
        assert stage.table("steps").column("loss").tolist() == [5.0, 2.5]


def test_a_closer_look_is_shown_beside_the_measurement_and_not_during_the_attack(stage, session):
    whole_run(session, 1.0)
    record(session, frame("decision_map", "map", 0, 3.0), experiment="decision_map")
    record(session, frame("class_matrix", "matrix", 1, 4.0), experiment="class_matrix")
    attach(stage)
    assert (value(stage, "decision_map"), value(stage, "class_matrix")) == (3.0, 4.0)
    go(stage, 2, "map")
    assert (value(stage, "decision_map"), value(stage, "class_matrix"), value(stage, "profile")) == (3.0, None, 1.0)
    go(stage, 3, "matrix", 1)
    assert (value(stage, "decision_map"), value(stage, "gallery")) == (3.0, 1.1)
    go(stage, 1, "attack", 1)
    assert value(stage, "decision_map") is None


def test_a_new_attack_takes_the_looks_at_the_last_one_away(stage, session):
    attach(stage)
    looks = {"decision_map": frame("decision_map", "map"), "class_matrix": frame("class_matrix", "matrix")}
    stage.take(Delivery(job=1, frames={"gallery": frame("gallery", "attack", 0), **looks}))
    assert value(stage, "decision_map") == 0.0
    stage.take(Delivery(job=2, frames={"gallery": frame("gallery", "attack", 0)}))
    assert value(stage, "decision_map") is None
    assert value(stage, "class_matrix") is None


def test_results_are_announced_and_not_kept_row_by_row(stage, session, qtbot):
    attach(stage)
    with qtbot.waitSignal(stage.results_changed) as told:
        stage.take(Delivery(job=1, records=rows("attacked", 1.0, 2.0)))
    assert told.args == ["attacked"]
    assert len(stage.table("attacked")) == 0


def test_an_attack_begins_the_curves_of_its_samples_anew(stage, session):
    attach(stage)
    stage.take(Delivery(job=1, records=[*rows("attack", 1.0), *rows("attack_samples", 1.0, 2.0)]))
    stage.take(Delivery(job=1, lifecycle=[Finished(1)]))
    stage.take(Delivery(job=2, records=rows("attack", 5.0)))
    assert len(stage.table("attack_samples")) == 0
    stage.take(Delivery(job=2, records=rows("attack_samples", 6.0)))
    assert stage.table("attack_samples").column("loss").tolist() == [6.0]


def test_the_step_of_an_attack_is_told_for_a_cursor(stage, session):
    whole_run(session, 1.0)
    attach(stage)
    assert stage.attack_step() is None
    go(stage, 1, "attack", 1)
    assert (stage.attack_step(), stage.training_step()) == (1, None)
