"""Attack the trained network and watch the adversarial features leave their class, step by step."""

from __future__ import annotations

from collections.abc import Generator

import torch

from engine.attacks import Attack, Iterate, choosing_targets, start
from engine.data import Dataset
from engine.errors import AttackError
from engine.events import Progress
from engine.experiments.bench import Attacked, Bench, Making, test_order
from engine.experiments.control import moving_at_random
from engine.experiments.outcome import outcome_rows
from engine.experiments.probe import probe_for
from engine.experiments.train import trained
from engine.experiments.watching import Watch
from engine.generators import stoppable
from engine.models import Network
from engine.seeds import generator
from engine.specs import ExperimentSpec, FeatureSpec

WATCHED_MOMENTS = 10  # moments of an attack at which the geometry is measured
WATCHED_WIDE = 6  # the same for a network whose features are dear to compare
WIDE = 8192  # features at all taps together


def attack(bench: Bench) -> Making:
    """Attack test samples: every iterate is shown, the geometry is measured at some ten of them."""
    spec = bench.spec
    dataset = yield from bench.dataset()
    check_inputs(spec, dataset)  # said before anything is trained
    model = yield from trained(bench)
    probe = yield from probe_for(bench)
    index, _, y = yield from bench.to_attack()
    attacking, target = yield from begin(bench, dataset, model, y)
    width = yield from probe.attack_width(model)
    moments = WATCHED_MOMENTS if width <= WIDE else WATCHED_WIDE
    watch: Watch | None = None
    measured = -1
    for event in attacking.events():
        watch = watch or Watch(spec.attack, attacking, index, y, target, dataset.classes)
        if isinstance(event, Iterate) and watch.due(event):
            yield from watch.frames(event)
            moment = int(event.fraction * moments)
            if moment > measured:
                measured = moment
                now = Attacked(
                    index, attacking.x, y, event.x_adv, driven_to(target, event.prediction, y), event.success
                )
                yield from probe.attack_frames(model, now, watch.count - 1)
        yield Progress(round(1000 * event.fraction), 1000, f"attack step {event.step} of {event.steps}")
    assert watch is not None
    yield from _end(bench, model, watch, attacking, index, y, target)


def check_inputs(spec: ExperimentSpec, dataset: Dataset) -> None:
    """Raises AttackError where the attack cannot be carried out on data of this kind."""
    if spec.attack.images_only and not dataset.is_image:
        raise AttackError(
            f"{spec.attack.title} works on images alone, and {dataset.name} holds vectors of {dataset.input_shape[0]} "
            "values: choose another attack, or data with images."
        )


def begin(
    bench: Bench,
    dataset: Dataset,
    model: Network,
    y: torch.Tensor,
    examples: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> Generator[None, None, tuple[Attack, torch.Tensor | None]]:
    """The spec's attack on the samples to attack, and its targets [N]; ``y`` [N] is what they count as."""
    spec = bench.spec
    index = test_order(dataset, spec.seed)[: spec.attack.samples]
    x = dataset.x_test[index]
    examples, aim = examples or bench.examples(), spec.attack.aim
    if isinstance(spec.attack, FeatureSpec) and spec.attack.target_sample >= 0:
        examples = _chosen_sample(dataset, spec.attack.target_sample)
        aim = aim if aim == "untargeted" else int(examples[1])
    choosing = choosing_targets(model, x, y, aim, dataset.n_classes, spec.seed)
    target = yield from stoppable(choosing, None)
    attack = start(model, x, y, spec.attack, seed=spec.seed, bounds=dataset.bounds, target=target, examples=examples)
    return attack, target


def _chosen_sample(dataset: Dataset, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One test sample with its label: ``[1, ...]``, ``[1]``."""
    count = len(dataset.y_test)
    if number >= count:
        raise AttackError(
            f"Features are to be driven to test sample {number}, but {dataset.name} has {count} test samples, counted from "
            f"0: choose a number up to {count - 1}, or -1."
        )
    return dataset.x_test[number : number + 1], dataset.y_test[number : number + 1]


def _end(
    bench: Bench,
    model: Network,
    watch: Watch,
    attacking: Attack,
    index: torch.Tensor,
    y: torch.Tensor,
    target: torch.Tensor | None,
) -> Making:
    """The best points found: shown, measured, kept, and each sample's outcome beside its random control."""
    spec = bench.spec
    result = attacking.result()
    attacked = Attacked(index, attacking.x, y, result.x_adv, driven_to(target, result.prediction, y), result.success)
    yield from watch.end(result)
    probe = yield from probe_for(bench)
    yield from probe.attack_frames(model, attacked, watch.count - 1)
    draw = generator(spec.seed, "random perturbation")
    dataset = yield from bench.dataset()
    moving = moving_at_random(attacked.x, attacked.x_adv, spec.attack.norm, dataset.bounds, draw)
    moved = yield from stoppable(moving, None)
    yield from outcome_rows(model, attacking, result, watch, moved)
    yield bench.keep_attack(attacked, result)
    yield Progress(1000, 1000, "attacked")


def driven_to(target: torch.Tensor | None, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The class that each input was driven to; without a target the wrong class seen, -1 where none is."""
    return torch.where(prediction == y, -1, prediction) if target is None else target
