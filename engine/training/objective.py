"""What a training makes small: how a batch is perturbed first, and the loss of the batch then."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class Objective(Protocol):
    """One training method."""

    def perturb(self, model: nn.Module, x: Tensor, y: Tensor) -> Generator[None, None, Tensor]:
        """``x_adv`` ``[n, ...]`` of a batch ``[n, ...]``, with breaths; the model is in evaluation mode and stays there.

        In train mode every look of the inner attack would move the running statistics of batch normalisation, and an
        input's perturbation would depend on its batch. So do Zhang et al. (2019); Wong et al. (2020) stay in train mode.
        """

    def loss(self, model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss of the batch (nats), and the logits ``[n, K]`` that its accuracy is read off; the model is in train mode."""


class Standard:
    """Cross-entropy on the samples as they are."""

    def __init__(self, smoothing: float) -> None:
        self._smoothing = smoothing

    def perturb(self, model: nn.Module, x: Tensor, y: Tensor) -> Generator[None, None, Tensor]:  # noqa: ARG002
        yield from ()  # never rests
        return x

    def loss(self, model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        logits = model(x)
        return cross_entropy(logits, y, label_smoothing=self._smoothing), logits
