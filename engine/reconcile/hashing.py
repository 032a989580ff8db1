"""Cosine LSH: the signs of a public random Gaussian projection of centred features, one bit a row.

Features are centred before they come here: those after a ReLU all lie in one corner, and their signs would agree whatever
they show. A row whose features are dead, zero or not finite, has no direction and no hash.

Source: M. S. Charikar (2002), "Similarity estimation techniques from rounding algorithms".
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import ReconcileError
from engine.generators import drain
from engine.geometry.pairs import unit_rows
from engine.seeds import generator

Work = Generator[None, None, "Hashes"]

_BLOCK = 2**20  # numbers of the projection drawn at a time: a few hundredths of a second
_INPUTS = 256  # hashed at a time
_KEPT = 2**25  # numbers of the projection kept, 256 MB; beyond them it is drawn again at each call


@dataclass(frozen=True, eq=False)
class Hashes:
    """Hashes of N inputs."""

    bits: NDArray[np.uint8]
    """``[N, rows]``: 1 where the projection is 0 or more, else 0. Those of a dead input are all 0 and mean nothing."""
    alive: NDArray[np.bool_]
    """``[N]``: whether the input has a hash at all."""


class Projection:
    """A public random projection: ``rows`` standard normal vectors in so many ``features``, from a seed alone.

    Drawn on first use, block by block, and kept up to 256 MB, so that many calls draw it once.
    """

    def __init__(self, rows: int, features: int, seed: int) -> None:
        if rows < 1 or features < 1:
            raise ReconcileError(
                f"A projection of {features} feature(s) to {rows} bit(s) cannot be drawn: both must be at least 1."
            )
        self.rows, self.features, self.seed = rows, features, seed
        self._size = max(1, _BLOCK // features)
        self._blocks: dict[int, Tensor] = {}

    def hash(self, features: Tensor) -> Hashes:
        """Hash centred features ``[N, D]`` of any real type; the product is in float64. See :meth:`hashing`."""
        return drain(self.hashing(features))

    def hashing(self, features: Tensor) -> Work:
        """The same with a breath after each product; raises ReconcileError for features of another width."""
        if features.ndim != 2 or features.shape[1] != self.features:
            raise ReconcileError(
                f"This projection hashes {self.features} features an input, but these are {list(features.shape)}: use the layer "
                "that it was made for."
            )
        units, dead = unit_rows(features)
        units = torch.where(dead[:, None], 0.0, units)
        bits = np.zeros((len(units), self.rows), np.uint8)
        for start in range(0, self.rows, self._size):
            block = self._block(start)
            yield None
            for first in range(0, len(units), _INPUTS):
                part = slice(first, first + _INPUTS)
                bits[part, start : start + len(block)] = (units[part] @ block.T >= 0).numpy()
                yield None
        alive = ~dead.numpy()
        bits[~alive] = 0
        return Hashes(bits, alive)

    def _block(self, start: int) -> Tensor:
        if start in self._blocks:
            return self._blocks[start]
        rows = min(self._size, self.rows - start)
        draw = generator(self.seed, "projection", str(start))
        block = torch.randn(rows, self.features, generator=draw, dtype=torch.float64)
        if self.rows * self.features <= _KEPT:
            self._blocks[start] = block
        return block
