"""What it costs to look at the features while a network learns.

The shares are of processor time, since all of it is spent in one thread: what other programs do then counts for little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import thread_time

import torch
from torch import Tensor

from benchmarks.measure import Result, in_turns, middle, mnist_like, paired, seconds
from benchmarks.watching import PORTION, Watched
from engine.experiments.bench import Bench
from engine.experiments.measured import Moment
from engine.experiments.probe import LIVE_BOOTSTRAP, probe_for
from engine.generators import drain
from engine.models import observe
from engine.specs import ExperimentSpec

ROUNDS = 3
STEPS = 1500
NEVER = 1_000_000  # steps between probes


def run() -> Iterator[Result]:
    """Yield the figures."""
    torch.set_num_threads(1)
    spec = mnist_like()
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 100})})
    rare = spec.model_copy(update={"probe": spec.probe.model_copy(update={"every": NEVER})})
    ratios, shares, firsts, probes = [], [], [], 0
    for _ in range(ROUNDS):
        live, unprobed = Watched(spec, clock=thread_time), Watched(rare, clock=thread_time)
        ratios.append(in_turns(live.portions(), unprobed.portions(), STEPS // PORTION))
        shares.append(live.probing / live.training)
        firsts.append(live.first_probe * 1000)
        probes += live.probes
    share, spread = middle(shares, "trainings")
    yield Result(
        "live probing / training time", share, 0.03, detail=f"{spread}; {probes} probes in {ROUNDS * STEPS} steps"
    )
    ratio, spread = middle(ratios, "pairs in turns")
    yield Result("training with live probing / without", ratio, 1.03, detail=spread)
    first, spread = middle(firsts, "trainings")
    yield Result("first probe, before training begins", first, unit=" ms", detail=spread)
    yield from _one_probe(spec)


def _one_probe(spec: ExperimentSpec) -> Iterator[Result]:
    bench = Bench(spec, {})
    model, probe = drain(bench.fresh()), drain(probe_for(bench))
    live = _probe_of(lambda: drain(probe.training_frames(model, Moment("train", 0, keep=False))))
    ratio, spread = paired(live, _probe_of(_products(bench)), 25)
    yield Result("one probe / its forward passes and float64 products", ratio, detail=spread)
    times = sorted(live() for _ in range(15))
    yield Result("one probe, and the last one at the end of training", times[7] * 1000, unit=" ms")


def _probe_of(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(work)


def _products(bench: Bench) -> Callable[[], None]:
    """The arithmetic that no probe can do without: features, all inner products, and the resampled means."""
    spec = bench.spec
    model, dataset = drain(bench.fresh()), drain(bench.dataset())
    samples, reference = dataset.x_test[: spec.probe.samples], dataset.x_train[: spec.probe.reference]
    pairs = spec.probe.samples * (spec.probe.samples - 1) // 2
    weights = torch.ones(pairs, LIVE_BOOTSTRAP, dtype=torch.float64)
    views, quantities = 2, 6
    means = torch.ones(quantities * views * len(model.taps), pairs, dtype=torch.float64)

    def grams(features: Tensor) -> None:
        for _ in range(views):
            features @ features.T

    def work() -> None:
        observe(model, reference)
        for features in observe(model, samples).values():
            grams(features.double())
        means @ weights

    return work
