"""Rank correlations against scipy, and p-values that hold their level."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from engine.geometry.association import LEAST_RESAMPLED, bootstrap, mantel, resampling_spearman, spearman

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


def test_p_values_of_nothing_are_uniform(monkeypatch):
    monkeypatch.setattr("engine.geometry.association.LEAST_RESAMPLED", 13)  # intervals are not what is asked for
    p = [spearman(*np.random.default_rng(s).normal(size=(2, 12)), seed=s, resamples=99).p for s in range(200)]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.11


def test_partial_p_values_of_nothing_are_uniform_too():
    """Permuting residuals alone finds something in some 13% of cases: two of nine degrees are taken by what is given."""
    p = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        causes = rng.normal(size=(2, 9))
        x, y = causes.sum(0) + rng.normal(size=(2, 9))
        p.append(spearman(x, y, causes, seed=seed, resamples=39).p)
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.085


def test_a_p_value_is_never_zero():
    x = np.arange(30.0)
    assert spearman(x, x, seed=0, resamples=9).p == pytest.approx(1 / 10)
    assert mantel(points(), points(), seed=0, resamples=9).p == pytest.approx(1 / 10)


def test_permutations_that_leave_nothing_to_correlate_are_not_counted_against_the_rest():
    """Of eight units in two halves, one order in 35 makes x what is given or its opposite: it has no correlation."""
    x, given = np.repeat([0.0, 1], 4), np.tile([0.0, 1], 4)
    y = np.array([1.0, 2, 3, 4, 4, 3, 2, 1])
    found = spearman(x, y, [given], seed=0, resamples=500)
    assert (found.rho, found.p) == (pytest.approx(0, abs=1e-12), 1.0), "as far from 0 as they come all are"


def test_what_never_varies_takes_nothing_away():
    x, y = noisy(20)
    plain = spearman(x, y, seed=0, resamples=FEW)
    assert spearman(x, y, [np.full(20, 3.0)], seed=0, resamples=FEW).rho == pytest.approx(plain.rho)
    z = np.random.default_rng(7).normal(size=20)
    one, twice = (spearman(x, y, given, seed=0, resamples=FEW) for given in ([z], [z, 2 * z + 1]))
    assert (twice.rho, twice.p) == (pytest.approx(one.rho), one.p)


@pytest.mark.parametrize("n", [6, 100, 20_000])
def test_nothing_is_left_of_a_column_given_itself(n):
    x, y = noisy(n)
    for given in ([x], [y], [-(x**3)]):
        assert math.isnan(spearman(x, y, given, seed=0, resamples=1).rho)


def test_few_units_have_a_p_value_and_no_interval():
    """The percentile bootstrap of four units covers a correlation of 0.8 in three cases of four."""
    for n, given in ((LEAST_RESAMPLED - 1, 0), (LEAST_RESAMPLED, 1)):
        x, y = noisy(n)
        found = spearman(x, y, [np.random.default_rng(2).normal(size=n)] * given, seed=0, resamples=FEW)
        assert math.isfinite(found.rho) and 0 < found.p <= 1
        assert math.isnan(found.low) and math.isnan(found.high)
    x, y = noisy(LEAST_RESAMPLED)
    assert math.isfinite(spearman(x, y, seed=0, resamples=FEW).low)


def test_intervals_of_the_fewest_units_that_have_one_cover_the_truth():
    truth, inside = 6 / math.pi * math.asin(0.8 / 2), []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x, noise = rng.normal(size=(2, LEAST_RESAMPLED))
        found = spearman(x, 0.8 * x + 0.6 * noise, seed=seed, resamples=100)
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) > 0.87


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


def test_nodes_are_permuted_and_not_pairs():
    """Of matrices that are not symmetric both orders count, and rows move together with columns."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 4, 4))
    b += a
    off = ~np.eye(4, dtype=bool)
    every = [
        stats.spearmanr(a[np.ix_(order, order)][off], b[off]).statistic for order in map(list, permutations(range(4)))
    ]
    found = mantel(a, b, seed=0, resamples=1500)
    assert found.rho == pytest.approx(every[0]) and found.n == 4
    assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(every[0]) - 1e-12), abs=0.03)


def test_a_partial_mantel_is_that_of_residuals_of_ranks():
    rng = np.random.default_rng(8)
    a, b, third = rng.normal(size=(3, 9, 9))
    a, b = a + third, b + third
    off = ~np.eye(9, dtype=bool)
    ranks = np.stack([stats.rankdata(m[off]) for m in (a, b, third)])
    left = [y - np.polyval(np.polyfit(ranks[2], y, 1), ranks[2]) for y in ranks[:2]]
    assert mantel(a, b, [third], seed=0, resamples=9).rho == pytest.approx(np.corrcoef(*left)[0, 1])
    assert math.isnan(mantel(a, b, [a], seed=0, resamples=9).rho)


def test_a_partial_mantel_holds_its_level_beside_a_common_third():
    p = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        at = rng.normal(size=(3, 10, 2))
        a, b, third = np.linalg.norm(at[:, :, None] - at[:, None], axis=-1)
        p.append(mantel(a + third, b + third, [third], seed=seed, resamples=39).p)
    assert np.mean(np.array(p) <= 0.05) < 0.13


def test_a_node_without_a_number_does_not_count():
    a, b = points(9), points(9, seed=4) + points(9)
    holed = a.copy()
    holed[4], holed[:, 4] = np.nan, np.nan
    kept = np.delete(np.arange(9), 4)
    found = mantel(holed, b, seed=0, resamples=FEW)
    assert found == mantel(a[np.ix_(kept, kept)], b[np.ix_(kept, kept)], seed=0, resamples=FEW)
    assert found.n == 8


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
    # the fixed cost of ranking eight numbers is what takes the time
    breaths = sum(1 for _ in resampling_spearman(range(8), [1, 0, 2, 3, 5, 4, 7, 6], seed=0, resamples=500))
    assert breaths == 2 * 500 // 50
