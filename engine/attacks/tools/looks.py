"""Looks at several points of each sample."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch


def scores(batch: Batch, x: Tensor, own: Tensor) -> Generator[None, None, Tensor]:
    """Class scores ``[m, K]`` at ``x`` ``[m, ...]``, of which row i belongs to the sample ``own[i]`` of the batch.

    No more rows than a batch may have go through the model at a time, with breaths in between.
    """
    most = batch.question.most_rows
    if len(x) <= most:
        return batch.logits(x, own)
    parts = []
    for rows in torch.split(torch.arange(len(x), device=x.device), most):
        parts.append(batch.logits(x[rows], own[rows]))
        yield None
    return torch.cat(parts)
