"""The networks and images that the benchmarks of training and of attacks share: of MNIST's size, from a seed alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from benchmarks.measure import MNIST
from engine.data import Dataset, load
from engine.generators import drain
from engine.models import Network, build
from engine.seeds import generator
from engine.specs import CnnSpec, DigitsSpec, IdxSpec, MlpSpec, ModelSpec, TrainingSpec
from engine.training import fit

SEED = 0
MODELS: dict[str, ModelSpec] = {"MLP": MlpSpec(depth=6, width=256), "CNN": CnnSpec()}


def networks() -> Iterator[tuple[str, ModelSpec]]:
    """The networks by name, once torch is down to one thread."""
    torch.set_num_threads(1)
    yield from MODELS.items()


def images(train: int = 10_000, test: int = 2_000) -> Dataset:
    """Uniform random images [N, 1, 28, 28] with random labels: a dense network takes as long over them as over real ones."""
    draw = generator(SEED, "benchmark images")
    x = torch.rand(train + test, 1, 28, 28, generator=draw)
    y = torch.randint(10, (train + test,), generator=draw)
    classes = tuple(str(k) for k in range(10))
    return Dataset("random images", x[:train], y[:train], x[train:], y[train:], classes, (0.0, 1.0))


def taught(spec: ModelSpec, epochs: int = 3) -> tuple[Network, Dataset]:
    """A network trained on 10,000 images of MNIST where it is, else on the embedded digits; and the data."""
    there = MNIST.is_dir()
    dataset = drain(
        load(IdxSpec(folder=str(MNIST), train_limit=10_000, test_limit=2_000) if there else DigitsSpec(), SEED)
    )
    model = build(spec, dataset, SEED)
    for _ in fit(model, dataset, TrainingSpec(epochs=epochs), SEED):
        pass
    return model, dataset


def network(spec: ModelSpec, dataset: Dataset) -> Network:
    """A fresh network; equal specs give equal weights."""
    return build(spec, dataset, SEED)
