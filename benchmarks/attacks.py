"""What an attack of the lab costs beside a loop written by hand, and what it costs to watch it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import Result, in_turns, middle, mnist_like, paired, seconds
from benchmarks.networks import SEED, images, network, networks
from engine.attacks import choose_targets, start
from engine.attacks import run as run_attack
from engine.attacks.problem import BATCH
from engine.events import Artifact, Frame
from engine.experiments import artifact_keys, open_experiment
from engine.experiments.bench import Bench
from engine.experiments.probe import Probe
from engine.generators import drain
from engine.models import weights_to_arrays
from engine.specs import ExperimentSpec, PgdSpec

SAMPLES = {"MLP": 256, "CNN": 128}
ROUNDS = {"MLP": 31, "CNN": 9, "watched": 15, "geometry": 3}
PGD = PgdSpec(goal="next", eps=0.1, alpha=0.01, steps=40)


def run() -> Iterator[Result]:
    """Yield the figures."""
    dataset = images()
    for name, spec in networks():
        model = network(spec, dataset)
        x, y = dataset.x_test[: SAMPLES[name]], dataset.y_test[: SAMPLES[name]]
        ratio, spread = paired(_ours(model, x, y), _by_hand(model, x, y), ROUNDS[name])
        yield Result(f"{name}: PGD-40 / loop by hand", ratio, 1.05, detail=spread)
    yield from _watching()


def _ours(model: nn.Module, x: Tensor, y: Tensor) -> Callable[[], float]:
    target = (y + 1) % 10

    def work() -> None:
        run_attack(start(model, x, y, PGD, seed=SEED, bounds=(0.0, 1.0), target=target))

    return lambda: seconds(work)


def _by_hand(model: nn.Module, x: Tensor, y: Tensor) -> Callable[[], float]:
    """What a paper's code does: a random start, the steps, and at the end a look at who was fooled."""
    target = (y + 1) % 10
    draw = torch.Generator().manual_seed(SEED)

    def attack(x: Tensor, target: Tensor) -> Tensor:
        lower, upper = (x - PGD.eps).clamp(0, 1), (x + PGD.eps).clamp(0, 1)
        x_adv = torch.clamp(x + PGD.eps * (2 * torch.rand(x.shape, generator=draw) - 1), lower, upper)
        for _ in range(PGD.steps):
            x_adv.requires_grad_()
            (gradient,) = torch.autograd.grad(cross_entropy(model(x_adv), target), x_adv)
            x_adv = torch.clamp(x_adv.detach() - PGD.alpha * gradient.sign(), lower, upper)
        return x_adv

    def work() -> None:
        found = [attack(*part) for part in zip(x.split(BATCH), target.split(BATCH), strict=True)]
        with torch.no_grad():
            torch.cat([model(part).argmax(1) for part in found]).eq(target).double().mean().item()

    return lambda: seconds(work)


def _watching() -> Iterator[Result]:
    """The attack experiment, every iterate of it shown and recorded, in turns with the same attack with nobody looking."""
    spec = mnist_like()
    bench = Bench(spec, {})
    dataset, model, (_, x, y) = drain(bench.dataset()), drain(bench.fresh()), drain(bench.to_attack())
    target = choose_targets(model, x, y, spec.attack.goal, dataset.n_classes, spec.seed)
    weights = Artifact("weights", artifact_keys(spec)["weights"], weights_to_arrays(model))

    def blind() -> Iterator[float]:
        attack = start(model, x, y, spec.attack, seed=spec.seed, bounds=dataset.bounds, target=target)
        next(attack)  # the watched attack's first portion, too, holds only what comes after its first iterate
        while True:
            began = perf_counter()
            if next(attack, None) is None:
                return
            yield perf_counter() - began

    def against_blind() -> float:
        return in_turns(_iterates(spec, weights), blind(), spec.attack.steps)

    with mock.patch.object(Probe, "attack_frames", return_value=()):
        ratio, spread = middle([against_blind() for _ in range(ROUNDS["watched"])], "pairs in turns")
    yield Result("attack watched live: every iterate and its numbers / blind", ratio, 1.05, detail=spread)
    ratio, spread = middle([against_blind() for _ in range(ROUNDS["geometry"])], "pairs in turns")
    yield Result("the same, with the geometry at some ten of its steps / blind", ratio, detail=spread)


def _iterates(spec: ExperimentSpec, weights: Artifact) -> Iterator[float]:
    """The attack experiment: seconds from each iterate to the next."""
    began: float | None = None
    for event in open_experiment("attack", spec, {"weights": weights}):
        if isinstance(event, Frame) and event.topic == "gallery":
            if began is not None:
                yield perf_counter() - began
            began = perf_counter()
