"""Rank correlations against scipy, and p-values that hold their level."""

import math

import numpy as np
import pytest
from scipy import stats

from engine.geometry.association import bootstrap, mantel, resampling_spearman, spearman

FEW = 200


def noisy(n=40, seed=0, share=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, share * x + rng.normal(size=n)


def test_spearman_is_scipys():
    x, y = noisy()
    found = spearman(x, y, seed=0, resamples=FEW)
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.p < 0.05 and found.low < found.rho < found.high and found.n == 40


def test_a_common_cause_is_taken_away():
    rng = np.random.default_rng(1)
    cause = rng.normal(size=300)
    x, y = cause + 0.5 * rng.normal(size=300), cause + 0.5 * rng.normal(size=300)
    assert spearman(x, y, seed=0, resamples=FEW).rho > 0.6
    partial = spearman(x, y, [cause], seed=0, resamples=FEW)
    assert abs(partial.rho) < 0.15 and partial.p > 0.01


def test_partial_spearman_is_that_of_three_correlations():
    x, y = noisy(60, 3)
    z = x + np.random.default_rng(4).normal(size=60)
    r = stats.spearmanr(np.column_stack([x, y, z])).statistic
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert spearman(x, y, [z], seed=0, resamples=20).rho == pytest.approx(expected)


def test_p_values_of_nothing_are_uniform():
    p = [spearman(*np.random.default_rng(s).normal(size=(2, 12)), seed=s, resamples=99).p for s in range(200)]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.11


def test_units_without_a_number_do_not_count_and_too_few_give_none():
    x, y = noisy(10)
    x[3] = np.nan
    assert spearman(x, y, seed=0, resamples=9).n == 9
    assert math.isnan(spearman(x[:4], y[:4], seed=0).rho)
    assert math.isnan(spearman(np.ones(9), y[:9], seed=0).rho)


def points(n=14, seed=0):
    at = np.random.default_rng(seed).normal(size=(n, 3))
    return np.linalg.norm(at[:, None] - at[None], axis=-1)


def test_mantel_finds_related_matrices_and_not_unrelated_ones():
    a, b = points(), points(seed=9)
    noise = np.abs(np.random.default_rng(5).normal(size=a.shape))
    related = mantel(a, a + 0.5 * (noise + noise.T), seed=0, resamples=FEW)
    assert related.rho > 0.7 and related.p < 0.02
    assert mantel(a, b, seed=0, resamples=FEW).p > 0.02


def test_mantel_holds_its_level_where_pairs_taken_as_independent_do_not():
    """Entries of one row go together: a common effect of the node in both matrices' rows."""
    ps, naive = [], []
    upper = np.triu_indices(12, 1)
    for seed in range(120):
        rng = np.random.default_rng(seed)
        u, v = rng.normal(size=(2, 12))
        a, b = u[:, None] + u[None], v[:, None] + v[None]
        ps.append(mantel(a, b, seed=seed, resamples=99).p)
        naive.append(stats.spearmanr(a[upper], b[upper]).pvalue)
    assert np.mean(np.array(ps) <= 0.05) < 0.12 < np.mean(np.array(naive) <= 0.05)


def test_a_partial_mantel_takes_the_third_matrix_away():
    third = points(16, 2)
    rng = np.random.default_rng(6)
    a, b = (third + 0.3 * (noise + noise.T) for noise in rng.normal(size=(2, 16, 16)))
    assert mantel(a, b, seed=0, resamples=99).rho > 0.6
    assert abs(mantel(a, b, [third], seed=0, resamples=99).rho) < 0.3


def test_matrices_of_unequal_size_are_refused_and_missing_entries_left_out():
    a = points(8)
    with pytest.raises(ValueError, match="one size"):
        mantel(a, a[:7, :7], seed=0)
    b = a.copy()
    b[2, 5] = b[5, 2] = np.nan
    assert mantel(a, b, seed=0, resamples=20).rho == pytest.approx(1)


def test_the_bootstrap_resamples_units_together():
    x, y = noisy(80)
    mean, low, high = bootstrap([x, y], lambda a, b: float(np.mean(a - b)), seed=0, resamples=500)
    half = 1.96 * np.std(x - y, ddof=1) / math.sqrt(80)
    assert mean == pytest.approx(np.mean(x - y))
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.25)


def test_a_breath_comes_within_fifty_resamples_of_few_units():
    # the fixed cost of ranking six numbers is what takes the time
    breaths = sum(1 for _ in resampling_spearman(range(6), [1, 0, 2, 3, 5, 4], seed=0, resamples=500))
    assert breaths == 2 * 500 // 50
