"""Robust accuracy while a network is trained: the share of samples that a short PGD does not bring it to take for another class."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.models import eval_mode
from engine.seeds import generator
from engine.training.balls import Ball, Bounds, ball_of

BATCH = 64  # samples between two breaths


def withstanding(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    norm: Literal["Linf", "L2"],
    eps: float,
    bounds: Bounds,
    alpha: float,
    steps: int,
    seed: int,
) -> Generator[None, None, Tensor]:
    """Which samples ``[N, ...]`` are seen rightly as they are, at a random start, and after each of ``steps`` steps: bool ``[N]``.

    ``alpha`` is the length of a step in input units. The start depends on ``seed`` alone. An upper bound of what
    stronger attacks leave; the model is left as it was, breaths come after each step of each 64 samples.
    """
    draws = generator(seed, "withstanding")
    found = []
    for inputs, labels in zip(torch.split(x, BATCH), torch.split(y, BATCH), strict=True):
        around = ball_of(norm, eps, inputs, bounds)
        with torch.no_grad(), eval_mode(model):
            right = model(inputs).argmax(1) == labels
        point = around.draw(draws)
        yield
        for _ in range(steps):
            point, seen = _step(model, around, point, labels, alpha)
            right &= seen
            yield
        with torch.no_grad(), eval_mode(model):
            found.append(right & (model(point).argmax(1) == labels))
    return torch.cat(found)


def _step(model: nn.Module, around: Ball, x: Tensor, y: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """The next point, and which samples are seen rightly at this one."""
    leaf = x.detach().requires_grad_()
    with torch.enable_grad(), eval_mode(model):
        logits = model(leaf)
        (gradient,) = torch.autograd.grad(cross_entropy(logits, y, reduction="sum"), leaf)
    return around.project(x + alpha * around.ascent(gradient)), logits.argmax(1) == y
