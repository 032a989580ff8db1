"""The engine thread and the session together: what is announced can be read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from session_helpers import SPEC, frame

from engine.events import Event, Frame, Progress, Record
from engine.runtime import Cancelled, Engine, Failed, Finished, Lifecycle, Mailbox, RecorderFailed, Start, Started
from engine.session import Recorder, Session


def experiment(start: Start) -> Iterator[Event]:
    for i in range(200):
        yield Record("steps", {"step": i})
        if i % 50 == 0:
            yield frame(i)
        yield Progress(i + 1, 200, "")
        if start.experiment == "long":
            time.sleep(0.005)


def play(session: Session, *names: str, cancel: bool = False, close: bool = False) -> list[Lifecycle]:
    def recorder_for(start: Start) -> Recorder:
        return session.recorder(session.begin_run(start.experiment, start.spec))

    mailbox, seen = Mailbox(), []
    engine = Engine(experiment, mailbox=mailbox, recorder_for=recorder_for)
    with engine:
        jobs = [engine.submit(name, SPEC) for name in names]
        end = time.monotonic() + 120
        while sum(isinstance(each, Finished | Cancelled | Failed) for each in seen) < len(jobs):
            assert time.monotonic() < end, seen
            seen += mailbox.drain().lifecycle
            if cancel and any(isinstance(each, Started) for each in seen):
                engine.cancel(jobs[0])
            if close and mailbox.statistics().events_posted > 20:
                engine.close()
            time.sleep(0.002)
    return seen


def test_runs_in_the_session_match_what_was_announced(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        seen = play(session, "short", "short")
        assert [each.run for each in seen if isinstance(each, Started)] == [1, 2]
        assert [run.status for run in session.runs()] == ["finished", "finished"]
        for run in (1, 2):
            assert len(session.table(run, "steps")) == 200
            assert [each.step for each in session.instants(run)] == [0, 50, 100, 150]


def test_a_cancelled_run_keeps_what_it_said(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        play(session, "long", cancel=True)
        assert session.runs()[0].status == "cancelled"


def test_closing_the_engine_while_it_runs_loses_nothing(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:
        play(session, "long", close=True)
        assert session.runs()[0].status == "interrupted"
        assert len(session.table(1, "steps")) >= 10


def test_a_full_disk_fails_the_job_with_a_sentence_and_the_next_one_runs(tmp_path: Path) -> None:
    with Session.create(tmp_path, SPEC) as session:

        def large(start: Start) -> Iterator[Event]:
            while start.experiment == "large":
                yield Frame("big", "train", 0, {"x": np.zeros(10**6)})
                time.sleep(0.01)

        def recorder_for(start: Start) -> Recorder:
            recorder = session.recorder(session.begin_run(start.experiment, start.spec))
            limit = 20 if start.experiment == "large" else 2**30
            with session._database.setup() as connection:
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages + limit}")
            return recorder

        mailbox, seen = Mailbox(), []
        with Engine(large, mailbox=mailbox, recorder_for=recorder_for) as engine:
            jobs = [engine.submit("large", SPEC), engine.submit("small", SPEC)]
            end = time.monotonic() + 120
            while Finished(jobs[1]) not in seen:
                assert time.monotonic() < end, seen
                seen += mailbox.drain().lifecycle
                time.sleep(0.005)
        failed = next(each for each in seen if isinstance(each, Failed))
        assert (failed.job, failed.is_user_error) == (jobs[0], True)
        assert "the disk is full. Free some space" in failed.message
        assert any(isinstance(each, RecorderFailed) for each in seen)
        assert [run.status for run in session.runs()] == ["failed", "finished"]
        assert session.runs()[0].error == failed.message
