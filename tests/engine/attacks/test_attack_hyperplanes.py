"""The nearest point of a hyperplane inside the box, against linear programming and the conditions of optimality."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, linprog

from engine.attacks.tools.hyperplanes import to_hyperplane
from engine.attacks.tools.projections import box_of

NORMS = {"Linf": np.inf, "L2": 2, "L1": 1}
every_norm = pytest.mark.parametrize("norm", NORMS)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(*shape, seed=0, dtype=torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_solver(norm, x, w, b, low, high):
    """The least distance from ``x`` to {w.z + b = 0} in the box, or None where they do not meet."""
    size = len(x)
    if norm == "L2":  # z(m) = clip(x - m w) is optimal for the multiplier m at which it reaches the hyperplane

        def value(m):
            return w @ np.clip(x - m * w, low, high) + b

        if value(-1e7) * value(1e7) > 0:
            return None
        return np.linalg.norm(np.clip(x - brentq(value, -1e7, 1e7, xtol=1e-14, rtol=1e-14) * w, low, high) - x)
    one = np.eye(size)
    if norm == "Linf":  # minimise t with -t <= z - x <= t
        found = linprog(
            np.r_[np.zeros(size), 1],
            np.block([[one, -np.ones((size, 1))], [-one, -np.ones((size, 1))]]),
            np.r_[x, -x],
            np.r_[w, 0][None],
            [-b],
            bounds=[*([(low, high)] * size), (0, None)],
        )
    else:  # z = x + p - q with p, q >= 0
        found = linprog(
            np.ones(2 * size),
            A_eq=np.r_[w, -w][None],
            b_eq=[-b - w @ x],
            bounds=[(0, high - value) for value in x] + [(0, value - low) for value in x],
        )
    return found.fun if found.status == 0 else None


@every_norm
@pytest.mark.parametrize("reach", [1.0, 1e3])
def test_it_is_as_near_as_a_solver_finds_and_on_the_hyperplane(norm, reach):
    """``reach`` 1: a box that binds; 1000: one that is as good as none, given as none."""
    met = apart = 0
    for seed in range(60):
        size = 1 + seed % 9
        x, w = uniform(1, size, seed=seed), normal(1, size, seed=seed + 1000)
        w[uniform(1, size, seed=seed + 2000) < 0.15] = 0
        if seed % 7 == 0:
            w = w.sign()  # ties
        b = normal(1, seed=seed + 3000) * (0.5 if seed % 3 else 3)
        box = box_of((0, 1), x) if reach == 1 else None
        z = to_hyperplane(norm, x, w, (w * x).sum(1) + b, box)
        assert box is None or box.contains(z).all()
        low, high = (0.0, 1.0) if reach == 1 else (-reach, reach)
        expected = by_solver(norm, x[0].numpy(), w[0].numpy(), b.item(), low, high)
        if expected is None:
            apart += 1
            continue
        met += 1
        assert abs(float((w * z).sum() + b)) < 1e-12
        assert np.linalg.norm((z - x)[0], NORMS[norm]) == pytest.approx(expected, rel=1e-8, abs=1e-10)
    assert met > 25
    assert apart > (8 if reach == 1 else 0)


@every_norm
def test_where_the_box_does_not_reach_it_is_the_corner_that_comes_nearest(norm):
    x = torch.tensor([[0.2, 0.5, 0.7], [0.2, 0.5, 0.7]])
    w = torch.tensor([[1.0, -2, 0], [1.0, -2, 0]])
    z = to_hyperplane(norm, x, w, torch.tensor([100.0, -100]), box_of((0, 1), x))
    torch.testing.assert_close(z, torch.tensor([[0, 1, 0.7], [1, 0, 0.7]]), rtol=0, atol=0)


@every_norm
@pytest.mark.parametrize("boxed", [False, True])
def test_a_point_on_the_hyperplane_stays_and_so_does_one_that_no_weight_moves(norm, boxed):
    x, w = uniform(4, 2, 3), normal(4, 2, 3)
    box = box_of((0, 1), x) if boxed else None
    assert torch.equal(to_hyperplane(norm, x, w, torch.zeros(4, dtype=x.dtype), box), x)
    assert torch.equal(to_hyperplane(norm, x, torch.zeros_like(w), torch.ones(4, dtype=x.dtype), box), x)


@every_norm
@pytest.mark.parametrize("bounds", [(0, 1), ([0, -1], [1, 2]), None])
@pytest.mark.parametrize("scale", [1.0, 1e-22, 1e15])
def test_float32_reaches_the_hyperplane_from_either_side_whatever_the_size_of_weights(norm, bounds, scale):
    x = uniform(64, 2, 14, 14, dtype=torch.float32)
    w = scale * normal(64, 2, 14, 14, dtype=torch.float32)
    value = scale * torch.linspace(-20, 20, 64)
    box = box_of(bounds, x)
    z = to_hyperplane(norm, x, w, value, box)
    assert box is None or box.contains(z).all()
    left = ((z.double() - x.double()) * w.double()).flatten(1).sum(1) + value.double()
    assert (left.abs() < 1e-4 * scale).all()


@every_norm
def test_a_sample_is_projected_alike_alone_and_in_company(norm):
    x, w, value = uniform(30, 40, dtype=torch.float32), normal(30, 40, dtype=torch.float32), torch.linspace(-9, 9, 30)
    box = box_of((0, 1), x)
    together = to_hyperplane(norm, x, w, value, box)
    for row in (0, 11, 29):
        alone = to_hyperplane(norm, x[row : row + 1], w[row : row + 1], value[row : row + 1], box)
        torch.testing.assert_close(alone, together[row : row + 1], rtol=0, atol=0)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_weights_that_make_many_pieces_are_solved_too(norm):
    """Newton's worst case: the breakpoints are spread over many orders of magnitude."""
    room = 2.0 ** -torch.arange(50, dtype=torch.float64)[None]
    w = 2.0 ** torch.arange(50, dtype=torch.float64)[None]
    x = -room
    box = box_of((-10, torch.zeros(50, dtype=torch.float64)), x)
    most = float((w * room).sum())
    for share in (0.01, 0.5, 0.9, 0.9999):
        z = to_hyperplane(norm, x, w, torch.tensor([-share * most], dtype=torch.float64), box)
        assert float((w * (z - x)).sum()) == pytest.approx(share * most, rel=1e-12)
