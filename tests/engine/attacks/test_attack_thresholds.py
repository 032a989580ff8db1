"""Projections with a radius a row, dual norms and the largest values, against brute force and other solvers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.attacks.tools.projections import ball
from engine.attacks.tools.thresholds import dual_norms, keep_largest, largest, norms, onto_ball, shrunk

NORMS = {"Linf": np.inf, "L2": 2, "L1": 1}


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_norms_are_numpys_and_l0_counts():
    delta = normal(5, 2, 3)
    delta[delta.abs() < 0.5] = 0
    for norm, order in {**NORMS, "L0": 0}.items():
        expected = [np.linalg.norm(row.flatten().double().numpy(), order) for row in delta]
        torch.testing.assert_close(norms(delta, norm), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_a_dual_norm_is_the_most_that_a_step_of_length_1_gains(norm):
    gradient = normal(3, 8)
    steps = normal(20_000, 8, seed=1)
    steps = steps / torch.linalg.vector_norm(steps, NORMS[norm], dim=1, keepdim=True)
    dual = dual_norms(gradient, norm)
    assert ((gradient @ steps.T).amax(1) <= dual + 1e-6).all()
    around = ball(norm, torch.zeros_like(gradient), 1.0, None)
    best = around.ascent(gradient)
    torch.testing.assert_close((gradient * best).sum(1).double(), dual, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(dual_norms(gradient, "L0"), gradient.abs().amax(1).double())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_row_goes_to_its_own_ball(norm, dtype):
    delta = normal(9, 3, 4, 4, dtype=dtype)
    eps = torch.tensor([0, 0.01, 0.1, 0.5, 1, 2, 5, 20, 1e6], dtype=torch.float64)
    found = onto_ball(delta, norm, eps)
    assert found.dtype == dtype
    for row in range(9):
        alone = ball(norm, torch.zeros_like(delta[:1]), eps[row].item(), None).project(delta[row : row + 1])
        torch.testing.assert_close(found[row : row + 1], alone, rtol=1e-6, atol=1e-7)
        assert norms(found[row : row + 1], norm).item() <= eps[row] * (1 + 1e-6)
    assert torch.equal(found[8], delta[8])
    assert not found[0].any()
    assert torch.equal(onto_ball(delta, norm, eps.float()), found) or dtype == torch.float64


def test_in_l0_the_largest_values_stay():
    delta = torch.tensor([[3.0, -4, 1, 0, 2]]).repeat(5, 1).reshape(5, 1, 5)
    found = onto_ball(delta, "L0", torch.tensor([0.0, 1, 2.9, 4, 99]))
    assert found[:, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [0, -4, 0, 0, 0],
        [3, -4, 0, 0, 0],
        [3, -4, 1, 0, 2],
        [3, -4, 1, 0, 2],
    ]
    assert keep_largest(delta, 2)[0, 0].tolist() == [3, -4, 0, 0, 0]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 30), st.booleans())
def test_the_largest_are_as_many_as_asked_for_and_of_equal_ones_the_first(seed, width, ties):
    size = normal(4, width, seed=seed).abs()
    if ties:
        size = size.round()
    counts = torch.randint(width + 3, (4,), generator=torch.Generator().manual_seed(seed))
    found = largest(size, counts)
    for row in range(4):
        order = sorted(range(width), key=lambda i: (-size[row, i].item(), i))
        expected = {i for i in order[: counts[row]] if size[row, i] > 0}
        assert set(found[row].nonzero()[:, 0].tolist()) == expected
    assert torch.equal(largest(size, 2)[1:2], largest(size[1:2], 2))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.floats(0, 5))
def test_shrinking_meets_the_conditions_of_a_nearest_point(seed, width, eps):
    """Kept values differ from the sizes by one common threshold, but for those at 0 and those at their room."""
    size, room = (normal(4, width, seed=seed + i, dtype=torch.float64).abs() for i in (0, 1))
    kept, outside = shrunk(size, room, eps)
    assert outside.tolist() == (torch.minimum(size, room).sum(1) > eps).tolist()
    for row in range(4):
        if not outside[row]:
            assert torch.equal(kept[row], torch.minimum(size, room)[row])
            continue
        assert kept[row].sum().item() == pytest.approx(eps, rel=1e-12, abs=1e-15)
        none, full = kept[row] == 0, kept[row] > room[row] - 1e-12
        taken = size[row] - kept[row]
        thresholds = taken[~none & ~full]
        least = torch.cat([thresholds, size[row][none], torch.zeros(1)]).max()  # of all that lam may be
        most = torch.cat([thresholds, taken[full & ~none], torch.full((1,), torch.inf)]).min()
        assert least <= most + 1e-12


def test_shrinking_ends_for_values_over_many_orders_of_magnitude():
    size = 2.0 ** -torch.arange(60, dtype=torch.float64).repeat(3, 1)
    room = torch.stack([size[0].flip(0), size[0] / 2, torch.full((60,), 0.1, dtype=torch.float64)])
    eps = torch.tensor([1e-9, 0.3, 0.2])
    kept, outside = shrunk(size, room, eps)
    assert outside.all()
    torch.testing.assert_close(kept.sum(1), eps.double(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("roomy", [False, True])
def test_shrinking_ends_where_the_sum_is_above_eps_by_less_than_a_value_can_show(dtype, roomy):
    """The threshold is then lost in ``size - lam``: steps towards it would never arrive."""
    size = torch.ones(4, 16, dtype=dtype)
    eps = 16 - torch.tensor([1e-14, 1e-10, 1e-8, 1e-6], dtype=torch.float64)
    kept, outside = shrunk(size, 2 * size if roomy else None, eps)
    assert outside.all()
    torch.testing.assert_close(kept.sum(1).double(), eps, rtol=torch.finfo(dtype).eps * 4, atol=0)
