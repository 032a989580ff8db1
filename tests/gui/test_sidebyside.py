"""Sources of the side-by-side view: read once, their sessions closed again, and what a run may borrow from another."""

from __future__ import annotations

import pytest
from frames import profile_frame, steps_table
from look_frames import takeover_frame
from person import TINY

from engine.errors import SessionError
from engine.events import Frame, Record
from engine.paths import working_copies
from engine.session import Session
from engine.specs import PgdSpec
from gui.panels.sidebyside.kinds import TABLES, TOPICS
from gui.sidebyside import Source, read_content, read_source

OTHER = TINY.model_copy(update={"attack": PgdSpec(eps=0.01)})


@pytest.fixture
def session(tmp_path):
    made = Session.create(tmp_path / "copies", TINY)
    yield made
    made.close()


def record(session, experiment, spec, *events):
    run = session.begin_run(experiment, spec)
    recorder = session.recorder(run)
    for event in events:
        recorder.put(event)
    recorder.close("finished")
    return run


def live(frame):
    return Frame(frame.topic, "train", 1, frame.arrays, frame.info)


def steps():
    table = steps_table(3)
    return [Record("steps", {name: table.column(name)[k] for name in table.columns}) for k in range(3)]


def copies():
    return list(working_copies().glob("*")) if working_copies().exists() else []


def test_a_file_is_read_and_leaves_no_working_copy(story_file):
    found = read_source(Source.of_file(story_file), TOPICS, TABLES)
    assert {"profile", "gallery", "pairs", "matrix/clean"} <= set(found.frames)
    assert len(found.tables["steps"]) and len(found.tables["attack"])
    assert found.title == "Tiny" and not found.running
    assert {reading.name for reading in found.readings} >= {"test accuracy", "attack success"}
    assert copies() == []


def test_a_file_that_cannot_be_read_leaves_none_either(tmp_path):
    path = tmp_path / "no.rapidity"
    path.write_text("nothing")
    with pytest.raises(SessionError, match="not a Rapidity Lab session"):
        read_source(Source.of_file(path), TOPICS, TABLES)
    assert copies() == []


def test_a_session_without_a_run_says_what_to_do(session):
    with pytest.raises(SessionError, match="press Run"):
        read_content(session, None, TOPICS, TABLES)


def test_the_session_in_the_window_stays_open(session):
    run = record(session, "train", TINY, *steps())
    read_source(Source.of_run(session, run), TOPICS, TABLES)
    assert len(session.runs()) == 1


def test_what_was_measured_afterwards_with_equal_settings_belongs_to_the_run(session):
    first = record(session, "story", TINY, *steps(), profile_frame(scale=1.0))
    record(session, "takeover", OTHER, takeover_frame())
    found = read_content(session, first, TOPICS, TABLES)
    assert "takeover" not in found.frames  # of another eps
    record(session, "takeover", TINY, takeover_frame())
    assert "takeover" in read_content(session, first, TOPICS, TABLES).frames


def test_an_attack_of_another_eps_shows_the_training_it_was_made_on_but_not_its_profile(session):
    record(session, "story", TINY, *steps(), profile_frame())
    attack = record(session, "attack", OTHER)
    found = read_content(session, attack, TOPICS, TABLES)
    assert len(found.tables["steps"]) == 3
    assert found.frames == {}


def test_a_final_measurement_is_shown_rather_than_a_live_one(session):
    train = record(session, "train", TINY, *steps(), live(profile_frame(scale=3.0)))
    assert read_content(session, train, TOPICS, TABLES).frames["profile"].phase == "train"
    record(session, "entangle", TINY, profile_frame())
    assert read_content(session, train, TOPICS, TABLES).frames["profile"].phase == "measure"


def test_without_a_run_named_the_latest_that_went_furthest_is_shown(session):
    story = record(session, "story", TINY, *steps(), Record("profile", {"mean": 1.0}))
    record(session, "data", OTHER)
    assert read_content(session, None, TOPICS, TABLES).run == story
    assert read_content(session, 2, TOPICS, TABLES).experiment == "data"


def test_a_point_of_a_sweep_brings_its_row(tmp_path):
    from engine.specs import AxisSpec, SweepSpec
    from engine.sweep.store import SweepStore
    from engine.sweep.work import Outcome

    axes = (AxisSpec(field="model.width", values=(4, 8)),)
    store = SweepStore.create(tmp_path / "widths.sweep", TINY.model_copy(update={"sweep": SweepSpec(axes=axes)}))
    store.finish(Outcome(1, {"test_accuracy": 0.75, "test_samples": 40, "ln_gamma": 0.5}))
    found = read_source(Source.of_point(store, 1), TOPICS, TABLES)
    assert found.row["model.width"] == 8
    assert found.row["ln_gamma"] == 0.5
    assert found.spec["model"]["width"] == 8
    (accuracy,) = found.readings
    assert accuracy.value == 0.75 and accuracy.n == 40
    store.close()
    assert copies() == []
