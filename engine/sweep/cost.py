"""What a sweep will take, before it is run: a rough estimate from the specs, or from what its finished points took."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from engine.errors import SpecError
from engine.specs import CnnSpec, DatasetSpec, ExperimentSpec, IdxSpec, LinearSpec, MlpSpec, ModelSpec, NoiseSpec
from engine.sweep.points import Points

ASK_FROM = 10_000
"""Points from which on a person is asked first."""
ASK_SECONDS = 4 * 3600.0
"""Seconds of computing from which on a person is asked first."""
_LOOKED_AT = 40
# what one core does, roughly: the estimate is to tell minutes from hours and hours from days
_SPEED = 2e10  # floating-point operations a second
_STEP = 120e-6  # seconds of a step, whatever it does
_LAYER = 70e-6  # and of each layer in it
_POINT = 0.06
_START = 5.0  # until processes of this computer have loaded torch
_GEOMETRY = 0.5
_ROW = 2000  # bytes
_DIGITS = (64, 10, 1797)
_MNIST = (784, 10, 60_000, 10_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What all points of a sweep, or those that are left, take together."""

    points: int
    seconds: float
    """Of computing, on all processes together."""
    bytes: int
    """Of the file in the end."""
    which: str
    """The points in words."""
    takes: str
    """What they take in words, after a colon."""

    @property
    def sentence(self) -> str:
        """All of it in words."""
        return f"{self.which}: {self.takes}"

    @property
    def ask(self) -> bool:
        """Whether a person is to be asked before it is begun."""
        return self.points >= ASK_FROM or self.seconds >= ASK_SECONDS


def cost(points: Points, done: Iterable[float] = (), workers: int = 1, left: int | None = None) -> Cost:
    """Estimate what a sweep takes, or what ``left`` of its points take; some 20 ms, however many points.

    ``done`` are the seconds of points that are finished.
    """
    total = len(points)
    count = total if left is None else left
    looked_at = random.Random(0).sample(range(total), min(total, _LOOKED_AT))
    specs = [spec for index in looked_at if (spec := _spec(points, index)) is not None]
    sweep = points.sweep
    keeps = sweep.keep_weights and sweep.reach != "initial"
    sizes = [_ROW + (4 * parameter_count(spec) if keeps else 0) for spec in specs]
    measured = list(done)
    guessed = measured or [seconds_of(spec, sweep.reach, sweep.geometry) for spec in specs]
    share = len(specs) / len(looked_at)  # points that cannot be built take nothing
    seconds = count * share * fmean(guessed) if guessed else 0.0
    size = int(count * share * fmean(sizes)) if sizes else 0
    on = f" on {workers} processes" if workers > 1 else ""
    how = "as its finished points took" if measured else "by a rough estimate"
    of = f" of {total:,}" if count != total else ""
    which = f"{count:,}{of} point{'s' if total != 1 else ''}"
    clock = seconds / max(1, workers) + (_START if seconds else 0)
    takes = f"about {duration(clock)}{on}, {how}, and {_size(size)} on the disk."
    return Cost(count, seconds, size, which, takes)


def duration(seconds: float) -> str:
    """A time in words: 40 s, 12 min, 3.5 h, 4 days."""
    seconds = max(1.0, seconds)
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (36 * 3600, 3600, "h")):
        if seconds < limit:
            number = seconds / unit
            return f"{number:.0f} {name}" if number >= 10 or unit == 1 else f"{number:.2g} {name}"
    return f"{seconds / 86400:,.0f} days"


def seconds_of(spec: ExperimentSpec, reach: str, geometry: bool) -> float:
    """A rough estimate of what one point takes on one core."""
    _, _, train, test = _shape(spec.dataset)
    layers = spec.model.depth + 1
    pass_ = 2 * _multiplications(spec.model, spec.dataset) / _SPEED  # seconds a sample
    turn = _STEP + layers * _LAYER
    seconds = _POINT
    if geometry:
        seconds += _GEOMETRY * (1 if reach == "initial" else 1.5)
    if reach == "initial":
        return seconds
    training = spec.training
    inner = {"standard": 0, "fast": 1}.get(training.method, getattr(training, "steps", 1))
    steps = training.epochs * math.ceil(train / training.batch_size)
    seconds += (1 + inner) * (3 * pass_ * train * training.epochs + steps * turn) + pass_ * test
    if reach == "attacked":
        attack = spec.attack
        samples = min(attack.samples, test)
        rounds = getattr(attack, "steps", 0) or getattr(attack, "queries", 0) or 1
        rounds *= getattr(attack, "restarts", 1) or 1
        seconds += rounds * (3 * pass_ * samples + math.ceil(samples / 256) * turn)
    return seconds


def parameter_count(spec: ExperimentSpec) -> int:
    """About how many numbers training may change, biases left out."""
    features, classes, *_ = _shape(spec.dataset)
    model = spec.model
    if isinstance(model, CnnSpec):
        return sum(weights for weights, _ in _convolutions(model, features)) + _cnn_head(model, features, classes)
    return _dense(model, features, classes)


# --- sizes ----------------------------------------------------------------------------------------------------


def _multiplications(model: ModelSpec, dataset: DatasetSpec) -> int:
    """Of one forward pass of one sample."""
    features, classes, *_ = _shape(dataset)
    if isinstance(model, CnnSpec):
        maps = sum(weights * places for weights, places in _convolutions(model, features))
        return maps + _cnn_head(model, features, classes)
    return _dense(model, features, classes)


def _dense(model: ModelSpec, features: int, classes: int) -> int:
    if isinstance(model, LinearSpec | MlpSpec):
        if model.depth == 0:
            return features * classes
        return features * model.width + (model.depth - 1) * model.width**2 + model.width * classes
    return features * model.width + model.depth * model.width**2 + model.width * classes


def _convolutions(model: CnnSpec, features: int) -> list[tuple[int, int]]:
    """Of each convolution its weights and at how many places they are used."""
    side, entering, found = math.isqrt(features), 1, []
    for layer in range(model.depth):
        leaving = model.channels * 2**layer
        found.append((9 * entering * leaving, side * side))
        side, entering = max(1, side // 2), leaving
    return found


def _cnn_head(model: CnnSpec, features: int, classes: int) -> int:
    side = max(1, math.isqrt(features) >> model.depth)
    channels: int = model.channels * 2 ** (model.depth - 1)
    return side * side * channels * model.width + model.width * classes


def _shape(dataset: DatasetSpec) -> tuple[int, int, int, int]:
    """Features, classes, training and test samples, as far as the spec says; images in files are taken for MNIST's."""
    if isinstance(dataset, NoiseSpec):
        return dataset.features, dataset.classes, dataset.train_size, dataset.test_size
    if isinstance(dataset, IdxSpec):
        features, classes, train, test = _MNIST
        return features, classes, min(dataset.train_limit or train, train), min(dataset.test_limit or test, test)
    features, classes, samples = _DIGITS
    test = round(samples * dataset.test_fraction)
    return features, classes, samples - test, test


def _spec(points: Points, index: int) -> ExperimentSpec | None:
    try:
        return points.spec(index)
    except SpecError:
        return None


def _size(size: float) -> str:
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:,.3g} {units[0]}"
