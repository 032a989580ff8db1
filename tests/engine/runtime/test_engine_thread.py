"""The engine thread: one job at a time, commanded between pulls, and never dead in silence."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pace
import pytest
from engine_helpers import SPEC, ListRecorder, Received, counting, frame, running

from engine.errors import DataError
from engine.events import Artifact, Event, Progress, Record
from engine.runtime import (
    Cancelled,
    Engine,
    EngineFailed,
    EngineReady,
    Failed,
    Finished,
    Mailbox,
    Paused,
    Queued,
    RecorderFailed,
    Resumed,
    Start,
    Started,
)


def endless(pause: float = 0.01) -> Iterator[Event]:
    i = 0
    while True:
        time.sleep(pause)
        i += 1
        yield Record("steps", {"step": i})
        yield Progress(i, 0, "on and on")


# --- the plain story -----------------------------------------------------------------------------------------


def test_a_job_is_queued_started_and_finished_and_everything_arrives() -> None:
    recorder = ListRecorder(run=41)
    with running(lambda _: counting(5), recorder_for=lambda _: recorder) as (engine, got):
        job = engine.submit("count", SPEC)
        assert got.until_over(job) == Finished(job)
    assert got.lifecycle == [Queued(job, "count"), Started(job, "count", 41), Finished(job)]
    assert [record.row["step"] for record in got.records] == list(range(5))
    assert got.frames[-1].step == 4
    assert [each.name for each in got.artifacts] == ["end"]
    assert got.progress[-1] == Progress(5, 5, "counting")
    assert len(recorder.events) == 16
    assert (recorder.status, recorder.error, recorder.threads) == ("finished", "", {"engine"})


def test_the_start_reaches_the_experiment_whole() -> None:
    seen: list[Start] = []
    given = {"weights": Artifact("weights", "k", {})}

    def experiment(start: Start) -> Iterator[Event]:
        seen.append(start)
        return counting(1)

    with running(experiment) as (engine, got):
        job = engine.submit("count", SPEC, given)
        got.until_over(job)
    assert seen == [Start(job, "count", SPEC, given)]


def test_the_recorder_gets_every_event_before_the_mailbox() -> None:
    mailbox = Mailbox()
    early: list[Event] = []

    class Watching(ListRecorder):
        def put(self, event: Event) -> None:
            posted = mailbox.statistics().events_posted
            if posted != len(self.events):
                early.append(event)
            super().put(event)

    with Engine(lambda _: counting(50), mailbox=mailbox, recorder_for=lambda _: Watching(1)) as engine:
        got = Received(mailbox)
        got.until_over(engine.submit("count", SPEC))
    assert early == []


def test_the_recorder_is_closed_before_the_end_is_announced() -> None:
    class Slow(ListRecorder):
        def close(self, status: str, error: str = "") -> None:
            time.sleep(0.05)
            super().close(status, error)

    recorder = Slow(1)
    with running(lambda _: counting(1), recorder_for=lambda _: recorder) as (engine, got):
        job = engine.submit("count", SPEC)
        got.until_over(job)
        assert recorder.status == "finished"


def test_two_queued_jobs_run_one_after_the_other() -> None:
    running_now: list[int] = []
    most = 0

    def experiment(start: Start) -> Iterator[Event]:
        nonlocal most
        running_now.append(start.job)
        most = max(most, len(running_now))
        yield from counting(20, pause=0.001)
        running_now.remove(start.job)

    with running(experiment) as (engine, got):
        first, second = engine.submit("a", SPEC), engine.submit("b", SPEC)
        got.until_over(second)
    assert most == 1
    ends_and_starts = [each for each in got.lifecycle if not isinstance(each, Queued)]
    assert ends_and_starts == [Started(first, "a", None), Finished(first), Started(second, "b", None), Finished(second)]
    assert [len(got.rows[job]) for job in (first, second)] == [20, 20]
    # each job's rows lie between its own Started and its own end
    for job, name in ((first, "a"), (second, "b")):
        places = [i for i, each in enumerate(got.log) if isinstance(each, tuple) and each[0] == job]
        assert got.log.index(Started(job, name, None)) < places[0]
        assert places[-1] < got.log.index(Finished(job))


def test_jobs_may_be_submitted_before_the_start() -> None:
    engine = Engine(lambda _: counting(1), mailbox=Mailbox())
    job = engine.submit("count", SPEC)
    with engine:
        assert Received(engine.mailbox).until_over(job) == Finished(job)


def test_warming_comes_first_and_is_told() -> None:
    with running(lambda _: counting(1), warm=lambda: "abacus") as (engine, got):
        job = engine.submit("count", SPEC)
        got.until_over(job)
    ready = next(each for each in got.lifecycle if isinstance(each, EngineReady))
    assert ready.description == "abacus"
    assert 0 <= ready.seconds < 60
    assert got.lifecycle.index(ready) < got.lifecycle.index(Started(job, "count", None))


def test_a_failed_warming_is_told_and_jobs_still_run() -> None:
    def warm() -> str:
        raise ImportError("no torch here")

    with running(lambda _: counting(1), warm=warm) as (engine, got):
        job = engine.submit("count", SPEC)
        assert got.until_over(job) == Finished(job)
    failed = next(each for each in got.lifecycle if isinstance(each, EngineFailed))
    assert failed.message == "ImportError: no torch here"
    assert "in warm" in failed.traceback


# --- pause, step, resume -------------------------------------------------------------------------------------


def test_pausing_takes_effect_at_the_next_pull_and_resuming_goes_on() -> None:
    pulled: list[int] = []

    def experiment(_: Start) -> Iterator[Event]:
        for i in range(1000):
            pulled.append(i)
            time.sleep(0.001)
            yield Progress(i, 1000, "")

    with running(experiment) as (engine, got):
        job = engine.submit("count", SPEC)
        got.until(lambda: len(pulled) > 3)
        engine.pause(job)
        got.until_seen(Paused(job))
        at_pause = len(pulled)
        time.sleep(0.05)
        assert len(pulled) == at_pause
        engine.resume(job)
        got.until(lambda: len(pulled) > at_pause + 3)
        assert got.of(job) == ["Queued", "Started", "Paused", "Resumed"]


def test_step_pulls_through_exactly_one_progress() -> None:
    recorder = ListRecorder(1)
    with running(lambda _: counting(100), recorder_for=lambda _: recorder) as (engine, got):
        # a job paused in the queue starts paused
        job = engine.submit("count", SPEC)
        engine.pause(job)
        got.until_seen(Paused(job))
        before = sum(isinstance(each, Progress) for each in recorder.events)
        for extra in (1, 2):
            engine.step(job)
            got.until(lambda n=before + extra: sum(isinstance(each, Progress) for each in recorder.events) == n)
            time.sleep(0.02)
            assert sum(isinstance(each, Progress) for each in recorder.events) == before + extra
            assert isinstance(recorder.events[-1], Progress)
        for _ in range(3):
            engine.step(job)
        got.until(lambda: sum(isinstance(each, Progress) for each in recorder.events) == before + 5)
        time.sleep(0.02)
        assert sum(isinstance(each, Progress) for each in recorder.events) == before + 5
        assert got.of(job).count("Paused") == 1
        assert "Resumed" not in got.of(job)
        engine.resume(job)
        got.until_over(job)
    assert sum(isinstance(each, Progress) for each in recorder.events) == 100


def test_step_of_a_running_job_pauses_it() -> None:
    with running(lambda _: endless(0.001)) as (engine, got):
        job = engine.submit("endless", SPEC)
        got.until(lambda: len(got.records) > 2)
        engine.step(job)
        got.until_seen(Paused(job))
        got.drain()
        seen = len(got.records)
        time.sleep(0.05)
        got.drain()
        assert len(got.records) == seen


def test_a_paused_job_costs_no_processor_time() -> None:
    spent: list[float] = []

    def experiment(_: Start) -> Iterator[Event]:
        yield Progress(0, 2, "")
        began = time.thread_time()
        yield Progress(1, 2, "")  # the job rests here
        spent.append(time.thread_time() - began)

    with running(experiment) as (engine, got):
        job = engine.submit("rest", SPEC)
        engine.step(job)
        engine.step(job)
        got.until_seen(Paused(job))
        time.sleep(0.5)
        engine.resume(job)
        got.until_over(job)
    assert spent[0] < 0.02 * pace.slowness()


def test_commands_without_a_job_do_nothing() -> None:
    with running(lambda _: counting(3)) as (engine, got):
        for command in (engine.pause, engine.resume, engine.step, engine.cancel):
            for job in (-1, 0, 1, 2, 99):
                command(job)
        job = engine.submit("count", SPEC)
        assert got.until_over(job) == Finished(job)
        for command in (engine.pause, engine.resume, engine.step, engine.cancel):
            command(job)
        other = engine.submit("count", SPEC)
        assert got.until_over(other) == Finished(other)
    assert got.of(job) == ["Queued", "Started", "Finished"]


# --- cancel --------------------------------------------------------------------------------------------------


@pytest.mark.timing
def test_cancel_takes_less_than_200_ms_and_closes_the_generator() -> None:
    closed = threading.Event()

    def experiment(_: Start) -> Iterator[Event]:
        try:
            yield from endless(0.01)
        finally:
            closed.set()

    recorder = ListRecorder(1)
    with running(experiment, recorder_for=lambda _: recorder) as (engine, got):
        job = engine.submit("endless", SPEC)
        got.until(lambda: len(got.records) > 2)
        slowness = pace.slowness(pace.perf_counter)
        began = time.monotonic()
        engine.cancel(job)
        returned = time.monotonic() - began
        assert got.until_over(job) == Cancelled(job)
        took = time.monotonic() - began
    slowness = max(slowness, pace.slowness(pace.perf_counter))
    assert closed.is_set()
    assert recorder.status == "cancelled"
    assert returned < 0.05 * slowness
    assert took < 0.2 * slowness


def test_after_cancel_returns_only_cancelled_arrives() -> None:
    in_pull, go_on = threading.Event(), threading.Event()

    def experiment(_: Start) -> Iterator[Event]:
        yield Record("steps", {"step": 0})
        yield frame(0)
        yield Progress(0, 1, "")
        yield Artifact("a", "k", {})
        in_pull.set()
        go_on.wait(120)
        yield Record("steps", {"step": 1})

    with running(experiment) as (engine, got):
        job = engine.submit("stale", SPEC)
        assert in_pull.wait(120)
        engine.cancel(job)  # a pull is under way, and four events lie undelivered
        go_on.set()
        got.until_over(job)
        assert got.lifecycle == [Cancelled(job)]
        assert not (got.records or got.frames or got.progress or got.artifacts)
        assert engine.mailbox.statistics().events_refused == 5


def test_cancel_of_a_job_that_just_finished_still_arrives_as_cancelled() -> None:
    recorder = ListRecorder(1)
    with running(lambda _: counting(1), recorder_for=lambda _: recorder) as (engine, got):
        job = engine.submit("count", SPEC)
        while recorder.status != "finished" or engine.mailbox.statistics().events_posted < 4:
            time.sleep(0.001)
        time.sleep(0.02)
        engine.cancel(job)
        got.until_over(job)
        assert got.lifecycle == [Cancelled(job)]


def test_a_queued_job_that_is_cancelled_never_starts() -> None:
    opened: list[int] = []

    def experiment(start: Start) -> Iterator[Event]:
        opened.append(start.job)
        return endless()

    with running(experiment) as (engine, got):
        first, second, third = (engine.submit("endless", SPEC) for _ in range(3))
        engine.cancel(second)
        got.until_over(second)
        engine.cancel(first)
        got.until(lambda: third in opened)
    assert opened == [first, third]


def test_a_paused_job_can_be_cancelled() -> None:
    with running(lambda _: endless()) as (engine, got):
        job = engine.submit("endless", SPEC)
        engine.pause(job)
        got.until_seen(Paused(job))
        engine.cancel(job)
        assert got.until_over(job) == Cancelled(job)


def test_errors_while_a_cancelled_job_tidies_up_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def experiment(_: Start) -> Iterator[Event]:
        try:
            yield from endless(0.001)
        finally:
            raise ValueError("the broom broke")

    with running(experiment) as (engine, got):
        job = engine.submit("untidy", SPEC)
        got.until(lambda: bool(got.records))
        engine.cancel(job)
        got.until_over(job)
        after = engine.submit("untidy", SPEC)
        got.until_seen(Started(after, "untidy", None))
    assert got.of(job) == ["Queued", "Started", "Cancelled"]
    assert "the broom broke" in caplog.text


def test_a_plain_iterator_is_an_experiment_too() -> None:
    with running(lambda _: iter([Progress(1, 1, "")])) as (engine, got):
        job = engine.submit("list", SPEC)
        assert got.until_over(job) == Finished(job)


# --- failure -------------------------------------------------------------------------------------------------


def test_a_user_error_fails_with_its_sentence_and_the_engine_goes_on() -> None:
    def experiment(start: Start) -> Iterator[Event]:
        yield Progress(0, 1, "")
        if start.experiment == "bad":
            raise DataError("The file is cut off. Fetch it again.")

    recorder = ListRecorder(1)
    with running(experiment, recorder_for=lambda start: recorder if start.experiment == "bad" else None) as (
        engine,
        got,
    ):
        bad = engine.submit("bad", SPEC)
        failed = got.until_over(bad)
        good = engine.submit("good", SPEC)
        assert got.until_over(good) == Finished(good)
    assert isinstance(failed, Failed)
    assert (failed.message, failed.is_user_error) == ("The file is cut off. Fetch it again.", True)
    assert (recorder.status, recorder.error) == ("failed", "The file is cut off. Fetch it again.")


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), MemoryError(), KeyboardInterrupt(), SystemExit(3)])
def test_any_other_error_fails_with_its_traceback_and_the_engine_goes_on(error: BaseException) -> None:
    def experiment(start: Start) -> Iterator[Event]:
        yield Progress(0, 1, "")
        if start.experiment == "bad":
            raise error

    with running(experiment) as (engine, got):
        failed = got.until_over(engine.submit("bad", SPEC))
        good = engine.submit("good", SPEC)
        assert got.until_over(good) == Finished(good)
    assert isinstance(failed, Failed)
    assert not failed.is_user_error
    assert failed.message
    assert "in experiment" in failed.traceback
    assert type(error).__name__ in failed.traceback


def test_running_out_of_memory_is_told_in_words() -> None:
    def experiment(_: Start) -> Iterator[Event]:
        raise MemoryError

    with running(experiment) as (engine, got):
        failed = got.until_over(engine.submit("big", SPEC))
    assert isinstance(failed, Failed)
    assert failed.message.startswith("Out of memory. Use fewer samples")


@pytest.mark.parametrize("error", [DataError("No such experiment."), KeyError("x")])
def test_errors_of_opening_the_experiment_fail_the_job(error: Exception) -> None:
    def experiment(_: Start) -> Iterator[Event]:
        raise error  # not a generator: raised by the call itself

    recorder = ListRecorder(7)
    with running(experiment, recorder_for=lambda _: recorder) as (engine, got):
        job = engine.submit("none", SPEC)
        failed = got.until_over(job)
    assert isinstance(failed, Failed)
    assert failed.is_user_error == isinstance(error, DataError)
    assert recorder.status == "failed"
    assert got.of(job) == ["Queued", "Started", "Failed"]


# --- recorder failure ----------------------------------------------------------------------------------------


def test_a_failing_recorder_fails_the_job_with_a_sentence_and_the_engine_lives() -> None:
    closed = threading.Event()

    def experiment(_: Start) -> Iterator[Event]:
        try:
            yield from counting(10)
        finally:
            closed.set()

    recorders = iter([ListRecorder(1, fail_at=4), ListRecorder(2)])
    with running(experiment, recorder_for=lambda _: next(recorders)) as (engine, got):
        job = engine.submit("count", SPEC)
        failed = got.until_over(job)
        good = engine.submit("count", SPEC)
        assert got.until_over(good) == Finished(good)
    assert isinstance(failed, Failed)
    assert closed.is_set()
    assert failed.is_user_error
    assert "could not be recorded" in failed.message
    assert "No space left on device" in failed.message
    assert "in put" in failed.traceback
    assert got.of(job) == ["Queued", "Started", "RecorderFailed", "Failed"]
    # what was not recorded was not shown either
    assert len(got.rows[job]) == 2


def test_a_recorder_that_cannot_be_made_fails_the_job() -> None:
    def recorder_for(_: Start) -> ListRecorder:
        raise OSError(30, "Read-only file system")

    with running(lambda _: counting(1), recorder_for=recorder_for) as (engine, got):
        job = engine.submit("count", SPEC)
        failed = got.until_over(job)
    assert isinstance(failed, Failed)
    assert "Read-only file system" in failed.message
    assert got.of(job) == ["Queued", "RecorderFailed", "Failed"]


def test_a_recorder_that_cannot_be_closed_fails_a_finished_job() -> None:
    with running(lambda _: counting(1), recorder_for=lambda _: ListRecorder(1, fail_close=True)) as (engine, got):
        job = engine.submit("count", SPEC)
        got.until_over(job)
    assert got.of(job) == ["Queued", "Started", "RecorderFailed", "Failed"]


def test_a_loss_in_the_session_is_told_even_when_the_job_was_cancelled() -> None:
    with running(lambda _: endless(), recorder_for=lambda _: ListRecorder(1, fail_close=True)) as (engine, got):
        job = engine.submit("count", SPEC)
        got.until(lambda: bool(got.records))
        engine.cancel(job)
        got.until_over(job)
    assert [each for each in got.lifecycle if isinstance(each, RecorderFailed)]
    assert got.of(job)[-1] == "Cancelled"


# --- closing -------------------------------------------------------------------------------------------------


def test_closing_while_running_ends_the_run_as_interrupted_and_drops_the_queue() -> None:
    recorder = ListRecorder(1)
    with running(lambda _: endless(), recorder_for=lambda _: recorder) as (engine, got):
        first, second = engine.submit("endless", SPEC), engine.submit("endless", SPEC)
        got.until(lambda: bool(got.records))
        assert engine.close(60) is True
        got.drain()
    assert recorder.status == "interrupted"
    assert got.of(first)[-1] == got.of(second)[-1] == "Cancelled"
    assert "Started" not in got.of(second)


def test_closing_a_paused_an_idle_and_an_unstarted_engine() -> None:
    with running(lambda _: endless()) as (engine, got):
        engine.pause(job := engine.submit("endless", SPEC))
        got.until_seen(Paused(job))
        assert engine.close(60) is True
        assert engine.close(60) is True
    idle = Engine(lambda _: endless(), mailbox=Mailbox())
    idle.start()
    assert idle.close(60) is True
    unstarted = Engine(lambda _: endless(), mailbox=Mailbox())
    job = unstarted.submit("endless", SPEC)
    assert unstarted.close() is True
    assert unstarted.mailbox.drain().lifecycle == [Queued(job, "endless"), Cancelled(job)]
    with pytest.raises(RuntimeError, match="closed"):
        unstarted.submit("endless", SPEC)
    with pytest.raises(RuntimeError, match="closed"):
        unstarted.start()


def test_an_experiment_that_will_not_end_is_reported_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    inside, release = threading.Event(), threading.Event()

    def a_stubborn_experiment(_: Start) -> Iterator[Event]:
        yield Progress(0, 1, "")
        inside.set()
        release.wait(240)
        yield Progress(1, 1, "")

    engine = Engine(a_stubborn_experiment, mailbox=Mailbox())
    engine.start()
    engine.submit("stuck", SPEC)
    assert inside.wait(120)
    with caplog.at_level(logging.ERROR):
        assert engine.close(0.05) is False
    assert "a_stubborn_experiment" in caplog.text
    release.set()
    assert engine.close(60) is True


def test_no_thread_outlives_its_engine() -> None:
    before = threading.active_count()
    for _ in range(5):
        with running(lambda _: endless(0.001)) as (engine, _):
            engine.submit("endless", SPEC)
    assert threading.active_count() <= before  # others may end meanwhile


def test_pause_and_resume_back_to_back_announce_nothing_false() -> None:
    with running(lambda _: counting(200)) as (engine, got):
        job = engine.submit("count", SPEC)
        for _ in range(50):
            engine.pause(job)
            engine.resume(job)
        got.until_over(job)
    states = got.of(job)
    assert states.count("Paused") == states.count("Resumed")
    assert states[-1] == "Finished"
    assert Resumed(job) not in got.lifecycle or got.lifecycle.index(Paused(job)) < got.lifecycle.index(Resumed(job))


def test_importing_the_runtime_imports_no_torch() -> None:
    code = "import sys, engine.runtime; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
