"""A network that can be looked into: modules in a row, and taps that name the layers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Tap:
    """A place where a model's features are observed.

    ``module`` is the dotted name of the module whose output is taken; for the kind "input" it is the module whose
    input is taken, "" being the model itself. Taps of one ``layer`` belong together: the linear map, then the activation, or
    the sum that a residual block gives out.
    """

    name: str
    kind: Literal["input", "linear", "activation", "block", "logits"]
    layer: int
    module: str


class Network(nn.Module):
    """Normalisation, then layers in a row. Input ``[N, C, H, W]`` or ``[N, D]``, output logits ``[N, K]``."""

    def __init__(self, normalise: nn.Module, layers: OrderedDict[str, nn.Module], taps: Sequence[Tap]) -> None:
        super().__init__()
        self.normalise = normalise
        self.layers = nn.Sequential(layers)
        self.taps = tuple(taps)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(self.normalise(x))
        return logits
