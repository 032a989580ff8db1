"""Noise with random labels."""

from __future__ import annotations

import math

import pytest
import torch
from global_rng import global_rng_untouched

from engine.data import Dataset, dataset, drain, noise
from engine.data.noise import load_noise
from engine.errors import DataError
from engine.specs import GaussianNoiseSpec, UniformNoiseSpec


def read(spec: GaussianNoiseSpec | UniformNoiseSpec, seed: int = 0) -> Dataset:
    return drain(load_noise(spec, seed))


def test_gaussian_noise_has_mean_0_deviation_1_and_no_bounds() -> None:
    data = read(GaussianNoiseSpec(features=100, train_size=4000))
    n = data.x_train.numel()
    assert data.x_train.shape == (4000, 100) and data.bounds is None and not data.is_image
    assert abs(data.x_train.mean().item()) < 4 / math.sqrt(n)
    assert abs(data.x_train.var().item() - 1) < 4 * math.sqrt(2 / n)


def test_uniform_noise_fills_0_to_1_and_two_vectors_start_at_c_near_three_quarters() -> None:
    data = read(UniformNoiseSpec(features=1000, train_size=400))
    x = data.x_train
    assert data.bounds == (0.0, 1.0) and x.min() >= 0 and x.max() <= 1
    assert abs(x.mean().item() - 0.5) < 4 * math.sqrt(1 / 12 / x.numel())
    cosines = torch.nn.functional.cosine_similarity(x[:200], x[200:])
    assert cosines.mean().item() == pytest.approx(0.75, abs=0.01)  # (1/4) / (1/3)


def test_training_and_test_noise_are_independent() -> None:
    data = read(GaussianNoiseSpec(features=2000, train_size=50, test_size=50))
    cosines = torch.nn.functional.cosine_similarity(data.x_train[:, None], data.x_test[None], dim=-1)
    assert cosines.abs().max() < 6 / math.sqrt(2000)


def test_labels_are_balanced_and_in_random_order() -> None:
    data = read(GaussianNoiseSpec(classes=7, train_size=100, test_size=20))
    assert set(data.y_train.bincount().tolist()) == {14, 15} and data.n_classes == 7
    assert data.y_train.dtype == torch.int64 and len(data.y_test) == 20
    assert data.y_train.tolist() != sorted(data.y_train.tolist())


@pytest.mark.parametrize("cls", [GaussianNoiseSpec, UniformNoiseSpec])
def test_the_seed_alone_decides(cls: type[GaussianNoiseSpec] | type[UniformNoiseSpec]) -> None:
    with global_rng_untouched():
        one, same, other = read(cls(), 1), read(cls(), 1), read(cls(), 2)
    assert torch.equal(one.x_train, same.x_train) and torch.equal(one.y_train, same.y_train)
    assert not torch.equal(one.x_train, other.x_train) and not torch.equal(one.y_train, other.y_train)


def test_it_yields_after_every_chunk() -> None:
    events = list(load_noise(GaussianNoiseSpec(features=1000, train_size=10_000), 0))
    assert len(events) >= 10_000 * 1000 / noise.CHUNK


def test_noise_beyond_the_memory_is_refused_with_its_size() -> None:
    with pytest.raises(DataError, match=r"400\.\d GB of memory.*fewer features"):
        read(GaussianNoiseSpec(features=100_000, train_size=1_000_000))
    assert dataset.FLOAT_BYTES * 100_000 * 1_000_000 == 400e9
