"""The same claim by gradient descent: a deep linear network trained to send every sample to one point, or to labels at random.

Both tasks see the samples as they are. The loss of unseen samples is beside that of the training samples, of its version blind to
the sign, and of a predictor that answers with the target whatever it is shown. The shared target is also asked for with the
training mean subtracted; how that ends is told in ``info["centred"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Bench
from engine.experiments.noise.layers import SHOWN, effective_rank, mean_interval
from engine.experiments.noise.samples import View
from engine.geometry.pairs import unit_rows
from engine.seeds import derive, generator
from engine.training.descent import cosine_loss, descend, linear_layers, outputs, samples_at_once

Array = NDArray[np.float64]

TOPIC = "noise_descent"
TASKS = ("shared target", "random labels (control)")
POINTS = 60  # at which the curves are measured
WIDTH = 256  # at most, whatever rows the other network keeps
TRAINED, TRIED = 512, 1000  # samples at most: a step is to take a moment only
LOSSES = ("train_loss", "unseen_loss", "blind_loss")
ACCURACIES = ("train_accuracy", "unseen_accuracy")


@dataclass(frozen=True, eq=False)
class Task:
    """Unit samples ``[m, d]`` and ``[b, d]`` with the signs that their outputs are to have, and the direction of the target."""

    train: Tensor
    unseen: Tensor
    y: Tensor
    fresh: Tensor
    target: Tensor


class Curves:
    """One task's network with what was measured at each point."""

    def __init__(self, task: Task, weights: list[Tensor], seed: int) -> None:
        self.task, self.weights, self._seed = task, weights, seed
        self.measured: dict[str, list[Any]] = {name: [] for name in (*LOSSES, *ACCURACIES)}

    def measure(self) -> Generator[None, None, None]:
        """Measure losses and accuracies now."""
        task = self.task
        train = torch.cat((yield from self._outputs(task.train))[-1])
        unseen = torch.cat((yield from self._outputs(task.unseen))[-1])
        with torch.no_grad():
            wanted = task.fresh[:, None] * task.target
            right, wrong = cosine_loss(unseen, wanted), cosine_loss(unseen, -wanted)
            losses = (cosine_loss(train, task.y[:, None] * task.target), right, torch.minimum(right, wrong))
        for name, values in zip(LOSSES, losses, strict=True):
            self.measured[name].append(mean_interval(values.numpy(), self._seed))
        self.measured["train_accuracy"].append(float(((train @ task.target) * task.y > 0).double().mean()))
        self.measured["unseen_accuracy"].append(float((right < wrong).double().mean()))

    def layers(self) -> Generator[None, None, tuple[Array, Array]]:
        """Effective rank ``[layers + 1]`` of unseen features, and C ``[layers + 1, b]`` with where the training samples go.

        That is the target behind the last layer; before it, where widths differ, the direction of their mean feature, each turned by
        its sign.
        """
        task = self.task
        seen, trained = (yield from self._outputs(task.unseen)), (yield from self._outputs(task.train))
        ranks, c = [], []
        for layer, (parts, known) in enumerate(zip(seen, trained, strict=True)):
            yield None
            last, features = layer == len(seen) - 1, torch.cat(parts)
            pole = task.target if last else (task.y[:, None] * unit_rows(torch.cat(known))[0]).mean(0)
            ranks.append(effective_rank(features.numpy()))
            c.append((unit_rows(features[:SHOWN])[0] @ (pole / torch.linalg.vector_norm(pole))).numpy())
        return np.array(ranks), np.stack(c)

    def _outputs(self, x: Tensor) -> Generator[None, None, list[list[Tensor]]]:
        """Features after each layer, the input first, in parts of samples that pass in a moment."""
        passed = []
        for part in torch.split(x, samples_at_once(self.weights)):
            with torch.no_grad():
                passed.append(outputs(self.weights, part))
            yield None
        return [list(parts) for parts in zip(*passed, strict=True)]


def noise_descent(bench: Bench, title: str, views: list[View]) -> Generator[Event | None, None, dict[str, Any]]:
    """Train both tasks, showing the curves as they grow; returns how they end, with the shared target about the mean beside."""
    spec, seed = bench.spec.max_likelihood, bench.spec.seed
    width = min(spec.rows, WIDTH)
    steps = np.unique(np.round(spec.descent_steps * np.linspace(0, 1, POINTS) ** 2).astype(int))
    curves = []
    for labels in (False, True):
        curves.append(Curves(_task(views[0], width, seed, labels), _weights(bench, views[0], width), seed))
        yield None

    def frame() -> Frame:
        return _frame(bench, title, width, steps, curves)

    for number, curve in enumerate(curves):
        yield from _trained(bench, curve, steps, TASKS[number], frame)
    yield from _records(steps, curves)
    centred: dict[str, float] = {}
    if len(views[1].train) and len(views[1].unseen) > 1:
        about = Curves(_task(views[1], width, seed, False), _weights(bench, views[1], width), seed)
        yield None
        yield from _trained(bench, about, steps[[0, -1]], "shared target, mean subtracted", None)
        centred = _ends(about)
    layers = []
    for curve in curves:
        layers.append((yield from curve.layers()))
    ranks, c = (np.stack(each) for each in zip(*layers, strict=True))
    last = frame()
    arrays = {**last.arrays, "effective_rank": ranks, "layer_C": c}
    yield Frame(TOPIC, "measure", 0, arrays, {**last.info, "done": True, "centred": centred})
    return {"shared": _ends(curves[0]), "labels": _ends(curves[1]), "centred": centred}


def _task(seen: View, width: int, seed: int, labels: bool) -> Task:
    train, unseen = torch.from_numpy(seen.train[:TRAINED]), torch.from_numpy(seen.unseen[:TRIED])
    target = torch.randn(width, generator=generator(seed, "descent", "target"), dtype=torch.float64)
    signs = np.random.default_rng(derive(seed, "descent", "labels"))
    y, fresh = (
        torch.from_numpy(signs.choice([-1.0, 1.0], len(rows))) if labels else torch.ones(len(rows), dtype=torch.float64)
        for rows in (train, unseen)
    )
    return Task(train, unseen, y, fresh, target / torch.linalg.vector_norm(target))


def _weights(bench: Bench, seen: View, width: int) -> list[Tensor]:
    spec = bench.spec.max_likelihood
    return linear_layers(seen.train.shape[1], width, spec.descent_depth, bench.spec.seed)


def _trained(
    bench: Bench, curve: Curves, steps: NDArray[np.int64], name: str, show: Callable[[], Frame] | None
) -> Generator[Event | None, None, None]:
    spec, total = bench.spec.max_likelihood, bench.spec.max_likelihood.descent_steps
    points = set(steps.tolist())
    yield from curve.measure()
    target = curve.task.y[:, None] * curve.task.target
    for step in descend(curve.weights, curve.task.train, target, rate=spec.descent_rate, steps=total):
        yield None
        if step is not None and step in points:
            yield from curve.measure()
            yield Progress(step, total, f"gradient descent, {name}: step {step:,} of {total:,}")
            if show is not None:
                yield show()


def _frame(bench: Bench, title: str, width: int, steps: NDArray[np.int64], curves: list[Curves]) -> Frame:
    most = max(len(curve.measured["train_loss"]) for curve in curves)
    arrays: dict[str, Array | NDArray[np.int64]] = {"step": steps[:most]}
    for name in LOSSES:
        ends = np.full((len(curves), most, 3), np.nan)
        for k, curve in enumerate(curves):
            if curve.measured[name]:
                ends[k, : len(curve.measured[name])] = np.stack(curve.measured[name])
        arrays |= {name + end: ends[..., j] for j, end in enumerate(("", "_low", "_high"))}
    for name in ACCURACIES:
        values = np.full((len(curves), most), np.nan)
        for k, curve in enumerate(curves):
            values[k, : len(curve.measured[name])] = curve.measured[name]
        arrays[name] = values
    spec = bench.spec.max_likelihood
    info = {
        "key": bench.spec.key("dataset", "max_likelihood"),
        "done": False,
        "title": title,
        "tasks": list(TASKS),
        "depth": spec.descent_depth,
        "width": width,
        "steps": spec.descent_steps,
        "samples": len(curves[0].task.train),
        "unseen": len(curves[0].task.unseen),
        "constant_loss": [_constant(curve.task) for curve in curves],
    }
    return Frame(TOPIC, "measure", 0, arrays, info, keep=False)


def _constant(task: Task) -> float:
    """Mean loss on unseen samples of the predictor that answers with the target whatever it is shown."""
    return float((task.target - task.fresh[:, None] * task.target).square().sum(1).mean() / 4)


def _records(steps: NDArray[np.int64], curves: list[Curves]) -> Generator[Event | None, None, None]:
    for name, curve in zip(TASKS, curves, strict=True):
        for k, step in enumerate(steps):
            row: dict[str, float | int | str | None] = {"task": name, "step": int(step)}
            for loss in LOSSES:
                row |= {loss + end: float(curve.measured[loss][k][j]) for j, end in enumerate(("", "_low", "_high"))}
            yield Record(TOPIC, row | {each: curve.measured[each][k] for each in ACCURACIES})
        yield None


def _ends(curve: Curves) -> dict[str, float]:
    last: dict[str, float] = {name: curve.measured[name][-1] for name in ACCURACIES}
    for name in LOSSES:
        last |= {name + end: float(v) for end, v in zip(("", "_low", "_high"), curve.measured[name][-1], strict=True)}
    return last
