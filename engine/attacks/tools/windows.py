"""The windows of the Square attack: how large they are, where they lie, and what is put into them.

Source: M. Andriushchenko, F. Croce, N. Flammarion, M. Hein (2020), "Square attack: a query-efficient black-box adversarial
attack via random search".
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

SHRINKING = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""The queries, of 10,000, after which the share of the image that a window covers is halved."""


class Grid:
    """A sample as ``C`` channels of ``H x W`` pixels: an image as it is, a vector as one row."""

    def __init__(self, shape: torch.Size) -> None:
        channels, height, *width = (1, *shape) if len(shape) == 1 else shape
        self.channels, self.height, self.width = (
            (channels, height, math.prod(width)) if width else (channels, 1, height)
        )

    @property
    def pixels(self) -> int:
        return self.height * self.width

    def window(self, share: float, *, odd: bool) -> tuple[int, int]:
        """Height and width of a window that covers ``share`` of the image: square, where the image is large enough.

        ``odd`` windows have a middle and are at least 3 long, as the L2 and L1 forms want them.
        """
        side = max(1, round(math.sqrt(share * self.pixels)))
        if odd:
            side = max(side, 3) | 1
        height, width = min(side, self.height), min(side, self.width)
        if height < side:
            width = min(max(side, round(share * self.pixels / height)), self.width)
        elif width < side:
            height = min(max(side, round(share * self.pixels / width)), self.height)
        return height, width

    def tile(self) -> tuple[int, int]:
        """Height and width of the tiles that L2 and L1 begin with: a fifth of the shorter side, of a row a fifth of it."""
        short = min(self.height, self.width)
        side = max(1, (max(self.height, self.width) if short == 1 else short) // 5)
        return min(side, self.height), min(side, self.width)

    def offsets(self, height: int, width: int, device: torch.device) -> Tensor:
        """Places of a window's pixels relative to its first one, in a channel laid out flat: int64 ``[height width]``."""
        rows = torch.arange(height, device=device)[:, None] * self.width
        return (rows + torch.arange(width, device=device)).flatten()

    def place(self, share: Tensor, height: int, width: int) -> Tensor:
        """The first pixel of a window at a random place: int64 from ``share`` ``[..., 2]``, uniform over [0, 1)."""
        top = (share[..., 0] * (self.height - height + 1)).long()
        left = (share[..., 1] * (self.width - width + 1)).long()
        return top * self.width + left


def share_of(query: int, queries: int, p_init: float, *, rescale: bool) -> float:
    """The share of the image that the window of a query (0, 1, ...) covers."""
    if rescale:
        query = query * 10_000 // queries
    halvings = sum(query > end for end in SHRINKING)
    return float(p_init / 2**halvings)


@lru_cache(maxsize=64)
def bumps(height: int, width: int, power: int) -> Tensor:
    """Two patterns ``[2, height, width]`` of length 1, in L2 for ``power`` 2 and in L1 for 4.

    Each consists of two hills of opposite sign, one beside the other in the first pattern, one above the other in the
    second; a side of a single pixel is not divided.
    """
    flat = [_halves(width, height, power).T, _halves(height, width, power)]
    if width == 1 or height == 1:
        flat = [flat[0] if height == 1 else flat[1]] * 2
    order = 2 if power == 2 else 1
    return torch.stack([pattern / torch.linalg.vector_norm(pattern, order) for pattern in flat])


def _halves(height: int, width: int, power: int) -> Tensor:
    """A hill above one of opposite sign ``[height, width]``, both of length 1."""
    order = 2 if power == 2 else 1
    parts = [_hill(size, width, power) for size in (height // 2, height - height // 2) if size]
    upper, *lower = [part / torch.linalg.vector_norm(part, order) for part in parts]
    return torch.cat([upper, *[-part for part in lower]])


def _hill(height: int, width: int, power: int) -> Tensor:
    """Falling from the middle by the sum of ``1 / (k + 1)^power`` over the squares around it that a pixel lies in."""
    top, left = height // 2, width // 2
    away = torch.maximum(
        (torch.arange(height) - top).abs()[:, None].expand(height, width), (torch.arange(width) - left).abs()
    )
    steps = 1 / torch.arange(1, max(top, left) + 2, dtype=torch.float64) ** power
    return steps.flip(0).cumsum(0).flip(0)[away].float()
