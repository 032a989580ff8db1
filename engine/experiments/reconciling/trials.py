"""Inputs of every kind fed to the locks of one layer, as they are and with noise added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data import Dataset
from engine.experiments.control import moving_at_random
from engine.experiments.lens import Work
from engine.experiments.rates import wilson
from engine.experiments.reconciling.fooling import Fooling
from engine.experiments.reconciling.locks import Fed, Locks, fed, predicted
from engine.models import Network, Tap
from engine.reconcile.code import Code
from engine.seeds import generator

Array = NDArray[np.float64]

NORMS = 11  # of added noise, from none to twice the spread of the data
SPREAD_OF = 5000  # training samples
ROBUST = 200  # inputs of each kind to which noise is added


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of each of the four kinds, and the class whose lock each is fed to."""

    x: list[Tensor]
    lock: list[Tensor]
    confident: Tensor
    """bool: whether the fooling noise has the confidence asked for."""

    @classmethod
    def of(cls, fooling: Fooling, clean: Tensor, labels: Tensor, classes: Tensor) -> Inputs:
        """Fooling noise, what it began as, clean test images, and the fooling noise at the lock of the next class."""
        known = torch.isin(labels, classes)
        place = torch.searchsorted(classes, fooling.target)
        following = classes[(place + 1) % len(classes)]
        return cls(
            [fooling.x, fooling.before, clean[known], fooling.x],
            [fooling.target, fooling.target, labels[known], following],
            fooling.confident,
        )


def at_lock(model: Network, tap: Tap, locks: Locks, inputs: Inputs) -> Work[list[Fed]]:
    """What each kind did to its locks; the fooling noise passes through the network once for both of its own."""
    (fooling, wrong) = yield from fed(model, tap, locks, inputs.x[0], [inputs.lock[0], inputs.lock[3]])
    (raw,) = yield from fed(model, tap, locks, inputs.x[1], [inputs.lock[1]])
    (clean,) = yield from fed(model, tap, locks, inputs.x[2], [inputs.lock[2]])
    return [fooling, raw, clean, wrong]


def share_opened(model: Network, tap: Tap, locks: Locks, x: Tensor, lock: Tensor) -> Work[float]:
    """Share of inputs that open their lock."""
    (found,) = yield from fed(model, tap, locks, x, [lock])
    return float(found.opened.mean())


@dataclass(frozen=True, eq=False)
class Robust:
    """Shares recovered ``[3, B]`` of fooling noise, raw noise and clean images with noise of B lengths added."""

    norm: Array
    share: Array
    low: Array
    high: Array
    predicted: Array


def robustness(
    model: Network,
    tap: Tap,
    locks: Locks,
    inputs: Inputs,
    dataset: Dataset,
    code: Code,
    repetition: int,
    seed: int,
) -> Work[Robust]:
    """Add noise in a Gaussian direction, the same at every length, within the data's bounds as far as they leave room."""
    norms = np.linspace(0, 2, NORMS) * spread(dataset)
    shares = np.full((4, 3, NORMS), np.nan)
    for kind in range(3):
        step = max(1, -(-len(inputs.x[kind]) // ROBUST))
        x, lock = inputs.x[kind][::step], inputs.lock[kind][::step]
        if not len(x):
            continue
        for number, norm in enumerate(norms):
            moved = x
            if norm > 0:
                far = x.flatten(1).clone()
                far[:, 0] += float(norm)  # any point so far away says how long the noise is to be
                draw = generator(seed, "noise on reconciliation", str(kind))
                moved = yield from moving_at_random(x, far.reshape(x.shape), "L2", dataset.bounds, draw)
            (found,) = yield from fed(model, tap, locks, moved, [lock])
            low, high = wilson(found.opened.sum(), len(x))
            law = float(np.nan_to_num(predicted(found, code, repetition)).mean())
            shares[:, kind, number] = found.opened.mean(), low, high, law
    return Robust(norms, *shares)


def spread(dataset: Dataset) -> float:
    """Root mean square distance of training samples from their mean, L2."""
    some = dataset.x_train[:SPREAD_OF].flatten(1).double()
    return float((some - some.mean(0)).square().sum(1).mean().sqrt())
