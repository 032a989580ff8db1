"""Handwritten digits, 8x8: 1,797 scans of the UCI optical recognition set (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

import functools
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.data.dataset import Dataset
from engine.events import Progress
from engine.seeds import generator
from engine.specs import DigitsSpec

BRIGHTEST = 16


def load_digits(spec: DigitsSpec, seed: int) -> Generator[Progress, None, Dataset]:
    """Images ``[N, 1, 8, 8]`` in [0, 1], split at random with the same share of every class in the test set."""
    yield Progress(0, 1, "Reading the handwritten digits")
    pixels, labels = _table()
    x = torch.from_numpy(pixels.reshape(-1, 1, 8, 8).astype(np.float32) / BRIGHTEST)
    y = torch.from_numpy(labels.astype(np.int64))
    test = _stratified(y, spec.test_fraction, seed)
    yield Progress(1, 1, "Reading the handwritten digits")
    return Dataset(
        name="Handwritten digits",
        x_train=x[~test],
        y_train=y[~test],
        x_test=x[test],
        y_test=y[test],
        classes=tuple(str(digit) for digit in range(10)),
        bounds=(0.0, 1.0),
    )


@functools.cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Pixels ``[N, 64]`` in 0 .. 16 and labels ``[N]``; 230 kB that are kept, since a sweep splits them by many seeds.

    Read from the file that scikit-learn ships, not through its ``load_digits``: importing scikit-learn takes a second,
    in which a cancel would go unheard and the window would stand still.
    """
    package = find_spec("sklearn")
    if package is not None and package.origin is not None:
        file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            rows = np.loadtxt(file, delimiter=",", dtype=np.int16)
            return rows[:, :-1], rows[:, -1]
    from sklearn.datasets import load_digits as from_sklearn  # a release that keeps the file elsewhere

    pixels, labels = from_sklearn(return_X_y=True)
    return pixels, labels


def _stratified(labels: Tensor, fraction: float, seed: int) -> Tensor:
    """Which samples are for testing, bool ``[N]``: the fraction of each class, but at least one on either side."""
    rng = generator(seed, "digits split")
    test = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        members = torch.nonzero(labels == label).flatten()
        share = min(max(round(fraction * len(members)), 1), len(members) - 1)
        test[members[torch.randperm(len(members), generator=rng)[:share]]] = True
    return test
