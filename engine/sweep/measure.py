"""One point of a sweep: one network built, trained, attacked and measured. The only module of this room that loads torch at once.

It does what the steps Train and Attack do, with their own pieces, but looks at the features twice only: before training
and at the end.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch

from engine.data import Dataset
from engine.events import Event, Progress
from engine.experiments.attack import begin, check_inputs
from engine.experiments.bench import Bench
from engine.experiments.expected import proper_depth
from engine.experiments.network_geometry import NetworkGeometry
from engine.experiments.probe import Probe, probe_for
from engine.experiments.rates import wilson
from engine.generators import stoppable
from engine.models import Network, parameter_count, weights_to_arrays
from engine.specs import ExperimentSpec
from engine.training import evaluate, fit

Value = float | int | str | None
Row = dict[str, Value]
Making = Generator[Event | None, None, Row]


@dataclass(frozen=True, eq=False)
class Measured:
    """What one point gave."""

    row: Row
    """Values by column, as :mod:`engine.sweep.columns` names them; None where there is no number."""
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    """The trained network as :func:`engine.models.weights_to_arrays` gives it; empty where none was trained."""


def measured(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[Event | None, None, Measured]:
    """Make and measure the network of ``spec``; ``reach`` is "initial", "trained" or "attacked".

    Equal specs give equal rows, bit for bit, but for the column seconds. Raises what the steps raise.
    """
    began = perf_counter()
    bench = Bench(spec, {})
    dataset = yield from bench.dataset()
    if reach == "attacked":
        check_inputs(spec, dataset)  # said before anything is trained
    initial = yield from bench.initial()
    row = _shape(spec, initial)
    pairs = _geometry(spec, (yield from probe_for(bench))) if geometry else None
    if pairs:
        row |= yield from stoppable(pairs.before(initial), None)
    weights: dict[str, np.ndarray] = {}
    if reach != "initial":
        model = yield from bench.fresh()
        row |= yield from _trained(spec, dataset, model)
        weights = weights_to_arrays(model)
        if reach == "attacked":
            row |= yield from _attacked(bench, dataset, model)
        if pairs:
            row |= yield from stoppable(pairs.after(model), None)
    row["seconds"] = perf_counter() - began
    return Measured({name: _known(value) for name, value in row.items()}, weights)


# --- pieces ------------------------------------------------------------------------------------------------------


def _geometry(spec: ExperimentSpec, probe: Probe) -> NetworkGeometry:
    return NetworkGeometry(spec.model, probe.x, probe.y, probe.reference[0])


def _shape(spec: ExperimentSpec, model: Network) -> Row:
    return {
        "parameters": parameter_count(model),
        "layers": model.taps[-1].layer,
        "width": spec.model.width,
        "depth": spec.model.depth,
        "proper_depth": proper_depth(spec.model),
    }


def _trained(spec: ExperimentSpec, dataset: Dataset, model: Network) -> Making:
    """Train in place; the training figures are means over the batches of the last epoch, each before its update."""
    n, size = len(dataset.y_train), spec.training.batch_size
    per_epoch = -(-n // size)
    loss = accuracy = 0.0
    for result in fit(model, dataset, spec.training, spec.seed):
        if result is None:  # a breath within a step of adversarial training
            yield None
            continue
        place = (result.step - 1) % per_epoch
        if place == 0:
            loss = accuracy = 0.0
        share = min(size, n - size * place) / n
        loss += share * result.loss
        accuracy += share * result.accuracy
        yield Progress(result.step, result.steps, f"training, epoch {result.epoch} of {spec.training.epochs}")
    test = yield from stoppable(evaluate(model, dataset.x_test, dataset.y_test), None)
    low, high = _wilson(test.accuracy, test.n)
    return {
        "train_loss": loss,
        "train_accuracy": accuracy,
        "test_accuracy": test.accuracy,
        "test_low": low,
        "test_high": high,
        "test_samples": test.n,
    }


def _attacked(bench: Bench, dataset: Dataset, model: Network) -> Making:
    """Robust accuracy is the share of the attacked samples that are seen rightly at the point that the attack found."""
    _, x, y = yield from bench.to_attack()
    attacking, _ = yield from begin(bench, dataset, model, y)
    for event in attacking.events():
        yield Progress(round(1000 * event.fraction), 1000, f"attack step {event.step} of {event.steps}")
    result = attacking.result()
    n = len(y)
    success = float(result.success.double().mean())
    low, high = _wilson(success, n)
    row: Row = {"attack_success": success, "success_low": low, "success_high": high, "attacked": n}
    if torch.equal(attacking.x, x):  # an attack that begins at noise says nothing of the samples
        robust = float(((result.prediction == y) & ~result.invalid).double().mean())
        low, high = _wilson(robust, n)
        row |= {"robust_accuracy": robust, "robust_low": low, "robust_high": high}
    return row


def _wilson(share: float, n: int) -> tuple[float, float]:
    low, high = wilson(round(share * n), n)
    return float(low), float(high)


def _known(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value
