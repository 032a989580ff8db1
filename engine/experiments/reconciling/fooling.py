"""What is fed to the locks: fooling noise, the pure noise that it began as, and clean test images, class by class."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks import start
from engine.data import Dataset
from engine.events import Event, Progress
from engine.experiments.bench import test_order
from engine.models import Network
from engine.seeds import derive
from engine.specs import NoiseAttackSpec, ReconcileSpec


@dataclass(frozen=True, eq=False)
class Fooling:
    """Noise ``[N, ...]`` before and after it was driven to its class ``target`` ``[N]``."""

    before: Tensor
    x: Tensor
    target: Tensor
    confident: Tensor
    """bool ``[N]``: whether the network gives the target the confidence asked for."""


def fooling_noise(
    model: Network, dataset: Dataset, spec: ReconcileSpec, classes: Tensor, seed: int
) -> Generator[Event | None, None, Fooling]:
    """``spec.trials`` pieces of noise for each of the classes, each changed by at most ``spec.eps`` in L2.

    Noise is uniform within the bounds of the data, or standard normal where there are none.
    """
    target = classes.repeat_interleave(spec.trials)
    attack = NoiseAttackSpec(norm="L2", eps=spec.eps, confidence=spec.confidence, steps=spec.steps, samples=len(target))
    attacking = start(
        model,
        dataset.x_train[:1].expand(len(target), *dataset.input_shape),
        (target + 1) % dataset.n_classes,  # any but the target: noise has no class
        attack,
        seed=derive(seed, "fooling noise"),
        bounds=dataset.bounds,
        target=target,
    )
    for event in attacking.events():
        yield Progress(int(1000 * event.fraction), 1000, f"making fooling noise, step {event.step}")
    result = attacking.result()
    return Fooling(attacking.x, result.x_adv, target, result.success)


def clean_images(dataset: Dataset, trials: int, seed: int) -> tuple[Tensor, Tensor]:
    """Up to so many test samples of each class ``[N, ...]``, right or wrong in the eyes of the network, and their classes."""
    order = test_order(dataset, seed)
    labels = dataset.y_test[order]
    chosen = torch.cat([order[labels == k][:trials] for k in range(dataset.n_classes)])
    return dataset.x_test[chosen], dataset.y_test[chosen]
