"""Gradients estimated from scores alone: the loss is looked at on both sides of a point, along random directions."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor
from torch.nn.functional import softplus

from engine.attacks.core.batch import Batch
from engine.attacks.tools.losses import Loss, log_odds
from engine.attacks.tools.probes import Probes


def exact_cross_entropy(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """Cross-entropy to the true class, minus that to the target, in float64: differences stay visible where p is nearly 1."""
    odds = log_odds(logits.double(), y, target)
    return softplus(odds) if target is None else -softplus(-odds)


def slope(
    batch: Batch, x: Tensor, loss: Loss, probes: Probes, first: int, pairs: int, size: float
) -> Generator[None, None, Tensor]:
    """Estimated gradient ``[n, ...]`` of the gain at ``x``: the mean over ``pairs`` probes u of
    ``(gain(x + size u) - gain(x - size u)) / (2 size) u``.

    Each pair costs every sample two looks, which stay in the box; the probes are those from number ``first`` on.
    """
    n = len(x)
    total = torch.zeros_like(x).flatten(1)
    at_once = max(1, batch.question.most_rows // (2 * n))
    for start in range(0, pairs, at_once):
        count = min(at_once, pairs - start)
        looks = probes.take(first + start, count)
        steps = size * torch.stack([looks, -looks])
        points = x[:, None, None] + steps[None]  # [n, 2, count, ...]
        if batch.box is not None:
            points = batch.box.clamp(points)
        rows = torch.arange(n, device=x.device).repeat_interleave(2 * count)
        logits = batch.logits(points.flatten(0, 2), rows)
        target = None if batch.target is None else batch.target[rows]
        gains = loss(logits.double(), batch.y[rows], target).reshape(n, 2, count)
        total += ((gains[:, 0] - gains[:, 1]) / (2 * size)).to(x.dtype) @ looks.flatten(1)
        yield None
    return (total / pairs).reshape(x.shape)
