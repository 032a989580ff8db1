"""Fast adversarial training: one step of FGSM from a random start.

Source: E. Wong, L. Rice, J. Z. Kolter (2020), "Fast is better than free: revisiting adversarial training".
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.specs import FastTrainingSpec
from engine.training.balls import Bounds, ball
from engine.training.climb import climb


class FastTraining:
    """As with PGD, but a single step of length ``alpha * eps`` from a random point of the ball, put back into the ball."""

    def __init__(self, spec: FastTrainingSpec, bounds: Bounds, draws: torch.Generator) -> None:
        self._spec, self._bounds, self._draws = spec, bounds, draws

    def perturb(self, model: nn.Module, x: Tensor, y: Tensor) -> Generator[None, None, Tensor]:
        spec = self._spec
        around = ball(spec, x, self._bounds)

        def loss(x_adv: Tensor) -> Tensor:
            return cross_entropy(model(x_adv), y, reduction="sum")

        return (yield from climb(around, loss, around.draw(self._draws), alpha=spec.alpha * spec.eps, steps=1))

    def loss(self, model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        logits = model(x_adv)
        return cross_entropy(logits, y, label_smoothing=self._spec.label_smoothing), logits
