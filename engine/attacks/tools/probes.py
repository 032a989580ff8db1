"""Random directions along which a black-box attack asks: probe k is the same direction for every sample of the attack.

They depend on the seed and their number alone, so neither the batch nor the other samples matter, and drawing them once
for all samples costs next to nothing, where drawing them for each would cost more than a small model does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.attacks.tools.draws import Draws

AHEAD = 2**20  # numbers drawn at a time

Kind = Callable[[Draws, str, torch.Size], Tensor]


def normal(draws: Draws, purpose: str, shape: torch.Size) -> Tensor:
    """Standard normal numbers: all directions are equally likely."""
    return draws.normal(purpose, 0, shape)


def even(draws: Draws, purpose: str, shape: torch.Size) -> Tensor:
    """Numbers uniform over [-1, 1)."""
    return draws.uniform(purpose, 0, shape).mul_(2).sub_(1)


def signs(draws: Draws, purpose: str, shape: torch.Size) -> Tensor:
    """Numbers that are -1 or 1."""
    return draws.signs(purpose, 0, shape)


class Probes:
    """An endless row of random tensors of one sample's ``shape``, in the type and on the device of ``like``."""

    def __init__(self, seed: int, purpose: str, kind: Kind, shape: torch.Size, like: Tensor) -> None:
        self._seed, self._purpose, self._kind, self._shape, self._like = seed, purpose, kind, shape, like
        self._first, self._held = 0, like.new_zeros(0, *shape)

    def take(self, first: int, count: int) -> Tensor:
        """Probes number ``first`` to ``first + count - 1``: ``[count, *shape]``, not to be changed."""
        if first < self._first or first + count > self._first + len(self._held):
            ahead = max(count, AHEAD // max(1, self._shape.numel()))
            numbers = torch.arange(first, first + ahead, device=self._like.device)
            self._first = first
            self._held = self._kind(Draws(self._seed, numbers), self._purpose, self._shape).to(self._like.dtype)
        return self._held[first - self._first : first - self._first + count]


def made_unit(directions: Tensor) -> Tensor:
    """Each of ``[m, ...]`` made length 1 in L2; 0 stays 0."""
    flat = directions.flatten(1)
    size: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
    return (flat / size.clamp_min(1e-30)).reshape(directions.shape)
