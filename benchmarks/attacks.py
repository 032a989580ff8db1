"""What an attack of the lab costs beside a loop written by hand, and what it costs to watch it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import Result, in_turns, middle, mnist_like, paired, seconds
from benchmarks.networks import SEED, networks, taught
from engine.attacks import choose_targets, start
from engine.attacks import run as run_attack
from engine.attacks.core.precision import computes_bfloat16
from engine.attacks.core.sizing import batch_size
from engine.events import Artifact, Frame
from engine.experiments import artifact_keys, open_experiment
from engine.experiments.bench import Bench
from engine.experiments.probe import Probe
from engine.generators import drain
from engine.models import weights_to_arrays
from engine.specs import ExperimentSpec, PgdSpec

SAMPLES = {"MLP": 512, "CNN": 256}
ROUNDS = {"MLP": 15, "CNN": 5, "watched": 15, "geometry": 3}
RADII = (0.02, 0.05, 0.1, 0.3)
FEW = 0.4  # share of the samples that survive, below which the active set must pay


@dataclass(frozen=True)
class Question:
    """What both sides attack."""

    name: str
    model: nn.Module
    x: Tensor
    y: Tensor

    def ours(self, spec: PgdSpec) -> tuple[Callable[[], float], list[Tensor]]:
        """The lab's attack to be timed, and where it leaves who was broken."""
        broken: list[Tensor] = []

        def work() -> None:
            result = run_attack(start(self.model, self.x, self.y, spec, seed=SEED, bounds=(0.0, 1.0)))
            broken[:] = [result.success]

        return lambda: seconds(work), broken

    def by_hand(self, spec: PgdSpec) -> tuple[Callable[[], float], list[Tensor]]:
        """What a paper's code does: a random start, the steps, and at the end a look at who was fooled."""
        draw = torch.Generator().manual_seed(SEED)
        size = batch_size(self.model, self.x)
        broken: list[Tensor] = []

        def attack(x: Tensor, y: Tensor) -> Tensor:
            lower, upper = (x - spec.eps).clamp(0, 1), (x + spec.eps).clamp(0, 1)
            x_adv = torch.clamp(x + spec.eps * (2 * torch.rand(x.shape, generator=draw) - 1), lower, upper)
            for _ in range(spec.steps):
                x_adv.requires_grad_()
                (gradient,) = torch.autograd.grad(cross_entropy(self.model(x_adv), y), x_adv)
                x_adv = torch.clamp(x_adv.detach() + spec.alpha * gradient.sign(), lower, upper)
            return x_adv

        def work() -> None:
            found = [attack(x, y) for x, y in zip(self.x.split(size), self.y.split(size), strict=True)]
            with torch.no_grad():
                broken[:] = [torch.cat([self.model(x).argmax(1) for x in found]) != self.y]

        return lambda: seconds(work), broken


def run() -> Iterator[Result]:
    """Yield the figures."""
    for name, spec in networks():
        model, dataset = taught(spec)
        question = Question(name, model, dataset.x_test[: SAMPLES[name]], dataset.y_test[: SAMPLES[name]])
        yield from _pgd(question)
    yield from _watching()


def _pgd(question: Question) -> Iterator[Result]:
    name, rounds = question.name, ROUNDS[question.name]
    plain = PgdSpec(goal="untargeted", eps=0.1, alpha=0.01, steps=40, stop=False)
    hand, _ = question.by_hand(plain)
    ratio, spread = paired(question.ours(plain)[0], hand, rounds)
    yield Result(f"{name}: PGD-40 without savings / loop by hand", ratio, 1.05, detail=spread)
    low = computes_bfloat16(question.model, question.x)
    for eps in RADII:
        resting = plain.model_copy(update={"eps": eps, "stop": True})
        hand, by_hand = question.by_hand(resting)
        ours, broken = question.ours(resting)
        ratio, spread = paired(ours, hand, rounds)
        lost = int((by_hand[0] & ~broken[0]).sum())
        survive = float((~broken[0]).double().mean())
        detail = f"{survive:.0%} survive, {1 - float(by_hand[0].double().mean()):.0%} the loop by hand, {lost} lost; {spread}"
        target = 0.5 if survive < FEW else 1.05
        yield Result(f"{name}: eps {eps:g}, active set / loop by hand", ratio, target, detail=detail)
        if not low:
            continue
        ours, broken = question.ours(resting.model_copy(update={"precision": "bfloat16"}))
        ratio, spread = paired(ours, hand, rounds)
        detail = f"{float((~broken[0]).double().mean()):.0%} survive; {spread}"
        target = 0.35 if survive < FEW else None
        yield Result(f"{name}: eps {eps:g}, the same in bfloat16 / loop by hand", ratio, target, detail=detail)


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
    yield Result("attack watched live: every iterate and its numbers / blind", ratio, 1.03, detail=spread)
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
