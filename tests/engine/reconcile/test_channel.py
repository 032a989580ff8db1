"""The binomial law, the angles that follow from it, and the bounds, against golden values and closed forms."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.reconcile import channel
from engine.reconcile.code import dimension
from engine.reconcile.entropy import log2_cells, secrecy

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "d_reconciliation.json").read_text())
N, K, T = 255, 131, 18


@pytest.mark.parametrize("row", GOLDEN["curve"], ids=lambda row: f"r{row['r']}-{row['deg']}")
def test_the_chance_of_success_is_the_binomial_law(row):
    chance = channel.success(math.radians(row["deg"]), n=N, t=T, repetition=row["r"])
    assert float(chance) == pytest.approx(row["theory"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("row", GOLDEN["theta50"], ids=lambda row: f"r{row['r']}")
def test_half_the_messages_pass_at_the_golden_angle_and_shannon_allows_more(row):
    half = channel.half_angle(n=N, t=T, repetition=row["r"])
    rate = K / (N * row["r"])
    assert math.degrees(half) == pytest.approx(row["theta50_deg"], abs=1e-9)
    assert rate == pytest.approx(row["rate"], abs=1e-12)
    assert math.degrees(channel.shannon_angle(rate)) == pytest.approx(row["shannon_deg"], abs=1e-9)


def test_a_right_angle_has_no_capacity_and_a_small_code_can_be_counted_by_hand():
    assert channel.capacity(channel.bit_error([0.0, math.pi / 2, math.pi])) == pytest.approx([1, 0, 1], abs=1e-12)
    p = 0.2
    assert float(channel.majority_error(p, 3)) == pytest.approx(3 * p**2 * (1 - p) + p**3)
    assert float(channel.success(math.pi * p, n=7, t=1, repetition=1)) == pytest.approx(0.8**7 + 7 * 0.2 * 0.8**6)
    assert math.isnan(float(channel.success(math.nan, n=N, t=T, repetition=1)))
    with pytest.raises(ValueError, match="rate"):
        channel.shannon_angle(0)


@pytest.mark.parametrize("row", GOLDEN["cells"], ids=lambda row: f"{row['d']}-{row['n']}")
def test_sign_patterns_are_as_many_as_cover_counted(row):
    assert log2_cells(row["d"], row["n"]) == pytest.approx(row["log2cells"], abs=1e-9)
    bound = secrecy(row["d"], n=N, k=K, repetition=row["n"] // N)
    assert bound.left == pytest.approx(row["residual"], abs=1e-9)


def test_few_lines_in_the_plane_and_more_dimensions_than_signs_are_counted_exactly():
    for n in range(1, 9):  # n lines through the origin cut the plane into 2n sectors
        assert log2_cells(2, n) == pytest.approx(math.log2(2 * n))
    assert log2_cells(9, 9) == log2_cells(50, 9) == 9
    assert log2_cells(1, 100) == pytest.approx(1)
    with pytest.raises(ValueError, match="no sign pattern"):
        log2_cells(0, 3)


def test_random_signs_in_the_plane_give_no_more_patterns_than_the_bound():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 3))
    patterns = np.unique((rng.normal(size=(200_000, 3)) @ rows.T >= 0) @ 2 ** np.arange(12))
    assert 100 < len(patterns) <= round(2 ** log2_cells(3, 12)) == 134


def test_the_dimension_of_a_code_is_the_published_one():
    # S. Lin, D. J. Costello (2004), "Error control coding", table of primitive BCH codes
    published = {
        (7, 1): 4,
        (15, 2): 7,
        (31, 3): 16,
        (63, 5): 36,
        (127, 10): 64,
        (255, 18): 131,
        (255, 21): 115,
        (511, 18): 358,
    }
    assert {asked: dimension(*asked) for asked in published} == published
