"""Counts what a black-box peer asks, and ends it at its budget with the best it has asked about."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class OutOfQueries(Exception):
    """The budget is spent."""


class Asked(nn.Module):
    """A model that answers ``queries`` times a sample and then raises; it remembers each sample's nearest adversarial point.

    For peers whose every query holds all samples in order. What such a peer returns can only be worse than ``nearest``,
    since that is chosen among all points it looked at.
    """

    def __init__(
        self, model: nn.Module, x: Tensor, y: Tensor, queries: int, distance: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.model, self.x, self.y, self.left, self.distance = model, x, y, queries, distance
        self.nearest = x.clone()
        self.size = torch.full((len(x),), torch.inf)
        self.eval()

    def forward(self, asked: Tensor) -> Tensor:
        if len(asked) != len(self.x):
            raise ValueError(f"a query of {len(asked)} points about {len(self.x)} samples cannot be told apart")
        if self.left == 0:
            raise OutOfQueries
        self.left -= 1
        logits = self.model(asked)
        size = self.distance(asked.detach() - self.x)
        better = (logits.argmax(1) != self.y) & (size < self.size)
        self.nearest[better], self.size[better] = asked.detach()[better], size[better]
        return logits
