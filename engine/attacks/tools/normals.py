"""The normal of a decision boundary, estimated from predicted classes alone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, column
from engine.attacks.tools.decision import inside

Looks: TypeAlias = Callable[[int, int], Tensor]
"""(first, count) -> that many unit directions ``[count, ...]``, from number ``first`` on."""


def boundary_normal(
    batch: Batch, x: Tensor, delta: Tensor, counts: Tensor, looks: Looks, first: int
) -> Generator[None, None, Tensor]:
    """Direction ``[n, ...]`` from the boundary point ``x`` into the region of success; the more looks, the longer.

    ``counts`` int64 ``[n]``, at least 1, says how many looks each sample takes, at distance ``delta`` ``[n]`` from x. It
    is the sum of the looks, 1 for a success and -1 for a failure less the mean of these, unless all are equal.
    Source: J. Chen, M. Jordan, M. Wainwright (2020), "HopSkipJumpAttack: a query-efficient decision-based attack", eq. 16.
    """
    n, most = len(x), int(counts.max())
    at_once = max(1, batch.question.most_rows // n)
    weighed = x.new_zeros(n, 2, x[0].numel())
    votes = x.new_zeros(n)
    for start in range(0, most, at_once):
        count = min(at_once, most - start)
        points = x[:, None] + delta.reshape(-1, *[1] * x.ndim) * looks(first + start, count)
        points = inside(batch, points.flatten(0, 1)).reshape(points.shape)
        taken = counts[:, None] > torch.arange(start, start + count, device=x.device)
        rows = torch.arange(n, device=x.device).repeat_interleave(taken.sum(1))
        seen = batch.logits(points.flatten(0, 1) if len(rows) == n * count else points[taken], rows)
        vote = x.new_zeros(n, count)
        vote[taken] = batch.succeeded(seen, rows).to(x.dtype) * 2 - 1
        weighed += torch.stack([vote, taken.to(x.dtype)], 1) @ (points - x[:, None]).flatten(2)
        votes += vote.sum(1)
        yield None
    mean = votes / counts
    mean = torch.where(mean.abs() == 1, 0.0, mean)
    normal = (weighed[:, 0] - mean[:, None] * weighed[:, 1]).reshape(x.shape)
    return normal / column(delta, x)
