"""Boxes, and projections, directions and random draws of balls, against brute force and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.attacks.tools.draws import Draws
from engine.attacks.tools.norms import sizes
from engine.attacks.tools.projections import L1Ball, L2Ball, LinfBall, ball, box_of
from engine.errors import AttackError

NORMS = {"Linf": np.inf, "L2": 2, "L1": 1}
every_norm = pytest.mark.parametrize("norm", NORMS)


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(*shape, seed=0, dtype=torch.float32):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def draws(n, seed=0):
    return Draws(seed, torch.arange(n))


# the box


def test_no_bounds_are_no_box():
    assert box_of(None, torch.zeros(1, 2)) is None


@pytest.mark.parametrize(
    ("bounds", "shape", "lower", "upper"),
    [
        ((0, 1), (2, 3, 4, 5), 0.0, 1.0),
        (([0, -1, -2], torch.tensor([1.0, 2, 3])), (2, 3, 4, 5), [[[0]], [[-1]], [[-2]]], [[[1]], [[2]], [[3]]]),
        ((-1, [1, 2, 3]), (2, 3, 4, 5), -1.0, [[[1]], [[2]], [[3]]]),
        (([0, -1], [1, 1]), (5, 2), [0, -1], [1, 1]),
        ((torch.zeros(2, 3), torch.ones(2, 3)), (5, 2, 3), [[0] * 3] * 2, [[1] * 3] * 2),
        ((np.float64(0.0), np.ones(2)), (5, 2), 0.0, [1, 1]),
    ],
)
def test_bounds_may_be_numbers_or_one_a_channel_or_one_an_element(bounds, shape, lower, upper):
    x = normal(*shape, dtype=torch.float64)
    box = box_of(bounds, x)
    lower, upper = torch.tensor(lower, dtype=x.dtype), torch.tensor(upper, dtype=x.dtype)
    assert torch.equal(box.lower, lower)
    assert torch.equal(box.upper, upper)
    assert torch.equal(box.clamp(x), torch.minimum(torch.maximum(x, lower), upper))
    assert torch.equal(box.width.expand(shape[1:]), (upper - lower).expand(shape[1:]))
    assert box.contains(x).tolist() == ((x >= lower) & (x <= upper)).flatten(1).all(1).tolist()
    assert box.contains(box.clamp(x)).all()


@pytest.mark.parametrize(
    ("bounds", "shape", "said"),
    [
        ((1, 0), (2, 3), "must be below"),
        ((0, 0), (2, 3), "must be below"),
        (([0, 0, 0], [1, 0, 1]), (2, 3, 4, 4), "must be below"),
        ((0, math.inf), (2, 3), "highest valid input is not a finite number"),
        ((math.nan, 1), (2, 3), "lowest valid input is not a finite number"),
        ((0, 1e39), (2, 3), "highest valid input is not a finite number"),
        (
            ([0, 0], [1, 1]),
            (2, 3, 4, 4),
            r"shape \[2\], but the samples have \[3, 4, 4\].*3 numbers, one for each channel",
        ),
        (([0, 0], 1), (2, 3), "3 numbers, one for each element"),
        ((torch.zeros(1, 3), 1), (2, 3), r"shape \[1, 3\]"),
        ((0, [[1, 2], [3]]), (2, 3), "highest valid inputs are not numbers"),
        (("low", 1), (2, 3), "lowest valid inputs are not numbers"),
        ((0, 1, 2), (2, 3), "a lowest and a highest"),
    ],
)
def test_bounds_that_mean_nothing_are_refused_with_a_sentence(bounds, shape, said):
    with pytest.raises(AttackError, match=said):
        box_of(bounds, torch.zeros(shape))


def test_room_is_how_far_a_value_may_go_before_it_meets_the_box():
    x = torch.tensor([[0.25, 0.25, 0.25, 0.0, 1.0]])
    room = box_of((0, 1), x).room(x, torch.tensor([[1.0, -1, 0, -1, -1]]))
    assert room.tolist() == [[0.75, 0.25, 0, 0, 1]]


@pytest.mark.parametrize("bounds", [(-1, 2), ([-1, 0], [2, 3])])
def test_rounding_to_8_bits_gives_one_of_256_values_and_the_nearest(bounds):
    x = uniform(50, 2, 9, 9) * 3 + torch.tensor([-1.0, 0 if bounds == ([-1, 0], [2, 3]) else -1]).reshape(2, 1, 1)
    box = box_of(bounds, x)
    found = box.rounded(x, 256)
    steps = (found - box.lower) / 3 * 255
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-3)
    assert (found - x).abs().max() <= 3 / 255 / 2 + 1e-6
    assert box.contains(found).all()
    assert (box.rounded(found, 256) == found).all()


# the balls


@every_norm
@pytest.mark.parametrize("bounds", [None, (-0.35, 0.45)])
def test_projection_is_the_nearest_point_of_the_ball_and_clamped_or_for_l1_of_both(norm, bounds):
    """No point of a fine grid is nearer (in the Euclidean sense) than the projection."""
    x = torch.tensor([[0.2, -0.1]])
    axis = torch.linspace(-1, 1, 401)
    grid = torch.cartesian_prod(axis, axis)
    inside = grid[torch.linalg.vector_norm(grid - x, NORMS[norm], dim=1) <= 0.5]
    box = box_of(bounds, x)
    both = inside if box is None else inside[box.contains(inside)]
    for point in normal(40, 1, 2):
        found = ball(norm, x, 0.5, box).project(point)
        assert torch.linalg.vector_norm(found - x, NORMS[norm]) <= 0.5 + 1e-6
        if box is None or norm == "L1":
            nearest = (both - point).norm(dim=1).min()
            assert (found - point).norm() <= nearest + 1e-6
            assert (found - point).norm() >= nearest - 0.01
        else:
            assert torch.equal(found, box.clamp(ball(norm, x, 0.5, None).project(point)))


@every_norm
@pytest.mark.parametrize("bounds", [None, (0, 1), (-1, [1, 2, 1])])
def test_points_inside_stay_to_the_last_bit_whatever_their_batch_mates_do(norm, bounds):
    x = 0.25 * uniform(60, 3, 4)
    near = x.clone()
    near[:, 0, 0] = 1e-4 * uniform(60, seed=1)
    assert (x + (near - x) != near).any()  # so a point inside must be given back, not made anew
    around = ball(norm, x, 0.3, box_of(bounds, x))
    torch.testing.assert_close(around.project(near), near, rtol=0, atol=0)
    torch.testing.assert_close(around.project(x), x, rtol=0, atol=0)
    mixed = torch.where((torch.arange(60) % 2 == 0)[:, None, None], near, x + normal(60, 3, 4))
    torch.testing.assert_close(around.project(mixed)[::2], near[::2], rtol=0, atol=0)


@every_norm
def test_points_outside_reach_the_edge(norm):
    x = uniform(6, 3, 4)
    around = ball(norm, x, 0.3, None)
    found = around.project(x + torch.linspace(-3, 3, 12).reshape(3, 4))
    torch.testing.assert_close(
        sizes(found, around.x, norm), torch.full((6,), 0.3, dtype=torch.float64), rtol=1e-6, atol=0
    )


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(NORMS)), st.floats(0, 4), st.integers(0, 2**31), st.sampled_from([1.0, 100.0]), st.booleans()
)
def test_no_projection_leaves_ball_or_box_by_rounding(norm, eps, seed, scale, boxed):
    x = scale * uniform(5, 1, 10, 20, seed=seed)
    box = box_of((0, scale), x) if boxed else None
    around = ball(norm, x, eps, box)
    found = around.project(x + scale * normal(5, 1, 10, 20, seed=seed + 1))
    assert found.isfinite().all()
    assert (sizes(found, around.x, norm) <= eps * (1 + 1e-6)).all()
    assert not boxed or box.contains(found).all()
    if norm == "Linf":
        assert ((found - x).abs() <= eps).all()  # as float32 sees it
    again = around.project(found)
    assert (again - found).abs().max() <= 1e-6 * scale


@every_norm
@pytest.mark.parametrize("boxed", [False, True])
def test_a_ball_of_radius_0_is_the_sample(norm, boxed):
    x = uniform(8, 30)
    around = ball(norm, x, 0.0, box_of((0, 1), x) if boxed else None)
    for point in (x + normal(8, 30), x, around.draw(draws(8))):
        assert torch.equal(around.project(point), x)


@every_norm
@pytest.mark.parametrize("bounds", [None, (0, 1), (0, [1, 2, 1])])
def test_a_sample_is_served_alike_alone_and_in_company(norm, bounds):
    x = uniform(40, 3, 5, 5)
    around = ball(norm, x, 0.7, box_of(bounds, x))
    point, gradient = x + normal(40, 3, 5, 5) * uniform(40, 1, 1, 1, seed=3), normal(40, 3, 5, 5, seed=2)
    for index in (torch.tensor([7]), torch.tensor([30, 2, 39]), torch.arange(40) % 3 == 0):
        some = around.rows(index)
        for all_of, few_of in (
            (around.project(point), some.project(point[index])),
            (around.ascent(gradient, x), some.ascent(gradient[index], x[index])),
            (around.draw(draws(40), 2), some.draw(draws(40).rows(index), 2)),
        ):
            torch.testing.assert_close(few_of, all_of[index], rtol=0, atol=0)


@every_norm
def test_tensors_given_to_a_ball_are_not_changed(norm):
    x, point, gradient = uniform(5, 12), uniform(5, 12, seed=1) + 3 * normal(5, 12), normal(5, 12, seed=1)
    before = [tensor.clone() for tensor in (x, point, gradient)]
    around = ball(norm, x, 0.4, box_of((0, 1), x))
    around.project(point), around.ascent(gradient, x), around.draw(draws(5))
    assert all(torch.equal(now, then) for now, then in zip((x, point, gradient), before, strict=True))


def test_a_norm_without_a_ball_is_refused():
    with pytest.raises(AttackError, match=r"no ball in L0.*Linf, L2, L1"):
        ball("L0", torch.zeros(1, 2), 1.0, None)


# L1 and the box


def by_bisection(delta, lower, upper, eps):
    """The point of {lower <= d <= upper, |d|_1 <= eps} nearest to ``delta``, by 200 halvings of the multiplier."""
    room = torch.where(delta > 0, upper, -lower)

    def at(lam):
        return torch.minimum((delta.abs() - lam).clamp_min(0), room)

    low, high = 0.0, float(delta.abs().max())
    if at(0.0).sum() > eps:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if at(middle).sum() > eps else (low, middle)
    else:
        high = 0.0
    return delta.sign() * at(high)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 60),
    st.floats(0.001, 30),
    st.sampled_from([0.01, 0.3, 1.0, 50.0]),
    st.sampled_from(["none", "numbers", "channels"]),
    st.sampled_from(["plain", "ties", "corner"]),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_l1_projection_with_a_box_is_the_one_by_bisection(seed, size, eps, scale, bounds, kind, dtype):
    x = uniform(3, 2, size, seed=seed, dtype=dtype)
    delta = scale * normal(3, 2, size, seed=seed + 1, dtype=dtype)
    if kind == "ties":
        delta = (delta / scale * 2).round() * scale / 2
    if kind == "corner":
        x = x.round()
    box = box_of({"none": None, "numbers": (0, 1), "channels": ([-0.5, 0], [1, 2])}[bounds], x)
    point = x + delta
    found = ball("L1", x, eps, box).project(point)
    away = torch.full_like(x, 1e6).double()
    lower, upper = (-away, away) if box is None else ((box.lower - x).double(), (box.upper - x).double())
    exact = 1e-6 if dtype == torch.float32 else 1e-13
    for row in range(3):
        expected = by_bisection(point[row].double() - x[row].double(), lower[row], upper[row], eps)
        got = found[row].double() - x[row].double()
        torch.testing.assert_close(got, expected, rtol=0, atol=exact * max(1, 4 * scale))


def test_l1_projection_uses_the_budget_that_clamping_afterwards_would_waste():
    x = torch.tensor([[0.9, 0.5, 0.5]])
    point = x + torch.tensor([[1.0, 0.4, 0.1]])
    found = L1Ball(x, 0.5, box_of((0, 1), x)).project(point)
    torch.testing.assert_close(found - x, torch.tensor([[0.1, 0.35, 0.05]]))
    wasted = L1Ball(x, 0.5, None).project(point).clamp(0, 1)
    assert sizes(wasted, x, "L1") < 0.11 < 0.5


# directions


def test_steepest_directions_are_sign_and_unit_vector_per_sample():
    x = torch.zeros(4, 1, 2, 2)
    gradient = torch.tensor([[3.0, -4, 0, 0], [0, 0, 0, 0], [3e-30, 0, 4e-30, 0], [1e30, 1e30, 1e30, -1e30]]).reshape(
        x.shape
    )
    linf, l2 = LinfBall(x, 1, None).ascent(gradient), L2Ball(x, 1, None).ascent(gradient)
    assert linf.flatten(1).tolist() == [[1, -1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, -1]]
    expected = torch.tensor([[0.6, -0.8, 0, 0], [0, 0, 0, 0], [0.6, 0, 0.8, 0], [0.5, 0.5, 0.5, -0.5]])
    torch.testing.assert_close(l2.flatten(1), expected)
    l1 = L1Ball(x, 1, None)
    assert l1.ascent(gradient).flatten(1).tolist() == [[0, -1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
    half = l1.ascent(gradient, sparsity=0.5).flatten(1).tolist()
    assert half == [[0.5, -0.5, 0, 0], [0, 0, 0, 0], [0.5, 0, 0.5, 0], [0.5, 0.5, 0, 0]]


@every_norm
def test_no_other_direction_of_length_1_rises_faster(norm):
    x, gradient = torch.zeros(1, 6), normal(1, 6)
    around = ball(norm, x, 1.0, None)
    steepest = around.ascent(gradient) if norm != "L1" else around.ascent(gradient, sparsity=1)
    assert sizes(steepest, around.x, norm).item() == pytest.approx(1, rel=1e-6)
    others = normal(5000, 6, seed=1)
    others = others / torch.linalg.vector_norm(others, NORMS[norm], dim=1, keepdim=True)
    assert (others @ gradient[0]).max() <= (steepest @ gradient[0]) + 1e-6


def test_an_l1_step_spreads_over_the_asked_share_and_avoids_what_the_box_holds():
    x = torch.full((3, 200), 0.5)
    x[1, :100] = 1.0
    x[2, 100:] = 0.0
    gradient = torch.linspace(2, 1, 200).expand(3, 200).clone()
    gradient[2] = -gradient[2].flip(0)
    step = L1Ball(x, 9.0, box_of((0, 1), x)).ascent(gradient, x, sparsity=0.95)
    assert (step != 0).sum(1).tolist() == [10, 10, 10]
    assert [int(row.nonzero()[0]) for row in step] == [0, 100, 90]
    torch.testing.assert_close(step.abs().sum(1), torch.ones(3))
    assert step[2].min() == pytest.approx(-0.1)
    own = L1Ball(x, 9.0, None).ascent(gradient, sparsity=torch.tensor([1.0, 0.99, 0.0]))
    assert (own != 0).sum(1).tolist() == [1, 2, 200]


# random starts


def test_linf_draws_are_uniform_in_the_cube():
    x = torch.full((4000, 3), 0.5)
    noise = (LinfBall(x, 0.2, None).draw(draws(4000)) - x).double() / 0.2
    for column in noise.T:
        assert stats.kstest(column.numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert torch.corrcoef(noise.T).triu(1).abs().max() < 0.06


@pytest.mark.parametrize("shape", [(2,), (1, 2, 2)])
def test_l2_draws_are_uniform_in_the_volume_of_the_ball(shape):
    n, d = 4000, math.prod(shape)
    x = torch.full((n, *shape), 0.5)
    noise = (L2Ball(x, 0.2, None).draw(draws(n)) - x).flatten(1).double() / 0.2
    assert stats.kstest((noise.norm(dim=1) ** d).numpy(), "uniform").pvalue > 1e-3
    direction = noise / noise.norm(dim=1, keepdim=True)
    assert direction.mean(0).abs().max() < 4 / math.sqrt(n * d)
    assert (direction.T @ direction / n - torch.eye(d) / d).abs().max() < 0.03


@pytest.mark.parametrize("shape", [(2,), (1, 2, 3)])
def test_l1_draws_are_uniform_in_the_volume_of_the_ball(shape):
    n, d = 4000, math.prod(shape)
    x = torch.full((n, *shape), 0.5, dtype=torch.float64)
    noise = (L1Ball(x, 0.2, None).draw(draws(n)) - x).flatten(1) / 0.2
    assert stats.kstest((noise.abs().sum(1) ** d).numpy(), "uniform").pvalue > 1e-3
    for column in noise.T:  # of a uniform point of the ball a coordinate's |.| is Beta(1, D)
        assert stats.kstest(column.abs().numpy(), stats.beta(1, d).cdf).pvalue > 1e-3
        assert stats.binomtest(int((column > 0).sum()), n).pvalue > 1e-3
    assert torch.corrcoef(noise.sign().T).triu(1).abs().max() < 0.06


@every_norm
def test_restarts_start_elsewhere_and_inside_ball_and_box(norm):
    x = uniform(50, 3, 4)
    around = ball(norm, x, 0.5, box_of((0, 1), x))
    first, second = around.draw(draws(50), 0), around.draw(draws(50), 1)
    assert (first != second).flatten(1).any(1).all()
    for found in (first, second):
        assert (sizes(found, around.x, norm) <= 0.5 * (1 + 1e-6)).all()
        assert around.box.contains(found).all()


@every_norm
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_ball_keeps_the_type_of_its_samples(norm, dtype):
    x = uniform(4, 5, dtype=dtype)
    around = ball(norm, x, 0.5, box_of((0, [1, 1, 1, 1, 1]), x))
    results = (around.project(x + 1), around.ascent(x, x), around.draw(draws(4)))
    assert {found.dtype for found in results} == {dtype}
