"""Weights as arrays and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_data import images

from engine.errors import ModelError
from engine.models import build, load_arrays, weights_to_arrays
from engine.specs import CnnSpec, MlpSpec, ModelSpec


@pytest.mark.parametrize("spec", [MlpSpec(depth=2, width=8), CnnSpec(depth=1, channels=2, width=8)])
def test_weights_make_the_round_trip_bit_for_bit(spec: ModelSpec) -> None:
    data = images()
    one, other = build(spec, data, 0), build(spec, data, 1)
    other.normalise.mean += 1
    arrays = weights_to_arrays(one)
    for array in arrays.values():
        array.setflags(write=False)  # as they come from a file that is mapped
    assert not torch.equal(one(data.x_train), other(data.x_train))
    load_arrays(other, arrays)
    assert torch.equal(one(data.x_train), other(data.x_train))
    assert all(parameter.requires_grad for parameter in other.parameters())


def test_the_arrays_are_copies() -> None:
    data = images()
    model = build(MlpSpec(depth=1, width=8), data, 0)
    before = model(data.x_train)
    for array in weights_to_arrays(model).values():
        array += 1
    assert torch.equal(model(data.x_train), before)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (MlpSpec(depth=3, width=8), "lack layers.linear3.bias, layers.linear3.weight"),
        (MlpSpec(depth=1, width=8), "also have layers.linear2.bias, layers.linear2.weight"),
        (MlpSpec(depth=2, width=9), "have 8 for layers.linear1.bias|have 8 x 64 for layers.linear1.weight"),
        (MlpSpec(depth=2, width=8, normalise="none"), "also have normalise.mean, normalise.std"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_change_nothing(spec: ModelSpec, reason: str) -> None:
    data = images()
    arrays = weights_to_arrays(build(MlpSpec(depth=2, width=8), data, 0))
    model = build(spec, data, 1)
    before = weights_to_arrays(model)
    with pytest.raises(ModelError, match=reason) as caught:
        load_arrays(model, arrays)
    assert "Set the model and the data as they were" in str(caught.value)
    after = weights_to_arrays(model)
    assert all(np.array_equal(before[name], after[name]) for name in before)
