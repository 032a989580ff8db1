"""Debiased linear CKA against torch-cka, which observes networks by hooks of its own and writes the unbiased HSIC out in full."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from engine.data import load
from engine.generators import drain
from engine.geometry.similarity import cka_matrix
from engine.models import Network, Tap, build, observe
from engine.specs import CnnSpec, DigitsSpec, MlpSpec, TrainingSpec
from engine.training import fit

if find_spec("torch_cka") is None or find_spec("tqdm") is None:
    pytest.skip("not installed: torch_cka; `make peers` installs it and runs this test", allow_module_level=True)

SAMPLES = 80


def theirs(one: Network, other: Network, x: torch.Tensor) -> np.ndarray:
    """Every tap of one network with every tap of the other: ``[T, T']``."""
    from torch_cka import CKA

    loader = DataLoader(TensorDataset(x), batch_size=len(x))
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        peer = CKA(one, other, model1_layers=modules(one), model2_layers=modules(other))
        peer.compare(loader, loader)
    return peer.hsic_matrix.numpy()


def observed(model: Network) -> list[Tap]:
    return [tap for tap in model.taps if tap.kind != "input"]


def modules(model: Network) -> list[str]:
    return [tap.module for tap in observed(model)]


@pytest.mark.parametrize("kind", ["two MLPs", "an MLP and a CNN"])
def test_every_layer_of_two_networks_is_as_alike_as_torch_cka_says(kind: str) -> None:
    """To what float32 leaves: the peer keeps its sums in it, and does not centre first, which costs it three digits."""
    data = drain(load(DigitsSpec(), 0))
    x = data.x_test[:SAMPLES]
    specs = [MlpSpec(depth=2, width=32), MlpSpec(depth=3, width=16, activation="tanh")]
    if kind == "an MLP and a CNN":
        specs[1] = CnnSpec(depth=2, channels=4, width=16)
    one, other = (build(spec, data, seed) for seed, spec in enumerate(specs))
    drain(fit(one, data, TrainingSpec(epochs=2), 0))
    expected = theirs(one, other, x)
    first, second = (list(observe(model, x, observed(model)).values()) for model in (one, other))
    found = drain(cka_matrix(first, second)).numpy()
    assert found.shape == expected.shape and np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, atol=5e-4)
