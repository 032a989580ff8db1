"""The universal perturbation. Source: A. Shafahi, M. Najibi, Z. Xu, J. Dickerson, L. S. Davis, T. Goldstein (2020),
"Universal adversarial training"; the question is that of S. Moosavi-Dezfooli, A. Fawzi, O. Fawzi, P. Frossard (2017),
"Universal adversarial perturbations".

Stochastic gradient ascent on the mean loss at ``x + delta``, with delta kept in the ball. Of a binary affine model whose
samples are all of one class it is ``eps sign(w)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.attacks.core.attack import JointMethod, JointSteps
from engine.attacks.core.batch import Batch
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.projections import Box, ball
from engine.attacks.tools.shared import Fit, fitted
from engine.specs import UniversalSpec


def universal(spec: UniversalSpec) -> JointMethod:
    """L-inf steps go along the sign of a minibatch's gradient, L2 steps along it made length 1."""

    def joint(batches: Sequence[Batch]) -> JointSteps:
        return fitted(batches, spec, _Perturbation(spec, batches[0].box, targeted=batches[0].targeted))

    return joint


class _Perturbation:
    """``[1, ...]``, the same for all samples, wherever they are."""

    def __init__(self, spec: UniversalSpec, box: Box | None, *, targeted: bool) -> None:
        self._spec, self._box, self._targeted = spec, box, targeted

    def begin(self, fit: Fit) -> Tensor:
        return torch.zeros_like(fit.x[:1])

    def put(self, value: Tensor, x: Tensor, draws: Draws, step: int) -> Tensor:  # noqa: ARG002
        return ball(self._spec.norm, x, self._spec.eps, self._box).project(x + value)

    def pull(self, gradient: Tensor, draws: Draws, step: int) -> Tensor:  # noqa: ARG002
        return gradient.sum(0, keepdim=True)

    def ascend(self, value: Tensor, gradient: Tensor) -> Tensor:
        around = ball(self._spec.norm, torch.zeros_like(value), self._spec.eps, None)
        return around.project(torch.add(value, around.ascent(gradient), alpha=self._spec.alpha))

    def wanted(self, logits: Tensor, y: Tensor, target: Tensor | None) -> Tensor:
        return logits.argmax(1) != y if target is None else logits.argmax(1) == target
