"""What every source gives: a training set and a test set with labels."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
from torch import Tensor

from engine.errors import DataError

FLOAT_BYTES = 4


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples with their labels.

    ``x_*``: float32 ``[N, C, H, W]`` in [0, 1] (images) or ``[N, D]`` (vectors). ``y_*``: int64 ``[N]`` in
    ``0 .. n_classes - 1``. ``bounds``: the range that every input value lies in, which attacks must keep; None where
    there is none.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: tuple[str, ...]
    bounds: tuple[float, float] | None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample: ``(C, H, W)`` or ``(D,)``."""
        return tuple(self.x_train.shape[1:])

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    @property
    def is_image(self) -> bool:
        return self.x_train.ndim == 4


def require_memory(values: int, what: str, remedy: str) -> None:
    """Refuse float32 arrays of so many values before they are made, if the machine cannot hold them (DataError)."""
    needed, free = values * FLOAT_BYTES, psutil.virtual_memory().available
    if needed > free:
        raise DataError(
            f"{what} needs {needed / 1e9:,.1f} GB of memory, but only {free / 1e9:,.1f} GB are free on this machine. {remedy}"
        )
