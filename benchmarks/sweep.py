"""What a sweep costs beside the same trainings in bare loops, and how soon its table is there.

The start of processes is in neither of the two: both have theirs ready, with torch loaded, when the clock starts. What
the sweep does beyond the loops is in it: specs, hand-over, results and networks written to its file.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measure import Result, middle, percentile, seconds
from engine.generators import drain
from engine.session import pack
from engine.specs import DigitsSpec, ExperimentSpec, MlpSpec, SweepSpec, TrainingSpec
from engine.sweep.axes import parse_axis
from engine.sweep.columns import COLUMNS
from engine.sweep.local import LocalProcesses
from engine.sweep.points import Points
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

NETWORKS = 40  # in each round
ROUNDS = 5
WORKERS = 2
ROWS = 10_000
PAGE = 100
LOOKS = 30


def run() -> Iterator[Result]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _throughput(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _table(Path(folder))


def _spec(networks: int) -> ExperimentSpec:
    axes = (
        parse_axis("model.width", "16, 32, 48, 64"),
        parse_axis("seed", f"0 .. {networks // 4 - 1} : {networks // 4}"),
    )
    return ExperimentSpec(
        dataset=DigitsSpec(),
        model=MlpSpec(depth=3),
        training=TrainingSpec(epochs=10),
        sweep=SweepSpec(axes=axes, reach="trained", geometry=False),
    )


def _throughput(folder: Path) -> Iterator[Result]:
    with _bare_processes() as bare, LocalProcesses(WORKERS) as workers:
        _bare(bare, Points(_spec(8)))
        _swept(folder / "warm.sweep", workers, _spec(8))
        ratios, rate = [], 0.0
        for turn in range(ROUNDS):
            works = [
                lambda: _bare(bare, Points(_spec(NETWORKS))),
                lambda turn=turn: _swept(folder / f"{turn}.sweep", workers, _spec(NETWORKS)),
            ]
            taken = {place: works[place]() for place in ((0, 1) if turn % 2 else (1, 0))}
            ratios.append(taken[0] / taken[1])
            rate = NETWORKS / taken[1]
    ratio, spread = middle(ratios, f"pairs of {NETWORKS} networks")
    yield Result(
        f"throughput of a sweep on {WORKERS} cores / bare loops, no starts", ratio, 0.9, at_most=False, detail=spread
    )
    yield Result("networks a second by the sweep", rate, unit="/s")


def _swept(path: Path, workers: LocalProcesses, spec: ExperimentSpec) -> float:
    with SweepStore.create(path, spec) as store:
        taken = seconds(lambda: [None for _ in sweep(store, workers, WORKERS)])
        if store.counts()["finished"] != len(store.points):
            raise RuntimeError(f"not all points were finished: {store.counts()}")
    return taken


@contextmanager
def _bare_processes() -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(WORKERS)]
    processes = [context.Process(target=_loop, args=(theirs,), daemon=True) for _, theirs in pipes]
    for process in processes:
        process.start()
    try:
        yield [ours for ours, _ in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()


def _bare(processes: list[Connection], points: Points) -> float:
    def work() -> None:
        for number, process in enumerate(processes):
            process.send([points.spec(index) for index in range(number, len(points), len(processes))])
        for process in processes:
            process.recv()

    return seconds(work)


def _loop(asked: Connection) -> None:
    """What somebody would write by hand: build, train, test, one network after the other."""
    import torch

    from engine.data import load
    from engine.models import build
    from engine.training import evaluate, fit

    torch.set_num_threads(1)
    dataset = drain(load(DigitsSpec(), 0))  # type: ignore[arg-type]
    while True:
        accuracies = []
        for spec in asked.recv():
            model = build(spec.model, dataset, spec.seed)
            for _ in fit(model, dataset, spec.training, spec.seed):
                pass
            accuracies.append(drain(evaluate(model, dataset.x_test, dataset.y_test)).accuracy)
        asked.send(accuracies)


def _table(folder: Path) -> Iterator[Result]:
    """A table of ten thousand finished points with all columns, opened, paged and sorted."""
    rng = np.random.default_rng(0)
    spec = _spec(ROWS)
    with SweepStore.create(folder / "table.sweep", spec) as store:
        weights = pack({"w": np.zeros(1000, np.float32)})

        def fill() -> None:
            for index in range(ROWS):
                row = dict(zip((column.name for column in COLUMNS), rng.random(len(COLUMNS)).tolist(), strict=True))
                store.finish(Outcome(index, row, weights, seconds=1.0))

        yield Result("writing down a finished point", 1000 * seconds(fill) / ROWS, unit=" ms")
    opened: list[SweepStore] = []
    yield Result(
        f"opening a sweep of {ROWS:,} finished points",
        1000 * seconds(lambda: opened.append(SweepStore.open(folder / "table.sweep"))),
        unit=" ms",
    )
    with opened[0] as store:
        looks = {
            f"a page of {PAGE}": lambda at: store.page(at, PAGE),
            f"a page of {PAGE}, sorted by a column": lambda at: store.page(at, PAGE, "test_accuracy", True),
            f"a page of {PAGE}, sorted by an axis": lambda at: store.page(at, PAGE, "model.width", True),
            "two columns of all": lambda _: store.column("test_accuracy", "parameters"),
            "counts": lambda _: store.counts(),
            "revision": lambda _: store.revision,
        }
        for name, look in looks.items():
            times = [
                1000 * seconds(lambda at=int(at), look=look: look(at)) for at in rng.integers(0, ROWS - PAGE, LOOKS)
            ]
            yield Result(
                name, median(times), 50.0, unit=" ms", detail=f"median of {LOOKS}, worst {percentile(times, 1.0):.1f}"
            )
