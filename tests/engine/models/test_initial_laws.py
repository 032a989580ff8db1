"""Networks at initialisation obey the laws of THEORY B: the independent unit is the network drawn, not the pair."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from small_data import vectors
from torch import Tensor

from engine.models import build, observe
from engine.specs import LinearSpec, MlpSpec, ModelSpec

GOLDEN = Path(__file__).parents[2] / "golden"
FINITE_WIDTH = json.loads((GOLDEN / "b4_finite_width.json").read_text())["theory"]
GAP = json.loads((GOLDEN / "b1_linear_gap.json").read_text())["gap"]
DIM = 4


def pair(q: float, q12: float) -> Tensor:
    """Two vectors ``[2, DIM]`` with ``|x|^2 / DIM = |y|^2 / DIM = q`` and ``x.y / DIM = q12``."""
    c = q12 / q
    x = torch.zeros(2, DIM)
    x[0, 0] = 1
    x[1, 0], x[1, 1] = c, math.sqrt(1 - c * c)
    return x * math.sqrt(DIM * q)


def draw(spec: ModelSpec, x: Tensor, nets: int) -> dict[str, Tensor]:
    """The features of a pair at each tap in many networks: float64 ``[nets, 2, D]``."""
    data = vectors(x)
    seen = [observe(build(spec, data, seed), x) for seed in range(nets)]
    return {name: torch.stack([features[name] for features in seen]).double() for name in seen[0]}


def cosine(pairs: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(pairs[:, 0], pairs[:, 1], dim=-1)


def angle(pairs: Tensor) -> Tensor:
    """Kahan's formula, exact at both ends."""
    u, v = torch.nn.functional.normalize(pairs, dim=-1).unbind(1)
    return 2 * torch.atan2((u - v).norm(dim=-1), (u + v).norm(dim=-1))


def z_score(values: Tensor, expected: float | Tensor) -> float:
    difference = values - expected
    return (difference.mean() / (difference.std() / math.sqrt(len(values)))).abs().item()


@pytest.mark.parametrize("case", FINITE_WIDTH, ids=lambda case: f"{case['act']}-{case['sw2']:g}-{case['k'][2]:g}")
def test_the_mean_correlation_of_each_layer_is_that_of_the_wide_limit(case: dict[str, Any]) -> None:
    """THEORY B.5's test rule: width 256, at most 5 layers, 200 networks, within 4 sqrt(v / nD) + |b| / n."""
    n, nets = 256, 200
    act, sw2, sb2, (q, _, q12) = case["act"], case["sw2"], case["sb2"], case["k"]
    fields: dict[str, Any] = {
        "depth": 5,
        "width": n,
        "init": {(2.0, 0.0): "he", (1.0, 0.0): "lecun"}.get((sw2, sb2), "sigma"),
        "sigma_w": math.sqrt(sw2),
        "sigma_b": math.sqrt(sb2),
        "normalise": "none",
    }
    spec: ModelSpec = LinearSpec(**fields) if act == "linear" else MlpSpec(activation=act, **fields)
    features = draw(spec, pair((q - sb2) / sw2, (q12 - sb2) / sw2), nets)
    for row in case["rows"]:
        tolerance = 4 * math.sqrt(row["var_coeff"] / (n * nets)) + abs(row["bias_coeff"]) / n
        found = cosine(features[f"{act} {row['l']}"]).mean().item()
        assert abs(found - row["C"]) < tolerance, f"layer {row['l']}"


@pytest.mark.parametrize("width", [4, 16])
def test_linear_networks_conserve_the_mean_angle_and_raise_ln_gamma_by_the_gap(width: int) -> None:
    """Laws 1 and 2 of THEORY B.1, exact at every width and depth."""
    depth, c0 = 4, 0.3
    x = pair(1.0, c0)
    features = draw(LinearSpec(depth=depth, width=width, bias=False, init="sigma", normalise="none"), x, 600)
    ln_gamma_0 = -math.log(math.sin(math.acos(c0)))
    for layer in range(1, depth + 1):
        theta = angle(features[f"linear {layer}"])
        assert z_score(theta, math.acos(c0)) < 4
        assert z_score(-theta.sin().log(), ln_gamma_0 + layer * GAP[str(width)]) < 4
    # and it is the networks that differ, so the law is not kept by every pair alone
    assert theta.std() > 0.1


def test_in_a_relu_network_the_linear_maps_conserve_the_mean_angle_and_the_activations_shrink_it() -> None:
    """THEORY B.1's corollary: given the activations before it, a bias-free linear map conserves E theta."""
    features = draw(MlpSpec(depth=4, width=32, bias=False, normalise="none"), pair(1.0, 0.0), 400)
    for layer in range(1, 5):
        before = features["input" if layer == 1 else f"relu {layer - 1}"]
        linear, active = angle(features[f"linear {layer}"]), angle(features[f"relu {layer}"])
        assert z_score(linear, angle(before)) < 4
        assert z_score(active, linear) > 10 and active.mean() < linear.mean()
