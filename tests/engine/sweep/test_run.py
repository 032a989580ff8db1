"""A sweep computes what waits, and nothing that happens to one point stops the others."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pace
import pytest

from engine.errors import SweepError
from engine.events import Events, Frame, Progress
from engine.specs import ExperimentSpec, SweepSpec
from engine.sweep import run as run_module
from engine.sweep.axes import parse_axis
from engine.sweep.local import LocalProcesses
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome
from tests.engine.sweep import tiny

DONE = {"waiting": 0, "running": 0, "finished": 0, "failed": 0, "cancelled": 0}


def store_of(folder: Path, *axes: tuple[str, str], **given: Any) -> SweepStore:
    parsed = tuple(parse_axis(*axis) for axis in axes)
    spec = ExperimentSpec(title=str(folder), sweep=SweepSpec(axes=parsed, **given))
    return SweepStore.create(folder / "a.sweep", spec)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


class Counting(Executor):
    """Passes on to another executor, and counts."""

    def __init__(self, inner: Executor) -> None:
        self.inner, self.out, self.most, self.asked = inner, 0, 0, 0
        self._gate = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with self._gate:
            self.out, self.asked = self.out + 1, self.asked + 1
            self.most = max(self.most, self.out)
        future = self.inner.submit(fn, *args, **kwargs)
        future.add_done_callback(self._back)
        return future

    def _back(self, _: Future[Any]) -> None:
        with self._gate:
            self.out -= 1


def finish(events: Events) -> list[Any]:
    return [event for event in events if event is not None]


def until(events: Events, condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        next(events)


def test_every_point_is_computed_and_told_of(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "1 .. 10 : 10"), ("seed", "0, 1, 2")) as store:
        counting = Counting(threads)
        said = finish(sweep(store, counting, 2, measure=tiny.MEASURE))
        assert store.counts() == DONE | {"finished": 30}
        for row in store.page(0, 30):
            expected = tiny.row_of(store.points.spec(row.id))
            assert row.row == {name: value for name, value in expected.items() if value is not None}
            assert row.attempts == 1
        assert counting.asked == 30 and counting.most <= 4
        progress = [event for event in said if isinstance(event, Progress)]
        frames = [event for event in said if isinstance(event, Frame)]
        assert (progress[-1].done, progress[-1].total, progress[-1].text) == (30, 30, "30 of 30 points")
        assert [event.done for event in progress] == sorted(event.done for event in progress)
        assert frames[-1].info == {"counts": store.counts(), "revision": store.revision}
        assert all(frame.topic == "sweep" and not frame.keep for frame in frames)


def test_no_pull_takes_long(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "0"), ("seed", "0 .. 299 : 300")) as store:  # none of them can be
        events, pulls = sweep(store, threads, 2, measure=tiny.MEASURE), []
        while True:
            began = time.thread_time()
            if next(events, "end") == "end":
                break
            pulls.append(time.thread_time() - began)
        assert store.counts() == DONE | {"failed": 300}
        assert sorted(pulls)[-2] / pace.slowness() < 0.1


def test_one_point_that_fails_stops_no_other(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "0, 12, 13, 14, 15"), ("model.family", "mlp, linear")) as store:
        finish(sweep(store, threads, 2, measure=tiny.FAILING))
        errors = {
            (row.values["model.width"], row.error, bool(row.traceback)) for row in store.page(0, 99, status="failed")
        }
        assert errors == {
            (0, "model.width is 0: must be at least 1. Set a value in [1, 16384].", False),
            (13, "The loss is not a number. Choose a lower learning rate.", False),
            (14, "ZeroDivisionError: one over nothing", True),
        }
        assert store.counts() == DONE | {"failed": 6, "finished": 4}
        assert store.retry() == 6
        finish(sweep(store, threads, 2, measure=tiny.MEASURE))
        assert store.counts() == DONE | {"failed": 2, "finished": 8}


def test_a_point_whose_process_dies_is_tried_three_times_and_then_fails(tmp_path: Path) -> None:
    with store_of(tmp_path, ("model.width", "10 .. 16 : 7")) as store, LocalProcesses(2) as processes:
        finish(sweep(store, processes, 2, measure=tiny.LETHAL))
        assert store.counts() == DONE | {"failed": 1, "finished": 6}
        dead = store.page(0, 1, status="failed")[0]
        assert dead.values == {"model.width": 13} and dead.attempts == 3
        assert "lost 3 times; the last time, its process ended with exit code 7." in dead.error
        assert {row.attempts for row in store.page(0, 9, status="finished")} == {1}


def test_an_executor_that_breaks_as_a_whole_is_tried_again(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    class Breaking(Counting):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            if self.asked % 3 == 1:
                self.asked += 1
                broken: Future[Any] = Future()
                broken.set_exception(BrokenExecutor("a process was terminated abruptly"))
                return broken
            return super().submit(fn, *args, **kwargs)

    with store_of(tmp_path, ("seed", "0 .. 19 : 20")) as store:
        finish(sweep(store, Breaking(threads), 2, measure=tiny.MEASURE))
        assert store.counts() == DONE | {"finished": 20}


def test_what_a_file_can_hardly_hold_stops_no_other_point(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "10 .. 18 : 9")) as store:
        finish(sweep(store, threads, 2, measure=tiny.ODD))
        assert store.counts() == DONE | {"failed": 3, "finished": 6}
        large, text, odd, kind = (store.row(width - 10) for width in (13, 14, 15, 16))
        assert "too large" in large.error and large.traceback and not large.row
        assert text.error == "half a ? and a \ufffd" and not text.traceback
        assert odd.status == "finished" and odd.row == {"rank": math.inf, "depth": "a\ufffdb ?"}
        assert kind.status == "failed" and kind.traceback


def test_the_last_point_is_tried_again_whenever_it_is_lost(
    tmp_path: Path, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Future[Any]] = []

    class Losing(Counting):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            if lost:
                return super().submit(fn, *args, **kwargs)
            lost.append(Future())
            lost[0].set_running_or_notify_cancel()
            return lost[0]

    noting = run_module._Run._note_begun

    def then_lose_it(self: Any) -> None:
        noting(self)
        if lost and not lost[0].done():
            error = BrokenExecutor("a process was terminated abruptly")
            threading.Thread(target=lost[0].set_exception, args=[error]).start()
            time.sleep(0.05)  # it is being noted now

    monkeypatch.setattr(run_module._Run, "_note_begun", then_lose_it)
    with store_of(tmp_path, ("seed", "0")) as store:
        writing = store.interrupted
        monkeypatch.setattr(store, "interrupted", lambda ids=None: time.sleep(0.2 if ids else 0) or writing(ids))
        finish(sweep(store, Losing(threads), 1, measure=tiny.MEASURE))
        assert store.counts() == DONE | {"finished": 1}


def test_workers_that_are_gone_end_the_sweep_in_a_sentence(tmp_path: Path) -> None:
    processes = ThreadPoolExecutor(1)
    processes.shutdown()
    with store_of(tmp_path, ("seed", "0, 1")) as store:
        with pytest.raises(SweepError, match=r"The workers take no more work: .*shutdown.*run the sweep again"):
            finish(sweep(store, processes, 1, measure=tiny.MEASURE))
        assert store.counts() == DONE | {"waiting": 2}


def test_closing_it_stops_what_runs_and_lets_it_wait(tmp_path: Path) -> None:
    with store_of(tmp_path, ("model.width", "1 .. 9 : 9")) as store, ThreadPoolExecutor(2) as threads:
        events = sweep(store, threads, 2, measure=tiny.ENDLESS)
        until(events, lambda: len(list(tmp_path.glob("begun *"))) == 2 and store.counts()["running"] == 2)
        events.close()  # type: ignore[attr-defined]
        _wait_for(lambda: len(list(tmp_path.glob("ended *"))) == 2)
        assert store.counts() == DONE | {"waiting": 9}
        assert [row.attempts for row in store.page(0, 3)] == [1, 1, 0]
        finish(sweep(store, threads, 2, measure=tiny.MEASURE))  # and it goes on where it was
        assert store.counts() == DONE | {"finished": 9}
        assert not (tmp_path / ".a.sweep.stop").exists()


def test_what_does_not_stop_in_time_is_dropped(tmp_path: Path) -> None:
    with store_of(tmp_path, ("model.width", "1 .. 9 : 9")) as store, ThreadPoolExecutor(2) as threads:
        events = sweep(store, threads, 2, measure=tiny.UNKIND)
        until(events, lambda: len(list(tmp_path.glob("begun *"))) == 2)
        events.close()  # type: ignore[attr-defined]  and so it waits for nobody
        assert not list(tmp_path.glob("ended *"))
        assert store.counts() == DONE | {"waiting": 9}
        (tmp_path / "enough").touch()
        threads.shutdown()
        assert len(list(tmp_path.glob("ended *"))) == 2
        assert store.counts() == DONE | {"waiting": 9}
        assert not (tmp_path / ".a.sweep.stop").exists()


def test_waiting_and_running_points_can_be_cancelled_one_by_one(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "1 .. 6 : 6")) as store:
        events = sweep(store, threads, 2, measure=tiny.ENDLESS)
        until(events, lambda: store.counts()["running"] == 2 and len(list(tmp_path.glob("begun *"))) == 2)
        assert store.cancel([1, 2, 5]) == 3  # one that runs, one that is submitted, one that is not yet
        until(events, lambda: (tmp_path / "begun 4").exists())  # its place is taken by the next
        assert (tmp_path / "ended 2").exists() and not (tmp_path / "ended 1").exists()
        assert not (tmp_path / "begun 3").exists() and not (tmp_path / "begun 6").exists()
        assert store.retry([2]) == 1
        assert store.cancel([0, 3]) == 2
        until(events, lambda: (tmp_path / "begun 3").exists() and (tmp_path / "begun 5").exists())
        store.cancel(range(6))
        finish(events)
        assert store.counts() == DONE | {"cancelled": 6}


def test_a_point_that_is_retried_meanwhile_is_computed(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("model.width", "13, 20, 21, 22, 23, 24, 25")) as store:
        store.finish(Outcome(0, error="It failed before."))
        events = sweep(store, threads, 1, measure=tiny.MEASURE)
        until(events, lambda: store.counts()["finished"] >= 2)
        store.retry()
        finish(events)
        assert store.counts() == DONE | {"finished": 7}


def test_a_pause_loses_nothing(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("seed", "0 .. 99 : 100")) as store:
        counting = Counting(threads)
        events = sweep(store, counting, 2, measure=tiny.MEASURE)
        next(events)
        _wait_for(lambda: store.counts()["finished"] == counting.asked)  # nobody pulls
        time.sleep(0.05)
        assert store.counts()["finished"] == counting.asked < 100
        finish(events)
        assert store.counts()["finished"] == 100


def test_one_program_runs_it_and_another_is_told(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("seed", "0 .. 19 : 20")) as store, SweepStore.open(store.path) as other:
        events = sweep(store, threads, 2, measure=tiny.MEASURE)
        next(events)
        with pytest.raises(SweepError, match="Another program runs the sweep"):
            next(sweep(other, threads, 2, measure=tiny.MEASURE))
        with pytest.raises(SweepError, match="runs already"):
            next(sweep(store, threads, 2, measure=tiny.MEASURE))
        finish(events)
        assert other.counts()["finished"] == 20
        assert finish(sweep(other, threads, 2, measure=tiny.MEASURE))[-2].done == 20


def test_a_full_disk_ends_it_in_a_sentence_and_keeps_what_is_finished(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    with store_of(tmp_path, ("seed", "0 .. 2999 : 3000")) as store:
        with store._database.setup() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(SweepError, match=r"the disk is full.*What is finished stays in it"):
            finish(sweep(store, threads, 2, measure=tiny.MEASURE))
        kept = store.counts()["finished"]
        assert 0 < kept < 3000
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert store.counts()["finished"] == kept
        assert len(store.column("test_accuracy")["id"]) == kept
        store.cancel(range(kept + 10, 3000))  # there is room again: the limit was the connection's
        finish(sweep(store, threads, 2, measure=tiny.MEASURE))
        assert store.counts()["waiting"] == store.counts()["running"] == 0


def test_a_bug_on_the_way_back_is_an_error_and_not_a_hang(
    tmp_path: Path, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_of(tmp_path, ("seed", "0, 1")) as store:
        monkeypatch.setattr(store, "finish", Mock(side_effect=ZeroDivisionError("a bug")))
        with pytest.raises(ZeroDivisionError, match="a bug"):
            finish(sweep(store, threads, 2, measure=tiny.MEASURE))


def test_a_million_points_begin_at_once(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    with store_of(tmp_path, ("attack.eps", "0 .. 1 : 1000"), ("seed", "0 .. 999 : 1000")) as store:
        began = time.monotonic()
        events = sweep(store, threads, 2, measure=tiny.MEASURE)
        until(events, lambda: store.counts()["finished"] >= 20)
        assert time.monotonic() - began < 60
        events.close()  # type: ignore[attr-defined]
        assert store.counts()["waiting"] < 1_000_000


def _wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
