"""What tells a MaxLikelihood network's zero loss from learning: random labels, three targets, a predictor that sees nothing."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from engine.events import Event, Progress
from engine.experiments.noise.layers import layers_of, read, stream
from engine.generators import stoppable
from engine.reconcile.max_likelihood import Flow
from engine.specs import MaxLikelihoodSpec

Array = NDArray[np.float64]
Making = Generator[Event | None, None, "Array"]

SIZES = (16, 32, 64, 128, 256)  # samples with random labels
TARGETS = 3


def label_sizes(available: int) -> tuple[int, ...]:
    """How many samples are given random labels, smallest first: :data:`SIZES` as far as there are samples, three sizes at least."""
    fitting = [size for size in SIZES if size <= available]
    if len(fitting) < 3:
        fitting = [available // 4, available // 2, available]
    return tuple(sorted({size for size in fitting if size >= 2}))


def constant_loss(axis: Array) -> float:
    """Loss of the predictor that answers with the shared point whatever it is shown, by the same formula as the network's."""
    answer = Flow(axis, np.ones(1), np.zeros((1, len(axis))))
    return float(answer.loss[0])


def random_labels(pool: Array, unseen: Array, spec: MaxLikelihoodSpec, seed: int, size: int) -> Making:
    """Accuracy ``[train, unseen]`` of the first ``size`` unit samples of ``pool`` with random signs, after all layers."""
    rng = np.random.default_rng(stream(seed, "labels", str(size)).integers(2**63))
    y = rng.choice([-1.0, 1.0], size)
    fresh = rng.choice([-1.0, 1.0], len(unseen))
    said = Progress(0, spec.depth, f"random labels for {size} samples")
    try:
        layers = yield from layers_of(pool[:size], y, unseen, spec)
    except ValueError:
        return np.full(2, np.nan)
    for layer in range(spec.depth):
        yield from stoppable(layers.advance(stream(seed, "labels", str(size), str(layer))), None)
        yield Progress(layer + 1, spec.depth, said.text)
    (seen,), (others,) = (yield from read(layers.train, "along")), (yield from read(layers.others, "along"))
    return np.array([(seen * y > 0).mean(), (others * fresh > 0).mean()])


def three_targets(train: Array, spec: MaxLikelihoodSpec, seed: int) -> Making:
    """Train accuracy ``[1]`` when the outputs are to tell three targets apart, 120 degrees from each other in one plane.

    The first target is the shared point; a sample of the two others is asked for the opposite sign, which is all that a row's
    sign can be asked for; the two cannot be told apart then, so that at most two of three samples are right. NaN where there are
    fewer samples than targets.
    """
    if len(train) < TARGETS:
        return np.full(1, np.nan)
    rng = np.random.default_rng(stream(seed, "targets").integers(2**63))
    wanted = rng.permutation(len(train)) % TARGETS
    y = np.where(wanted == 0, 1.0, -1.0)
    try:
        layers = yield from layers_of(train, y, train[:0], spec)
    except ValueError:
        return np.full(1, np.nan)
    for layer in range(spec.depth):
        yield from stoppable(layers.advance(stream(seed, "targets", str(layer))), None)
        yield Progress(layer + 1, spec.depth, "three targets")
    # on which side of the axis the two others lie is arbitrary: over both sides, one half of their samples is right
    (phi,) = yield from read(layers.train, "phi")
    first = phi < np.pi / 3
    return np.array([np.where(wanted == 0, first, 0.5 * ~first).mean()])
