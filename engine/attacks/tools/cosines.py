"""The discrete cosine basis (type II, orthonormal), the lowest frequencies of it.

Source: N. Ahmed, T. Natarajan, K. Rao (1974), "Discrete cosine transform". Directions of low frequency change what a
network says more than others of the same length (C. Guo, J. Frank, K. Weinberger 2018, "Low frequency adversarial
perturbation"). Samples ``[..., H, W]`` are waves over their last two dimensions, vectors ``[D]`` over their only one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LEAST = 8


def cosines(length: int, like: Tensor) -> Tensor:
    """``[length, length]``: row k is the wave of frequency k, of length 1, all at right angles to each other."""
    place = torch.arange(length, dtype=torch.float64, device=like.device)
    waves = torch.cos(math.pi / length * (place + 0.5)[None] * place[:, None]) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return waves.to(like.dtype)


class Cosines:
    """The waves that lie in samples of one shape: of images the lowest ``share`` of the frequencies along each axis, but at
    least :data:`LEAST`, and of vectors, whose values have no order, all."""

    def __init__(self, shape: torch.Size, share: float, like: Tensor) -> None:
        self.shape = shape
        first = max(0, len(shape) - 2)
        if len(shape) == 1:
            share = 1.0
        self._axes = [cosines(size, like)[: max(LEAST, math.ceil(share * size))] for size in shape[first:]]
        self.kept = torch.Size([*shape[:first], *(len(axis) for axis in self._axes)])
        """Shape of the coefficients."""

    def synthesis(self, coefficients: Tensor) -> Tensor:
        """The sum of waves ``[m, *shape]`` that has these coefficients ``[m, *kept]``; lengths stay as they are."""
        along = coefficients @ self._axes[-1]
        return along if len(self._axes) == 1 else self._axes[0].T @ along

    def wave(self, index: Tensor) -> Tensor:
        """The single waves ``[m, *shape]`` that have these numbers (int64 ``[m]``) among the flattened coefficients."""
        if len(self._axes) == 1:
            return self._axes[0][index]
        down, across = (len(axis) for axis in self._axes)
        patch = self._axes[0][index // across % down][:, :, None] * self._axes[1][index % across][:, None, :]
        waves = patch.new_zeros(len(index), self.shape[:-2].numel(), *patch.shape[1:])
        waves[torch.arange(len(index), device=index.device), index // (across * down)] = patch
        return waves.reshape(-1, *self.shape)
