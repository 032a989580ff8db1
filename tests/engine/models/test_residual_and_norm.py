"""Residual blocks and batch normalisation: their formulas, their initial laws, and training with them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from small_data import images

from engine.data import Dataset
from engine.generators import drain
from engine.models import build, load_arrays, observe, weights_to_arrays
from engine.seeds import derive
from engine.specs import MlpSpec, ResidualSpec, TrainingSpec
from engine.training import fit

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "b5_residual.json").read_text())["residual"]


@pytest.mark.parametrize(
    "spec", [ResidualSpec(depth=4, width=8), ResidualSpec(depth=4, width=8, branches="alpha", alpha=0.3)]
)
def test_a_block_adds_alpha_times_its_branch_to_its_input(spec: ResidualSpec) -> None:
    assert spec.scale == (0.5 if spec.branches == "depth" else 0.3) and spec.alpha2 == pytest.approx(spec.scale**2)
    data = images()
    model = build(spec, data, 0)
    seen = observe(model, data.x_train)
    before = seen["linear 1"]
    for layer in range(2, 6):
        branch = model.get_submodule(f"layers.block{layer}.linear")
        torch.testing.assert_close(seen[f"linear {layer}"], branch(before.relu()))
        torch.testing.assert_close(seen[f"block {layer}"], before + spec.scale * seen[f"linear {layer}"])
        before = seen[f"block {layer}"]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: f"alpha2={g['alpha2']:g}-L={g['L']}")
def test_residual_networks_drawn_anew_lie_about_their_theory(golden: dict) -> None:
    """80 networks of width 256, He: mean C of two inputs, within four standard errors and a bias of 1/n a block."""
    depth = min(5, golden["L"])
    alpha = {"branches": "alpha", "alpha": math.sqrt(golden["alpha2"])} if golden["alpha2"] <= 1 else None
    assert alpha is not None
    spec = ResidualSpec(depth=depth, width=256, normalise="none", bias=False, **alpha)
    x = torch.eye(2, 12)
    data = Dataset("two", x, torch.arange(2), x, torch.arange(2), ("0", "1"), (-1.0, 1.0))
    found = []
    for number in range(80):
        seen = observe(build(spec, data, derive(3, str(number))), x)
        rows = [seen[f"block {layer}"].double() for layer in range(2, depth + 2)]
        found.append([float(torch.cosine_similarity(row[0], row[1], dim=0)) for row in rows])
    mean, error = np.mean(found, 0), np.std(found, 0, ddof=1) / math.sqrt(80)
    assert (np.abs(mean - golden["theory"][:depth]) < 4 * error + np.arange(1, depth + 1) / 256).all()


def test_networks_with_batch_norm_begin_normalised_by_training_samples() -> None:
    data = images()
    seen = observe(build(MlpSpec(depth=3, width=16, batch_norm=True), data, 0), data.x_train)
    for layer in (1, 2, 3):
        after = seen[f"relu {layer}"]
        # half normal: the mean of max(z, 0) is 0.40, its mean square a half
        assert float(after.mean()) == pytest.approx(0.4, abs=0.08)
        assert float(after.square().mean()) == pytest.approx(0.5, abs=0.1)


def test_batch_norm_learns_moves_its_running_means_and_comes_back_from_arrays() -> None:
    data = images(n=30)
    spec = MlpSpec(depth=2, width=8, batch_norm=True)
    model, again = build(spec, data, 0), build(spec, data, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drain(fit(model, data, TrainingSpec(epochs=2, batch_size=7), 0))
    moved = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert {"layers.norm1.running_mean", "layers.norm1.weight", "layers.linear1.weight"} <= set(moved)
    assert not any(module.training for module in model.modules())
    load_arrays(again, weights_to_arrays(model))
    torch.testing.assert_close(again(data.x_test), model(data.x_test))


def test_looking_and_attacking_leave_running_means_alone() -> None:
    data = images()
    model = build(MlpSpec(depth=1, width=8, batch_norm=True), data, 0)
    before = weights_to_arrays(model)
    observe(model.train(), data.x_train)
    for name, value in weights_to_arrays(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_batch_of_one_sample_trains_too() -> None:
    data = images(n=30)
    model = build(MlpSpec(depth=1, width=8, batch_norm=True), data, 0)
    steps = list(fit(model, data, TrainingSpec(epochs=1, batch_size=1), 0))
    assert len(steps) == len(data.x_train) and all(math.isfinite(step.loss) for step in steps)
