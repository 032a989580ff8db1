"""Bell at every layer: signs follow the sawtooth, S stays at or below 2, and the mistakes show as mistakes."""

import numpy as np
import pytest
from looking import last, looked, rows

from engine.specs import ControlsSpec, ExperimentSpec, MlpSpec, ProbeSpec, TrainingSpec

SMALL = ExperimentSpec(
    model=MlpSpec(depth=2, width=32),
    training=TrainingSpec(epochs=2),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=50),
    controls=ControlsSpec(rows=4000),
)


@pytest.fixture(scope="module")
def events():
    return looked("bell", SMALL)


def test_signs_of_pairs_follow_the_sawtooth(events):
    frame = last(events, "bell")
    z = (frame.arrays["E"] - frame.arrays["sawtooth"]) / frame.arrays["E_error"]
    assert np.abs(z).max() < 5 and np.abs(z).mean() < 1.2
    inside = np.abs(frame.arrays["theta_told"] - frame.arrays["theta"]) < 1.96 * frame.arrays["theta_told_error"]
    assert inside.mean() > 0.88


def test_no_layer_exceeds_2_and_its_cosines_do(events):
    layers = last(events, "bell").info["layers"]
    assert layers[0]["tap"] == "input"
    assert all(abs(row["S"]) <= 2 for row in layers)
    assert any(row["algebraic"] > 2 for row in layers)
    assert all(row["algebraic"] <= 2 * np.sqrt(2) + 1e-9 for row in layers)


def test_dropping_unsure_samples_exceeds_2_below_full_efficiency(events):
    for row in last(events, "bell").info["layers"]:
        kept = row["dropping"]
        assert kept[0]["efficiency"] == 1 and abs(kept[0]["S"]) <= 2
        assert any(d["S"] > 2 for d in kept if d["efficiency"] < 1)
        assert all(abs(d["as_zero"]) <= 2 for d in kept)


def test_pair_mode_gives_2_without_scatter_and_disjoint_samples_scatter(events):
    frame = last(events, "bell")
    protocol = frame.info["pair"]["protocol"]
    assert (protocol["S"], protocol["error"]) == (2.0, 0.0)
    assert (frame.arrays["disjoint"] > 2).mean() > 0.3


def test_each_layer_is_recorded(events):
    table = rows(events, "bell")
    assert len(table) == 6 and all(row["samples"] == 450 for row in table)
