"""A pair's way through the layers as spacetime, and rows of frames matched by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.events import Frame
from engine.experiments import rows, spacetime, views

TAPS = [
    {"name": "input", "kind": "input", "layer": 0},
    {"name": "linear 1", "kind": "linear", "layer": 1},
    {"name": "relu 1", "kind": "activation", "layer": 1},
    {"name": "logits", "kind": "logits", "layer": 2},
]


def test_gram_and_doppler_boosts_add_up_over_layers_and_einstein_s_do_not():
    eta = np.random.default_rng(0).normal(0, 1.5, (200, 4))
    at = spacetime.rapidities(eta, TAPS)
    for convention in spacetime.CONVENTIONS:
        steps = sum(spacetime.boost(convention.key, at[:, k], at[:, k + 1]).rapidity for k in range(2))
        total = spacetime.boosts(convention.key, eta, TAPS)[:, -1]
        assert np.allclose(steps, total, atol=1e-12) == convention.additive


def test_proper_depth_is_the_sum_of_sines_behind_the_layers():
    eta = np.random.default_rng(1).normal(0, 2, (50, 4))
    angle = views.readings(eta[:, [2, 3]])["angle"]
    depth = spacetime.proper_depth(eta, TAPS)
    assert (depth[:, 0] == 0).all()
    assert depth[:, 1] == pytest.approx(np.sin(angle[:, 0]))
    assert depth[:, 2] == pytest.approx(np.sin(angle).sum(1))
    assert (depth[:, 2] <= 2).all()


@pytest.mark.parametrize("eta", [np.inf, -np.inf, 800.0])
def test_time_stands_still_for_parallel_and_opposite_pairs(eta):
    assert spacetime.proper_rate(np.full(4, eta), TAPS) == pytest.approx([0, 0, 0])


def test_dead_pairs_stay_undefined_and_nothing_warns():
    with np.errstate(all="raise", under="ignore"):
        assert np.isnan(spacetime.proper_depth(np.full(4, np.nan), TAPS)[1:]).all()
        for key in "RDE":
            assert np.isnan(spacetime.boosts(key, np.full(4, np.inf), TAPS)).all()


def test_the_ceiling_is_float32_s():
    assert pytest.approx(math.log(2 / np.finfo(np.float32).eps)) == spacetime.CEILING


def frame() -> Frame:
    mean = np.arange(2 * 2 * 1 * 2 * 4, dtype=float).reshape(2, 2, 1, 2, 4)
    info = {"taps": TAPS, "groups": [{"name": "same"}, {"name": "different"}], "quantities": [{"name": "C"}]}
    return Frame("profile", "measure", 0, {"mean": mean, "null": mean[0]}, info)


def test_a_row_is_found_by_the_names_of_its_group_quantity_and_taps():
    at = {"view": 1, "quantity": "C", "group": "different"}
    found = rows.row(frame(), "mean", **at, taps=["logits", "conv 9", "input"], net=1)
    assert found[[0, 2]].tolist() == [31.0, 28.0]
    assert np.isnan(found[1])
    assert rows.row(frame(), "null", **at, taps=["input"]).tolist() == [12.0]


@pytest.mark.parametrize(
    ("name", "quantity", "group"), [("x", "C", "same"), ("mean", "eta", "same"), ("mean", "C", "z")]
)
def test_what_a_frame_does_not_have_is_missing(name, quantity, group):
    assert np.isnan(rows.row(frame(), name, view=0, quantity=quantity, group=group, taps=["input"], net=0)).all()


def test_an_interval_is_beyond_the_null_s_band_only_when_they_do_not_touch():
    assert rows.beyond(0.2, 0.3, -0.1, 0.1) == 1
    assert rows.beyond(-0.3, -0.2, -0.1, 0.1) == -1
    assert rows.beyond(0.05, 0.3, -0.1, 0.1) == 0
    assert rows.beyond(math.nan, math.nan, -0.1, 0.1) == 0
