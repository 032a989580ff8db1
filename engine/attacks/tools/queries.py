"""A budget of looks at the model."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch


class Budget:
    """How often each sample of a batch may still be asked about.

    The look at the clean sample counts as one of the ``queries``; what other attacks have asked before does not.
    """

    def __init__(self, batch: Batch, queries: int) -> None:
        self._batch, self._limit = batch, torch.zeros_like(batch.board.forwards)
        self._limit[batch.places] = batch.forwards + (queries - 1)

    @property
    def left(self) -> Tensor:
        """int64 ``[n]``"""
        return self._limit[self._batch.places] - self._batch.forwards

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of each tensor that belong to samples which may still be asked about; the others leave the batch."""
        self._batch.finish(self.left <= 0)
        return self._batch.live(*tensors)
