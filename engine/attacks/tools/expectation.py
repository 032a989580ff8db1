"""Expectation over transformation: what a model that answers at random says on average.

One gradient of such a model leads astray; the mean over several draws of its randomness is the gradient of what it says
on average. Source: A. Athalye, L. Engstrom, A. Ilyas, K. Kwok (2018), "Synthesizing robust adversarial examples".
"""

from __future__ import annotations

from collections.abc import Generator

from torch import Tensor

from engine.attacks.core.batch import Batch
from engine.attacks.tools.losses import Loss


def mean_gradient(
    batch: Batch, x: Tensor, loss: Loss, draws: int
) -> Generator[None, None, tuple[Tensor, Tensor, Tensor]]:
    """Class scores ``[n, K]``, gain ``[n]`` and gradient ``[n, ...]`` at ``x``, each the mean over ``draws`` passes.

    A running mean: where all passes agree, it is what one of them gives, to the last bit.
    """
    mean = batch.gradient(x, loss)
    for count in range(2, draws + 1):
        yield None
        again = batch.gradient(x, loss)
        logits, gain, gradient = (old + (new - old) / count for old, new in zip(mean, again, strict=True))
        mean = logits, gain, gradient
    return mean


def mean_logits(batch: Batch, x: Tensor, draws: int) -> Generator[None, None, Tensor]:
    """Class scores ``[n, K]`` at ``x``, the mean over ``draws`` passes."""
    mean = batch.logits(x)
    for count in range(2, draws + 1):
        yield None
        mean = mean + (batch.logits(x) - mean) / count
    return mean
