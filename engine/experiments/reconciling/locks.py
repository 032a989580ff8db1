"""One lock for each class at one layer: its reference feature, hashed, hides a message, and inputs are fed to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data import Dataset, balanced_order
from engine.experiments.lens import BATCH, Work
from engine.geometry.pairs import centred, pair_geometry
from engine.models import Network, Tap, observe
from engine.reconcile import channel, commitment
from engine.reconcile.code import Code
from engine.reconcile.commitment import Helper
from engine.reconcile.hashing import Projection
from engine.reconcile.message import SIDE

MEMBERS = 10_000  # training samples, balanced over the classes, whose features give the centre and the references
TOGETHER = 256  # inputs hashed together
BITS_TOGETHER = 2**22  # of hashes that are read together
_NOTHING = 1e-9  # a reference shorter than this part of the centre is what rounding leaves of none


@dataclass(frozen=True, eq=False)
class References:
    """What a layer says of the classes, from training samples; float64."""

    centre: Tensor
    """``[D]``: the mean over those samples whose features are alive."""
    means: Tensor
    """``[K, D]``: of each class; NaN where a class has no such sample."""

    def directions(self, centring: bool = True) -> Tensor:
        """``[K, D]``: each class's reference feature, the mean of its members' centred features; NaN where there is none."""
        found = self.means - self.centre if centring else self.means
        faint = found.norm(dim=1) <= _NOTHING * self.means.norm(dim=1)
        return found.masked_fill(faint[:, None], torch.nan)


def references(model: Network, dataset: Dataset, seed: int, taps: Sequence[Tap]) -> Work[dict[str, References]]:
    """Means over :data:`MEMBERS` training samples at the given taps, without keeping their features."""
    chosen = balanced_order(dataset.y_train, seed, "reconciliation")[:MEMBERS]
    sums: dict[str, Tensor] = {}
    counts = {tap.name: torch.zeros(dataset.n_classes, dtype=torch.float64) for tap in taps}
    for part in torch.split(chosen, BATCH):
        labels = dataset.y_train[part]
        for name, features in observe(model, dataset.x_train[part], taps).items():
            alive = features.isfinite().all(1) & (features != 0).any(1)
            if name not in sums:
                sums[name] = torch.zeros(dataset.n_classes, features.shape[1], dtype=torch.float64)
            sums[name].index_add_(0, labels[alive], features[alive].double())
            counts[name] += torch.bincount(labels[alive], minlength=dataset.n_classes)
        yield
    return {
        name: References(found.sum(0) / counts[name].sum(), found / counts[name][:, None])
        for name, found in sums.items()
    }


@dataclass(frozen=True, eq=False)
class Fed:
    """What N inputs did to the locks that they were fed to."""

    lock: NDArray[np.int64]
    """``[N]``: whose lock; -1 for none."""
    theta: NDArray[np.float64]
    """``[N]``: angle to the reference feature, radians; NaN where either is dead or there is no lock."""
    opened: NDArray[np.bool_]
    images: NDArray[np.int8]
    """``[N, 8, 8]``: what came out; -1 throughout where nothing did."""
    corrected: NDArray[np.int64]
    wrong_share: NDArray[np.float64]
    """Of the bits of the hash; NaN where there is none."""
    wrong_code_bits: NDArray[np.int64]
    """Of the code word, after the majority; -1 where there is no hash."""
    sentences: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lock)


class Locks:
    """The locks of all classes at one layer; made by :func:`forged`."""

    def __init__(self, centre: Tensor, directions: Tensor, projection: Projection, code: Code) -> None:
        self._centre, self._directions, self._projection, self._code = centre, directions, projection, code
        self.bits: NDArray[np.uint8] = np.empty((0, projection.rows), np.uint8)
        self.helpers: list[Helper | None] = []

    def has(self, k: int) -> bool:
        """Whether class k has a lock: it has none without living training features."""
        return self.helpers[k] is not None

    def feed(self, features: Tensor, locks: Sequence[Tensor]) -> Work[list[Fed]]:
        """Feed inputs ``[N, D]``, not centred, to the locks of these classes ``[N]``, and so for each of ``locks``."""
        seen = centred(features, self._centre)
        hashes = yield from self._projection.hashing(seen)
        found = []
        for lock in locks:
            own = self._directions[lock.clamp(min=0)].masked_fill(lock[:, None] < 0, torch.nan)
            theta = pair_geometry(seen, own).theta.numpy()
            found.append((yield from self._opened(hashes.bits, theta, lock.numpy())))
        return found

    def _opened(self, bits: NDArray[np.uint8], theta: NDArray[np.float64], lock: NDArray[np.int64]) -> Work[Fed]:
        n = len(lock)
        alive = np.isfinite(theta)
        opened, images = np.zeros(n, np.bool_), np.full((n, SIDE, SIDE), -1, np.int8)
        corrected, code_bits = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
        share, sentences = np.full(n, np.nan), [commitment.DEAD] * n
        for k in np.unique(lock[alive]):
            helper = self.helpers[k]
            assert helper is not None  # an angle to its reference exists
            everyone, size = np.flatnonzero(alive & (lock == k)), max(1, BITS_TOGETHER // bits.shape[1])
            for rows in (everyone[start : start + size] for start in range(0, len(everyone), size)):
                found = yield from commitment.recovering(bits[rows], helper, self._code)
                share[rows], code_bits[rows] = commitment.wrong_bits(bits[rows], self.bits[k], helper.repetition)
                opened[rows], corrected[rows] = found.opened, found.corrected
                for i, row in enumerate(rows):
                    sentences[row] = found.sentences[i]
                    image = found.image(i)
                    if image is not None:
                        images[row] = image
        return Fed(lock, theta, opened, images, corrected, share, code_bits, tuple(sentences))


def forged(
    found: References,
    messages: NDArray[np.uint8],
    code: Code,
    *,
    repetition: int,
    seed: int,
    centring: bool = True,
) -> Work[Locks]:
    """Lock messages ``[K, 8, 8]`` to the hashes of the classes' reference features, all by one projection from ``seed``."""
    directions = found.directions(centring)
    centre = found.centre if centring else torch.zeros_like(found.centre)
    locks = Locks(centre, directions, Projection(code.n * repetition, len(centre), seed), code)
    hashes = yield from locks._projection.hashing(directions)
    locks.bits = hashes.bits
    enrol = partial(commitment.enrol, code=code, repetition=repetition, seed=seed)
    locks.helpers = [
        enrol(bits, message) if alive else None
        for bits, message, alive in zip(hashes.bits, messages, hashes.alive, strict=True)
    ]
    return locks


def fed(model: Network, tap: Tap, locks: Locks, x: Tensor, which: Sequence[Tensor]) -> Work[list[Fed]]:
    """Feed the features of inputs ``[N, ...]`` at a tap to the locks of the classes ``which``, each ``[N]``."""
    parts: list[list[Fed]] = []
    for rows in torch.split(torch.arange(len(x)), TOGETHER):
        seen = []
        for part in torch.split(x[rows], BATCH):
            seen.append(observe(model, part, [tap])[tap.name])
            yield
        if seen:
            parts.append((yield from locks.feed(torch.cat(seen), [lock[rows] for lock in which])))
    return [joined([part[i] for part in parts]) for i in range(len(which))]


def joined(parts: Sequence[Fed]) -> Fed:
    """Inputs one after the other."""
    columns = {
        name: np.concatenate([np.empty((0, *_SHAPES.get(name, ())), dtype), *(getattr(part, name) for part in parts)])
        for name, dtype in _DTYPES.items()
    }
    return Fed(**columns, sentences=tuple(said for part in parts for said in part.sentences))


_DTYPES = {
    "lock": np.int64,
    "theta": np.float64,
    "opened": np.bool_,
    "images": np.int8,
    "corrected": np.int64,
    "wrong_share": np.float64,
    "wrong_code_bits": np.int64,
}
_SHAPES = {"images": (SIDE, SIDE)}


def predicted(found: Fed, code: Code, repetition: int) -> NDArray[np.float64]:
    """The binomial law at each input's angle ``[N]``; NaN where it has none."""
    return channel.success(found.theta, n=code.n, t=code.t, repetition=repetition)
