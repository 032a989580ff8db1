"""Small data sets that models are built for in tests."""

from __future__ import annotations

import torch

from engine.data import Dataset


def vectors(x: torch.Tensor, classes: int = 2) -> Dataset:
    """The vectors ``[N, D]`` as training and test samples alike, labelled 0, 1, 2, ... in turn."""
    y = torch.arange(len(x)) % classes
    return Dataset("vectors", x, y, x, y, tuple(map(str, range(classes))), None)


def images(n: int = 40, shape: tuple[int, int, int] = (1, 8, 8), classes: int = 4) -> Dataset:
    """Random images, each class brighter in its own quarter of the rows, so that there is something to learn."""
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(n, *shape, generator=rng) / 2
    y = torch.arange(n) % classes
    for i, label in enumerate(y.tolist()):
        x[i, :, label * shape[1] // classes : (label + 1) * shape[1] // classes] += 0.5
    return Dataset("images", x, y, x, y, tuple(map(str, range(classes))), (0.0, 1.0))
