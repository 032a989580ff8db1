"""Samples seen as pixels: a pixel of an image is all its channels at one place, of a vector it is a value."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch


def as_pixels(x: Tensor) -> Tensor:
    """``[n, C, L]``: samples ``[n, C, ...]`` with their places in a row; vectors have one channel."""
    return x.reshape(len(x), 1, -1) if x.ndim == 2 else x.flatten(2)


def sides(x: Tensor) -> tuple[int, ...]:
    """How many places there are along each axis."""
    return tuple(x.shape[1:] if x.ndim == 2 else x.shape[2:])


def ends(batch: Batch) -> tuple[Tensor, Tensor]:
    """The least and the greatest number that each value may be set to: two of ``[n, C, L]``.

    Where there is no input range, a sample's own numbers span a third of it, in the middle.
    """
    x = as_pixels(batch.x)
    if batch.box is not None:
        low, high = (edge.expand(batch.x.shape[1:])[None] for edge in (batch.box.lower, batch.box.upper))
        return as_pixels(low).expand_as(x), as_pixels(high).expand_as(x)
    least, most = x.flatten(1).amin(1), x.flatten(1).amax(1)
    span = torch.where(most > least, most - least, 1.0)
    return (least - span)[:, None, None].expand_as(x), (most + span)[:, None, None].expand_as(x)


def at_places(values: Tensor, places: Tensor) -> Tensor:
    """The pixels of ``values`` ``[n, C, L]`` at ``places`` ``[n, k]``: ``[n, C, k]``."""
    return values.gather(2, places[:, None].expand(-1, values.shape[1], -1))
