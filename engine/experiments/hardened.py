"""The networks that the trainings of the hardening settings make: all from the same initial weights, in the same order of samples."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from engine.events import Artifact, Event, Progress
from engine.experiments.bench import Bench
from engine.experiments.keys import hardened_name
from engine.experiments.train import trained
from engine.experiments.trainings import LABELS, trainings
from engine.models import Network, load_arrays, weights_to_arrays
from engine.specs import TrainingSpecs
from engine.training import Check, fit

Overfitted = Mapping[str, Any] | None
"""The step at which a training overfitted catastrophically and the step restored (None: none); None where it did not, or cannot."""


def hardened(bench: Bench) -> Generator[Event | None, None, dict[str, Network]]:
    """The trained networks by the names of :data:`engine.experiments.trainings.LABELS`, the standard one first.

    Each is trained once and kept as an artifact of its own, so that other choices of the settings use it again; the
    standard one is the experiment's own network where its training is standard.
    """
    wanted = trainings(bench.spec)
    for number, (name, training) in enumerate(wanted.items()):
        if name not in bench.hardened:
            if name == "standard" and training == bench.spec.training:
                bench.hardened[name] = (yield from trained(bench)), None
            else:
                bench.hardened[name] = yield from _made(bench, name, training, number, len(wanted))
    return {name: bench.hardened[name][0] for name in wanted}


def overfitted(bench: Bench, name: str) -> Overfitted:
    """Whether the training of a network that :func:`hardened` gave overfitted catastrophically."""
    return bench.hardened[name][1]


def _made(
    bench: Bench, name: str, training: TrainingSpecs, number: int, count: int
) -> Generator[Event | None, None, tuple[Network, Overfitted]]:
    key = hardened_name(name)
    network = yield from bench.fresh()
    kept = bench.given(key)
    if kept is not None:
        load_arrays(network, kept.arrays)
        return network, kept.info.get("overfitted")
    dataset = yield from bench.dataset()
    told: Overfitted = None
    for step in fit(network, dataset, training, bench.spec.seed):
        if step is None:
            yield None
            continue
        if step.check is not None:
            told = _told(told, step.step, step.check)
        said = f"{LABELS[name]} (network {number + 1} of {count}), epoch {step.epoch} of {training.epochs}"
        yield Progress(number * step.steps + step.step, count * step.steps, said)
    yield Artifact(key, bench.keys[key], weights_to_arrays(network), {"overfitted": told})
    return network, told


def _told(before: Overfitted, step: int, check: Check) -> Overfitted:
    """The first collapse of a training, and what was done about it."""
    if before is not None or not check.collapsed:
        return before
    return {"step": step, "single_step": check.single_step, "pgd": check.pgd, "restored": check.restored}
