"""Shares, paired comparisons and medians against SciPy, closed forms and plain resampling."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.experiments.rates import Interval, mcnemar, median, paired_difference, share, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 7), (3, 7), (7, 7), (150, 300), (1, 100_000)])
def test_the_wilson_interval_is_scipy_s(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert share(k, n) == Interval(k / n, pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high))


def test_the_wilson_interval_of_many_shares_is_that_of_each() -> None:
    low, high = wilson(np.array([0, 2, 5]), np.array([5, 5, 5]))
    assert [(a, b) for a, b in zip(low, high, strict=True)] == [(share(k, 5).low, share(k, 5).high) for k in (0, 2, 5)]
    assert (low[0], high[-1]) == (0.0, 1.0)
    assert tuple(float(end) for end in wilson(0, 0)) == (0.0, 1.0)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 5), (5, 0), (3, 8), (10, 10), (400, 330), (50_000, 50_400)])
def test_mcnemar_is_the_exact_binomial_test_of_the_differing_samples(a: int, b: int) -> None:
    expected = binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected, rel=1e-8)


def test_the_paired_interval_is_the_published_one() -> None:
    # Fagerland, Lydersen & Laake (2014), "Recommended tests and confidence intervals for paired binomial proportions":
    # airway hyper-responsiveness of 21 children, Newcombe's square-and-add interval
    found = paired_difference(1, 1, 7, 12)
    assert (round(found.value, 3), round(found.low, 3), round(found.high, 3)) == (-0.286, -0.507, -0.026)


def test_without_correlation_the_paired_interval_is_newcombe_s_of_independent_shares() -> None:
    # phi is 0 where both * neither = only_a * only_b; then method 10 is the hybrid of the two Wilson intervals
    found = paired_difference(2, 6, 3, 9)
    a, b = share(8, 20), share(5, 20)
    assert found.value == pytest.approx(3 / 20)
    assert found.low == pytest.approx(3 / 20 - math.hypot(a.value - a.low, b.high - b.value))
    assert found.high == pytest.approx(3 / 20 + math.hypot(a.high - a.value, b.value - b.low))


def test_the_paired_interval_turns_over_with_its_two_attacks() -> None:
    there, back = paired_difference(30, 9, 4, 57), paired_difference(30, 4, 9, 57)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert paired_difference(5, 0, 0, 5).value == 0
    assert math.isnan(paired_difference(0, 0, 0, 0).value)


def test_the_paired_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([0.3, 0.25, 0.1, 0.35])  # both, only A, only B, neither: the true difference is 0.15
    drawn = rng.multinomial(60, shares, size=2000)
    inside = [found.low <= 0.15 <= found.high for found in (paired_difference(*map(int, row)) for row in drawn)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("n", [1, 2, 7, 40, 41])
def test_the_median_s_interval_is_that_of_plain_resampling(n: int) -> None:
    values = np.random.default_rng(3).gamma(2.0, size=n)
    found = median(values, resamples=40_000)
    drawn = np.random.default_rng(4).choice(values, (20_000, n))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    spread = float(values.max() - values.min()) + 1e-12
    assert found.value == pytest.approx(float(np.median(values)))
    assert found.low == pytest.approx(low, abs=0.03 * spread)
    assert found.high == pytest.approx(high, abs=0.03 * spread)


def test_failures_are_larger_than_every_number() -> None:
    assert median(np.array([1.0, 2.0, math.inf, math.inf, math.inf])).value == math.inf
    few = median(np.array([1.0, 2.0, 3.0, 4.0, math.inf]))
    assert (few.value, few.low) == (3.0, 1.0)
    assert few.high == math.inf
    assert median(np.array([1.0, math.inf])).value == math.inf
    assert math.isnan(median(np.empty(0)).value)


def test_equal_data_give_an_equal_interval() -> None:
    values = np.random.default_rng(0).random(50)
    assert median(values) == median(values)
    assert median(values, seed=1) != median(values, seed=2)
