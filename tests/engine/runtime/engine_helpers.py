"""Experiments and recorders for the tests of the engine thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.events import Artifact, Event, Frame, Progress, Record
from engine.runtime import Cancelled, Engine, Failed, Finished, Mailbox, Start
from engine.specs import ExperimentSpec

SPEC = ExperimentSpec()
PATIENCE = 120.0
"""Seconds a test waits for what must happen; only a broken engine takes that long."""


def frame(step: int, topic: str = "picture") -> Frame:
    return Frame(topic, "train", step, {"x": np.full(3, step)})


def counting(n: int, pause: float = 0.0) -> Iterator[Event]:
    for i in range(n):
        if pause:
            time.sleep(pause)
        yield Record("steps", {"step": i})
        yield frame(i)
        yield Progress(i + 1, n, "counting")
    yield Artifact("end", "key", {"x": np.zeros(2)})


@dataclass
class Received:
    """Everything a window would have seen, applied in the order the mailbox prescribes."""

    mailbox: Mailbox
    lifecycle: list[Any] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    rows: dict[int, list[Any]] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    log: list[Any] = field(default_factory=list)  # (job, event) and announcements

    def drain(self) -> None:
        while True:
            delivery = self.mailbox.drain()
            self.records += delivery.records
            self.frames += delivery.frames.values()
            self.artifacts += delivery.artifacts
            if delivery.job is not None:
                self.rows.setdefault(delivery.job, []).extend(record.row for record in delivery.records)
                self.log += [(delivery.job, each) for each in delivery.records]
            if delivery.progress:
                self.progress.append(delivery.progress)
            self.lifecycle += delivery.lifecycle
            self.log += delivery.lifecycle
            if not delivery.more:
                return

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited in vain; so far: {self.lifecycle}"
            time.sleep(0.002)
            self.drain()

    def until_seen(self, announcement: Any) -> None:
        self.until(lambda: announcement in self.lifecycle)

    def until_over(self, job: int) -> Finished | Cancelled | Failed:
        def endings() -> list[Any]:
            return [
                each for each in self.lifecycle if isinstance(each, Finished | Cancelled | Failed) and each.job == job
            ]

        self.until(lambda: bool(endings()))
        assert len(endings()) == 1
        return endings()[0]

    def of(self, job: int) -> list[str]:
        return [type(each).__name__ for each in self.lifecycle if getattr(each, "job", None) == job]


@dataclass
class ListRecorder:
    run: int
    fail_at: int = -1
    fail_close: bool = False
    events: list[Event] = field(default_factory=list)
    status: str = ""
    error: str = ""
    threads: set[str] = field(default_factory=set)

    def put(self, event: Event) -> None:
        self.threads.add(threading.current_thread().name)
        if len(self.events) == self.fail_at:
            raise OSError(28, "No space left on device")
        self.events.append(event)

    def close(self, status: str, error: str = "") -> None:
        assert not self.status, "closed twice"
        self.status, self.error = status, error
        if self.fail_close:
            raise OSError(28, "No space left on device")


@contextmanager
def running(open_experiment: Callable[[Start], Iterator[Event]], **options: Any) -> Iterator[tuple[Engine, Received]]:
    engine = Engine(open_experiment, mailbox=Mailbox(), **options)
    with engine:
        yield engine, Received(engine.mailbox)
    assert not engine.alive
