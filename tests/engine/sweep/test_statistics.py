"""Rank correlations over the networks of a sweep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.sweep.statistics import relate

RNG = np.random.default_rng(3)
DEPTH = np.repeat(np.arange(1.0, 11.0), 4)
COLUMNS = {
    "id": np.arange(40),
    "depth": DEPTH,
    "change": 0.1 * DEPTH + RNG.normal(0, 0.05, 40),
    "accuracy": RNG.normal(0, 1, 40) - 0.3 * DEPTH,
    "none": np.full(40, np.nan),
    "family": np.full(40, "mlp", dtype=object),
}


def test_rho_is_spearmans() -> None:
    found = relate(COLUMNS, "depth", "change", permutations=300)
    assert found.rho == pytest.approx(spearmanr(DEPTH, COLUMNS["change"]).statistic)
    assert found.low <= found.rho <= found.high
    assert found.p == pytest.approx(1 / 301)
    assert found.n == 40


def test_what_a_third_column_explains_is_taken_away() -> None:
    bare = relate(COLUMNS, "change", "accuracy", permutations=300)
    given = relate(COLUMNS, "change", "accuracy", ["depth"], permutations=300)
    assert bare.p < 0.05
    assert abs(given.rho) < abs(bare.rho) / 2
    assert given.p > 0.05


def test_networks_without_a_number_are_left_out() -> None:
    holed = COLUMNS | {"change": np.where(np.arange(40) < 30, COLUMNS["change"], np.nan)}
    assert relate(holed, "depth", "change", permutations=50).n == 30


@pytest.mark.parametrize("x", ["none", "family", "not there"])
def test_what_has_no_numbers_has_no_relation(x: str) -> None:
    found = relate(COLUMNS, x, "change", permutations=50)
    assert math.isnan(found.rho) and math.isnan(found.p)
    assert found.n == 0


def test_it_is_the_same_again_for_the_same_seed() -> None:
    first, again, other = (relate(COLUMNS, "depth", "accuracy", permutations=200, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.rho, first.low) != (other.rho, other.low)
