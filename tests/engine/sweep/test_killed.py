"""Killing the program at random moments loses no finished point, and leaves no process behind."""

from __future__ import annotations

import contextlib
import multiprocessing.forkserver
import random
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.specs import DigitsSpec, ExperimentSpec, MlpSpec, SweepSpec, TrainingSpec
from engine.sweep.axes import parse_axis
from engine.sweep.store import SweepStore
from engine.sweep.work import MEASURE
from tests.engine.sweep import telling, tiny

KILLS = 20


class Program:
    """A real process that runs the sweep; what it tells is gathered until it is dead."""

    def __init__(self, context: ForkServerContext, path: Path, measure: str, workers: int) -> None:
        self.mark = secrets.token_hex(8)
        self.told: list[dict[str, Any]] = []
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=telling.main, args=(str(path), measure, workers, self.mark, theirs))
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait(self, points: int, seconds: float) -> None:
        """Until it has told of so many, or for so long, or until it is dead."""
        until = time.monotonic() + seconds
        while len(self.told) < points and time.monotonic() < until and self._process.is_alive():
            time.sleep(0.002)

    def kill(self) -> None:
        """SIGKILL; returns when it and all of its processes are gone."""
        self._process.kill()
        self._end()
        assert self._process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        """Let it come to its end."""
        self._process.join(300)
        assert self._process.exitcode == 0
        self._end()

    def _end(self) -> None:
        self._process.join()
        until = time.monotonic() + 120
        while left := [process for process in psutil.process_iter() if _mark_of(process) == self.mark]:
            assert time.monotonic() < until, f"left behind: {left}"
            time.sleep(0.01)
        self._reader.join()
        self._ours.close()

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):  # its end, perhaps in the middle of a word
            while True:
                self.told.append(self._ours.recv())


@pytest.fixture(scope="module")
def context() -> Iterator[ForkServerContext]:
    """Programs are forked from one that has loaded what they need, so that they begin soon."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([telling.__name__])
    yield made
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(telling.MARK)
    except psutil.Error:
        return None


def killed_again_and_again(
    context: ForkServerContext, path: Path, measure: str, kills: int, most: int, begin: float
) -> None:
    """Kill it while it starts and after random numbers of points, look after each time, and let it end."""
    rng = random.Random(0)
    told: dict[int, dict[str, Any]] = {}
    for turn in range(kills):
        program = Program(context, path, measure, workers=2 if turn % 3 == 1 else 1)  # their start is what takes time
        if turn % 4 == 3:
            program.wait(1, rng.uniform(0, begin))  # while it starts
        else:
            program.wait(rng.randint(1, most), 240)
            time.sleep(rng.uniform(0, 0.02))
        program.kill()
        _remember(told, program.told)
        with SweepStore.open(path) as store:
            assert store.counts()["finished"] >= len(told)
            assert not store.counts()["failed"]
    program = Program(context, path, measure, workers=2)
    program.end()
    _remember(told, program.told)
    with SweepStore.open(path) as store:
        total = len(store.points)
        assert store.counts() == {"waiting": 0, "running": 0, "finished": total, "failed": 0, "cancelled": 0}
        kept = [asdict(row) for row in store.page(0, total)]
        assert all(kept[index] == row for index, row in told.items())
        assert len(told) > total / 2  # most were told of; what a kill came upon may have been kept untold
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def _remember(told: dict[int, dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["id"] not in told, "a finished point was computed again"
        told[row["id"]] = row


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killing_the_program_again_and_again_loses_no_finished_point(
    tmp_path: Path, context: ForkServerContext
) -> None:
    axes = (parse_axis("model.width", "1 .. 20 : 20"), parse_axis("seed", "0 .. 23 : 24"))
    SweepStore.create(tmp_path / "a.sweep", ExperimentSpec(sweep=SweepSpec(axes=axes))).close()
    killed_again_and_again(context, tmp_path / "a.sweep", tiny.MEASURE, KILLS, most=30, begin=1.0)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_killing_the_program_twenty_times_loses_no_trained_network(tmp_path: Path, context: ForkServerContext) -> None:
    axes = (parse_axis("model.width", "8, 16, 32"), parse_axis("seed", "0 .. 29 : 30"))
    spec = ExperimentSpec(
        dataset=DigitsSpec(),
        model=MlpSpec(depth=2),
        training=TrainingSpec(epochs=3),
        sweep=SweepSpec(axes=axes, reach="attacked"),
    )
    SweepStore.create(tmp_path / "a.sweep", spec).close()
    killed_again_and_again(context, tmp_path / "a.sweep", MEASURE, KILLS, most=4, begin=5.0)
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert all(store.weights(index) for index in range(len(store.points)))
