"""From a spec and the data's shape to a network with fresh weights."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models.arrays import parameter_count
from engine.models.initial import initialise
from engine.models.layers import BatchNorm, Conv, Linear, Normalise, Residual, activation
from engine.models.network import Network, Tap
from engine.specs import CnnSpec, LinearSpec, MlpSpec, ModelSpec, ResidualSpec

SETTLED_BY = 1024  # training samples at most
RUNNING = 0.1  # weight of a new batch in the running means
MOST_PARAMETERS = 200_000_000  # with gradients and Adam's two moments, 3.2 GB


class Samples(Protocol):
    """What a network must know of the data: a ``Dataset`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def x_train(self) -> Tensor: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def n_classes(self) -> int: ...
    @property
    def is_image(self) -> bool: ...


def build(spec: ModelSpec, dataset: Samples, seed: int) -> Network:
    """A float32 network for the data, in eval mode, its weights drawn from ``seed`` alone.

    Taps: "input" (layer 0: the raw input, before normalisation); for each hidden layer l the linear map ("linear l",
    "conv l") and what follows it ("relu l", ...; for a convolution after its pooling, so that the two taps of a
    convolution differ in size); "logits". A deep linear network has the linear taps alone. In a residual network the first
    linear map is layer 1, and each block has its branch's linear map and its sum ("linear l", "block l"). Batch
    normalisation, where there is one, stands between the two taps of its layer.

    Raises ModelError where the network does not fit the data or is too large to be trained here.
    """
    # made without memory first, so that a size beyond reason is refused before it is allocated; then anew, since
    # giving that first one its memory (to_empty) would import sympy, a third of a second
    with torch.device("meta"):
        count = parameter_count(_assemble(spec, dataset))
    if count > MOST_PARAMETERS:
        raise ModelError(
            f"This model would have {count:,} parameters, more than the {MOST_PARAMETERS:,} that can be trained here. "
            "Choose a smaller width, depth or number of channels in the Model step."
        )
    model = _assemble(spec, dataset)
    initialise(model, spec, seed)
    if spec.normalise == "standard":
        model.normalise = Normalise(dataset.x_train)
    if isinstance(spec, MlpSpec) and spec.batch_norm:
        _settle(model, dataset.x_train)
    return model.eval()


@torch.no_grad()
def _settle(model: Network, x_train: Tensor) -> None:
    """Take the running means and deviations from training samples.

    Those that batch normalisation starts with, 0 and 1, are no sample's: a network that has learned nothing would be
    looked at without being normalised at all.
    """
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    for norm in norms:
        norm.momentum = None  # a plain mean over what is shown
    model.train()
    model(x_train[:: max(1, -(-len(x_train) // SETTLED_BY))])
    for norm in norms:
        norm.momentum = RUNNING


def _assemble(spec: ModelSpec, dataset: Samples) -> Network:
    """The network without its weights and its normalisation."""
    match spec:
        case CnnSpec():
            plan = _convolutional(spec, dataset)
        case ResidualSpec():
            plan = _residual(spec, dataset)
        case _:
            plan = _flat(spec, dataset)
    return Network(nn.Identity(), plan.layers, plan.taps)


class _Plan:
    """Layers and taps as they are put one after another."""

    def __init__(self) -> None:
        self.layers: OrderedDict[str, nn.Module] = OrderedDict()
        self.taps = [Tap("input", "input", 0, "")]

    def linear(self, word: str, layer: int, module: nn.Module) -> None:
        self.layers[f"{word}{layer}"] = module
        self.taps.append(Tap(f"{word} {layer}", "linear", layer, f"layers.{word}{layer}"))

    def active(self, layer: int, spec: MlpSpec | CnnSpec, pooling: nn.Module | None = None) -> None:
        last = f"{spec.activation}{layer}"
        self.layers[last] = activation(spec.activation)
        if pooling is not None:
            last = f"pool{layer}"
            self.layers[last] = pooling
        shown = spec.activation.replace("_", " ")
        self.taps.append(Tap(f"{shown} {layer}", "activation", layer, f"layers.{last}"))

    def block(self, layer: int, module: Residual) -> None:
        self.layers[f"block{layer}"] = module
        self.taps.append(Tap(f"linear {layer}", "linear", layer, f"layers.block{layer}.linear"))
        self.taps.append(Tap(f"block {layer}", "block", layer, f"layers.block{layer}"))

    def logits(self, layer: int, module: nn.Module) -> None:
        self.layers["logits"] = module
        self.taps.append(Tap("logits", "logits", layer, "layers.logits"))


def _flat(spec: LinearSpec | MlpSpec, dataset: Samples) -> _Plan:
    plan = _Plan()
    if dataset.is_image:
        plan.layers["flatten"] = nn.Flatten()
    size = math.prod(dataset.input_shape)
    for layer in range(1, spec.depth + 1):
        plan.linear("linear", layer, Linear(size, spec.width, spec.bias))
        size = spec.width
        if isinstance(spec, MlpSpec):
            if spec.batch_norm:
                plan.layers[f"norm{layer}"] = BatchNorm(size)
            plan.active(layer, spec)
    plan.logits(spec.depth + 1, Linear(size, dataset.n_classes, spec.bias))
    return plan


def _residual(spec: ResidualSpec, dataset: Samples) -> _Plan:
    plan = _Plan()
    if dataset.is_image:
        plan.layers["flatten"] = nn.Flatten()
    plan.linear("linear", 1, Linear(math.prod(dataset.input_shape), spec.width, spec.bias))
    for layer in range(2, spec.depth + 2):
        plan.block(layer, Residual(spec.width, spec.bias, activation(spec.activation), spec.scale))
    plan.logits(spec.depth + 2, Linear(spec.width, dataset.n_classes, spec.bias))
    return plan


def _convolutional(spec: CnnSpec, dataset: Samples) -> _Plan:
    if not dataset.is_image:
        raise ModelError(
            f"A convolutional network needs images, but {dataset.name} has vectors of length {dataset.input_shape[0]:,}. "
            "Choose an MLP or a linear network in the Model step, or image data in the Data step."
        )
    inputs, height, width = dataset.input_shape
    if min(height, width) < 2**spec.depth:
        most = int(math.log2(min(height, width)))
        advice = f"at most {most} convolutions, or " if most else ""
        raise ModelError(
            f"Each convolution halves the image, and {spec.depth} of them need images of at least {2**spec.depth} x "
            f"{2**spec.depth} pixels, but {dataset.name} has {height} x {width}. "
            f"Choose {advice}an MLP or a linear network in the Model step."
        )
    plan = _Plan()
    outputs = spec.channels
    for layer in range(1, spec.depth + 1):
        plan.linear("conv", layer, Conv(inputs, outputs, spec.bias))
        plan.active(layer, spec, nn.AvgPool2d(2))
        inputs, outputs = outputs, 2 * outputs
        height, width = height // 2, width // 2
    plan.layers["flatten"] = nn.Flatten()
    hidden = spec.depth + 1
    plan.linear("linear", hidden, Linear(inputs * height * width, spec.width, spec.bias))
    plan.active(hidden, spec)
    plan.logits(hidden + 1, Linear(spec.width, dataset.n_classes, spec.bias))
    return plan
