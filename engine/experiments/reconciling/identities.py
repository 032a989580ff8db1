"""Identities whose hashes are to be kept apart: drawn, or the features of a trained network, each with a second reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data import Dataset, balanced_order
from engine.data.dataset import require_memory
from engine.experiments.bench import test_order
from engine.experiments.lens import BATCH
from engine.experiments.noise.samples import unit
from engine.geometry.pairs import centred
from engine.models import Network, Tap, observe
from engine.seeds import derive, generator

Array = NDArray[np.float64]
Work = Generator[None, None, "Identities"]

FEATURES = 64  # of drawn identities
CENTRE = 1000  # training samples whose mean feature is the centre
_HALVINGS = 14  # of the noise's range: it is known to one part in 16,000 then
_LOUDEST = 64.0  # noise at most, in units of the inputs' own deviation


@dataclass(frozen=True, eq=False)
class Identities:
    """Unit vectors, float64 ``[k, d]`` each; row i of all three belongs to identity i."""

    train: Array
    """``[m, d]``: others of their kind, which the layers are built on."""
    enrolled: Array
    genuine: Array
    """A second reading of the same identity."""
    impostor: Array
    """A reading of another one."""
    correlation: float
    """Mean C of enrolled and genuine."""
    dead: int = 0
    """Samples without a direction, left out."""


def drawn(kind: str, *, count: int, train: int, correlation: float, seed: int) -> Identities:
    """Identities of ``FEATURES`` zero-mean Gaussian values (``zero-mean``) or uniform ones in [0, 1] (``uniform``).

    The genuine reading is at exactly ``correlation`` to the enrolled one, in a random direction; the impostor's is another
    identity, drawn for this alone.
    """
    rng = np.random.default_rng(derive(seed, "price", kind))
    draw: Callable[[tuple[int, int]], Array] = rng.random if kind == "uniform" else rng.standard_normal
    trained, enrolled, impostor = (unit(draw((k, FEATURES)))[0] for k in (train, count, count))
    aside = rng.standard_normal((count, FEATURES))
    aside -= (aside * enrolled).sum(1, keepdims=True) * enrolled
    genuine = correlation * enrolled + math.sqrt(1 - correlation**2) * unit(aside)[0]
    return Identities(trained, enrolled, unit(genuine)[0], impostor, correlation)


def of_network(
    model: Network, tap: Tap, dataset: Dataset, *, count: int, train: int, correlation: float, seed: int
) -> Work:
    """Test samples as identities, by their features at a layer, centred by the training mean.

    The genuine reading is the same sample with Gaussian noise added to the input, kept within the data's bounds, of one size
    for all: that at which the mean C of the centred features is the one asked for, or as near as noise comes to it. The impostor
    is the next sample, whatever its class.
    """
    members = dataset.x_train[balanced_order(dataset.y_train, seed, "price")[: max(CENTRE, train)]]
    raw = yield from _features(model, tap, members)
    width = raw.shape[1]
    require_memory(
        12 * count * width,
        f"Comparing {count:,} identities of {width:,} features",
        "Compare fewer identities, or hash another layer.",
    )
    alive = (raw != 0).any(1) & raw.isfinite().all(1)
    centre = raw[alive].double().mean(0)
    x = dataset.x_test[test_order(dataset, seed)[:count]]
    noise = torch.randn(x.shape, generator=generator(seed, "price", "noise"))
    spread = float(x.std())

    def read(size: float) -> Generator[None, None, Tensor]:
        moved = x + size * spread * noise
        moved = moved if dataset.bounds is None else moved.clamp(*dataset.bounds)
        return centred((yield from _features(model, tap, moved)), centre)

    enrolled, seen = unit((centred((yield from _features(model, tap, x)), centre)).numpy())
    low, high = 0.0, _LOUDEST
    for _ in range(_HALVINGS):
        size = (low + high) / 2
        genuine, there = unit((yield from read(size)).numpy())
        both = seen & there
        c = float((enrolled[both] * genuine[both]).sum(1).mean()) if both.any() else math.nan
        low, high = (size, high) if c > correlation else (low, size)
    other = np.roll(np.arange(len(x)), -1)
    kept = both & seen[other]
    trained, living = unit(centred(raw[:train], centre).numpy())
    return Identities(
        train=trained[living],
        enrolled=enrolled[kept],
        genuine=genuine[kept],
        impostor=enrolled[other][kept],
        correlation=c,
        dead=int((~kept).sum()),
    )


def _features(model: Network, tap: Tap, x: Tensor) -> Generator[None, None, Tensor]:
    parts = []
    for part in torch.split(x, BATCH):
        parts.append(observe(model, part, [tap])[tap.name])
        yield None
    return torch.cat(parts)
