"""How figures are taken: in pairs, one after the other, so that a machine whose speed drifts changes both alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from engine.specs import ExperimentSpec, IdxSpec, MlpSpec, PgdSpec, ProbeSpec, TrainingSpec, UniformNoiseSpec

MNIST = Path(os.environ.get("RAPIDITY_MNIST", Path(__file__).parents[2] / "shared" / "data" / "mnist"))


@dataclass(frozen=True)
class Result:
    """One figure beside its target; ``at_most`` says on which side of it is good."""

    what: str
    value: float
    target: float | None = None
    at_most: bool = True
    unit: str = ""
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the target was met; a figure without a target always is."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        target = ""
        if self.target is not None:
            verdict = "met" if self.met else "MISSED"
            target = f"   target {'≤' if self.at_most else '≥'} {self.target:g}{self.unit}: {verdict}"
        return f"{self.what:<58} {self.value:8.3f}{self.unit}{target}{f'   ({self.detail})' if self.detail else ''}"


def paired(first: Callable[[], float], second: Callable[[], float], rounds: int) -> tuple[float, str]:
    """Median ratio first / second over rounds of one right after the other, and the spread in words.

    Which of the two comes first changes from round to round. A round that nobody counts goes before.
    """
    first(), second()
    ratios = []
    for number in range(rounds):
        if number % 2:
            below, above = second(), first()
        else:
            above, below = first(), second()
        ratios.append(above / below)
    return middle(ratios, "pairs")


def in_turns(first: Iterator[float], second: Iterator[float], turns: int) -> float:
    """Total seconds of ``turns`` portions of the first work, over those of as many of the second, taken in turns.

    For works whose cost comes at long intervals, so that no short pair could show it.
    """
    pairs = list(islice(zip(first, second, strict=False), turns))
    return sum(above for above, _ in pairs) / sum(below for _, below in pairs)


def middle(values: Sequence[float], what: str) -> tuple[float, str]:
    """The median, and how many values it is of and how far they spread, in words."""
    return median(values), f"{len(values)} {what}, {min(values):.3f} to {max(values):.3f}"


def seconds(work: Callable[[], object]) -> float:
    """How long work takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


class Others:
    """How many cores other programs have kept busy since this was made: figures are to be trusted where it is near 0."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = perf_counter(), _busy_seconds(), _own_seconds()

    def cores(self) -> float:
        """On average, of all cores of this machine."""
        others = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, others / (perf_counter() - self._began))


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def _own_seconds() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def mnist_like() -> ExperimentSpec:
    """The MLP of depth 6 and width 256 on MNIST where it is, else on noise of its size."""
    there = MNIST.is_dir()
    dataset = (
        IdxSpec(folder=str(MNIST)) if there else UniformNoiseSpec(features=784, train_size=60_000, test_size=10_000)
    )
    return ExperimentSpec(
        title="benchmark",
        dataset=dataset,
        model=MlpSpec(depth=6, width=256),
        training=TrainingSpec(optimizer="sgd", learning_rate=0.02, batch_size=64, epochs=2),
        attack=PgdSpec(),
        probe=ProbeSpec(),
    )
