"""A fleet: small networks of many shapes trained on the same data, so that a claim can be tested with the network as its unit.

What differs between them is the shape (width, depth, activation) and the seed; the data and the training are the same.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.data import Dataset, balanced_order
from engine.errors import AttackError
from engine.events import Artifact, Event, Progress
from engine.experiments.bench import Bench, test_order
from engine.models import Network, Tap, build, load_arrays, weights_to_arrays
from engine.seeds import derive
from engine.specs import CnnSpec, LinearSpec, MlpSpec, ModelSpec, ResidualSpec, TrainingSpecs
from engine.specs.models import Activation
from engine.training import fit

WIDTHS = (32, 64, 128)
DEPTHS = (1, 2, 3, 4)
CHANNELS = (8, 16, 32)
ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh", "gelu")
MOST_CONVOLUTIONS = 2  # and not three: depths and widths in turn would then go together

TRAINED_ON = (
    3000  # training samples at most, and steps at most: a fleet of a dozen takes well under a minute on the digits
)
STEPS = 1000
TESTED_ON = 2000  # test samples at most: accuracy to one percent, and inputs to choose from
BATCH = 64
FEWEST = 10
"""Inputs below which nothing is measured."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a fleet, trained."""

    name: str
    spec: ModelSpec
    model: Network
    accuracy: float
    """Share of right predictions on clean test samples."""

    @property
    def penultimate(self) -> Tap:
        """The last place before the logits."""
        return self.model.taps[-2]

    @property
    def layers(self) -> int:
        """Layers up to the penultimate tap."""
        return self.penultimate.layer

    def told(self) -> dict[str, Any]:
        """What there is to say of it, as plain JSON."""
        return {
            "name": self.name,
            "width": self.spec.width,
            "depth": self.spec.depth,
            "activation": "none" if isinstance(self.spec, LinearSpec) else self.spec.activation,
            "channels": self.spec.channels if isinstance(self.spec, CnnSpec) else None,
            "layers": self.layers,
            "accuracy": self.accuracy,
        }


@dataclass(frozen=True, eq=False)
class Fleet:
    """Networks trained on the same samples."""

    members: tuple[Member, ...]
    data: Dataset
    """The dataset with the training samples that were used."""
    order: Tensor
    """Test samples to choose inputs from, balanced over the classes: int64 ``[n]``."""
    right: Tensor
    """Which of these each network sees rightly: bool ``[N, n]``."""

    def told(self) -> list[dict[str, Any]]:
        return [member.told() for member in self.members]

    def seen_by_all(self, most: int) -> Tensor:
        """The first test samples that every network sees rightly: positions int64 ``[M]``, M at most ``most``.

        Raises AttackError where there are fewer than :data:`FEWEST`.
        """
        chosen = self.order[self.right.all(0)][:most]
        if len(chosen) < FEWEST:
            raise AttackError(
                f"Only {len(chosen)} of {len(self.order):,} test samples are seen rightly by all {len(self.members)} networks, "
                f"and at least {FEWEST} are needed. Train for more epochs, or choose easier data."
            )
        return chosen


def fleet_of(bench: Bench) -> Generator[Event | None, None, Fleet]:
    """The experiment's fleet: made once, or taken from an earlier run."""
    if bench.fleet is None:
        bench.fleet = yield from _made(bench)
    return bench.fleet


def shapes(spec: ModelSpec, count: int, shortest_side: int | None = None) -> list[ModelSpec]:
    """``count`` variants of a model over width, depth and activation, always the same for the same arguments.

    Every prefix mixes all of them: of MLPs the first dozen holds each width with each depth once, and each activation at
    each depth. After the last variant they begin anew (networks of one shape still differ in their seed). ``shortest_side``
    is that of the images, in pixels: convolutions halve it.
    """
    found: list[ModelSpec] = []
    for n in range(count):
        width, depth = WIDTHS[n % len(WIDTHS)], DEPTHS[n % len(DEPTHS)]
        turn = n // len(DEPTHS) + n // (len(WIDTHS) * len(DEPTHS))  # the second term: no dozen repeats the one before
        activation = ACTIVATIONS[turn % len(ACTIVATIONS)]
        match spec:
            case LinearSpec():
                found.append(spec.model_copy(update={"width": width, "depth": depth}))
            case MlpSpec() | ResidualSpec():
                found.append(spec.model_copy(update={"width": width, "depth": depth, "activation": activation}))
            case CnnSpec():
                fits = 1 if shortest_side is None else max(1, int(math.log2(max(2, shortest_side))))
                most = min(MOST_CONVOLUTIONS, fits)
                channels = CHANNELS[(n // 2) % len(CHANNELS)]  # in step with none of the others
                changed = {"width": width, "depth": 1 + n % most, "channels": channels, "activation": activation}
                found.append(spec.model_copy(update=changed))
    return found


def network_name(spec: ModelSpec) -> str:
    """Short, for a table or a plot: ``3x128 tanh``."""
    match spec:
        case LinearSpec():
            return f"{spec.depth}x{spec.width} linear"
        case MlpSpec():
            return f"{spec.depth}x{spec.width} {spec.activation}"
        case ResidualSpec():
            return f"{spec.depth}x{spec.width} residual {spec.activation}"
        case CnnSpec():
            return f"{spec.depth} conv {spec.channels}, {spec.width} {spec.activation}"


def shortened(training: TrainingSpecs, samples: int) -> TrainingSpecs:
    """The training, cut to so many whole epochs as fit into :data:`STEPS`, at least one."""
    per_epoch = math.ceil(samples / training.batch_size)
    return training.model_copy(update={"epochs": min(training.epochs, max(1, STEPS // per_epoch))})


def input_gradients(model: Network, x: Tensor, y: Tensor) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """Logit margin ``z_y - max_{k != y} z_k`` of inputs ``[M, ...]`` and its gradient: ``[M]`` and ``[M, D]``, float64."""
    margins, gradients = [], []
    for inputs, labels in zip(torch.split(x, BATCH), torch.split(y, BATCH), strict=True):
        leaf = inputs.clone().requires_grad_()
        logits = model(leaf)
        own = logits.gather(1, labels[:, None])[:, 0]
        margin = own - logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        (gradient,) = torch.autograd.grad(margin.sum(), leaf)
        margins.append(margin.detach().double())
        gradients.append(gradient.flatten(1).double())
        yield
    return torch.cat(margins), torch.cat(gradients)


# --- pieces ------------------------------------------------------------------------------------------------------


def _made(bench: Bench) -> Generator[Event | None, None, Fleet]:
    spec = bench.spec
    dataset = yield from bench.dataset()
    chosen = balanced_order(dataset.y_train, spec.seed, "fleet training")[:TRAINED_ON]
    data = replace(dataset, x_train=dataset.x_train[chosen], y_train=dataset.y_train[chosen])
    order = test_order(dataset, spec.seed)[:TESTED_ON]
    if not len(order):
        raise AttackError("There is no test sample to attack. Choose data with a test set on the Data step.")
    count = spec.controls.networks
    side = min(dataset.input_shape[1:]) if dataset.is_image else None
    kept = bench.given("fleet")
    members, right = [], []
    for number, variant in enumerate(shapes(spec.model, count, side)):
        seed = derive(spec.seed, "fleet", str(number))
        model = build(variant, data, seed)
        if kept is None:
            training = shortened(spec.training, len(chosen))
            for step in fit(model, data, training, seed):
                if step is None:
                    yield None
                    continue
                said = f"network {number + 1} of {count} ({network_name(variant)}), epoch {step.epoch}"
                yield Progress(number * step.steps + step.step, count * step.steps, said)
        else:
            prefix = f"{number}."
            arrays = {k.removeprefix(prefix): v for k, v in kept.arrays.items() if k.startswith(prefix)}
            load_arrays(model, arrays)
        seen = yield from predictions(model, dataset.x_test[order])
        right.append(seen == dataset.y_test[order])
        accuracy = float(right[-1].double().mean())
        members.append(Member(network_name(variant), variant, model, accuracy))
        yield None
    found = Fleet(tuple(members), data, order, torch.stack(right))
    if kept is None:
        yield _kept(bench, found)
    return found


def _kept(bench: Bench, fleet: Fleet) -> Artifact:
    arrays: dict[str, np.ndarray] = {"accuracy": np.array([member.accuracy for member in fleet.members])}
    for number, member in enumerate(fleet.members):
        arrays |= {f"{number}.{name}": value for name, value in weights_to_arrays(member.model).items()}
    return Artifact("fleet", bench.keys["fleet"], arrays, {"networks": fleet.told()})


@torch.no_grad()
def _classes(model: Network, x: Tensor) -> Tensor:
    found: Tensor = model(x).argmax(1)
    return found


def predictions(model: Network, x: Tensor) -> Generator[None, None, Tensor]:
    found = []
    for part in torch.split(x, BATCH):
        found.append(_classes(model, part))
        yield
    return torch.cat(found)
