"""Adversarial takeover: at which layer, and at which step, x_adv stops resembling its own class and resembles the target's.

Along the attack's steps and across the layers: the centred correlation of x_adv with training members of the target class
and of the true class, beside what it must exceed: a random perturbation of the same length, the same network before training,
a network trained from another seed; and beside what it cannot exceed, the members of the class among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.attacks import Iterate
from engine.data import Dataset, balanced_order
from engine.events import Event, Frame, Progress
from engine.experiments.attack import begin, driven_to
from engine.experiments.attack_results import budget_of
from engine.experiments.bench import EXAMPLES, Attacked, Bench, Making
from engine.experiments.control import moving_at_random
from engine.experiments.lens import Lens, Work, look
from engine.experiments.other_seed import other_seed
from engine.experiments.pictures import taps_info
from engine.experiments.probe import probe_for
from engine.experiments.takeover_rows import Rows, means_of, records, rows_of
from engine.experiments.train import trained
from engine.experiments.trainings import plain
from engine.generators import stoppable
from engine.geometry.bootstrap import Interval
from engine.models import Network, build
from engine.seeds import derive, generator
from engine.training import evaluate, fit

MOMENTS = 12  # of the attack at which every layer is measured
MEMORISED = 0.995  # accuracy on random labels from which on they count as learnt by heart
MOST_EPOCHS = 400  # that this may take

CONTROLS = {
    "adversarial": "x_adv",
    "clean": "x before the attack",
    "random": "random perturbation of the same norm",
    "initial": "x_adv in the same network at initialisation",
    "other": "x_adv in a network trained from another seed",
    "members": "members of the target class among themselves (ceiling)",
}
"""What is compared with training members of the target class, in the order of the frame's rows."""
FALSIFIER = {
    "adversarial": "x_adv",
    "random": "random perturbation of the same norm",
    "members": "members of the random class among themselves (its ceiling)",
}


@dataclass(frozen=True, eq=False)
class Seen:
    """A moment of the attack: mean C of x_adv with the target and with the true class, ``[T]``."""

    step: int
    fraction: float
    target: Interval
    true: Interval


def takeover(bench: Bench) -> Making:
    """Attack again, measuring as it goes; then the controls. Trains the network, and one from another seed, where needed."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    model = yield from trained(bench)
    probe = yield from probe_for(bench)
    lens = yield from look(model, *probe.reference)
    moments: list[Seen] = []

    def measure(step: int, fraction: float, now: Attacked) -> Making:
        target = yield from own_correlations(lens, now.x_adv, now.target)
        true = yield from own_correlations(lens, now.x_adv, now.y)
        true = true.masked_fill(now.target[:, None] < 0, torch.nan)  # both curves are of the inputs driven somewhere
        moments.append(Seen(step, fraction, means_of(target, spec), means_of(true, spec)))
        yield _frame(bench, model, moments, None, now)

    attacked = yield from _attack(bench, dataset, model, measure)
    other = yield from other_seed(bench)
    initial = yield from bench.initial()
    controls: dict[str, Tensor] = {}
    moved = yield from probe.moved_at_random(attacked)
    for name, network, x in (
        ("adversarial", model, attacked.x_adv),
        ("clean", model, attacked.x),
        ("random", model, moved),
        ("initial", initial, attacked.x_adv),
        ("other", other, attacked.x_adv),
    ):
        through = lens if network is model else (yield from look(network, *probe.reference))
        controls[name] = yield from own_correlations(through, x, attacked.target)
        yield Progress(len(controls), len(CONTROLS), "measuring controls")
    members = yield from own_correlations(lens, probe.x, probe.y)
    controls["members"] = members.masked_fill(~torch.isin(probe.y, attacked.target)[:, None], torch.nan)
    everyone, successes = rows_of(controls, spec), rows_of(controls, spec, attacked.success)
    distances = yield from stoppable(_distances(attacked, dataset), None)
    yield _frame(bench, model, moments, (everyone, successes), attacked, distances)
    yield from records(model, everyone, successes, "takeover", list(CONTROLS))
    yield Progress(1, 1, "takeover measured")


def falsifier(bench: Bench) -> Making:
    """The story's falsifier: a network that has learnt random labels by heart is attacked as well, and its features measured.

    Its classes mean nothing, so nothing of the input's class can be taken over. If attacks succeed here without the
    features of a class coming near, success does not need entanglement.
    """
    spec = bench.spec
    dataset = yield from bench.dataset()
    count = min(spec.controls.memorised, len(dataset.y_train))
    shuffled = torch.randint(dataset.n_classes, (count,), generator=generator(spec.seed, "random labels"))
    learnt = balanced_order(dataset.y_train, spec.seed, "memorised")[:count]
    data = replace(dataset, x_train=dataset.x_train[learnt], y_train=shuffled)
    model = build(spec.model, data, derive(spec.seed, "falsifier"))
    accuracy = yield from _memorise(bench, model, data)
    _, x, _ = yield from bench.to_attack()
    with torch.no_grad():  # what the network sees is what a sample counts as: its own class means nothing here
        y = torch.cat([model(part).argmax(1) for part in torch.split(x, 256)])
    attacked = yield from _attack(bench, data, model, labels=y)
    chosen = torch.arange(min(spec.probe.reference, count - min(spec.probe.samples, count // 4)))
    lens = yield from look(model, data.x_train[chosen], data.y_train[chosen])
    draw = generator(spec.seed, "random perturbation")
    moved = yield from moving_at_random(attacked.x, attacked.x_adv, spec.attack.norm, dataset.bounds, draw)
    values: dict[str, Tensor] = {}
    for name, inputs in (("adversarial", attacked.x_adv), ("random", moved)):
        values[name] = yield from own_correlations(lens, inputs, attacked.target)
    # what of these samples the reference does not hold: what a class that means nothing has in common
    rest = slice(len(chosen), len(chosen) + spec.probe.samples)
    values["members"] = yield from own_correlations(lens, data.x_train[rest], data.y_train[rest])
    everyone, successes = rows_of(values, spec), rows_of(values, spec, attacked.success)
    info = {
        **_described(bench, model, attacked),
        "names": list(FALSIFIER),
        "labels": list(FALSIFIER.values()),
        "memorised": accuracy,
        "samples_memorised": count,
    }
    yield Frame("falsifier", "measure", 0, {**everyone.arrays("all"), **successes.arrays("success")}, info)
    yield from records(model, everyone, successes, "falsifier", list(FALSIFIER))
    yield Progress(1, 1, "falsifier measured")


# --- pieces ------------------------------------------------------------------------------------------------------


def own_correlations(lens: Lens, x: Tensor, labels: Tensor) -> Work[Tensor]:
    """Each input's centred C with the training members of a class, ``[n, T]``; NaN where there is no such class."""
    features = yield from lens.features(x)
    values, _ = yield from lens.toward(features, labels)
    return values[:, 0, 0]


def _attack(
    bench: Bench,
    dataset: Dataset,
    model: Network,
    measure: Callable[[int, float, Attacked], Making] | None = None,
    labels: Tensor | None = None,
) -> Generator[Event | None, None, Attacked]:
    """The attacked samples in the end; at some moments on the way, and then, ``measure`` is called.

    ``labels`` take the place of the samples' own, where these mean nothing to the network.
    """
    spec = bench.spec
    index, _, y = yield from bench.to_attack()
    y = y if labels is None else labels
    examples = (dataset.x_train[:EXAMPLES], dataset.y_train[:EXAMPLES]) if labels is not None else None
    attacking, target = yield from begin(bench, dataset, model, y, examples)
    moment, step = -1, 0
    for event in attacking.events():
        step = event.step
        if measure is not None and isinstance(event, Iterate) and int(event.fraction * MOMENTS) > moment:
            moment = int(event.fraction * MOMENTS)
            driven = driven_to(target, event.prediction, y)
            now = Attacked(index, attacking.x, y, event.x_adv.clone(), driven, event.success.clone())
            yield from measure(event.step, event.fraction, now)
        else:
            yield Progress(int(1000 * event.fraction), 1000, f"takeover: {spec.attack.title}, step {event.step}")
    result = attacking.result()
    driven = driven_to(target, result.prediction, y)
    won = result.success & ~result.already  # what the network took for the target before is no success of the attack
    attacked = Attacked(index, attacking.x, y, result.x_adv, driven, won)
    if measure is not None:
        yield from measure(step, 1.0, attacked)
    return attacked


def _memorise(bench: Bench, model: Network, data: Dataset) -> Generator[Event | None, None, float]:
    """Train until the random labels are learnt by heart; returns the accuracy on them.

    Without what hinders that: whatever the method of the training, here it is cross-entropy on the samples as they are.
    """
    training = plain(bench.spec.training).model_copy(
        update={"epochs": MOST_EPOCHS, "weight_decay": 0.0, "label_noise": 0.0}
    )
    accuracy = 0.0
    for step in fit(model, data, training, derive(bench.spec.seed, "falsifier")):
        if step is None:
            yield None
            continue
        said = Progress(
            round(1000 * accuracy), 1000, f"learning random labels by heart: {accuracy:.0%}, epoch {step.epoch}"
        )
        yield said
        if step.step % (step.steps // MOST_EPOCHS) == 0:
            accuracy = (yield from stoppable(evaluate(model, data.x_train, data.y_train), said)).accuracy
            if accuracy >= MEMORISED:
                break
    return accuracy


def _frame(
    bench: Bench,
    model: Network,
    moments: Sequence[Seen],
    controls: tuple[Rows, Rows] | None,
    attacked: Attacked,
    distances: dict[str, float | None] | None = None,
) -> Frame:
    """``step`` and ``fraction`` [S], ``target_*`` and ``true_*`` [S, T] along the attack; in the end, of each control and
    for all inputs and for successes alone, ``all_*`` and ``success_*`` [K, T], with x_adv less each on the same inputs."""
    arrays = {"step": np.array([m.step for m in moments]), "fraction": np.array([m.fraction for m in moments])}
    for name in ("target", "true"):
        for end in ("mean", "low", "high"):
            arrays[f"{name}_{end}"] = np.stack([getattr(getattr(m, name), end).numpy() for m in moments])
    if controls is not None:
        arrays |= controls[0].arrays("all") | controls[1].arrays("success")
    info = {**_described(bench, model, attacked), "names": list(CONTROLS), "labels": list(CONTROLS.values())}
    info |= {"done": controls is not None, "nearest_member": None, "moved": None, **(distances or {})}
    return Frame("takeover", "measure", 0, arrays, info, keep=controls is not None)


def _described(bench: Bench, model: Network, attacked: Attacked) -> dict[str, Any]:
    attack = bench.spec.attack
    return {
        "taps": taps_info(model),
        "title": attack.title,
        "norm": attack.norm,
        "budget": budget_of(attack),
        "goal": attack.goal,
        "inputs": len(attacked.y),
        "success": float(attacked.success.double().mean()),
        "bootstrap": bench.spec.probe.bootstrap,
        "key": bench.keys["adversarial"],
    }


def _distances(attacked: Attacked, dataset: Dataset) -> Work[dict[str, float | None]]:
    """How far x_adv is from the nearest training sample of its target class, and how far it was moved: medians, L2."""
    nearest = []
    flat = dataset.x_train.flatten(1)
    members: dict[int, Tensor] = {}
    for x, target in zip(attacked.x_adv.flatten(1), attacked.target.tolist(), strict=True):
        if target not in members:
            members[target] = flat[dataset.y_train == target]
        if len(members[target]):
            nearest.append(float((members[target] - x).norm(dim=1).min()))
        yield None
    moved = (attacked.x_adv - attacked.x).flatten(1).norm(dim=1)
    return {"nearest_member": float(np.median(nearest)) if nearest else None, "moved": float(moved.median())}
