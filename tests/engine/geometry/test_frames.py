"""Rapidities of linear networks beyond what their features can show."""

import math
from itertools import pairwise

import torch

from engine.geometry.ceiling import ceiling
from engine.geometry.frames import frame_rapidities
from engine.geometry.nulls.gaussian_chain import gap
from engine.geometry.pairs import pair_geometry


def weights(n, depth, seed=0, d=None):
    draw = torch.Generator().manual_seed(seed)
    sizes = [d or n] + [n] * depth
    return [torch.randn(b, a, generator=draw, dtype=torch.float64) / math.sqrt(a) for a, b in pairwise(sizes)]


def pairs(p=20, d=8, seed=1):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(2, p, d, generator=draw, dtype=torch.float64)


def test_below_the_ceiling_it_is_the_geometry_of_the_features():
    x, y = pairs()
    maps = weights(8, 6)
    found = frame_rapidities(maps, x, y)
    for layer in range(7):
        torch.testing.assert_close(found[layer], pair_geometry(x, y).eta, rtol=1e-9, atol=1e-9)
        if layer < 6:
            x, y = x @ maps[layer].T, y @ maps[layer].T


def test_beyond_it_rapidity_goes_on_growing_as_the_gap_says():
    """Width 8, depth 800: theory says ln gamma about 61, features of float64 stop at 36 (THEORY A, precision ceiling)."""
    x, y = pairs(p=400)
    depth = 800
    draws = [frame_rapidities(weights(8, depth, seed), x[:4], y[:4]) for seed in range(20)]
    final = torch.stack([d[-1].abs().mean() for d in draws])
    naive = x[:4]
    other = y[:4]
    for w in weights(8, depth, 0):
        naive, other = naive @ w.T, other @ w.T
        naive, other = naive / naive.norm(dim=1, keepdim=True), other / other.norm(dim=1, keepdim=True)
    assert not (pair_geometry(naive, other).eta.abs() < ceiling("float64")).all() or draws[0][-1].abs().max() > 40
    expected = depth * float(gap(8))
    assert abs(final.mean() - expected) < 4 * final.std() / math.sqrt(20) + math.log(2)
    assert final.mean() > ceiling("float64")


def test_dead_and_parallel_pairs_say_so():
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    y = torch.tensor([[2.0, 0.0], [-1.0, -1.0], [1.0, 0.0]])
    found = frame_rapidities([torch.eye(2)], x, y)
    assert found[:, 0].isposinf().all() and found[:, 1].isneginf().all() and found[:, 2].isnan().all()


def test_a_map_onto_one_direction_makes_all_pairs_parallel():
    x, y = pairs()
    found = frame_rapidities([torch.ones(1, 8, dtype=torch.float64)], x, y)
    assert found[1].isinf().all()
