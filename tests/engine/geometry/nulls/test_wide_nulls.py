"""Networks of infinite width against published values: ReLU, smooth activations, residual blocks, leading corrections."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.geometry import readings
from engine.geometry.nulls import mean_field, relu, wide
from engine.geometry.nulls.finite_width import corrections

FOLDER = Path(__file__).parents[3] / "golden"
RELU = json.loads((FOLDER / "b2_relu.json").read_text())
SMOOTH = json.loads((FOLDER / "b3_smooth.json").read_text())
RESIDUAL = json.loads((FOLDER / "b5_residual.json").read_text())
FINITE = json.loads((FOLDER / "b4_finite_width.json").read_text())["theory"]


def eta_of(c):
    return math.copysign(math.inf, c) if abs(c) == 1 else math.atanh(c)


def test_golden_relu_recursion():
    starts = {(float(row["slope"]), float(row["C0"])) for row in RELU["rows"]}
    deepest = max(row["l"] for row in RELU["rows"])
    found = {start: relu.recursion(eta_of(start[1]), deepest, start[0]) for start in starts}
    for row in RELU["rows"]:
        eta = found[float(row["slope"]), float(row["C0"])][row["l"]]
        assert float(readings.correlation(eta)) == pytest.approx(float(row["C"]), abs=1e-13)
        assert float(readings.angle(eta)) == pytest.approx(float(row["theta"]), rel=1e-12)


def test_deep_relu_angles_fall_as_3_pi_over_l_but_with_the_logarithm():
    golden = RELU["asymptotics"][0]["theta_l_over_3pi"]
    eta = relu.recursion(0.0, 10_000)
    for depth in (100, 1000, 10_000):
        found = float(readings.angle(eta[depth])) * depth / (3 * math.pi)
        assert found == pytest.approx(float(golden[str(depth)]), rel=1e-8)


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd_activations_without_bias_end_at_right_angles_where_they_are_chaotic(name):
    found = mean_field.phase(name, 2.0, 0.0)
    assert found.name == "chaotic" and found.c == 0.0 and found.xi > 0


def test_opposite_inputs_of_relu_become_orthogonal():
    assert float(readings.correlation(relu.recursion(-math.inf, 1)[1])) == pytest.approx(0, abs=1e-15)


def test_a_parallel_pair_stays_parallel():
    assert np.isposinf(relu.recursion(math.inf, 5)).all()


@pytest.mark.parametrize("golden", RESIDUAL["residual"], ids=lambda g: f"alpha2={g['alpha2']:g}-L={g['L']}")
def test_golden_residual_networks(golden):
    theta = math.pi / 2
    for expected in golden["theory"]:
        theta = float(relu.residual_layer(theta, golden["alpha2"]))
        assert math.cos(theta) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("golden", RESIDUAL["residual"], ids=lambda g: f"alpha2={g['alpha2']:g}-L={g['L']}")
def test_golden_residual_networks_as_gram_matrices_of_a_set(golden):
    """Two orthogonal inputs; a third, opposite to the first, changes nothing between them."""
    gram = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    of_blocks = [
        each
        for each in wide.residual(gram, "relu", math.sqrt(2), 0.0, golden["L"], golden["alpha2"])
        if each is not None
    ][2:-1:2]
    found = [each[0, 1] / math.sqrt(each[0, 0] * each[1, 1]) for each in of_blocks]
    np.testing.assert_allclose(found, golden["theory"], atol=1e-13)
    assert of_blocks[-1][0, 0] == pytest.approx(
        2 * (1 + golden["alpha2"]) ** golden["L"]
    )  # He: each block adds alpha^2 of it


def test_residual_branches_scaled_down_with_depth_stop_entangling():
    theta, depth = math.pi / 2, 10_000
    for _ in range(depth):
        theta = float(relu.residual_layer(theta, 1 / depth))
    assert math.cos(theta) == pytest.approx(RESIDUAL["residual_ode_c1"], abs=2e-5)


def test_golden_finite_width_slopes_of_relu():
    for row in RESIDUAL["relu_finite_width_gap"]:
        assert relu.finite_width_slope(row["n"]) == pytest.approx(row["pred"], rel=1e-12)


@pytest.mark.parametrize("name", SMOOTH["trajectories"])
def test_golden_trajectories(name):
    rows = SMOOTH["trajectories"][name]
    kind, sigma_w, sigma_b = name.split(",")
    sigma_w = math.sqrt(2) if kind == "gelu" else float(sigma_w.removeprefix("sw="))
    _, q1, q2, c, _ = rows[0]
    pairs = mean_field.trajectory(kind, sigma_w, float(sigma_b.removeprefix("sb=")), len(rows), q1=q1, q2=q2, c=c)
    found = np.array([[pair.q1, pair.q2, pair.c, pair.C] for pair in pairs])
    np.testing.assert_allclose(found, np.array(rows)[:, 1:], atol=1e-13)


@pytest.mark.parametrize("golden", SMOOTH["phases"], ids=lambda g: f"{g['act']}-{g['sigma_w']}-{g['sigma_b']}")
def test_golden_phases(golden):
    phase = mean_field.phase(golden["act"], golden["sigma_w"], golden["sigma_b"])
    assert phase.name == golden["phase"]
    assert (phase.q, phase.chi1, phase.c) == pytest.approx(
        (golden["q_star"], golden["chi1"], golden["c_star"]), abs=1e-11
    )
    assert phase.xi == pytest.approx(golden["xi"], rel=1e-10)


@pytest.mark.parametrize("golden", SMOOTH["critical_line"], ids=lambda g: f"{g['act']}-{g['q']}")
def test_golden_critical_line(golden):
    assert mean_field.critical_scales(golden["act"], golden["q"]) == pytest.approx(
        (golden["sigma_w"], golden["sigma_b"]), abs=1e-13
    )


def test_gelu_with_he_scales_does_not_reach_perfect_correlation():
    phi = mean_field.ACTIVATIONS["gelu"].value
    assert mean_field.square_mean(phi, 1.0) == pytest.approx(SMOOTH["gelu"]["Egelu2"], abs=1e-14)
    pairs = mean_field.trajectory("gelu", math.sqrt(2), 0.0, 20)
    assert pytest.approx(SMOOTH["gelu"]["c_from0"]["1"], abs=1e-13) == pairs[0].C
    assert pairs[-1].C < 0.49


def test_tanh_at_sigma_one_is_critical_but_does_not_entangle():
    pairs = mean_field.trajectory("tanh", 1.0, 0.0, 1000, c=0.5)
    for layer, q, c in SMOOTH["tanh_eoc_1_0"][:4]:
        assert (pairs[layer - 1].q1, pairs[layer - 1].c) == pytest.approx((q, c), abs=1e-10)


def test_scales_without_a_finite_mean_square_are_refused():
    with pytest.raises(ValueError, match="no finite mean square"):
        mean_field.phase("gelu", 3.0, 0.5)


@pytest.mark.parametrize("golden", FINITE, ids=lambda g: f"{g['act']}-{g['sw2']:g}-{g['k'][2]:g}")
def test_golden_corrections_in_one_over_the_width(golden):
    """The published ones were had by finite differences: good to 3e-3 for ReLU's biases, 3e-5 for all else."""
    rows = golden["rows"]
    found = corrections(golden["act"], math.sqrt(golden["sw2"]), math.sqrt(golden["sb2"]), len(rows), golden["k"])
    bias = 3e-3 if golden["act"] == "relu" else 3e-5
    for mine, row in zip(found, rows, strict=True):
        assert pytest.approx(row["C"], abs=1e-11) == mine.C
        assert mine.bias == pytest.approx(row["bias_coeff"], abs=bias)
        assert mine.variance == pytest.approx(row["var_coeff"], abs=3e-5)


# --- whole sets --------------------------------------------------------------------------------------------------


def gram_of(rows, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, 5))
    return x @ x.T / 5


@pytest.mark.parametrize("name", ["tanh", "erf", "gelu"])
def test_the_kernel_of_a_set_is_that_of_each_pair(name):
    gram = gram_of(6)
    found = wide.dual(name, gram)
    phi = mean_field.ACTIVATIONS[name].value
    for i in range(6):
        for j in range(6):
            q1, q2 = gram[i, i], gram[j, j]
            c = min(1.0, gram[i, j] / math.sqrt(q1 * q2))
            assert found[i, j] == pytest.approx(mean_field.product_mean(phi, q1, q2, c), abs=1e-6)


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", 0.2)])
def test_the_kernel_of_relu_moves_each_pair_as_the_recursion_does(name, slope):
    gram = gram_of(6)
    scale = np.sqrt(np.outer(np.diagonal(gram), np.diagonal(gram)))
    theta = np.arccos(np.clip(gram / scale, -1, 1))
    found = wide.dual(name, gram, slope)
    c = found / np.sqrt(np.outer(np.diagonal(found), np.diagonal(found)))
    np.testing.assert_allclose(c, np.cos(relu.layer(theta, slope)), atol=1e-12)


def test_every_map_and_activation_has_its_matrix_and_linear_networks_only_maps():
    gram = gram_of(4)
    assert len([each for each in wide.layers(gram, "relu", 1.4, 0.1, 3) if each is not None]) == 7
    linear = list(wide.layers(gram, "linear", 1.0, 0.0, 3))
    assert len(linear) == 4 and np.array_equal(linear[-1], gram)


def test_centring_is_that_of_features():
    x = np.random.default_rng(1).normal(size=(7, 5)) + 2
    reference = np.array([2, 3, 6])
    moved = x - x[reference].mean(0)
    np.testing.assert_allclose(wide.centred(x @ x.T, reference), moved @ moved.T, atol=1e-12)


def test_a_zero_input_has_no_direction():
    gram = gram_of(3)
    gram[1] = gram[:, 1] = 0
    found = wide.dual("relu", gram)
    assert found[1, 1] == 0 and np.isfinite(found[0, 2])


def test_rows_at_a_time_give_what_all_at_once_gives_and_odd_activations_keep_their_sign(monkeypatch):
    gram = 16 * gram_of(9)
    whole = wide.dual("tanh", gram)
    monkeypatch.setattr(wide, "AT_ONCE", 20)
    parts = [each for each in wide.layers(gram, "tanh", 1.0, 0.0, 1) if each is not None]
    np.testing.assert_allclose(parts[1], whole, atol=1e-15)
    q = 16.0
    opposite = wide.dual("tanh", np.array([[q, -q], [-q, q]]))
    assert opposite[0, 1] == pytest.approx(-mean_field.square_mean(np.tanh, q), abs=1e-8)
