"""From a spec to a data set, and the one that stays in memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from global_rng import global_rng_untouched
from idx_files import write_idx_folder

from engine.data import drain, idx, load
from engine.events import Progress
from engine.specs import DatasetSpec, DigitsSpec, GaussianNoiseSpec, IdxSpec, UniformNoiseSpec


@pytest.mark.parametrize("spec", [DigitsSpec(), GaussianNoiseSpec(), UniformNoiseSpec()], ids=lambda spec: spec.source)
def test_every_source_says_its_progress_and_gives_a_data_set(spec: DatasetSpec) -> None:
    drain(load(GaussianNoiseSpec(features=2), 0))  # fills the cache
    with global_rng_untouched():
        loading = load(spec, 0)
        assert isinstance(next(loading), Progress)
        dataset = drain(loading)
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        assert x.dtype == torch.float32 and y.dtype == torch.int64 and len(x) == len(y) > 0
        assert y.min() >= 0 and y.max() < dataset.n_classes
        assert tuple(x.shape[1:]) == dataset.input_shape and dataset.is_image == (x.ndim == 4)


def test_the_latest_data_set_is_not_loaded_again() -> None:
    one = drain(load(DigitsSpec(), 5))
    assert drain(load(DigitsSpec(), 5)) is one
    other_seed = drain(load(DigitsSpec(), 6))
    assert other_seed is not one
    assert drain(load(DigitsSpec(), 5)) is not one  # one data set is kept, not all


def test_idx_files_that_changed_are_read_again(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    spec = IdxSpec(folder=str(tmp_path))
    one = drain(load(spec, 0))
    assert drain(load(spec, 0)) is one
    os.utime(tmp_path / "train-labels-idx1-ubyte", ns=(1, 1))
    again = drain(load(spec, 0))
    assert again is not one and torch.equal(again.x_train, one.x_train)
    write_idx_folder(tmp_path, train=30)
    assert len(drain(load(spec, 0)).x_train) == 30


def test_another_seed_takes_another_part_of_files_that_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_folder(tmp_path, train=40)
    read: list[str] = []
    reading = idx.read_idx
    monkeypatch.setattr(idx, "read_idx", lambda path, dims: read.append(path.name) or reading(path, dims))
    spec = IdxSpec(folder=str(tmp_path), train_limit=20)
    one, other = drain(load(spec, 0)), drain(load(spec, 1))
    assert len(read) == 4
    assert not torch.equal(one.x_train, other.x_train) and torch.equal(one.x_test, other.x_test)
    assert torch.equal(drain(load(spec, 0)).x_train, one.x_train)
    assert len(read) == 4
    write_idx_folder(tmp_path, train=41)
    drain(load(spec, 0))
    assert len(read) == 8


def test_all_of_what_files_hold_is_the_same_for_every_seed(tmp_path: Path) -> None:
    write_idx_folder(tmp_path)
    spec = IdxSpec(folder=str(tmp_path))
    assert drain(load(spec, 0)) is drain(load(spec, 1))
