"""The embedded handwritten digits."""

from __future__ import annotations

import builtins
import importlib.util
import sys

import pytest
import torch
from global_rng import global_rng_untouched

from engine.data import Dataset, digits, drain
from engine.data.digits import load_digits
from engine.specs import DigitsSpec


def read(seed: int = 0, **fields: float) -> Dataset:
    return drain(load_digits(DigitsSpec(**fields), seed))


def test_they_are_the_images_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits as peer

    pixels, labels = peer(return_X_y=True)
    expected = {tuple(row): int(label) for row, label in zip(pixels.astype(int).tolist(), labels, strict=True)}
    dataset = read()
    x, y = torch.cat([dataset.x_train, dataset.x_test]), torch.cat([dataset.y_train, dataset.y_test])
    assert x.shape == (1797, 1, 8, 8) and x.dtype == torch.float32 and y.dtype == torch.int64
    found = {tuple(row): label for row, label in zip((16 * x).flatten(1).int().tolist(), y.tolist(), strict=True)}
    assert found == expected
    assert x.min() == 0 and x.max() == 1 and dataset.bounds == (0.0, 1.0)


def test_no_scikit_learn_is_imported_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    importing = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        assert not name.startswith("sklearn")
        return importing(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert len(read().x_train) == 1347


def test_they_are_found_through_scikit_learn_where_the_file_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read()
    assert digits.find_spec is importlib.util.find_spec
    monkeypatch.setattr(digits, "find_spec", lambda _name: None)
    assert torch.equal(read().x_train, expected.x_train)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_every_class_has_the_same_share_of_test_samples(fraction: float) -> None:
    dataset = read(test_fraction=fraction)
    train, test = dataset.y_train.bincount(), dataset.y_test.bincount()
    assert torch.all((test - fraction * (train + test)).abs() <= 0.5)


@pytest.mark.parametrize("fraction", [1e-6, 1 - 1e-6])
def test_neither_side_ever_lacks_a_class(fraction: float) -> None:
    dataset = read(test_fraction=fraction)
    assert min(dataset.y_train.bincount(minlength=10)) >= 1 and min(dataset.y_test.bincount(minlength=10)) >= 1


def test_the_seed_alone_decides_the_split() -> None:
    with global_rng_untouched():
        one, same, other = read(7), read(7), read(8)
    assert torch.equal(one.x_test, same.x_test) and torch.equal(one.y_test, same.y_test)
    assert not torch.equal(one.x_test[:100], other.x_test[:100])
