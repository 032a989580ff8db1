"""Projections, directions and random draws against brute force and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.attacks.projections import L2Ball, LinfBall, ball, box


def generators(n, seed=0):
    return [torch.Generator().manual_seed(seed + i) for i in range(n)]


@pytest.mark.parametrize(("norm", "order"), [("Linf", np.inf), ("L2", 2)])
def test_projection_onto_the_ball_is_the_nearest_of_its_points(norm, order):
    """No point of a fine grid over the ball is nearer (in the Euclidean sense) than the projection."""
    x = torch.tensor([[0.2, -0.1]])
    axis = torch.linspace(-1, 1, 401)
    grid = torch.cartesian_prod(axis, axis)
    inside = grid[torch.linalg.vector_norm(grid - x, order, dim=1) <= 0.5]
    for point in torch.randn(40, 1, 2, generator=torch.Generator().manual_seed(0)):
        found = ball(norm, x, 0.5, None).project(point)
        assert torch.linalg.vector_norm(found - x, order) <= 0.5 + 1e-6
        nearest = (inside - point).norm(dim=1).min()
        assert (found - point).norm() <= nearest + 1e-6
        assert (found - point).norm() >= nearest - 0.01


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_points_inside_stay_where_they_are_and_outside_ones_reach_the_edge(norm):
    x = torch.rand(6, 3, 4, generator=torch.Generator().manual_seed(0))
    near, far = x + 1e-4, x + torch.linspace(-3, 3, 12).reshape(3, 4)
    edge = ball(norm, x, 0.3, None)
    torch.testing.assert_close(edge.project(near), near, rtol=0, atol=0)
    torch.testing.assert_close(
        edge.distance(edge.project(far)), torch.full((6,), 0.3, dtype=torch.float64), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(edge.project(x), x, rtol=0, atol=0)


@settings(max_examples=200)
@given(st.floats(0, 2), st.integers(0, 2**31), st.sampled_from([1.0, 100.0]))
def test_float32_linf_projection_does_not_leave_the_ball_by_rounding(eps, seed, scale):
    x = scale * torch.rand(1, 200, generator=torch.Generator().manual_seed(seed))
    found = LinfBall(x, eps, None).project(x + torch.linspace(-9, 9, 200) * scale)
    assert ((found - x).abs() <= eps).all()  # as float32 sees it
    assert (found.double() - x.double()).abs().max() <= eps * (1 + 1e-6) + 1e-9


def test_the_box_is_clamping_and_none_is_no_box():
    x = torch.tensor([-1.0, 0.5, 2.0])
    assert box(x, (0, 1)).tolist() == [0, 0.5, 1]
    assert box(x, None) is x


def test_steepest_directions_are_sign_and_unit_vector_per_sample():
    x = torch.zeros(4, 1, 2, 2)
    gradient = torch.tensor([[3.0, -4, 0, 0], [0, 0, 0, 0], [3e-30, 0, 4e-30, 0], [1e30, 1e30, 1e30, -1e30]]).reshape(
        x.shape
    )
    linf, l2 = LinfBall(x, 1, None).ascent(gradient), L2Ball(x, 1, None).ascent(gradient)
    assert linf.flatten(1).tolist() == [[1, -1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, -1]]
    expected = torch.tensor([[0.6, -0.8, 0, 0], [0, 0, 0, 0], [0.6, 0, 0.8, 0], [0.5, 0.5, 0.5, -0.5]])
    torch.testing.assert_close(l2.flatten(1), expected)


def test_linf_draws_are_uniform_in_the_cube():
    x = torch.full((4000, 3), 0.5)
    noise = (LinfBall(x, 0.2, None).draw(generators(4000)) - x) / 0.2
    for column in noise.T:
        sorted_ = column.double().sort().values
        distance = (sorted_ - torch.linspace(-1, 1, 4000, dtype=torch.float64)).abs().max() / 2
        assert distance < 1.63 / math.sqrt(4000)  # Kolmogorov-Smirnov at 1%
    assert torch.corrcoef(noise.T).triu(1).abs().max() < 0.06


@pytest.mark.parametrize("shape", [(2,), (1, 2, 2)])
def test_l2_draws_are_uniform_in_the_volume_of_the_ball(shape):
    n, d = 4000, math.prod(shape)
    x = torch.full((n, *shape), 0.5)
    noise = (L2Ball(x, 0.2, None).draw(generators(n)) - x).flatten(1).double() / 0.2
    volume = (noise.norm(dim=1) ** d).sort().values  # uniform in [0, 1] if the points are
    assert (volume - torch.linspace(0, 1, n, dtype=torch.float64)).abs().max() < 1.63 / math.sqrt(n)
    direction = noise / noise.norm(dim=1, keepdim=True)
    assert direction.mean(0).abs().max() < 4 / math.sqrt(n * d)
    assert (direction.T @ direction / n - torch.eye(d) / d).abs().max() < 0.03


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_distances_are_in_the_balls_own_norm(norm):
    x = torch.zeros(2, 1, 1, 2)
    moved = torch.tensor([[3.0, -4.0], [0.0, 0.0]]).reshape(x.shape)
    assert ball(norm, x, 9, None).distance(moved).tolist() == [4 if norm == "Linf" else 5, 0]
