"""Pair geometry against exact values, closed forms at both poles, and the theorems of the Gram matrix."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.geometry.pairs import centred, pair_geometry, unit_rows

GOLDEN = Path(__file__).parents[2] / "golden"
PAIRS = json.loads((GOLDEN / "a_pairs.json").read_text())["A"]["golden_pairs"]
ACCURACY = json.loads((GOLDEN / "a_angle_accuracy.json").read_text())["A"]["angle_accuracy"]


def row(*numbers):
    return torch.tensor([[float(n) for n in numbers]], dtype=torch.float64)


@pytest.mark.parametrize("golden", PAIRS, ids=lambda g: f"C={g['C']}")
def test_golden_pairs(golden):
    found = pair_geometry(row(*golden["a"]), row(*golden["b"]))
    for name in ("C", "theta", "d", "d_antipode", "eta", "gamma"):
        assert getattr(found, name).item() == pytest.approx(float(golden[name]), rel=2e-15, abs=1e-15), name
    assert 1 / found.gamma.item() == pytest.approx(float(golden["proper_time"]), rel=1e-14)


@pytest.mark.parametrize("pole", [0.0, math.pi])
@pytest.mark.parametrize("angle", [1e-1, 1e-4, 1e-7, 1e-9, 1e-12, 1e-15])
def test_angles_near_both_poles_keep_their_digits(angle, pole):
    sign = 1 if pole == 0 else -1
    found = pair_geometry(row(1, 0), sign * row(1, math.tan(angle)))
    eta = -sign * math.log(math.tan(angle / 2))
    assert found.eta.item() == pytest.approx(eta, abs=1e-14)
    assert found.gamma.item() == pytest.approx(1 / math.sin(angle), rel=1e-13)
    assert min(found.d.item(), found.d_antipode.item()) == pytest.approx(2 * math.sin(angle / 2), rel=1e-13)
    assert abs(found.theta.item() - pole) == pytest.approx(angle, rel=1e-12, abs=4.5e-16)


@pytest.mark.parametrize("measured", [r for r in ACCURACY["rows"] if r[0] == "float64"], ids=lambda r: f"{r[1]}-{r[2]}")
def test_eta_in_64_dimensions_is_as_accurate_as_measured(measured):
    """THEORY A's table: random pairs at a known angle, median absolute error of eta."""
    angle, pole, published = measured[1], measured[2], measured[-1]
    draw = np.random.default_rng(0)
    a = draw.standard_normal((400, 64))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = draw.standard_normal((400, 64))
    b -= (a * b).sum(1, keepdims=True) * a
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    sign = 1 if pole == "0" else -1
    y = sign * (math.cos(angle) * a + math.sin(angle) * b)
    found = pair_geometry(torch.from_numpy(a), torch.from_numpy(y)).eta
    error = (found + sign * math.log(math.tan(angle / 2))).abs().median().item()
    assert error < 5 * published


def test_naive_arc_cosine_would_fail_where_kahan_does_not():
    a, b = row(1, 0), row(1, 1e-9)
    assert math.acos(min(1.0, (a @ b.T).item())) == 0
    assert pair_geometry(a, b).theta.item() == pytest.approx(1e-9, rel=1e-12)


@pytest.mark.parametrize("dead", [[0, 0, 0], [float("inf"), 1, 2], [float("nan"), 1, 2]])
def test_dead_rows_are_nan_and_touch_no_other(dead):
    x = torch.tensor([[1.0, 2, 3], dead, [3, 2, 1]])
    unit, mask = unit_rows(x)
    assert mask.tolist() == [False, True, False]
    assert unit[1].isnan().all() and unit[[0, 2]].isfinite().all()
    found = pair_geometry(x, torch.ones(3, 3))
    for name in ("C", "theta", "d", "d_antipode", "eta", "gamma"):
        assert getattr(found, name).isnan().tolist() == [False, True, False], name


@pytest.mark.parametrize("sign", [1, -1])
def test_exactly_parallel_and_opposite_pairs_are_saturated(sign):
    x = torch.tensor([[0.3, -0.7, 0.2], [5e-30, 1e-30, 0.0]])
    found = pair_geometry(x, sign * 2 * x)
    assert found.eta.tolist() == [sign * math.inf] * 2
    assert found.gamma.tolist() == [math.inf] * 2
    assert found.C.tolist() == [sign] * 2
    assert found.theta.tolist() == [0.0 if sign > 0 else math.pi] * 2


def test_the_largest_and_smallest_numbers_overflow_nothing():
    angle = 0.3
    for scale in (1e-320, 1e-300, 1.0, 1e300):
        found = pair_geometry(row(1, 0) * scale, row(math.cos(angle), math.sin(angle)))
        assert found.theta.item() == pytest.approx(angle, rel=1e-14), scale
    assert pair_geometry(row(1, 0), row(1, 1e-200)).eta.item() == pytest.approx(math.log(2) + 200 * math.log(10))


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    st.floats(1e-3, 1e3),
)
def test_symmetries_and_the_light_cone(a, b, scale):
    x, y = row(*a), row(*b)
    found, flipped, scaled = pair_geometry(x, y), pair_geometry(x, -y), pair_geometry(scale * y, x)
    if not (x.any() and y.any()):
        assert found.eta.isnan().all()
        return
    assert (found.d**2 + found.d_antipode**2).item() == pytest.approx(4, rel=1e-14)
    assert flipped.eta.item() == pytest.approx(-found.eta.item(), rel=1e-14, abs=1e-15)
    if abs(found.eta.item()) < 15:
        assert scaled.eta.item() == pytest.approx(found.eta.item(), abs=1e-8)
        assert found.C.item() == pytest.approx(math.tanh(found.eta.item()), abs=1e-14)
        # det of the Gram matrix of the unit vectors, the interval of the pair's Minkowski vector, is 1/gamma^2
        assert 1 - found.C.item() ** 2 == pytest.approx(found.gamma.item() ** -2, abs=1e-13)
    assert found.gamma.item() >= 1 - 1e-15


def test_centring_subtracts_in_float64():
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float32)
    mean = torch.tensor([0.1, 0.2], dtype=torch.float32)
    found = centred(x, mean)
    assert found.dtype == torch.float64
    assert found.tolist() == [[1.0 - mean[0].item(), 2.0 - mean[1].item()]]


def test_einstein_addition_of_a_linear_layer():
    """A pair symmetric about a singular axis gains ln(s1/s2); golden of THEORY A."""
    half = 0.7
    x, y = row(math.cos(half), math.sin(half)), row(math.cos(half), -math.sin(half))
    layer = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    before, after = pair_geometry(x, y), pair_geometry(x @ layer, y @ layer)
    assert before.C.item() == pytest.approx(0.1699671429002411, rel=1e-14)
    assert after.C.item() == pytest.approx(0.6987122663297854, rel=1e-14)
    assert (after.eta - before.eta).item() == pytest.approx(math.log(2), rel=1e-14)
    v = math.tanh(math.log(2))
    assert after.C.item() == pytest.approx((before.C.item() + v) / (1 + before.C.item() * v), rel=1e-14)


def test_no_pair_exceeds_the_speed_limit_of_a_linear_layer():
    draw = torch.Generator().manual_seed(0)
    worst = 0.0
    for shape in ((2, 2), (3, 3), (5, 4), (8, 8)):
        for _ in range(5):
            weight = torch.randn(*shape, generator=draw, dtype=torch.float64)
            s = torch.linalg.svdvals(weight)
            limit = math.log(s[0] / s[-1])
            x, y = (torch.randn(100, shape[1], generator=draw, dtype=torch.float64) for _ in range(2))
            change = pair_geometry(x @ weight.T, y @ weight.T).eta - pair_geometry(x, y).eta
            worst = max(worst, change.abs().max().item() / limit)
    assert 0.9 < worst <= 1 + 1e-12  # 2,000 pairs: close to the limit, never above


def test_the_speed_limit_is_attained_between_the_extreme_singular_directions():
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    _, s, vh = torch.linalg.svd(weight)
    x, y = vh[:1] + vh[-1:], vh[:1] - vh[-1:]
    change = pair_geometry(x @ weight.T, y @ weight.T).eta - pair_geometry(x, y).eta
    assert change.item() == pytest.approx(math.log(s[0] / s[-1]), rel=1e-12)
    published = json.loads((GOLDEN / "a_speed_limit.json").read_text())["A"]["speed_limit"]["optimised_ratio"]
    assert max(published) == pytest.approx(1, abs=1e-9)


def test_relu_does_break_the_limit_of_linear_layers():
    """So the tests above do test something: ReLU has no kappa of its own, as if kappa were 1."""
    x, y = row(1, -1), row(-1, 1.5)
    assert pair_geometry(x, y).eta.item() < -2
    assert pair_geometry(x.relu(), y.relu()).eta.item() == 0
