"""What pairwise geometry costs beside the bare float64 product that it cannot do without, and how long exact nulls take."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter

import numpy as np
import psutil
import torch

from benchmarks.measure import Result, paired, seconds
from engine.generators import drain
from engine.geometry.gram import upper_pairs
from engine.geometry.nulls import relu
from engine.geometry.nulls.gaussian_chain import gaussian_chain
from engine.geometry.population import population
from engine.seeds import generator

SIZES = ((512, 1024), (2000, 256), (2000, 1000))  # samples and features at a tap
POPULATION = 10_000, 1000
DEPTH, WIDTH = 100, 64
CLASSES = 10
ROUNDS = 9


def run() -> Iterator[Result]:
    """Yield the figures."""
    torch.set_num_threads(1)
    for n, d in SIZES:
        x = features(n, d)
        ratio, spread = paired(lambda x=x: seconds(lambda: upper_pairs(x)), lambda x=x: _product(x), ROUNDS)  # type: ignore[misc]
        yield Result(f"all pairs of {n:,} x {d:,} / bare float64 product", ratio, 1.5, detail=spread)
    yield from _population()
    yield from _nulls()


def features(n: int, d: int) -> torch.Tensor:
    """Float32 features as a layer gives them, from a seed alone."""
    return torch.randn(n, d, generator=generator(0, "benchmark features", str(n), str(d)))


def _product(x: torch.Tensor) -> float:
    """Seconds of all inner products in float64, nothing else."""

    def work() -> None:
        double = x.double()
        double @ double.T

    return seconds(work)


def _population() -> Iterator[Result]:
    """In a process of its own: how much memory a process took at most cannot be reset."""
    shown = subprocess.run([sys.executable, "-m", "benchmarks.geometry"], capture_output=True, text=True, check=True)
    whole, product, longest, peak = (float(number) for number in shown.stdout.split())
    n, d = POPULATION
    yield Result(f"population of {n:,} x {d:,}: seconds", whole, unit=" s")
    yield Result("the same / bare float64 product in blocks", whole / product)
    yield Result("longest time between two breaths of it", longest * 1000, unit=" ms")
    yield Result("peak memory of the process", peak, 4.0, unit=" GB")


def _measure_population() -> None:
    """Print seconds of the population, of its products alone, its longest breath, and the peak memory in GB."""
    torch.set_num_threads(1)
    n, d = POPULATION
    x = features(n, d)
    labels = torch.arange(n) % CLASSES
    drain(population(x[:500], labels[:500]))
    began = last = perf_counter()
    longest = 0.0
    for _ in population(x, labels):
        longest, last = max(longest, perf_counter() - last), perf_counter()
    whole = perf_counter() - began
    peak = _peak()
    began = perf_counter()
    double = x.double()
    for start in range(0, n, 500):
        double[start : start + 500] @ double[start:].T
    product = perf_counter() - began
    print(whole, product, longest, peak)


def _peak() -> float:
    """Most memory that this process has held, in GB; of systems that do not tell, what it holds now."""
    memory = psutil.Process().memory_info()
    if sys.platform == "win32":
        return float(memory.peak_wset) / 1e9
    import resource

    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9


def _nulls() -> Iterator[Result]:
    widths = [WIDTH] * DEPTH
    start = np.array([math.atanh(0.3)])
    yield Result(
        f"exact chain, {DEPTH} layers of {WIDTH}", seconds(lambda: gaussian_chain(start, widths)), 1.0, unit=" s"
    )
    again = seconds(lambda: gaussian_chain(start, widths))
    yield Result("the same asked for again", again * 1000, 1.0, unit=" ms")
    eta = np.linspace(-3, 3, 1000)
    yield Result(
        f"ReLU recursion, {DEPTH} layers, 1,000 pairs", seconds(lambda: relu.recursion(eta, DEPTH)), 1.0, unit=" s"
    )


if __name__ == "__main__":
    _measure_population()
