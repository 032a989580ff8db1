"""What training makes of each layer's linear map and activation, beside networks of the same shape trained elsewhere.

The golden numbers are of one network each, whose weights and samples are others than here: they are met in sign, in order, and to
the scatter between seeds.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.geometry.nulls.gaussian_chain import gap
from engine.specs import ExperimentSpec, MlpSpec, ProbeSpec, TrainingSpec
from tests.engine.experiments.looking import last, looked

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "g_trained.json").read_text())["G_trained"]
TRAINED, INITIAL = GOLDEN["MLP3x128_trained"], GOLDEN["MLP3x128_init"]
SEEDS = (0, 1)
LINEAR, BIAS, ACTIVATION = 0, 1, 2
SAME, OTHER = 0, 1
SCATTER = 0.07
"""What seeds of ours differ by, in rapidity; the effects of training are two to three times as large."""


@pytest.fixture(scope="module")
def boost():
    """Mean over seeds: ``[trained | initial, layer, part, group]``."""
    found = []
    for seed in SEEDS:
        spec = ExperimentSpec(
            seed=seed,
            model=MlpSpec(depth=3, width=128, normalise="none"),
            training=TrainingSpec(epochs=20),
            probe=ProbeSpec(samples=100, bootstrap=100),
        )
        found.append(last(looked("layers", spec), "layers").arrays["boost"][:, :3, :, :, 0])
    return np.mean(found, axis=0)


def golden(rows, name):
    return np.array([row[name] for row in rows])


def test_trained_linear_maps_separate_classes_as_the_golden_ones_do(boost) -> None:
    for group, name in ((SAME, "d_lin_same"), (OTHER, "d_lin_diff")):
        assert boost[0, :, LINEAR, group] == pytest.approx(golden(TRAINED, name), abs=SCATTER)
    apart = boost[0, :, LINEAR, SAME] - boost[0, :, LINEAR, OTHER]
    known = golden(TRAINED, "d_lin_same") - golden(TRAINED, "d_lin_diff")
    assert (apart > 0.04).all() and (boost[0, :, LINEAR, SAME] > 0).all()
    assert apart == pytest.approx(known, abs=SCATTER)
    assert apart[0] < apart[1:].min() and known[0] < known[1:].min()  # the first map separates least
    assert boost[0, 2, LINEAR, OTHER] < -0.05 > TRAINED[2]["d_lin_diff"]


def test_before_training_linear_maps_know_no_classes(boost) -> None:
    apart = boost[1, :, LINEAR, SAME] - boost[1, :, LINEAR, OTHER]
    known = golden(INITIAL, "d_lin_same") - golden(INITIAL, "d_lin_diff")
    assert apart == pytest.approx(known, abs=0.04)
    assert np.abs(apart).max() < (boost[0, :, LINEAR, SAME] - boost[0, :, LINEAR, OTHER]).min()


def test_activations_contract_pairs_of_both_kinds(boost) -> None:
    for group, name in ((SAME, "d_act_same"), (OTHER, "d_act_diff")):
        assert boost[0, :, ACTIVATION, group] == pytest.approx(golden(TRAINED, name), abs=SCATTER)
        assert boost[:, :, ACTIVATION, group].mean() > 0.03


def test_biases_do_little_and_less_with_depth(boost) -> None:
    assert boost[1, :, BIAS] == pytest.approx(0, abs=1e-9)
    assert boost[0, :, BIAS, OTHER] == pytest.approx(golden(TRAINED, "d_bias_diff"), abs=0.006)
    assert (np.diff(boost[0, :, BIAS, OTHER]) < 0).all()


def test_the_boosts_of_training_are_many_times_the_null_gap(boost) -> None:
    gaps = golden(TRAINED, "gap")
    assert gaps == pytest.approx(float(gap(128)), rel=1e-9)
    size = np.abs(boost[0, :, LINEAR]).mean(1)
    known = (np.abs(golden(TRAINED, "d_lin_same")) + np.abs(golden(TRAINED, "d_lin_diff"))) / 2
    assert (size > 8 * gaps).all() and (known > 8 * gaps).all()
