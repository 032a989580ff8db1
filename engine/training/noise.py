"""Noise in what is learnt: labels that are another class, drawn once, and inputs that are blurred anew at each step."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import TrainingError
from engine.seeds import generator
from engine.training.balls import Bounds, within


def noisy_labels(y: Tensor, share: float, classes: int, seed: int) -> Tensor:
    """Labels int64 ``[N]`` of which ``round(share * N)`` are another class, each other one as likely.

    Which ones, and what they become, depends on ``seed`` alone; a larger share changes these too and more. Raises
    TrainingError where there is no other class. Source: C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals (2017),
    "Understanding deep learning requires rethinking generalization" (theirs are drawn from all classes).
    """
    if not share:
        return y
    if classes < 2:
        raise TrainingError("Labels cannot be made noisy: the data have only one class. Set label noise to 0.")
    draws = generator(seed, "label noise")
    changed = torch.randperm(len(y), generator=draws)
    shift = torch.randint(1, classes, (len(y),), generator=draws)
    chosen = changed[: round(share * len(y))]
    noisy = y.clone()
    noisy[chosen] = (y[chosen] + shift[chosen]) % classes
    return noisy


def noisy_inputs(x: Tensor, deviation: float, bounds: Bounds, draws: torch.Generator) -> Tensor:
    """Inputs ``[n, ...]`` with Gaussian noise of this deviation (input units), cut to the data's range."""
    return within(x + deviation * torch.randn(x.shape, generator=draws), bounds)
