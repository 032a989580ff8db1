"""The networks that the lab builds."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from engine.specs.base import Spec, param

Activation = Literal["relu", "leaky_relu", "tanh", "erf", "gelu"]
Init = Literal["he", "lecun", "sigma"]


class NetworkSpec(Spec):
    """What every built-in network has: its initialisation, its biases and its input normalisation."""

    init: Init = param(
        "he",
        "Scale of the initial Gaussian weights: variance sigma_w^2 / fan-in",
        label="Initialisation",
        advanced=True,
        choices={"he": "He (sigma_w^2 = 2)", "lecun": "LeCun (sigma_w^2 = 1)", "sigma": "sigma_w, sigma_b below"},
    )
    sigma_w: float = param(
        1.5, "Weight scale, used with the sigma initialisation", label="sigma_w", gt=0, le=100, advanced=True
    )
    sigma_b: float = param(
        0.05, "Bias scale, used with the sigma initialisation", label="sigma_b", ge=0, le=100, advanced=True
    )
    bias: bool = param(True, "Whether the linear maps have biases", label="Biases", advanced=True)
    normalise: Literal["standard", "none"] = param(
        "standard",
        "The model's first layer: subtract the training mean and divide by the training deviation, per channel",
        label="Input layer",
        choices={"standard": "standardise", "none": "as it is"},
        advanced=True,
    )


class LinearSpec(NetworkSpec):
    """A deep linear network: one linear map after another, nothing between them."""

    family: Literal["linear"] = "linear"
    depth: int = param(6, "Hidden linear layers before the output layer", label="Depth", ge=0, le=1000, unit="layers")
    width: int = param(128, "Units in each hidden layer", label="Width", ge=1, le=16384, unit="units")


class MlpSpec(NetworkSpec):
    """A multilayer perceptron: a linear map and an activation in each layer, then a linear output."""

    family: Literal["mlp"] = "mlp"
    depth: int = param(6, "Hidden layers before the output layer", label="Depth", ge=0, le=1000, unit="layers")
    width: int = param(128, "Units in each hidden layer", label="Width", ge=1, le=16384, unit="units")
    activation: Activation = param(
        "relu",
        "Non-linearity after each hidden linear map",
        label="Activation",
        choices={"relu": "ReLU", "leaky_relu": "leaky ReLU (0.01)", "tanh": "tanh", "erf": "erf", "gelu": "GELU"},
    )
    batch_norm: bool = param(
        False,
        "Normalise each unit over the batch after every hidden linear map (Ioffe & Szegedy 2015)",
        label="Batch norm",
        advanced=True,
    )


class ResidualSpec(NetworkSpec):
    """A residual network: a linear map, then blocks x + alpha W activation(x), then a linear output."""

    family: Literal["residual"] = "residual"
    depth: int = param(6, "Residual blocks between the first linear map and the output", label="Blocks", ge=0, le=1000)
    width: int = param(128, "Units in each block", label="Width", ge=1, le=16384, unit="units")
    activation: Activation = param(
        "relu",
        "Non-linearity at the entry of each block's branch",
        label="Activation",
        choices={"relu": "ReLU", "leaky_relu": "leaky ReLU (0.01)", "tanh": "tanh", "erf": "erf", "gelu": "GELU"},
    )
    branches: Literal["alpha", "depth"] = param(
        "depth",
        "How strongly each block's branch is added: by alpha below, or by 1 / sqrt(blocks), with which depth stops entangling",
        label="Branch scale",
        choices={"depth": "1/√blocks", "alpha": "alpha below"},
    )
    alpha: float = param(1.0, "Factor of each branch, used with the branch scale alpha", label="α", gt=0, le=1)

    @property
    def scale(self) -> float:
        """The factor alpha of each branch."""
        return self.alpha if self.branches == "alpha" else 1 / math.sqrt(max(1, self.depth))

    @property
    def alpha2(self) -> float:
        """Its square."""
        return self.scale**2


class CnnSpec(NetworkSpec):
    """A small convolutional network: 3x3 convolutions, halved in size after each, then one hidden linear layer."""

    family: Literal["cnn"] = "cnn"
    depth: int = param(
        2,
        "Convolution layers, each followed by the activation and 2x2 mean pooling",
        label="Convolutions",
        ge=1,
        le=6,
        unit="layers",
    )
    channels: int = param(
        16, "Channels of the first convolution; doubled in each further one", label="Channels", ge=1, le=512
    )
    width: int = param(128, "Units in the hidden linear layer", label="Width", ge=1, le=16384, unit="units")
    activation: Activation = param(
        "relu",
        "Non-linearity after each convolution and hidden linear map",
        label="Activation",
        choices={"relu": "ReLU", "leaky_relu": "leaky ReLU (0.01)", "tanh": "tanh", "erf": "erf", "gelu": "GELU"},
    )


ModelSpec = Annotated[LinearSpec | MlpSpec | ResidualSpec | CnnSpec, Field(discriminator="family")]
