"""A session keeps what a run said, and gives it back as it was."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pace
import pytest
from session_helpers import SPEC, filled, frame, same

import engine.session as room
from engine.errors import SessionError
from engine.events import Artifact, Frame, Progress, Record
from engine.session import Session, recoverable
from engine.specs import ExperimentSpec, MlpSpec


def test_a_new_session_is_empty_clean_and_named_by_its_title(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        assert (session.path, session.name, session.dirty) == (None, "Digits", False)
        assert session.spec == SPEC
        assert session.runs() == []
        assert session.instants() == []
        assert session.frame("gallery") is None
        assert session.artifact("weights", "k") is None
        assert session.working_copy.is_file()
    assert list(tmp_path.iterdir()) == []


def test_everything_a_run_said_survives_save_and_open(tmp_path: Path) -> None:
    target = tmp_path / "a.rapidity"
    with filled(tmp_path / "work") as session:
        before = session.runs()
        assert session.dirty
        assert session.save(target) == target
        assert not session.dirty
        assert (session.path, session.name) == (target, "a")
    with Session.open(target, tmp_path / "work") as session:
        assert (session.path, session.name, session.dirty, session.spec) == (target, "a", False, SPEC)
        assert session.runs() == before
        run = before[0]
        assert (run.experiment, run.status, run.error, run.read_spec()) == ("train", "finished", "", SPEC)
        assert run.finished is not None
        assert run.started <= run.finished <= time.time()
        assert session.tables(run.id) == ("steps",)
        table = session.table(run.id, "steps")
        assert table.column("step").tolist() == list(range(10))
        assert table.column("loss").tolist() == [1 / (i + 1) for i in range(10)]
        assert [each.step for each in session.instants()] == [0, 1, 2]
        latest = session.frame("gallery")
        assert latest is not None
        assert same(latest.arrays, frame(2).arrays)
        assert (latest.topic, latest.phase, latest.step, latest.info) == ("gallery", "train", 2, {"step": 2})
        weights = session.artifact("weights", "k1")
        assert weights is not None
        assert same(weights.arrays, {"w": np.arange(6.0).reshape(2, 3)})
        assert weights.info == {"layers": 1}
        assert session.has_artifact("weights", "k1")
        assert not session.has_artifact("weights", "other")


def test_records_keep_every_kind_of_value(tmp_path: Path) -> None:
    rows = [
        {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 2**53 + 1, "e": None, "f": "τ \" ' \n", "g": 1e-300, "h": 0.1},
        {"a": np.float64(0.5), "b": np.int64(3)},
    ]  # fmt: skip
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        for row in rows:
            recorder.put(Record("t", row))
        recorder.close("finished")
        table = session.table(run, "t")
        with sqlite3.connect(session.working_copy) as connection:
            valid = connection.execute("SELECT min(json_valid(row)) FROM records").fetchone()
            assert valid == (1,)
    assert np.array_equal(table.column("a"), [np.nan, 0.5], equal_nan=True)
    assert table.column("b").tolist() == [math.inf, 3]
    assert table.column("c")[0] == -math.inf
    assert np.isnan(table.column("e")).all()
    assert table.column("f")[0] == "τ \" ' \n"
    assert (table.column("g")[0], table.column("h")[0]) == (1e-300, 0.1)


def test_frames_of_one_phase_and_step_share_an_instant_and_progress_is_not_kept(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        recorder.put(Progress(1, 2, ""))
        recorder.put(frame(1, "gallery"))
        recorder.put(frame(1, "profile"))
        recorder.put(frame(1, "gallery", value=9))  # said again: the later one holds
        recorder.put(Frame("gallery", "train", 2, {}, keep=False))
        recorder.put(frame(1, "gallery", phase="attack"))
        recorder.put(frame(3, "gallery"))
        recorder.flush()
        moments = [(each.run, each.phase, each.step, each.topics) for each in session.instants(run)]
        assert moments == [
            (run, "train", 1, ("gallery", "profile")),
            (run, "attack", 1, ("gallery",)),
            (run, "train", 3, ("gallery",)),
        ]
        first = session.instants()[0]
        found = session.frame("gallery", first.id)
        assert found is not None
        assert (found.arrays["x"] == 9).all()
        recorder.close("finished")


def test_the_slider_finds_the_latest_frame_at_or_before_a_moment(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        for shift in (0, 100):
            recorder = session.recorder(session.begin_run("x", SPEC))
            for step in range(5):
                recorder.put(frame(step, "often", value=shift + step))
                if step % 3 == 0:
                    recorder.put(frame(step, "seldom", value=shift + step))
            recorder.close("finished")
        first, second = (run.id for run in session.runs())

        def value(topic: str, at: int | None = None, run: int | None = None) -> float | None:
            found = session.frame(topic, at, run)
            return None if found is None else float(found.arrays["x"][0, 0])

        ids = [each.id for each in session.instants()]
        assert len(ids) == 10 == len(set(ids))
        assert [value("often", at) for at in ids] == [*range(5), *range(100, 105)]
        assert [value("seldom", at) for at in ids] == [0, 0, 0, 3, 3, 100, 100, 100, 103, 103]
        assert [value("seldom", at, first) for at in ids[4:]] == [3] * 6
        assert value("seldom", ids[0], second) is None
        assert value("often") == 104
        assert value("often", run=first) == 4
        assert value("absent") is None
        assert value("often", 0) is None
        assert [each.id for each in session.instants(second)] == ids[5:]
        assert [each.id for each in session.instants(after=ids[7])] == ids[8:]


def test_a_result_with_an_equal_key_replaces_the_older(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        for value in (1.0, 2.0):
            recorder = session.recorder(session.begin_run("x", SPEC))
            recorder.put(Artifact("weights", "k", {"w": np.array([value])}))
            recorder.put(Artifact("weights", f"k{value}", {"w": np.array([value])}))
            recorder.close("finished")
        for key, expected in (("k", 2.0), ("k1.0", 1.0), ("k2.0", 2.0)):
            found = session.artifact("weights", key)
            assert found is not None
            assert found.arrays["w"].tolist() == [expected]


def test_a_run_ends_as_it_was_closed(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        assert recorder.run == run
        assert (session.runs()[0].status, session.runs()[0].finished) == ("running", None)
        recorder.close("failed", "The loss is not a number.")
        recorder.close("finished")
        assert (session.runs()[0].status, session.runs()[0].error) == ("failed", "The loss is not a number.")
        with pytest.raises(SessionError, match="has ended"):
            recorder.put(frame(1))


@pytest.mark.timing
def test_events_are_committed_within_half_a_second_though_the_run_is_silent(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        for i in range(2):
            recorder.put(Record("t", {"i": i}))
            began = time.monotonic()
            while len(session.table(run, "t")) <= i:
                assert time.monotonic() < began + 60
                time.sleep(0.01)
            assert time.monotonic() - began < 0.6 * pace.slowness(pace.perf_counter)
        recorder.close("finished")


def test_what_cannot_be_kept_is_refused_at_once_and_the_recorder_goes_on(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        with pytest.raises(TypeError, match="'bad'"):
            recorder.put(Frame("t", "train", 0, {"bad": np.array(["text"])}))
        with pytest.raises(TypeError):
            recorder.put(Frame("t", "train", 0, {}, {"bad": object()}))
        recorder.put(Record("t", {"i": 1}))
        recorder.close("finished")
        assert len(session.table(run, "t")) == 1


def test_what_is_too_large_for_one_piece_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.session.recorder._LARGEST", 5000)
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        with pytest.raises(SessionError, match=r"'weights' takes .* Use a smaller model"):
            recorder.put(Artifact("weights", "k", {"w": np.zeros(1000)}))
        recorder.put(frame(1))
        recorder.close("finished")
        assert session.frame("gallery") is not None


def test_importing_the_session_imports_no_torch() -> None:
    code = "import sys, engine.session; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_arrays_changed_after_put_do_not_change_what_is_kept(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        x = np.ones(3)
        recorder.put(Frame("t", "train", 0, {"x": x}))
        x[:] = 7
        recorder.close("finished")
        found = session.frame("t")
        assert found is not None
        assert found.arrays["x"].tolist() == [1, 1, 1]


def test_dirty_follows_changes_and_saves(tmp_path: Path) -> None:
    target = tmp_path / "a.rapidity"
    with Session.create(tmp_path / "work", SPEC) as session:
        session.set_spec(SPEC)
        session.set_state("layout", {"docks": [1, 2]})
        assert not session.dirty
        session.set_spec(ExperimentSpec(model=MlpSpec(width=3)))
        assert session.dirty
        session.save(target)
        assert not session.dirty
        run = session.begin_run("x", SPEC)
        assert session.dirty
        session.save()
        recorder = session.recorder(run)
        recorder.put(Record("t", {"i": 1}))
        recorder.flush()
        assert session.dirty
        recorder.close("finished")
        session.save()
        assert not session.dirty
    with Session.open(target, tmp_path / "work") as session:
        assert not session.dirty
        assert session.spec.model == MlpSpec(width=3)
        session.set_spec(SPEC)
        assert session.dirty


def test_state_of_the_window_is_kept(tmp_path: Path) -> None:
    with Session.create(tmp_path / "work", SPEC) as session:
        assert session.state("selection") is None
        assert session.state("selection", 5) == 5
        session.set_state("selection", {"sample": 3, "pair": [1, 2], "x": math.inf})
        session.set_state("selection", {"sample": 4, "pair": [1, 2], "x": math.inf})
        assert session.state("selection") == {"sample": 4, "pair": [1, 2], "x": math.inf}
        session.save(tmp_path / "a.rapidity")
    with Session.open(tmp_path / "a.rapidity", tmp_path / "work") as session:
        assert session.state("selection")["sample"] == 4


def test_readers_in_many_threads_see_whole_transactions_while_a_run_is_recorded(tmp_path: Path) -> None:
    n, seen, wrong = 3000, [], []
    done = threading.Event()
    with Session.create(tmp_path, SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))

        def read() -> None:
            last = 0
            while not done.is_set():
                try:
                    steps = session.table(run, "t").column("i") if session.tables(run) else np.zeros(0)
                    latest = session.frame("gallery")
                except Exception as error:
                    wrong.append(error)
                    return
                if steps.tolist() != list(range(len(steps))) or len(steps) < last:
                    wrong.append(steps)
                if latest is not None and (latest.arrays["x"] != latest.step).any():
                    wrong.append(latest)
                last = len(steps)
                seen.append(last)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for each in readers:
            each.start()
        for i in range(n):
            recorder.put(Record("t", {"i": i}))
            if i % 50 == 0:
                recorder.put(frame(i))
            if i % 500 == 0:
                recorder.flush()
                session.set_state("tick", i)
        recorder.close("finished")
        until = time.monotonic() + 60
        while len(seen) <= 3 and not wrong and time.monotonic() < until:
            time.sleep(0.001)
        done.set()
        for each in readers:
            each.join()
        assert wrong == []
        assert len(seen) > 3
        assert len(session.table(run, "t")) == n


def test_closing_ends_open_recorders_as_interrupted_and_later_use_is_refused(tmp_path: Path) -> None:
    before = threading.active_count()
    session = Session.create(tmp_path, SPEC)
    recorder = session.recorder(session.begin_run("x", SPEC))
    recorder.put(Record("t", {"i": 1}))
    session.close(discard=False)
    session.close()
    assert threading.active_count() <= before  # others may end meanwhile
    for use in (
        session.runs,
        lambda: session.set_state("a", 1),
        lambda: session.save(tmp_path / "a"),
        lambda: recorder.put(frame(1)),
    ):
        with pytest.raises(SessionError, match=r"closed|ended"):
            use()
    with Session.recover(recoverable(tmp_path)[0].path) as back:
        assert back.runs()[0].status == "interrupted"
        assert len(back.table(1, "t")) == 1


def test_a_session_may_be_closed_in_another_thread(tmp_path: Path) -> None:
    session = filled(tmp_path)
    session.runs()
    closer = threading.Thread(target=session.close)
    closer.start()
    closer.join()
    assert list(tmp_path.iterdir()) == []


def test_leaving_by_an_exception_keeps_unsaved_work(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), filled(tmp_path):
        raise ZeroDivisionError
    assert [each.unsaved for each in recoverable(tmp_path)] == [True]


def test_a_full_disk_while_recording_is_told_once_and_the_session_stays_readable(tmp_path: Path) -> None:
    with filled(tmp_path) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        with session._database.setup() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        recorder.put(Frame("big", "train", 0, {"x": np.zeros(10**6)}))
        with pytest.raises(SessionError, match=r"the disk is full\. Free some space"):
            recorder.flush()
        with pytest.raises(SessionError, match="can no longer be recorded"):
            recorder.put(frame(1))
        recorder.close("failed", "disk full")
        assert [run.status for run in session.runs()] == ["finished", "failed"]
        assert session.frame("big") is None
        assert len(session.table(1, "steps")) == 10


def test_a_failure_that_nobody_saw_is_told_at_the_close(tmp_path: Path) -> None:
    with filled(tmp_path) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        with session._database.setup() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        recorder.put(Frame("big", "train", 0, {"x": np.zeros(10**6)}))
        with pytest.raises(SessionError, match="disk is full"):
            recorder.close("finished")


def test_everything_public_is_named_once_and_exists() -> None:
    assert len(set(room.__all__)) == len(room.__all__)
    assert all(hasattr(room, name) for name in room.__all__)


@pytest.mark.timing
@pytest.mark.slow
def test_large_sessions_stay_quick(tmp_path: Path) -> None:
    """Loose bounds, for a slow shared machine: an accidental full scan or copy would be far outside."""
    with Session.create(tmp_path / "work", SPEC) as session:
        recorder = session.recorder(run := session.begin_run("x", SPEC))
        waits: list[float] = []
        x = np.random.default_rng(0).random(2**17)
        began = time.monotonic()
        for i in range(128):
            recorder.put(Frame(f"topic {i % 4}", "train", i, {"x": x}))
            tick = time.monotonic()
            session.set_state("tick", i)
            waits.append(time.monotonic() - tick)
        for i in range(100_000):
            recorder.put(Record("t", {"step": i, "loss": 0.1, "accuracy": 0.5}))
        recorder.close("finished")
        session.save(tmp_path / "a.rapidity")
        assert time.monotonic() - began < 30 * pace.slowness(pace.perf_counter)
        assert sorted(waits)[len(waits) // 2] < 0.05 * pace.slowness(pace.perf_counter)
        began = time.monotonic()
        assert len(session.table(run, "t")) == 100_000
        assert time.monotonic() - began < 5 * pace.slowness(pace.perf_counter)
        began = time.monotonic()
        for at in range(1, 129):
            assert session.frame("topic 0", at) is not None
        assert time.monotonic() - began < 5 * pace.slowness(pace.perf_counter)
