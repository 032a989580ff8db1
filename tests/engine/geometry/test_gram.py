"""All pairs at once against the pairs one by one."""

import math

import numpy as np
import pytest
import torch

from engine.geometry import gram
from engine.geometry.pairs import pair_geometry, unit_rows
from engine.geometry.partners import partner_pairs


def one_by_one(x, y):
    p, q = len(x), len(y)
    return pair_geometry(x.repeat_interleave(q, 0), y.repeat(p, 1)).eta.reshape(p, q)


@pytest.fixture
def crowd():
    """Ordinary rows and rows within 1e-12 to 1e-3 of a common direction or of its opposite, in float64."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(24, 17, generator=draw, dtype=torch.float64)
    for i in range(8, 24):
        x[i] = x[0] + 10.0 ** -(i // 2 - 1) * x[i]
        x[i] *= -1 if i % 2 else 1
    return x


def test_all_pairs_equal_pairs_one_by_one_at_every_angle(crowd):
    y = torch.cat([crowd[:3], -crowd[5:20]]) * 3
    expected, found = one_by_one(crowd, y), gram.all_pairs(crowd, y)
    assert found.shape == (24, 18) and found.dtype == torch.float64
    ordinary = expected.abs() < 25  # beyond it, both show rounding of the vectors themselves
    assert (expected.abs() > 12).sum() > 20 and ordinary.sum() > 300
    error = (found - expected)[ordinary].abs()
    assert error.max() < 1e-4
    assert error[expected[ordinary].abs() < 12].max() < 1e-9
    assert (found[~ordinary].abs() > 25).all() and (found.sign() == expected.sign()).all()


def test_the_gram_matrix_alone_would_not_do(crowd):
    unit = crowd / crowd.norm(dim=1, keepdim=True)
    naive = torch.atanh((unit @ unit.T).clamp(-1, 1))
    expected = one_by_one(crowd, crowd)
    pick = (expected.abs() > 14) & (expected.abs() < 25)
    assert pick.any() and ((naive - expected)[pick].abs() > 0.01).any()


def test_the_upper_triangle_has_numpys_order(crowd):
    expected = gram.all_pairs(crowd, crowd).numpy()[np.triu_indices(24, 1)]
    found = gram.upper_pairs(crowd).numpy()
    near = np.abs(expected) < 12
    np.testing.assert_allclose(found[near], expected[near], atol=1e-9)
    np.testing.assert_allclose(found[np.abs(expected) < 25], expected[np.abs(expected) < 25], atol=1e-4)


def test_blocks_change_nothing(crowd, monkeypatch):
    square, upper = gram.all_pairs(crowd, crowd[:7]), gram.upper_pairs(crowd)
    monkeypatch.setattr(gram, "_BLOCK", 50)
    monkeypatch.setattr(gram, "_CACHE", 40)
    assert torch.allclose(gram.all_pairs(crowd, crowd[:7]), square, atol=1e-9, rtol=0)
    assert torch.allclose(gram.upper_pairs(crowd), upper, atol=1e-9, rtol=0)


def test_chosen_partners_have_the_rapidities_of_all_pairs(crowd):
    partners = torch.randint(24, (24, 5), generator=torch.Generator().manual_seed(0))
    found = partner_pairs(unit_rows(crowd)[0], unit_rows(-crowd)[0], partners)
    torch.testing.assert_close(found, gram.all_pairs(crowd, -crowd).gather(1, partners), rtol=0, atol=1e-9)
    assert (found.abs() > 14).any()


def test_dead_rows_are_nan_and_touch_no_other():
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    x[2] = 0
    found = gram.all_pairs(x, x)
    dead = torch.zeros(5, 5, dtype=torch.bool)
    dead[2], dead[:, 2] = True, True
    assert torch.equal(found.isnan(), dead)
    i, j = np.triu_indices(5, 1)
    assert torch.equal(gram.upper_pairs(x).isnan(), dead[i, j])


def test_exactly_parallel_and_opposite_pairs_are_saturated():
    x = torch.tensor([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0], [2.0, -1.0]])
    assert gram.all_pairs(x[:1], x).tolist() == [[math.inf, math.inf, -math.inf, 0.0]]
    assert gram.upper_pairs(x).tolist() == [math.inf, -math.inf, 0.0, -math.inf, 0.0, 0.0]


def test_float32_features_are_compared_in_float64():
    x = torch.tensor([[1.0, 0.0], [1.0, 1e-10]], dtype=torch.float32)
    angle = x[1, 1].double().item()
    assert gram.upper_pairs(x).item() == pytest.approx(math.log(2 / angle), rel=1e-12)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_make_no_pairs(rows):
    assert gram.upper_pairs(torch.ones(rows, 3)).shape == (0,)
    assert gram.all_pairs(torch.ones(rows, 3), torch.ones(2, 3)).shape == (rows, 2)


@pytest.mark.parametrize("k", [2, 3, 10])
def test_a_simplex_has_the_rapidity_of_the_simplex_bound(k):
    """K unit vectors average no less than -1/(K-1), reached when they sum to zero (THEORY E)."""
    etf = torch.eye(k, dtype=torch.float64) - 1 / k
    eta = gram.upper_pairs(etf)
    if k == 2:
        assert eta.item() == -math.inf
    else:
        assert torch.allclose(eta, torch.full_like(eta, -math.atanh(1 / (k - 1))), atol=1e-12)
    other = torch.randn(50, k, 6, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
    means = torch.stack([torch.tanh(gram.upper_pairs(x)).mean() for x in other])
    assert (means > -1 / (k - 1)).all()


def test_two_antipodal_pairs_reach_the_bound_too():
    x = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    c = torch.tanh(gram.upper_pairs(x))
    assert c.min() == -1 and c.mean().item() == pytest.approx(-1 / 3)
