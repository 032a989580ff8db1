"""A deep linear network trained by gradient descent to send samples to one direction or to its opposite."""

from __future__ import annotations

import math
from collections.abc import Generator
from itertools import pairwise

import torch
from torch import Tensor
from torch.optim import Adam

from engine.errors import TrainingError
from engine.seeds import generator

_WORK = 2**27  # multiplications of one pass


def linear_layers(features: int, width: int, depth: int, seed: int) -> list[Tensor]:
    """Weights ``[width, in]`` of ``depth`` linear layers without biases, float64, Gaussian of variance 1/in (LeCun)."""
    draw = generator(seed, "descent", "weights")
    sizes = [features] + [width] * depth
    return [
        torch.randn(out, into, generator=draw, dtype=torch.float64) / math.sqrt(into) for into, out in pairwise(sizes)
    ]


def outputs(weights: list[Tensor], x: Tensor) -> list[Tensor]:
    """Features of ``x`` ``[N, features]`` after each layer, the input first."""
    found = [x]
    for weight in weights:
        found.append(found[-1] @ weight.T)
    return found


def cosine_loss(out: Tensor, target: Tensor) -> Tensor:
    """``(1 - C) / 2`` of rows of ``out`` with ``target`` ``[N, D]`` of length 1: a quarter of the squared chord, exact near 0."""
    unit = out / torch.linalg.vector_norm(out, dim=1, keepdim=True)
    loss: Tensor = (unit - target).square().sum(1) / 4
    return loss


def samples_at_once(weights: list[Tensor]) -> int:
    """How many samples pass the layers in a moment."""
    return max(1, _WORK // sum(weight.numel() for weight in weights))


def descend(
    weights: list[Tensor], x: Tensor, target: Tensor, *, rate: float, steps: int
) -> Generator[int | None, None, None]:
    """Train ``weights`` in place on all samples; yields the step, 1 .. ``steps``, after each, and None where a step takes long.

    ``x`` ``[m, features]`` and ``target`` ``[m, width]`` of length 1, float64. The loss is the mean of :func:`cosine_loss`, its
    gradient summed over parts of the samples; Adam: Kingma & Ba 2015. Raises TrainingError when the loss is not finite.
    """
    size = samples_at_once(weights)
    for weight in weights:
        weight.requires_grad_(True)
    optimizer = Adam(weights, lr=rate, fused=True)
    try:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            for start in range(0, len(x), size):
                part = slice(start, start + size)
                loss = cosine_loss(outputs(weights, x[part])[-1], target[part]).sum() / len(x)
                if not math.isfinite(loss.item()):
                    raise TrainingError(
                        f"Gradient descent of the linear network stopped at step {step:,} of {steps:,}: the loss is {loss.item()}. "
                        f"Choose a learning rate below {rate:g}, or fewer layers."
                    )
                torch.autograd.backward(loss)
                if size < len(x):
                    yield None
            optimizer.step()
            yield step
    finally:
        for weight in weights:
            weight.requires_grad_(False)
            weight.grad = None
