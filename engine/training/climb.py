"""Gradient ascent on the loss within a ball: the inner problem of adversarial training."""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from torch import Tensor

from engine.training.balls import Ball


def climb(
    around: Ball, loss: Callable[[Tensor], Tensor], start: Tensor, *, alpha: float, steps: int
) -> Generator[None, None, Tensor]:
    """``x_adv = yield from climb(...)``: ``steps`` steps of length ``alpha``, in input units, from ``start`` ``[n, ...]``.

    ``loss`` gives the sum of the losses of a batch, so that an input's gradient does not depend on the others. A breath
    after each step. Parameters get no gradients. Source: A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu (2018),
    "Towards deep learning models resistant to adversarial attacks".
    """
    x = start
    for _ in range(steps):
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(leaf), leaf)
        x = around.project(torch.add(leaf.detach(), around.ascent(gradient), alpha=alpha))
        yield
    return x
