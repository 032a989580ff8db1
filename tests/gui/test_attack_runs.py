"""Reading the attacks of a session: each once, off the window's thread, and none before it is whole."""

from __future__ import annotations

import threading

import pytest
from attack_tables import FIXED, INF, attacked_table

from engine.events import Record
from engine.experiments.attack_session import read_attacks
from engine.session import Session
from gui.attack_runs import AttackRuns
from gui.background import Background


def record(session: Session, distances, *, told: int | None = None, close: bool = True, experiment: str = "attack"):
    recorder = session.recorder(session.begin_run(experiment, FIXED))
    recorder.put(
        Record("attack", {"step": 0, "success_so_far": 0.0, "samples": len(distances) if told is None else told})
    )
    table = attacked_table(distances)
    for k in range(len(table)):
        recorder.put(Record("attacked", table.row(k)))
    if close:
        recorder.close("finished")
    else:
        recorder.flush()
    return recorder


@pytest.fixture
def session(tmp_path):
    with Session.create(tmp_path, FIXED) as made:
        yield made


@pytest.fixture
def background():
    made = Background()
    yield made
    made.close()


def test_every_attack_is_read_with_its_run_and_settings(session):
    record(session, [0.1, INF])
    session.recorder(session.begin_run("train", FIXED)).close("finished")
    record(session, [0.1, 0.1, 0.1], experiment="story")
    kept, found = read_attacks(session, {})
    assert [(a.run, len(a), a.name) for a in found] == [(1, 2, "PGD, L∞, ε = 0.1"), (3, 3, "PGD, L∞, ε = 0.1")]
    assert set(kept) == {1, 2, 3}
    assert kept[2] is None


def test_what_is_known_is_not_read_again(session):
    record(session, [0.1, INF])
    kept, (first,) = read_attacks(session, {})
    session.table = None  # any reading would fail
    session.tables = None
    _, (again,) = read_attacks(session, kept)
    assert again is first


def test_an_attack_that_is_still_being_written_down_is_left_out_until_it_is_whole(session):
    recorder = record(session, [0.1, 0.1], told=3, close=False)
    kept, found = read_attacks(session, {})
    assert (kept, found) == ({}, [])
    recorder.put(Record("attacked", attacked_table([0.1, 0.1, 0.1]).row(2)))
    recorder.flush()
    kept, found = read_attacks(session, kept)
    assert (kept, len(found)) == ({}, 1)
    recorder.close("finished")
    kept, found = read_attacks(session, kept)
    assert list(kept) == [1]


def test_a_run_of_another_version_is_passed_over(session):
    recorder = session.recorder(session.begin_run("attack", FIXED))
    recorder.put(Record("attack", {"step": 0, "samples": 1}))
    recorder.put(Record("attacked", {"sample": 3}))
    recorder.close("finished")
    assert read_attacks(session, {}) == ({1: None}, [])


def test_reading_is_done_in_the_background_and_shown_in_the_window_s_thread(session, background):
    record(session, [0.1])
    shown, threads = [], []
    reader = AttackRuns(
        background, lambda runs: (shown.append(len(runs)), threads.append(threading.current_thread())), shown.append
    )
    reader.attach(session)
    assert shown == [0], "nothing is waited for"
    background.wait()
    assert shown == [0, 1]
    assert set(threads) == {threading.main_thread()}


def test_asked_twice_it_reads_once_more_and_not_twice(session, background):
    shown = []
    reader = AttackRuns(background, lambda runs: shown.append(len(runs)), shown.append)
    reader.attach(session)
    record(session, [0.1])
    for _ in range(5):
        reader.read()
    background.wait()
    assert shown in ([0, 0, 1], [0, 1, 1])


def test_a_session_that_is_closed_meanwhile_is_no_error_of_the_next(session, background, tmp_path):
    failures, shown = [], []
    reader = AttackRuns(background, lambda runs: shown.append(len(runs)), failures.append)
    reader.attach(session)
    with Session.create(tmp_path / "next", FIXED) as after:
        record(after, [0.1, 0.1])
        reader.attach(after)
        session.close()
        background.wait()
        assert shown[-1] == 1
        assert failures == []
