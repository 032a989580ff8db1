"""Hashes of features and images as bits."""

import math

import numpy as np
import pytest
import torch

from engine.errors import ReconcileError
from engine.reconcile import hashing, message
from engine.reconcile.hashing import Projection


def test_signs_differ_as_often_as_the_angle_says():
    rows, theta = 60_000, 0.7
    pair = torch.tensor([[1.0, 0.0], [math.cos(theta), math.sin(theta)]], dtype=torch.float64)
    a, b = Projection(rows, 2, seed=1).hash(pair).bits
    p = theta / math.pi
    assert abs((a != b).mean() - p) < 4 * math.sqrt(p * (1 - p) / rows)


def test_a_hash_depends_on_seed_and_direction_alone():
    x = torch.randn(5, 30, generator=torch.Generator().manual_seed(0))
    bits = Projection(500, 30, seed=2).hash(x).bits
    assert np.array_equal(bits, Projection(500, 30, seed=2).hash(3 * x.double()).bits)
    assert np.array_equal(bits[1:2], Projection(500, 30, seed=2).hash(1e300 * x[1:2].double()).bits)
    assert np.array_equal(bits, 1 - Projection(500, 30, seed=2).hash(-x).bits)
    assert 0.4 < (bits != Projection(500, 30, seed=3).hash(x).bits).mean() < 0.6


def test_blocks_do_not_change_a_hash_and_are_drawn_once(monkeypatch):
    x = torch.randn(7, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    monkeypatch.setattr(hashing, "_BLOCK", 400)
    monkeypatch.setattr(hashing, "_INPUTS", 3)
    kept = Projection(95, 40, seed=0)
    bits = kept.hash(x).bits
    blocks = dict(kept._blocks)
    assert np.array_equal(kept.hash(x).bits, bits) and all(kept._blocks[k] is v for k, v in blocks.items())
    assert np.array_equal(bits, (x @ torch.cat(list(blocks.values())).T >= 0).numpy())
    monkeypatch.setattr(hashing, "_KEPT", 0)
    frugal = Projection(95, 40, seed=0)
    assert np.array_equal(frugal.hash(x).bits, bits) and not frugal._blocks
    assert sum(1 for _ in frugal.hashing(x)) == 10 + 10 * 3


def test_dead_features_have_no_hash_and_zero_projections_are_a_plus():
    x = torch.tensor([[0.0, 0.0], [torch.nan, 1.0], [torch.inf, 1.0], [1.0, 2.0]])
    found = Projection(20, 2, seed=0).hash(x)
    assert found.alive.tolist() == [False, False, False, True]
    assert not found.bits[:3].any()
    plane = Projection(3, 2, seed=0)
    plane._blocks = {0: torch.tensor([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)}
    assert plane.hash(torch.tensor([[1.0, 0.0]])).bits.tolist() == [[1, 1, 0]]


def test_features_of_another_width_and_empty_projections_are_refused():
    with pytest.raises(ReconcileError, match="hashes 2 features"):
        Projection(20, 2, seed=0).hash(torch.ones(1, 3))
    with pytest.raises(ReconcileError, match="at least 1"):
        Projection(0, 2, seed=0)


def test_an_image_survives_bits_and_hexadecimal_digits():
    image = np.random.default_rng(0).integers(0, 4, (8, 8), dtype=np.uint8)
    assert np.array_equal(message.from_bits(message.to_bits(image)), image)
    digits = message.to_hex(image)
    assert len(digits) == 32 and np.array_equal(message.from_hex(digits.upper()), image)
    corner = np.zeros((8, 8), np.uint8)
    corner[0, :2] = 3, 1
    assert message.to_hex(corner) == "d" + "0" * 31
    for bad in ("12", "g" * 32, "00 " * 10 + "00"):
        with pytest.raises(ReconcileError, match="32 hexadecimal"):
            message.from_hex(bad)


def test_any_input_is_reduced_by_areas():
    levels = np.random.default_rng(1).integers(0, 4, (8, 8), dtype=np.uint8)
    exact = levels / 3
    assert np.array_equal(message.reduced(exact[None]), levels)
    assert np.array_equal(message.reduced(np.kron(exact, np.ones((4, 3)))[None].repeat(3, 0)), levels)
    assert np.array_equal(message.reduced(exact.reshape(-1)), levels)
    assert np.array_equal(message.reduced(np.repeat(exact.reshape(-1), 5)), levels)
    assert np.array_equal(message.reduced(7 * exact.reshape(-1) - 2, bounds=None), levels)
    assert np.array_equal(message.reduced(np.ones((1, 28, 28))), np.full((8, 8), 3))
    assert np.array_equal(message.reduced(np.full(5, 0.3), bounds=None), np.zeros((8, 8)))
    ramp = message.reduced(np.linspace(0, 1, 28)[None, None].repeat(28, 1))  # 28 pixels do not divide by 8
    assert (np.diff(ramp[0].astype(int)) >= 0).all() and ramp[0, 0] == 0 and ramp[0, -1] == 3
    for bad in (np.ones((8, 8)), np.full(4, np.nan), np.ones(0)):
        with pytest.raises(ReconcileError, match="cannot be made a message"):
            message.reduced(bad)
