"""Independent noise with random labels: nothing to learn, everything to memorise (Zhang et al. 2017)."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.data.dataset import Dataset, require_memory
from engine.events import Progress
from engine.seeds import generator
from engine.specs import GaussianNoiseSpec, UniformNoiseSpec

CHUNK = 1 << 20  # values drawn between two yields, some 10 ms


def load_noise(spec: GaussianNoiseSpec | UniformNoiseSpec, seed: int) -> Generator[Progress, None, Dataset]:
    """Vectors ``[N, D]``; training and test set are independent. Labels are as equal in number as can be."""
    require_memory(
        (spec.train_size + spec.test_size) * spec.features,
        f"Noise of {spec.train_size + spec.test_size:,} vectors of length {spec.features:,}",
        "Choose fewer features or fewer samples in the Data step.",
    )
    gaussian = isinstance(spec, GaussianNoiseSpec)
    x_train = yield from _vectors(spec.train_size, spec.features, seed, spec.source, "train")
    x_test = yield from _vectors(spec.test_size, spec.features, seed, spec.source, "test")
    return Dataset(
        name="Gaussian noise" if gaussian else "Uniform noise",
        x_train=x_train,
        y_train=_labels(spec.train_size, spec.classes, seed, spec.source, "train"),
        x_test=x_test,
        y_test=_labels(spec.test_size, spec.classes, seed, spec.source, "test"),
        classes=tuple(str(label) for label in range(spec.classes)),
        bounds=None if gaussian else (0.0, 1.0),
    )


def _vectors(n: int, features: int, seed: int, source: str, split: str) -> Generator[Progress, None, Tensor]:
    rng = generator(seed, source, split, "vectors")
    x = torch.empty(n, features)
    rows = max(1, CHUNK // features)
    for start in range(0, n, rows):
        yield Progress(start, n, f"Drawing noise ({split})")
        part = x[start : start + rows]
        if source == "gaussian-noise":
            part.normal_(generator=rng)
        else:
            part.uniform_(generator=rng)
    return x


def _labels(n: int, classes: int, seed: int, source: str, split: str) -> Tensor:
    return torch.randperm(n, generator=generator(seed, source, split, "labels")) % classes
