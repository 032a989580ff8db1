"""What an attack asks of a model: logits, their score, and the gradient with respect to the input alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import AttackError


@dataclass(frozen=True, eq=False)
class Score:
    """How a model sees some samples: its ``logits`` ``[n, K]`` and their cross-entropy ``loss`` ``[n]`` to the label asked about."""

    logits: Tensor
    loss: Tensor

    @classmethod
    def joined(cls, scores: list[Score]) -> Score:
        """The scores of all batches as one."""
        return cls(torch.cat([s.logits for s in scores]), torch.cat([s.loss for s in scores]))

    @cached_property
    def _top(self) -> torch.return_types.max:
        return self.logits.softmax(1).max(1)

    @property
    def prediction(self) -> Tensor:
        """int64 ``[n]``"""
        return self._top.indices

    @property
    def confidence(self) -> Tensor:
        """Softmax probability of the prediction ``[n]``, in [0, 1]."""
        return self._top.values


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model in evaluation mode and afterwards each of its modules back in the mode it was in."""
    training = [module for module in model.modules() if module.training]
    if training:
        model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def score(model: nn.Module, x: Tensor, labels: Tensor) -> Score:
    """Score a batch without gradients."""
    with evaluating(model), torch.no_grad():
        logits = _fitting(logits_of(model, x), labels)
        return Score(logits, functional.cross_entropy(logits, labels, reduction="none"))


def score_and_gradient(model: nn.Module, x: Tensor, labels: Tensor) -> tuple[Score, Tensor]:
    """Score a batch and give the gradient of each sample's own loss with respect to that sample.

    The losses are summed, not averaged, so that a gradient does not depend on the batch; parameters get none.
    """
    with evaluating(model), torch.enable_grad():
        x = x.detach().requires_grad_()
        logits = _fitting(logits_of(model, x), labels)
        loss = functional.cross_entropy(logits, labels, reduction="none")
        gradient = torch.autograd.grad(loss.sum(), x, allow_unused=True)[0] if loss.requires_grad else None
    if gradient is None:
        raise AttackError(
            "The model passes no gradient from its output to its input, so a gradient attack cannot work on it: "
            "remove the layer that detaches or rounds its values, or attack another model."
        )
    if not all_finite(gradient):
        raise AttackError(
            "The gradient of the loss with respect to the input is not finite: the model has overflowed. "
            "Train it again with a smaller learning rate, or choose another model."
        )
    return Score(logits.detach(), loss.detach()), gradient


def logits_of(model: nn.Module, x: Tensor) -> Tensor:
    """The model's outputs ``[n, K]`` for a batch; raises AttackError when they are not finite logits of 2 classes or more."""
    logits = model(x)
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(x) or logits.shape[1] < 2:
        found = f"the shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise AttackError(
            f"An attack needs one row of at least 2 class scores for each of {len(x)} samples, but the model gives "
            f"{found}: attack a classifier."
        )
    if not all_finite(logits):
        broken = int((~logits.isfinite()).any(1).sum())
        raise AttackError(
            f"The model's outputs are not finite for {broken} of {len(x)} samples, so there is nothing to attack: "
            "train it again with a smaller learning rate, or choose another model."
        )
    return logits


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite."""
    # any such value makes the sum so; a sum that has only grown too large is looked at value by value, which is slow
    return math.isfinite(values.detach().sum().item()) or bool(values.isfinite().all())


def _fitting(logits: Tensor, labels: Tensor) -> Tensor:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= logits.shape[1]:
        raise AttackError(
            f"The model tells {logits.shape[1]} classes apart, but labels or targets run from {low} to {high}: "
            "choose a model made for this data."
        )
    return logits
