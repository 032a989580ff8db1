"""What it costs to write down everything, and how soon it is found again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.measure import Result, in_turns, middle, mnist_like, paired, percentile, seconds
from benchmarks.watching import PORTION, Watched
from engine.events import Frame, Record
from engine.session import Session
from engine.specs import ExperimentSpec

FRAMES = 64
FRAME_BYTES = 4 * 2**20
ROUNDS = 5
LOOKUPS = 200
STEPS = 1000
PROBE_EVERY = 100  # training steps, so that frames are recorded too


def run() -> Iterator[Result]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _large(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _lookups(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _training(Path(folder))


def _large(folder: Path) -> Iterator[Result]:
    draw = np.random.default_rng(0)
    frames = [_frame(step, draw.random(FRAME_BYTES // 4, dtype=np.float32)) for step in range(FRAMES)]
    numbers = count()

    def record() -> float:
        with Session.create(folder, ExperimentSpec()) as session:
            recorder = session.recorder(session.begin_run("benchmark", session.spec))

            def work() -> None:
                for frame in frames:
                    recorder.put(frame)
                recorder.close("finished")

            return seconds(work)

    def plain() -> float:
        path = folder / f"plain {next(numbers)}"

        def work() -> None:
            with path.open("wb") as file:
                for frame in frames:
                    file.write(frame.arrays["values"].tobytes())
                _to_disk(file.fileno())

        taken = seconds(work)
        path.unlink()
        return taken

    ratio, spread = paired(record, plain, ROUNDS)
    yield Result(f"recording {_megabytes()} MB of frames", record(), unit=" s")
    yield Result("the same / plain file", ratio, detail=spread)

    with Session.create(folder, ExperimentSpec()) as session:
        recorder = session.recorder(session.begin_run("benchmark", session.spec))
        for frame in frames:
            recorder.put(frame)
        recorder.close("finished")
        target = folder / "large.rapidity"
        copy = _copy(target, folder / "copy")
        ratio, spread = paired(lambda: seconds(lambda: session.save(target, force=True)), copy, ROUNDS)
        yield Result(f"saving a session of {_megabytes()} MB / plain copy", ratio, detail=spread)
    ratio, spread = paired(lambda: _open(target, folder), copy, ROUNDS)
    yield Result("opening it / plain copy", ratio, detail=spread)


def _lookups(folder: Path) -> Iterator[Result]:
    """Frames of the size that a probe's matrices have, many instants, found at random."""
    values = np.random.default_rng(0).random((2, 14, 8128), dtype=np.float32)
    with Session.create(folder, ExperimentSpec()) as session:
        recorder = session.recorder(session.begin_run("benchmark", session.spec))
        for step in range(LOOKUPS):
            recorder.put(_frame(step, values))
            recorder.put(Record("steps", {"step": step, "loss": 1.0 / (step + 1)}))
        recorder.close("finished")
        instants = [instant.id for instant in session.instants()]
        order = np.random.default_rng(1).permutation(instants)
        times = [1000 * seconds(lambda at=int(at): session.frame("matrix/clean", at)) for at in order]
    yield Result(
        "frame() of any moment, median", median(times), unit=" ms", detail=f"{values.nbytes / 1e6:.1f} MB each"
    )
    yield Result("frame() of any moment, p99", percentile(times, 0.99), unit=" ms")


def _training(folder: Path) -> Iterator[Result]:
    torch.set_num_threads(1)
    spec = mnist_like()
    often = spec.probe.model_copy(update={"every": PROBE_EVERY})
    training = spec.training.model_copy(update={"epochs": 100})
    spec = spec.model_copy(update={"probe": often, "training": training})
    ratios = []
    for _ in range(3):
        with Session.create(folder, spec) as session:
            recorder = session.recorder(session.begin_run("train", spec))
            recorded, alone = Watched(spec, recorder.put), Watched(spec)
            ratios.append(in_turns(recorded.portions(), alone.portions(), STEPS // PORTION))
            recorder.close("interrupted")
    ratio, spread = middle(ratios, "pairs in turns")
    yield Result("training recorded / not recorded", ratio, detail=spread)


def _frame(step: int, values: np.ndarray) -> Frame:
    return Frame("matrix/clean", "train", step, {"values": values})


def _copy(source: Path, target: Path) -> Callable[[], float]:
    def work() -> None:
        shutil.copyfile(source, target)
        with target.open("r+b") as file:
            _to_disk(file.fileno())

    return lambda: seconds(work)


def _open(path: Path, workdir: Path) -> float:
    opened: list[Session] = []
    taken = seconds(lambda: opened.append(Session.open(path, workdir)))
    opened[0].close()
    return taken


def _to_disk(file: int) -> None:
    os.fsync(file)


def _megabytes() -> int:
    return FRAMES * FRAME_BYTES // 2**20
