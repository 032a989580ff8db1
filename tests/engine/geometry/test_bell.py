"""Sign correlations and CHSH: the bound, the exact cases, and how each mistake exceeds it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.geometry import bell

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "c_bell.json").read_text())
ANGLES = (0, 90, 45, -45)


def unit(degrees):
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


def circle(rows, seed=0):
    phi = np.random.default_rng(seed).uniform(0, 2 * math.pi, rows)
    return np.stack([np.cos(phi), np.sin(phi)], 1)


def readings_of(hidden):
    return tuple(hidden @ unit(angle) for angle in ANGLES)


def test_at_tsirelsons_angles_every_row_gives_2_while_the_cosines_sum_to_more():
    found = bell.chsh(*map(bell.signs, readings_of(np.random.default_rng(0).normal(size=(100_000, 2)))))
    assert (found.S, found.error, found.efficiency) == (2.0, 0.0, 1.0)
    score = bell.algebraic_score(*map(unit, ANGLES))
    assert score == pytest.approx(GOLDEN["chsh"]["cosS"], abs=1e-12) == pytest.approx(bell.TSIRELSON)


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 4), min_size=1, max_size=30))
def test_no_outcomes_whatever_exceed_2(rows):
    columns = [bell.signs(column) for column in zip(*rows, strict=True)]
    assert abs(bell.chsh(*columns).S) <= 2


def test_outcomes_that_are_no_signs_are_a_bug():
    one = np.ones(4, np.int8)
    with pytest.raises(AssertionError, match="neither"):
        bell.chsh(one, one, one, np.zeros(4, np.int8))


def test_zero_is_a_plus_and_a_nan_has_no_sign():
    assert bell.signs([0.0, -0.0, -1e-300]).tolist() == [1, 1, -1]
    with pytest.raises(ValueError, match="no sign"):
        bell.signs([math.nan])


@pytest.mark.parametrize("golden", GOLDEN["agree"], ids=lambda g: f"{g['n']}-{g['theta']:.2f}")
def test_signs_agree_as_the_angle_says_and_the_interval_covers_it(golden):
    rng = np.random.default_rng(1)
    n, theta, m = golden["n"], golden["theta"], 2000
    covered, means = 0, []
    for _ in range(200):
        rows = rng.normal(size=(m, 2)) if n > 2 else circle(m, int(rng.integers(1 << 30)))
        found = bell.agreement(bell.signs(rows[:, 0]), bell.signs(rows @ np.array([math.cos(theta), math.sin(theta)])))
        means.append((1 + found.E) / 2)
        covered += abs(found.theta - theta) <= 1.96 * found.theta_error
    p = golden["theory"]
    assert (1 + float(bell.sawtooth(theta))) / 2 == pytest.approx(p)
    assert abs(np.mean(means) - p) < 4 * math.sqrt(p * (1 - p) / (200 * m))
    assert covered / 200 > 0.9


def test_four_disjoint_samples_scatter_above_2():
    """The first mistake: theory's deviation is sqrt(4 (3/4) / 100)."""
    found = []
    for seed in range(2000):
        found.append(bell.disjoint_chsh(*map(bell.signs, readings_of(circle(400, seed)))))
    s = np.array([each.S for each in found])
    assert abs(s.mean() - 2) < 4 * math.sqrt(0.03 / 2000)
    assert s.std() == pytest.approx(math.sqrt(0.03), rel=0.06)
    assert np.mean(s > 2) == pytest.approx(GOLDEN["chsh"]["disjoint"]["p_gt2"], abs=0.05)
    assert np.mean([each.error for each in found]) == pytest.approx(s.std(), rel=0.06)


@pytest.mark.parametrize("golden", GOLDEN["postselect"], ids=lambda g: f"{g['kind']}-{g['tau']}")
def test_dropping_unsure_rows_exceeds_2_as_far_as_the_efficiency_allows(golden):
    """The second mistake, within the scatter of 200,000 rows."""
    rows = circle(200_000) if golden["kind"] == "circle" else np.random.default_rng(0).normal(size=(200_000, 2))
    values = readings_of(rows)
    found = bell.post_selected_chsh(values, golden["tau"])
    assert golden["S"] - 0.03 <= found.S <= min(4.0, golden["S"] + 0.03) + 1e-12
    assert found.efficiency == pytest.approx(golden["eff"], abs=0.01)
    assert bell.loophole_bound(found.efficiency) + 0.03 >= found.S
    kept = bell.kept_as_zero(values, golden["tau"])
    assert kept == pytest.approx(golden["S_keep_zero"], abs=0.02) and kept <= 2


def test_nothing_left_after_dropping_gives_no_number():
    assert math.isnan(bell.post_selected_chsh(readings_of(circle(50)), 2.0).S)


def test_cosines_of_identical_copies_reach_tsirelsons_number_and_their_signs_do_not():
    """The third mistake: a score of the features' two largest canonical correlations."""
    x = np.random.default_rng(2).normal(size=(500, 6))
    assert bell.largest_algebraic_score(x, x @ np.diag([1, 2, 3, 4, 5, 6.0])) == pytest.approx(bell.TSIRELSON)
    noisy = x + np.random.default_rng(3).normal(size=x.shape)
    score = bell.largest_algebraic_score(x, noisy)
    a, b = x - x.mean(0), noisy - noisy.mean(0)
    (u, _, _), (v, _, _) = np.linalg.svd(a, full_matrices=False), np.linalg.svd(b, full_matrices=False)
    rho = np.linalg.svd(u.T @ v, compute_uv=False)
    assert score == pytest.approx(2 * math.hypot(rho[0], rho[1])) and score < bell.TSIRELSON


def test_the_papers_entanglement_is_the_opposite_of_the_quantum_kind():
    theta = np.array([0.0, math.pi / 2, math.pi])
    np.testing.assert_allclose(bell.concurrence(theta), [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(bell.schmidt_entropy(theta), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(bell.quantum_chsh(theta), [2, bell.TSIRELSON, 2])


def test_signs_of_unequal_number_or_none_are_refused():
    one = np.ones(3, np.int8)
    with pytest.raises(ValueError, match="row by row"):
        bell.agreement(one, one[:2])
    with pytest.raises(ValueError, match="every row"):
        bell.chsh(one, one, one, one[:2])
    with pytest.raises(ValueError, match="at least 4"):
        bell.disjoint_chsh(one, one, one, one)
