"""Killing the program at random moments loses no finished point, and leaves no process behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.specs import DigitsSpec, ExperimentSpec, MlpSpec, SweepSpec, TrainingSpec
from engine.sweep.axes import parse_axis
from engine.sweep.store import SweepStore
from engine.sweep.work import MEASURE
from tests.engine.sweep import tiny

ROOT = Path(__file__).resolve().parents[3]
KILLS = 20
MARK = "RAPIDITY_TEST_OF_KILLS"


class Program:
    """A real process that runs the sweep; what it says is gathered until it is dead."""

    def __init__(self, path: Path, measure: str) -> None:
        self.mark = secrets.token_hex(8)
        self.said: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.sweep.telling", str(path), measure],
            cwd=ROOT,
            env=os.environ | {MARK: self.mark, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait(self, lines: int, seconds: float) -> None:
        """Until it has said so much, or for so long, or until it is dead."""
        until = time.monotonic() + seconds
        while len(self.said) < lines and time.monotonic() < until and self._process.poll() is None:
            time.sleep(0.002)

    def kill(self) -> None:
        """SIGKILL; returns when it and all of its processes are gone."""
        self._process.kill()
        self._end()

    def end(self, seconds: float) -> int:
        """Let it come to its end; returns the exit code."""
        code = self._process.wait(seconds)
        self._end()
        return code

    def _end(self) -> None:
        self._process.wait()
        until = time.monotonic() + 10
        while left := [process for process in psutil.process_iter() if _mark_of(process) == self.mark]:
            assert time.monotonic() < until, f"left behind: {left}"
            time.sleep(0.01)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # a line that the kill has cut
                self.said.append(json.loads(line))


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def killed_again_and_again(path: Path, measure: str, most_lines: int, begin: float) -> None:
    """Kill it while it starts and after random numbers of points, look after each time, and let it end."""
    rng = random.Random(0)
    told: dict[int, dict[str, Any]] = {}
    for turn in range(KILLS):
        program = Program(path, measure)
        if turn % 5 == 4:
            program.wait(1, rng.uniform(0, begin))  # while it starts
        else:
            program.wait(rng.randint(1, most_lines), 60)
            time.sleep(rng.uniform(0, 0.02))
        program.kill()
        _remember(told, program.said)
        with SweepStore.open(path) as store:
            assert store.counts()["finished"] >= len(told)
            assert not store.counts()["failed"]
    program = Program(path, measure)
    assert program.end(300) == 0
    _remember(told, program.said)
    with SweepStore.open(path) as store:
        total = len(store.points)
        assert store.counts() == {"waiting": 0, "running": 0, "finished": total, "failed": 0, "cancelled": 0}
        kept = [json.loads(json.dumps(asdict(row))) for row in store.page(0, total)]
        assert all(kept[index] == row for index, row in told.items())
        assert len(told) > total / 2  # most were told of; what a kill came upon may have been kept untold
    assert sorted(each.name for each in path.parent.iterdir()) == [f".{path.name}.lock", path.name]


def _remember(told: dict[int, dict[str, Any]], said: list[dict[str, Any]]) -> None:
    for row in said:
        assert row["id"] not in told, "a finished point was computed again"
        told[row["id"]] = row


def test_killing_the_program_twenty_times_loses_no_finished_point(tmp_path: Path) -> None:
    axes = (parse_axis("model.width", "1 .. 20 : 20"), parse_axis("seed", "0 .. 29 : 30"))
    SweepStore.create(tmp_path / "a.sweep", ExperimentSpec(sweep=SweepSpec(axes=axes))).close()
    killed_again_and_again(tmp_path / "a.sweep", tiny.MEASURE, most_lines=30, begin=1.0)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_killing_the_program_twenty_times_loses_no_trained_network(tmp_path: Path) -> None:
    axes = (parse_axis("model.width", "8, 16, 32"), parse_axis("seed", "0 .. 29 : 30"))
    spec = ExperimentSpec(
        dataset=DigitsSpec(),
        model=MlpSpec(depth=2),
        training=TrainingSpec(epochs=3),
        sweep=SweepSpec(axes=axes, reach="attacked"),
    )
    SweepStore.create(tmp_path / "a.sweep", spec).close()
    killed_again_and_again(tmp_path / "a.sweep", MEASURE, most_lines=4, begin=5.0)
    with SweepStore.open(tmp_path / "a.sweep") as store:
        assert all(store.weights(index) for index in range(len(store.points)))
