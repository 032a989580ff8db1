"""The samples that a MaxLikelihood network is built on and tried on: as they are, and with the training mean subtracted."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data import Dataset
from engine.data.dataset import require_memory
from engine.errors import DataError
from engine.events import Event
from engine.experiments.bench import Bench
from engine.geometry.pairs import unit_rows
from engine.seeds import derive, generator

T = TypeVar("T")
Making = Generator[Event | None, None, T]
Array = NDArray[np.float64]

SERIES = ("as they are", "mean subtracted (control)")
ITEMS = 200  # unseen samples whose noisy copies are to be told apart
COPY_NOISE = 0.3  # of a copy, in units of the samples' deviation from their mean
_CHUNK = 2**20  # numbers turned to float64 between two breaths


@dataclass(frozen=True, eq=False)
class Samples:
    """Flattened samples, float64: training ``[p, d]`` and unseen ``[b, d]``, with the centre and the spread of the training set."""

    name: str
    pool: Array
    train: int
    """The first so many of the pool choose the rows; m."""
    unseen: Array
    mean: Array
    """Of the whole training set ``[d]``."""
    deviation: float
    """Root mean square of a training value about its mean."""
    notes: tuple[str, ...]
    """Where there were fewer samples than asked for."""


@dataclass(frozen=True, eq=False)
class View:
    """One series of the samples as unit vectors; dead ones, which have no direction, are left out."""

    train: Array
    """The first m of the training samples, which the rows are chosen by."""
    pool: Array
    """All the training samples that were drawn, for labels at random."""
    unseen: Array
    items: int
    """The first so many unseen ones have a noisy copy."""
    copies: Array
    """``[items, d]``."""
    dead_train: int
    dead_unseen: int


def samples(bench: Bench, pool: int) -> Making[Samples]:
    """Draw ``pool`` training samples or more and unseen ones, whatever their classes; fewer where there are fewer, which is noted.

    Raises DataError where there is no training sample, fewer than two unseen ones, or not the memory.
    """
    spec, seed = bench.spec.max_likelihood, bench.spec.seed
    dataset = yield from bench.dataset()
    total, tests, values = len(dataset.x_train), len(dataset.x_test), int(np.prod(dataset.input_shape))
    if total < 1 or tests < 2:
        raise DataError(
            f"{dataset.name} has {total:,} training and {tests:,} test samples; at least one and two are needed. "
            "Choose more data in the Data step."
        )
    drawn, tried = min(max(pool, spec.samples), total), min(spec.unseen, tests)
    require_memory(
        12 * (drawn + tried) * max(values, spec.rows),
        f"Following {drawn + tried:,} samples through layers",
        "Follow fewer samples, or keep fewer rows.",
    )
    notes = tuple(
        f"{asked:,} {what} samples were asked for; {dataset.name} has {there:,}."
        for asked, there, what in ((spec.samples, total, "training"), (spec.unseen, tests, "unseen"))
        if there < asked
    )
    mean, deviation = yield from _centre(dataset)
    chosen = torch.randperm(total, generator=generator(seed, "max likelihood", "train"))[:drawn]
    fresh = torch.randperm(tests, generator=generator(seed, "max likelihood", "unseen"))[:tried]
    return Samples(
        name=dataset.name,
        pool=(yield from _flat(dataset.x_train, chosen)),
        train=min(spec.samples, drawn),
        unseen=(yield from _flat(dataset.x_test, fresh)),
        mean=mean,
        deviation=deviation,
        notes=notes,
    )


def view(of: Samples, centred: bool, seed: int) -> Making[View]:
    """The samples as unit vectors, about the origin or about the training mean; the same copies' noise in both."""
    origin = of.mean if centred else np.zeros_like(of.mean)
    rng = np.random.default_rng(derive(seed, "max likelihood", "copies"))
    pool, alive = yield from _units(of.pool, origin)
    unseen, seen = yield from _units(of.unseen, origin)
    items = np.flatnonzero(seen)[:ITEMS]
    noise = COPY_NOISE * of.deviation * rng.standard_normal((len(items), of.unseen.shape[1]))
    copies, all_alive = unit(of.unseen[items] + noise - origin)
    if not all_alive.all():
        items, copies = items[:0], copies[:0]
    return View(
        train=_living(pool[: of.train], alive[: of.train]),
        pool=_living(pool, alive),
        unseen=_living(unseen, seen),
        items=len(items),
        copies=copies,
        dead_train=int((~alive[: of.train]).sum()),
        dead_unseen=int((~seen).sum()),
    )


def unit(x: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Rows scaled to length 1, and which of them live."""
    rows, dead = unit_rows(torch.from_numpy(x))
    return rows.numpy(), ~dead.numpy()


def _living(rows: Array, alive: NDArray[np.bool_]) -> Array:
    return rows if alive.all() else rows[alive]  # most often all: no copy


def _centre(dataset: Dataset) -> Making[tuple[Array, float]]:
    """Mean of each value over the training set, and the root mean square deviation of all values from theirs."""
    x = dataset.x_train.flatten(1)
    total, squares = torch.zeros(x.shape[1], dtype=torch.float64), torch.zeros(x.shape[1], dtype=torch.float64)
    first = x[0].double()  # sums about a sample, so that a constant leaves exactly nothing
    for part in torch.split(x, max(1, _CHUNK // x.shape[1])):
        moved = part.double() - first
        total += moved.sum(0)
        squares += moved.square().sum(0)
        yield None
    shift = total / len(x)
    variance = float((squares / len(x) - shift.square()).mean())
    return (first + shift).numpy(), max(variance, 0.0) ** 0.5


def _flat(x: torch.Tensor, chosen: torch.Tensor) -> Making[Array]:
    flat = x.flatten(1)
    found = torch.empty(len(chosen), flat.shape[1], dtype=torch.float64)
    at = 0
    for part in torch.split(chosen, max(1, _CHUNK // flat.shape[1])):
        found[at : at + len(part)] = flat[part].double()
        at += len(part)
        yield None
    array: Array = found.numpy()
    return array


def _units(x: Array, origin: Array) -> Making[tuple[Array, NDArray[np.bool_]]]:
    rows, alive = np.empty_like(x), np.empty(len(x), dtype=bool)
    size = max(1, _CHUNK // x.shape[1])
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        rows[part], alive[part] = unit(x[part] - origin)
        yield None
    return rows, alive
