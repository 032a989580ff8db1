"""The mailbox: frames latest-wins, records never lost, a disconnected job silent."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest
from engine_helpers import Received, frame
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import engine.runtime as runtime
from engine.events import Artifact, Frame, Progress, Record
from engine.runtime import (
    Cancelled,
    Delivery,
    EngineReady,
    Failed,
    Finished,
    Mailbox,
    Paused,
    Queued,
    RecorderFailed,
    Start,
    Started,
)
from engine.runtime.rate import Rate
from engine.specs import ExperimentSpec


def record(value: int, table: str = "steps") -> Record:
    return Record(table, {"value": value})


def test_frames_and_progress_are_latest_wins_and_records_are_all_kept() -> None:
    mailbox = Mailbox()
    for i in range(10):
        mailbox.post(1, frame(i, "a"))
        mailbox.post(1, record(i))
        mailbox.post(1, Progress(i, 10, ""))
    mailbox.post(1, frame(99, "b"))
    delivery = mailbox.drain()
    assert {topic: each.step for topic, each in delivery.frames.items()} == {"a": 9, "b": 99}
    assert [each.row["value"] for each in delivery.records] == list(range(10))
    assert delivery.progress == Progress(9, 10, "")
    assert delivery.job == 1
    assert delivery.more is False
    statistics = mailbox.statistics()
    assert (statistics.events_posted, statistics.frames_overwritten, statistics.records_waiting) == (31, 9, 0)
    assert not mailbox.drain()


def test_rows_are_grouped_by_table_in_order() -> None:
    delivery = Delivery(records=[record(1, "a"), record(2, "b"), record(3, "a")])
    assert delivery.rows_by_table() == {"a": [{"value": 1}, {"value": 3}], "b": [{"value": 2}]}


def test_announcements_are_never_coalesced() -> None:
    mailbox = Mailbox()
    said = [Queued(1, "a"), Started(1, "a", None), *[Paused(1)] * 3, Finished(1)]
    for each in said:
        mailbox.announce(each)
    received = Received(mailbox)
    received.drain()
    assert received.lifecycle == said


def test_events_of_two_jobs_come_in_two_deliveries_each_after_its_start() -> None:
    mailbox = Mailbox()
    mailbox.announce(Started(1, "a", None))
    mailbox.post(1, record(1))
    mailbox.announce(Finished(1))
    mailbox.announce(Started(2, "b", None))
    mailbox.post(2, record(2))
    deliveries = [mailbox.drain() for _ in range(4)]
    assert [each.job for each in deliveries] == [None, 1, 2, None]
    assert [each.lifecycle for each in deliveries] == [
        [Started(1, "a", None)],
        [Finished(1), Started(2, "b", None)],
        [],
        [],
    ]
    assert [each.more for each in deliveries] == [True, True, False, False]


def test_a_disconnected_job_is_silent_but_for_its_cancelled() -> None:
    mailbox = Mailbox()
    mailbox.announce(Queued(1, "a"))
    mailbox.announce(Started(1, "a", 5))
    mailbox.post(1, record(1))
    mailbox.post(1, frame(1))
    mailbox.announce(Queued(2, "b"))
    mailbox.disconnect(1)
    assert mailbox.post(1, record(2)) is False
    assert mailbox.announce(Paused(1)) is False
    assert mailbox.announce(Finished(1)) is False
    assert mailbox.announce(Failed(1, "m", "t", False)) is False
    assert mailbox.announce(Cancelled(1)) is True
    received = Received(mailbox)
    received.drain()
    assert received.lifecycle == [Queued(2, "b"), Cancelled(1)]
    assert not (received.records or received.frames)
    assert mailbox.statistics().events_refused == 3


def test_disconnecting_leaves_other_jobs_alone() -> None:
    mailbox = Mailbox()
    mailbox.post(1, record(1))
    mailbox.announce(Finished(1))
    mailbox.announce(Started(2, "b", None))
    mailbox.post(2, record(2))
    mailbox.disconnect(2)
    received = Received(mailbox)
    received.drain()
    assert received.lifecycle == [Finished(1)]
    assert [each.row["value"] for each in received.records] == [1]


def test_an_undelivered_ending_of_a_disconnected_job_becomes_cancelled() -> None:
    mailbox = Mailbox()
    mailbox.post(1, record(1))
    mailbox.announce(RecorderFailed(1, "disk full"))
    mailbox.announce(Failed(1, "m", "t", True))
    mailbox.disconnect(1)
    delivery = mailbox.drain()
    assert delivery.lifecycle == [RecorderFailed(1, "disk full"), Cancelled(1)]
    assert not delivery.records
    mailbox.disconnect(1)
    assert not mailbox.drain()


def test_no_record_is_lost_under_a_hammering_producer_and_concurrent_drains() -> None:
    mailbox = Mailbox()
    n, producers = 20_000, 3
    done = threading.Event()
    parts: list[list[list[int]]] = []

    def produce(table: str) -> None:
        for i in range(n):
            mailbox.post(1, record(i, table))
            if i % 7 == 0:
                mailbox.post(1, frame(i))

    def consume() -> None:
        mine: list[list[int]] = []
        parts.append(mine)
        while True:
            last = done.is_set()
            mine.append([(each.table, each.row["value"]) for each in mailbox.drain().records])
            if last:
                return

    workers = [threading.Thread(target=produce, args=(f"t{i}",)) for i in range(producers)]
    drains = [threading.Thread(target=consume) for _ in range(2)]
    for each in workers + drains:
        each.start()
    for each in workers:
        each.join()
    done.set()
    for each in drains:
        each.join()
    everything = [pair for mine in parts for batch in mine for pair in batch]
    assert len(everything) == n * producers == len(set(everything))
    # one drain sees the records of one table in the order they were posted
    for mine in parts:
        for table in ("t0", "t1", "t2"):
            values = [value for batch in mine for name, value in batch if name == table]
            assert values == sorted(values)
    statistics = mailbox.statistics()
    assert statistics.events_posted == n * producers + producers * len(range(0, n, 7))


def test_steps_per_second_follow_the_clock_and_fall_to_zero() -> None:
    now = 100.0
    rate = Rate(window=2.0, buckets=20, clock=lambda: now)
    assert rate.per_second() == 0
    for _ in range(500):
        now += 0.01
        rate.tick()
    assert rate.per_second() == pytest.approx(100, rel=0.06)
    for _ in range(400):
        now += 0.005
        rate.tick()
    assert rate.per_second() == pytest.approx(200, rel=0.06)
    now += 1.0
    assert 80 < rate.per_second() < 120
    now += 5.0
    assert rate.per_second() == 0
    rate.tick()
    now += 0.5
    rate.tick()
    assert rate.per_second() == pytest.approx(4)


def test_commands_announcements_and_events_survive_pickle() -> None:
    start = Start(3, "train", ExperimentSpec(), {"weights": Artifact("weights", "k", {"w": np.eye(2)})})
    back = pickle.loads(pickle.dumps(start))
    assert (back.job, back.experiment, back.spec) == (3, "train", start.spec)
    assert np.array_equal(back.given["weights"].arrays["w"], np.eye(2))
    plain: list[Any] = [
        *(command(1) for command in (runtime.Pause, runtime.Resume, runtime.Step, runtime.Cancel)),
        runtime.Shutdown(),
        EngineReady("abacus", 0.5),
        runtime.EngineFailed("m", "t"),
        Queued(1, "a"),
        Started(1, "a", 2),
        Paused(1),
        runtime.Resumed(1),
        Finished(1),
        Cancelled(1),
        Failed(1, "m", "t", True),
        RecorderFailed(1, "m"),
        Progress(1, 2, "x"),
        Record("steps", {"a": 1.5, "b": None}),
    ]
    for each in plain:
        assert pickle.loads(pickle.dumps(each)) == each
    picture = pickle.loads(pickle.dumps(Frame("t", "train", 1, {"x": np.arange(3)}, {"a": [1]}, keep=False)))
    assert (picture.topic, picture.info, picture.keep) == ("t", {"a": [1]}, False)


def test_everything_public_is_named_once_and_exists() -> None:
    assert len(set(runtime.__all__)) == len(runtime.__all__)
    assert all(hasattr(runtime, name) for name in runtime.__all__)


class MailboxMachine(RuleBasedStateMachine):
    """Any order of posts, announcements, disconnections and drains against a list of what should arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.received = Received(Mailbox())
        self.mailbox = self.received.mailbox
        self.next_value = 0
        self.records: dict[int, list[int]] = {1: [], 2: [], 3: []}
        self.latest: dict[str, int] = {}
        self.silent: set[int] = set()

    @rule(job=st.integers(1, 3))
    def post_record(self, job: int) -> None:
        self.next_value += 1
        accepted = self.mailbox.post(job, record(self.next_value))
        assert accepted == (job not in self.silent)
        if accepted:
            self.records[job].append(self.next_value)

    @rule(job=st.integers(1, 3), topic=st.sampled_from("ab"))
    def post_frame(self, job: int, topic: str) -> None:
        self.next_value += 1
        if self.mailbox.post(job, frame(self.next_value, topic)):
            self.latest[topic] = self.next_value

    @rule(job=st.integers(1, 3))
    def start(self, job: int) -> None:
        assert self.mailbox.announce(Started(job, "e", None)) == (job not in self.silent)

    @rule(job=st.integers(1, 3))
    def disconnect(self, job: int) -> None:
        self.mailbox.disconnect(job)
        self.silent.add(job)
        # what was delivered stays; what was not is gone
        self.records[job] = [row["value"] for row in self.received.rows.get(job, [])]
        self.latest.clear()

    @rule()
    def drain(self) -> None:
        before = len(self.received.frames)
        self.received.drain()
        fresh = {each.topic: each.step for each in self.received.frames[before:]}
        for topic, step in self.latest.items():
            assert fresh[topic] == step
        self.latest.clear()
        for job, values in self.records.items():
            assert [row["value"] for row in self.received.rows.get(job, [])] == values

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        waiting = self.mailbox.statistics().records_waiting
        delivered = len(self.received.records)
        assert waiting + delivered == sum(map(len, self.records.values()))


MailboxMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_any_order_of_calls_keeps_the_promises = MailboxMachine.TestCase
