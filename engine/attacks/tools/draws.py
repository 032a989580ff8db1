"""Random numbers that belong to a sample, whatever the batch it is in.

A generator with a state gives each sample numbers that depend on who was drawn for before it. Here a number is a
function of the seed, the purpose, the sample's place, the step and its own index alone (J. Salmon et al. 2011, "Parallel
random numbers: as easy as 1, 2, 3"), so samples may leave a batch, or be attacked alone, and still get the same ones.
The function is SplitMix64 (G. Steele, D. Lea, C. Flood 2014, "Fast splittable pseudorandom number generators"), computed
for all samples at once in int64, whose products wrap around.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.seeds import derive


def _signed(word: int) -> int:
    """The int64 with the same 64 bits."""
    return word - (1 << 64) if word >> 63 else word


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)


class Draws:
    """Random numbers for ``n`` samples; equal arguments give equal numbers, all others independent ones.

    ``places`` is int64 ``[n]``, each sample's place among all, on the device where the numbers are wanted. Every method
    takes a ``purpose`` (what the numbers are for), a ``step`` (a whole number that tells repeated draws apart) and the
    ``shape`` that each sample gets, and returns ``[n, *shape]``.
    """

    def __init__(self, seed: int, places: Tensor) -> None:
        self.seed, self.places = seed, places

    def rows(self, index: Tensor) -> Draws:
        """The draws of some of the samples (int64 or bool index); each goes on getting its own numbers."""
        return Draws(self.seed, self.places[index])

    def uniform(self, purpose: str, step: int = 0, shape: Sequence[int] = ()) -> Tensor:
        """float32, uniform over the multiples of 2^-24 in [0, 1)."""
        bits = self._bits(purpose, step, math.prod(shape))
        return (
            bits.bitwise_right_shift_(8).bitwise_and_(0xFFFFFF).float().mul_(2.0**-24).reshape(len(self.places), *shape)
        )

    def normal(self, purpose: str, step: int = 0, shape: Sequence[int] = ()) -> Tensor:
        """float32, standard normal (G. Box, M. Muller 1958, "A note on the generation of random normal deviates")."""
        count = math.prod(shape)
        half = (count + 1) // 2
        bits = self._bits(purpose, step, 2 * half)
        # 31 bits in (0, 1], so that the logarithm is finite and the tail reaches 6.5
        radius = bits[:, :half].bitwise_right_shift(1).bitwise_and_(0x7FFFFFFF).float().add_(1).mul_(2.0**-31)
        radius = radius.log_().mul_(-2).sqrt_()
        angle = bits[:, half:].bitwise_right_shift(8).float().mul_(math.pi * 2.0**-23)
        return torch.cat([radius * angle.cos(), radius * angle.sin()], 1)[:, :count].reshape(len(self.places), *shape)

    def signs(self, purpose: str, step: int = 0, shape: Sequence[int] = ()) -> Tensor:
        """float32, -1 or 1 with equal chances."""
        bits = self._bits(purpose, step, math.prod(shape))
        return bits.bitwise_right_shift_(31).bitwise_or_(1).float().reshape(len(self.places), *shape)

    def integers(self, high: int | Tensor, purpose: str, step: int = 0, shape: Sequence[int] = ()) -> Tensor:
        """int64, uniform over 0 to ``high - 1``, with ``high`` below 2^31; a tensor is broadcast to ``[n, *shape]``."""
        bits = (
            self._bits(purpose, step, math.prod(shape))
            .long()
            .bitwise_and_(0xFFFFFFFF)
            .reshape(len(self.places), *shape)
        )
        return (bits * high).bitwise_right_shift_(32)

    def permutation(self, length: int, purpose: str, step: int = 0) -> Tensor:
        """int64 ``[n, length]``: the numbers 0 to ``length - 1`` in a random order."""
        return self._words(purpose, step, length).argsort(dim=1, stable=True)

    def _bits(self, purpose: str, step: int, count: int) -> Tensor:
        """int32 ``[n, count]``, all 32 bits random: the two halves of half as many words."""
        words = self._words(purpose, step, (count + 1) // 2)
        if len(words) == 0:  # torch has no view of nothing
            return words.new_empty(0, count, dtype=torch.int32)
        return words.view(torch.int32)[:, :count]

    def _words(self, purpose: str, step: int, count: int) -> Tensor:
        """int64 ``[n, count]``, all 64 bits random."""
        key = self.places * _GOLDEN + _signed(derive(self.seed, "attack", purpose, f"step {step}") << 1)
        index = torch.arange(1, count + 1, device=key.device) * _GOLDEN
        return _mixed_(_mixed_(key)[:, None] + index)


def _mixed_(words: Tensor) -> Tensor:
    """SplitMix64's finaliser, in place: each bit of the result depends on all bits of the word."""
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        words ^= _shifted(words, shift)
        words *= factor
    words ^= _shifted(words, 31)
    return words


def _shifted(words: Tensor, shift: int) -> Tensor:
    """Shifted right with zeros coming in; int64 shifts copies of the sign in."""
    return (words >> shift).bitwise_and_((1 << (64 - shift)) - 1)
