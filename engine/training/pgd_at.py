"""Adversarial training: the cross-entropy of samples that PGD has perturbed.

Source: A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018), "Towards deep learning models resistant to
adversarial attacks".
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.specs import PgdTrainingSpec
from engine.training.balls import Bounds, ball
from engine.training.climb import climb


class PgdTraining:
    """``min_w mean max_{|delta| <= eps} CE(w, x + delta, y)``, the maximum sought by PGD from a random point of the ball."""

    def __init__(self, spec: PgdTrainingSpec, bounds: Bounds, draws: torch.Generator) -> None:
        self._spec, self._bounds, self._draws = spec, bounds, draws

    def perturb(self, model: nn.Module, x: Tensor, y: Tensor) -> Generator[None, None, Tensor]:
        spec = self._spec
        around = ball(spec, x, self._bounds)

        def loss(x_adv: Tensor) -> Tensor:
            return cross_entropy(model(x_adv), y, reduction="sum")

        alpha = spec.reach * spec.eps / spec.steps
        return (yield from climb(around, loss, around.draw(self._draws), alpha=alpha, steps=spec.steps))

    def loss(self, model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        logits = model(x_adv)
        return cross_entropy(logits, y, label_smoothing=self._spec.label_smoothing), logits
