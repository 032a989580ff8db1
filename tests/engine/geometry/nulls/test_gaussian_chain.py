"""The exact chain of linear Gaussian layers against published values, its three laws and networks drawn at random."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pace
import pytest

from engine.geometry import readings
from engine.geometry.nulls.gaussian_chain import gap, gap_variance, gaussian_chain

FOLDER = Path(__file__).parents[3] / "golden"
GOLDEN = json.loads((FOLDER / "b1_chain.json").read_text())
GAP = json.loads((FOLDER / "b1_linear_gap.json").read_text())["gap"]
FIELDS = {
    "E_C": "C", "E_C2": "C2", "E_abs_eta": "size", "E_eta": "rapidity", "E_eta2": "rapidity2",
    "P_pos": "positive", "E_theta": "angle",
}  # fmt: skip


@pytest.mark.parametrize("n", sorted({row["n"] for row in GOLDEN["chain"]}))
def test_golden_chain(n):
    """Within 1e-9, and within ten times the golden's own grid error at n = 4."""
    for row in (row for row in GOLDEN["chain"] if row["n"] == n):
        law = gaussian_chain([math.atanh(row["C0"])], [n] * row["L"])
        for name, field in FIELDS.items():
            assert getattr(law, field)[0, -1] == pytest.approx(row[name], abs=max(1e-9, 10 * row["grid_disc"])), (
                row,
                name,
            )


def test_golden_chain_of_unequal_widths():
    golden = GOLDEN["rectangular"]
    law = gaussian_chain([math.atanh(golden["C0"])], golden["widths"])
    for name, field in FIELDS.items():
        assert getattr(law, field)[0, -1] == pytest.approx(golden["theory"][name], abs=1e-11), name


@pytest.mark.parametrize("n", GAP)
def test_golden_gaps(n):
    assert float(gap(int(n))) == pytest.approx(GAP[n], rel=1e-12)


def test_the_variance_of_a_layer_is_the_published_one():
    assert float(gap_variance(8)) == pytest.approx(0.1535451779593375, rel=1e-12)
    assert float(gap_variance(2)) == pytest.approx(1.644934066848226, rel=1e-12)
    assert math.isinf(float(gap(1)))


@pytest.mark.parametrize("widths", [[64] * 20, [2, 3, 5], [128, 8, 300], [1024] * 3])
def test_the_angle_is_conserved_and_ln_gamma_grows_by_the_gap(widths):
    starts = np.array([-2.5, -0.3, 0.0, 1.1, 4.0])
    law = gaussian_chain(starts, widths)
    np.testing.assert_allclose(law.angle, np.broadcast_to(law.angle[:, :1], law.angle.shape), atol=1e-9)
    grown = readings.ln_gamma(starts)[:, None] + np.concatenate([[0.0], np.cumsum(gap(widths))])
    np.testing.assert_allclose(law.ln_gamma, grown, atol=1e-8)


def test_an_infinitely_deep_network_ends_at_a_pole_that_the_angle_biases():
    law = gaussian_chain([0.6, -1.0], [3] * 120)
    np.testing.assert_allclose(law.positive[:, -1], 1 - readings.angle([0.6, -1.0]) / math.pi, atol=1e-6)


def test_after_a_layer_of_width_one_all_lies_at_the_poles():
    law = gaussian_chain([0.3], [5, 1, 4])
    assert law.positive[0, 2] == pytest.approx(1 - float(readings.angle(0.3)) / math.pi, abs=1e-10)
    assert law.C2[0, 2] == pytest.approx(1, abs=1e-10)
    assert np.array_equal(law.C[0, 2], law.C[0, 3]) and math.isinf(law.size[0, 2])
    assert law.low[0, 2] == -math.inf and law.high[0, 2] == math.inf


def test_parallel_and_opposite_pairs_stay_so_and_a_dead_one_is_refused():
    law = gaussian_chain([math.inf, -math.inf, 0.2], [4, 4])
    assert (law.C[0] == 1).all() and (law.C[1] == -1).all()
    assert law.C[2, 2] == pytest.approx(gaussian_chain([0.2], [4, 4]).C[0, 2], abs=1e-12)
    with pytest.raises(ValueError, match="dead"):
        gaussian_chain([math.nan], [4])
    with pytest.raises(ValueError, match="at least 1"):
        gaussian_chain([0.1], [4, 0])


def test_quantiles_hold_what_they_promise_of_simulated_networks():
    rng, nets, n, depth = np.random.default_rng(0), 4000, 6, 3
    pair = np.zeros((nets, 2, n))
    pair[:, 0, 0], pair[:, 1, 0], pair[:, 1, 1] = 1, 0.3, math.sqrt(1 - 0.09)
    for _ in range(depth):
        pair = pair @ rng.normal(size=(nets, n, n))
    c = (pair[:, 0] * pair[:, 1]).sum(-1) / np.linalg.norm(pair[:, 0], axis=-1) / np.linalg.norm(pair[:, 1], axis=-1)
    law = gaussian_chain([math.atanh(0.3)], [n] * depth)
    for bound, share in ((law.low, 0.025), (law.high, 0.975)):
        below = np.mean(np.arctanh(c) < bound[0, -1])
        assert abs(below - share) < 4 * math.sqrt(0.025 * 0.975 / nets)
    assert abs(c.mean() - law.C[0, -1]) < 4 * c.std() / math.sqrt(nets)


def test_depth_100_takes_under_a_second_and_nothing_the_second_time():
    starts = np.linspace(-2, 2, 9)
    assert pace.least(lambda: gaussian_chain(starts, [63] * 100), 1.0, tries=1) < 1
    assert pace.least(lambda: gaussian_chain(starts, [63] * 100), 0.01) < 0.01


def test_deeper_layers_spread_more():
    law = gaussian_chain([0.0], [16] * 6)
    assert all(a < b for a, b in pairwise(law.high[0])) and np.allclose(law.low, -law.high, atol=1e-6)
