"""TRADES: accuracy on clean samples against a smooth answer around them.

Source: H. Zhang, Y. Yu, J. Jiao, E. P. Xing, L. El Ghaoui, M. I. Jordan (2019), "Theoretically principled trade-off
between robustness and accuracy".
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from engine.specs import TradesTrainingSpec
from engine.training.balls import Bounds, ball
from engine.training.climb import climb

START = 0.001  # deviation of the start, in input units, as Zhang et al.: at the sample itself the divergence has no gradient


class TradesTraining:
    """``CE(p(x), y) + beta * max_{|delta| <= eps} KL(p(x) || p(x + delta))``; gradients flow through both answers."""

    def __init__(self, spec: TradesTrainingSpec, bounds: Bounds, draws: torch.Generator) -> None:
        self._spec, self._bounds, self._draws = spec, bounds, draws
        # a divergence of nothing: no second pass, which would move the statistics of batch normalisation too
        self._plain = spec.beta == 0 or spec.eps == 0

    def perturb(self, model: nn.Module, x: Tensor, y: Tensor) -> Generator[None, None, Tensor]:  # noqa: ARG002
        if self._plain:
            return x
        spec = self._spec
        around = ball(spec, x, self._bounds)
        with torch.no_grad():
            told = model(x).log_softmax(1)

        def loss(x_adv: Tensor) -> Tensor:
            return divergence(told, model(x_adv)).sum()

        start, alpha = around.near(self._draws, START), spec.reach * spec.eps / spec.steps
        return (yield from climb(around, loss, start, alpha=alpha, steps=spec.steps))

    def loss(self, model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = model(x)
        natural = cross_entropy(logits, y, label_smoothing=self._spec.label_smoothing)
        if self._plain:
            return natural, logits
        return natural + self._spec.beta * divergence(logits.log_softmax(1), model(x_adv)).mean(), logits


def divergence(told: Tensor, logits: Tensor) -> Tensor:
    """``KL(p || q)`` in nats of each row: ``told`` ``[n, K]`` is log p, q the softmax of ``logits`` ``[n, K]``."""
    return kl_div(logits.log_softmax(1), told, reduction="none", log_target=True).sum(1)
