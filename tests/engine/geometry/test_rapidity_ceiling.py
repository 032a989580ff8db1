"""The ceiling against what rounding really does."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.geometry.ceiling import ceiling
from engine.geometry.pairs import pair_geometry

PRECISION = json.loads((Path(__file__).parents[2] / "golden" / "b1_float_precision.json").read_text())


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_a_collapsed_network_stops_near_the_ceiling(name):
    """A deep linear net whose exact rapidity is 61 showed 16.9 and 34.8 (THEORY A, precision ceiling)."""
    shown = PRECISION["B1_linear"]["float_precision_eta"][name]
    assert abs(max(map(abs, shown)) - ceiling(name)) < 2.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_above_the_ceiling_rapidity_is_rounding_and_below_it_is_not(dtype):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(500, 64, generator=draw, dtype=torch.float64)
    rounding = pair_geometry(x, x.to(dtype)).eta
    assert (rounding > ceiling(dtype)).double().mean() > 0.9  # the same vector, rounded
    other = torch.randn(500, 64, generator=draw, dtype=torch.float64)
    other -= (x * other).sum(1, keepdim=True) / x.square().sum(1, keepdim=True) * x
    other *= x.norm(dim=1, keepdim=True) / other.norm(dim=1, keepdim=True)
    real = ceiling(dtype) - 3
    y = x + 2 * math.exp(-real) * other
    assert pair_geometry(x.to(dtype), y.to(dtype)).eta.median().item() == pytest.approx(real, abs=0.1)


def test_types_of_torch_and_numpy_and_their_names_are_understood():
    assert ceiling(torch.float32) == ceiling(np.float32) == ceiling(np.dtype("float32")) == ceiling("float32")
    assert ceiling("float32") == pytest.approx(16.64, abs=0.01)
    assert ceiling("float64") == pytest.approx(36.74, abs=0.01)
    with pytest.raises(ValueError, match="int64"):
        ceiling(torch.int64)
