"""What Auto-PGD remembers of each sample on its way up."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, column
from engine.attacks.tools.losses import Loss, cross_entropy, dlr, targeted_dlr


class Climb:
    """Where each sample is, where it was, and where its loss was largest; tensors of first dimension n.

    The first iterate is noted by the first :meth:`see`.
    """

    def __init__(self, x: Tensor, size: float, aim: Tensor | None) -> None:
        self.x = self.before = self.best = x
        """``[n, ...]``: the iterate, the one before it, the best so far."""
        self.aim = aim
        """int64 ``[n]``: the class that a targeted loss is after in this restart."""
        self.size = x.new_full((len(x),), size)
        """How long the next step is, in the attack's norm."""
        self.gain = x.new_full((len(x),), torch.inf)
        self.best_gain = -self.gain
        self.logits = self.best_logits = x.new_zeros(len(x), 1)
        self.gradient = self.best_gradient = x

    def see(self, logits: Tensor, gain: Tensor, gradient: Tensor) -> None:
        """Take note of the model's answer at ``x``, and of whether it is the best point so far."""
        better = gain > self.best_gain
        self.logits, self.gain, self.gradient = logits, gain, gradient
        if bool(better.all()):
            self.best, self.best_gain, self.best_logits, self.best_gradient = self.x, gain, logits, gradient
        elif bool(better.any()):
            self.best = torch.where(column(better, self.x), self.x, self.best)
            self.best_gain = torch.where(better, gain, self.best_gain)
            self.best_logits = torch.where(better[:, None], logits, self.best_logits)
            self.best_gradient = torch.where(column(better, self.x), gradient, self.best_gradient)

    def go_back(self, which: Tensor) -> None:
        """These samples (bool ``[n]``) go on from their best point."""
        if bool(which.any()):
            self.x = torch.where(column(which, self.x), self.best, self.x)
            self.gradient = torch.where(column(which, self.x), self.best_gradient, self.gradient)

    def live(self, batch: Batch) -> None:
        """Forget the samples that leave the batch."""
        names = [name for name, value in vars(self).items() if isinstance(value, Tensor)]
        for name, value in zip(names, batch.live(*(getattr(self, name) for name in names)), strict=True):
            setattr(self, name, value)

    def end(self, batch: Batch, logits: Tensor, gain: Tensor) -> tuple[Tensor, Tensor]:
        """The point where a restart ends and its logits, given those of the last iterate: the best one so far, or the last
        one where that alone succeeds."""
        last = (gain > self.best_gain) | (batch.succeeded(logits) & ~batch.succeeded(self.best_logits))
        self.best_gain = torch.where(last, gain, self.best_gain)
        self.best = torch.where(column(last, self.x), self.x, self.best)
        return self.best, torch.where(last[:, None], logits, self.best_logits)


def loss_of(name: str, aim: Tensor | None) -> Loss:
    """The loss that an :class:`ApgdSpec` names; with an ``aim`` the targeted DLR loss of that class, whatever the goal."""
    if aim is not None:
        return lambda logits, y, target: targeted_dlr(logits, y, aim)  # noqa: ARG005
    return cross_entropy if name == "ce" else dlr
