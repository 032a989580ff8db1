"""Zero loss on noise, by our reconstruction of a MaxLikelihood network and by gradient descent, with the controls that decide.

The network (:mod:`engine.reconcile.max_likelihood`) is built on a few samples that are all to end at one shared point, and tried
on unseen ones; beside it the same with the training mean subtracted. What tells its zero loss from learning is measured in the
same run: the loss blind to the sign, a constant predictor, random labels, three targets, and whether outputs still tell inputs
apart. Then gradient descent is asked for the same (:mod:`engine.experiments.noise.descent`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from engine.errors import DataError
from engine.events import Frame, Progress, Record
from engine.experiments.bench import Bench, Making
from engine.experiments.noise.controls import SIZES, constant_loss, label_sizes, random_labels, three_targets
from engine.experiments.noise.descent import noise_descent
from engine.experiments.noise.layers import INTERVALS, SINGLE, Series
from engine.experiments.noise.samples import COPY_NOISE, SERIES, Samples, samples, view
from engine.experiments.rates import wilson
from engine.generators import stoppable
from engine.geometry.ceiling import ceiling
from engine.reconcile.boost_law import boost_law, width_gain

Array = NDArray[np.float64]

TOPIC = "max_likelihood"
FRAMES = 100  # live ones at most


def max_likelihood(bench: Bench) -> Making:
    """Build the network layer by layer on both series, measure the controls, then let gradient descent do the same."""
    spec, seed = bench.spec.max_likelihood, bench.spec.seed
    drawn = yield from samples(bench, SIZES[-1])
    plain = yield from view(drawn, False, seed)
    centred = yield from view(drawn, True, seed)
    views = [plain, centred]
    found = [Series(seen, seed) for seen in views]
    for series in found:
        yield from series.begin(spec)
    if found[0].missing:
        raise DataError(
            f"The MaxLikelihood network cannot be built on {drawn.name}: {found[0].missing}. Choose other data in the Data "
            "step, or more training samples."
        )
    for series in found:
        yield from series.measure()
    told = Told(bench, drawn, found)
    yield told.frame(keep=False)
    every = math.ceil(spec.depth / FRAMES)
    for layer in range(spec.depth):
        said = Progress(layer, spec.depth, f"MaxLikelihood: layer {layer + 1} of {spec.depth}")
        for series in found:
            yield from stoppable(series.advance(layer), None)
            yield from stoppable(series.measure(), None)
        yield said
        if (layer + 1) % every == 0:
            yield told.frame(keep=False)
    yield from told.records()
    basis = views[0] if found[1].missing else views[1]  # about the mean: else labels fight what all samples share
    sizes = label_sizes(len(basis.pool))
    accuracy = np.full((len(sizes), 2), np.nan)
    for number, size in enumerate(sizes):
        accuracy[number] = yield from random_labels(basis.pool, basis.unseen, spec, seed, size)
    targets = yield from three_targets(basis.train, spec, seed)
    told.controls(sizes, accuracy, float(targets[0]))
    yield told.frame(keep=False)
    yield from control_records(sizes, accuracy, len(basis.unseen), float(targets[0]), len(basis.train))
    told.descent = yield from noise_descent(bench, drawn.name, views)
    yield told.frame(keep=True)
    yield Progress(spec.depth, spec.depth, "MaxLikelihood measured")


def control_records(sizes: tuple[int, ...], accuracy: Array, unseen: int, targets: float, trained: int) -> Making:
    """One row a control: accuracies with Wilson intervals, of random labels ``[sizes, (train, unseen)]`` and of three targets."""
    shares = [
        (f"random labels, {what}", size, float(accuracy[k, column]), size if column == 0 else unseen)
        for k, size in enumerate(sizes)
        for column, what in enumerate(("training samples", "unseen samples"))
    ]
    for control, size, share, n in (*shares, ("three targets, training samples", trained, targets, trained)):
        low, high = wilson(share * n, n) if math.isfinite(share) else (math.nan, math.nan)
        row = {"accuracy": _plain(share), "low": _plain(float(low)), "high": _plain(float(high))}
        yield Record("noise_controls", {"control": control, "samples": size, **row, "n": n})


class Told:
    """What is said of the series so far."""

    def __init__(self, bench: Bench, drawn: Samples, found: list[Series]) -> None:
        self._bench, self._drawn, self._found = bench, drawn, found
        self._sizes: tuple[int, ...] = ()
        self._accuracy = np.empty((0, 2))
        self._targets = math.nan
        self.descent: dict[str, Any] = {}

    def controls(self, sizes: tuple[int, ...], accuracy: Array, targets: float) -> None:
        """Random labels ``[sizes, (train, unseen)]``, and three targets."""
        self._sizes, self._accuracy, self._targets = sizes, accuracy, targets

    def frame(self, *, keep: bool) -> Frame:
        """Everything up to the present layer; done if it is to be kept."""
        spec = self._bench.spec.max_likelihood
        second, law = boost_law(spec.candidates / spec.rows)
        arrays: dict[str, Array] = {}
        for name in ("train_C", "unseen_C"):
            arrays[name] = _beside(self._found, name)
        for name in INTERVALS:
            ends = _beside(self._found, name)
            arrays |= {name + end: ends[..., k] for k, end in enumerate(("", "_low", "_high"))}
        for name in SINGLE:
            arrays[name] = _beside(self._found, name)[..., 0]
        arrays["label_samples"] = np.array(self._sizes, dtype=np.int64)
        arrays["label_train"], arrays["label_test"] = self._accuracy.T.copy()
        info = {
            "key": self._bench.spec.key("dataset", "max_likelihood"),
            "done": keep,
            "title": self._drawn.name,
            "features": self._drawn.pool.shape[1],
            "samples": len(self._found[0].seen.train),
            "unseen": self._found[0].count,
            "candidates": spec.candidates,
            "rows": spec.rows,
            "depth": spec.depth,
            "likelihood": spec.likelihood,
            "temperature": spec.temperature,
            "law": law,
            "law_finite": law + width_gain(spec.rows, spec.candidates / spec.rows),
            "M2": second,
            "constant_loss": [self._constant(series) for series in self._found],
            "final": {name: value for k, series in enumerate(self._found) for name, value in _final(series, k).items()},
            "series": list(SERIES),
            "ceiling": ceiling("float64"),
            "reconstruction": True,
            "labels_done": len(self._sizes) > 0,
            "three_targets": self._targets,
            "dead": {
                "train": [series.seen.dead_train for series in self._found],
                "unseen": [series.seen.dead_unseen for series in self._found],
            },
            "notes": [*self._drawn.notes, *self._dead(), *self._missing()],
            "copy_noise": COPY_NOISE,
            "descent": self.descent,
        }
        return Frame(TOPIC, "measure", 0, arrays, info, keep)

    def records(self) -> Making:
        """One row a layer and series."""
        for number, series in enumerate(self._found):
            columns = {
                name + end: series.stacked(name)[:, k]
                for name in INTERVALS
                for k, end in enumerate(("", "_low", "_high"))
            } | {name: series.stacked(name)[:, 0] for name in SINGLE}
            for layer in range(len(columns["boost"])):
                row: dict[str, float | int | str | None] = {"series": SERIES[number], "layer": layer}
                row |= {name: _plain(values[layer]) for name, values in columns.items()}
                yield Record(TOPIC, row)
            yield None

    def _constant(self, series: Series) -> float:
        return math.nan if series.layers is None else constant_loss(series.layers.axis)

    def _dead(self) -> list[str]:
        return [
            f"{series.seen.dead_train + series.seen.dead_unseen:,} samples {name} are zero and have no direction: left out."
            for name, series in zip(SERIES, self._found, strict=True)
            if series.seen.dead_train + series.seen.dead_unseen
        ]

    def _missing(self) -> list[str]:
        return [
            f"{name}: not measured, since {series.missing}."
            for name, series in zip(SERIES, self._found, strict=True)
            if series.missing
        ]


def _beside(found: list[Series], name: str) -> Array:
    """Both series' measurements ``[2, l + 1, ...]``, NaN where one has fewer samples."""
    each = [series.stacked(name) for series in found]
    width = max(values.shape[1] for values in each)
    return np.stack([np.pad(v, ((0, 0), (0, width - v.shape[1])), constant_values=np.nan) for v in each])


def _final(series: Series, number: int) -> dict[str, float]:
    """The last layer in numbers, those of the control ending in ``_centred``; the boost is a mean over layers, drawn anew each."""
    last = {name: series.stacked(name)[-1] for name in (*INTERVALS, *SINGLE)}
    found: dict[str, float] = {}
    for name, values in last.items():
        if name != "boost":
            found |= {name + end: float(v) for end, v in zip(("", "_low", "_high"), values, strict=False)}
    boosts = series.stacked("boost")[1:, 0]
    boosts = boosts[np.isfinite(boosts)]
    if len(boosts):
        mean = float(boosts.mean())
        reach = math.nan
        if len(boosts) > 1:
            reach = float(student.ppf(0.975, len(boosts) - 1) * boosts.std(ddof=1) / len(boosts) ** 0.5)
        found |= {"boost": mean, "boost_low": mean - reach, "boost_high": mean + reach}
    return {name + ("_centred" if number else ""): value for name, value in found.items()}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
