"""Adversarial takeover beside its controls, and the falsifier: the ready experiment against the published table."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from looking import kept, last, looked, rows

from engine.experiments.takeover import CONTROLS
from engine.paths import RESOURCES
from engine.spec_files import load_spec
from engine.specs import (
    ControlsSpec,
    ExperimentSpec,
    FgsmSpec,
    GaussianNoiseSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
)

H1 = load_spec(RESOURCES / "examples" / "digits-h1.toml")
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "f1_takeover.json").read_text())
PUBLISHED = GOLDEN["MLP3x128"]["eps1.0_centerTrue"]
OUTPUTS = ("input", "relu 1", "relu 2", "relu 3", "logits")
ROWS = {  # ours: the published name, over which inputs, and the standard deviation at each layer over five seeds, each with
    # its own split, network and second network
    "clean": ("clean", "all", (0.012, 0.014, 0.016, 0.016, 0.020)),
    "adversarial": ("adv_success", "success", (0.011, 0.021, 0.018, 0.020, 0.020)),
    "random": ("random", "all", (0.011, 0.013, 0.016, 0.014, 0.019)),
    "initial": ("init_adv", "all", (0.011, 0.024, 0.022, 0.019, 0.030)),
    "other": ("seed2_adv", "all", (0.011, 0.017, 0.015, 0.017, 0.018)),
    "members": ("ceiling", "all", (0.006, 0.004, 0.007, 0.009, 0.014)),
}
TWO_NETWORKS = 2.776 * math.sqrt(2)  # standard deviations, found from five, between which 95% of differences of two lie
QUICK = ExperimentSpec(
    model=MlpSpec(depth=1, width=16),
    training=TrainingSpec(epochs=1),
    attack=PgdSpec(eps=0.3, alpha=0.1, steps=3, samples=12),
    probe=ProbeSpec(samples=12, reference=20, bootstrap=50),
    controls=ControlsSpec(memorised=40),
)


@pytest.fixture(scope="module")
def measured():
    return looked("takeover", H1)


@pytest.fixture(scope="module")
def taps(measured):
    return [tap["name"] for tap in last(measured, "takeover").info["taps"]]


def control(frame, name):
    return frame.arrays["success_mean"][list(CONTROLS).index(name)]


def test_x_adv_takes_on_the_target_class_the_deeper_the_more(measured, taps):
    frame = last(measured, "takeover")
    adversarial = control(frame, "adversarial")
    hidden = [taps.index(name) for name in ("input", "relu 1", "relu 2", "relu 3")]
    assert (np.diff(adversarial[hidden]) > 0).all()
    low = frame.arrays["success_low"][0]
    last_hidden = taps.index("relu 3")
    for name in ("clean", "random", "initial", "other"):
        high = frame.arrays["success_high"][list(CONTROLS).index(name)]
        assert low[last_hidden] > high[last_hidden], name


@pytest.mark.parametrize("name", ROWS)
def test_the_published_table_is_found_again(measured, taps, name):
    """Another split, other networks: as near as two networks of these settings are to each other, and in one order."""
    frame = last(measured, "takeover")
    published, inputs, scatter = ROWS[name]
    row = frame.arrays[f"{inputs}_mean"][list(CONTROLS).index(name)]
    found = row[[taps.index(tap) for tap in OUTPUTS]]
    expected = np.array([layer[published][0] for layer in PUBLISHED["rows"]])
    assert (np.abs(found - expected) < TWO_NETWORKS * np.array(scatter)).all()
    assert (np.sign(found) == np.sign(expected)).all()
    assert np.corrcoef(found, expected)[0, 1] > 0.9 or np.ptp(expected) < 0.06


def test_every_layer_has_the_controls_in_the_published_order(measured, taps):
    frame = last(measured, "takeover")
    at = [taps.index(tap) for tap in OUTPUTS[1:]]
    names = list(CONTROLS)

    def orders(values):
        return [[name for name, _ in sorted(layer.items(), key=lambda each: each[1])] for layer in values]

    ours = [
        {n: frame.arrays[f"{ROWS[n][1]}_mean"][names.index(n), tap] for n in ROWS if n not in ("clean", "random")}
        for tap in at
    ]
    theirs = [{n: layer[ROWS[n][0]][0] for n in ours[0]} for layer in PUBLISHED["rows"][1:]]
    assert orders(ours)[1:] == orders(theirs)[1:]  # in the first layer two controls stand within a hundredth
    assert abs(frame.info["success"] - PUBLISHED["success"]) < 0.1


def test_the_paired_difference_is_that_of_the_means_and_sharper_than_the_two_apart(measured, taps):
    """On the same inputs: its interval is narrower than that of two independent means, and agrees with theirs in the middle."""
    frame = last(measured, "takeover")
    deep, names = taps.index("relu 3"), list(CONTROLS)
    for inputs in ("all", "success"):
        mean, low, high = (frame.arrays[f"{inputs}_{end}"][:, deep] for end in ("mean", "low", "high"))
        paired, least, most = (frame.arrays[f"{inputs}_paired_{end}"][:, deep] for end in ("mean", "low", "high"))
        for name in ("clean", "random", "initial", "other"):
            row = names.index(name)
            assert paired[row] == pytest.approx(mean[0] - mean[row], abs=1e-12)
            assert least[row] < paired[row] < most[row] and least[row] > 0.1
            apart = math.hypot(high[0] - low[0], high[row] - low[row])
            if name == "other":  # of what makes an input easy both networks see the same
                assert most[row] - least[row] < apart
        assert np.isnan(paired[[names.index("adversarial"), names.index("members")]]).all()
    table = rows(measured, "takeover")
    random = next(r for r in table if (r["what"], r["inputs"], r["tap"]) == ("random", "successes", "relu 3"))
    assert random["paired_low"] < random["paired_mean"] < random["paired_high"]
    assert {r["paired_mean"] for r in table if r["what"] == "members"} == {None}


def test_it_stops_at_the_ceiling_of_natural_members_and_controls_stand_in_order(measured, taps):
    frame = last(measured, "takeover")
    deep = taps.index("relu 3")
    ceiling, adversarial = control(frame, "members")[deep], control(frame, "adversarial")[deep]
    other, random = control(frame, "other")[deep], control(frame, "random")[deep]
    assert ceiling > adversarial > other > random
    assert ceiling < 0.9
    assert abs(random - control(frame, "clean")[deep]) < 0.05


def test_the_way_there_is_shown_step_by_step(measured):
    frame = last(measured, "takeover")
    assert frame.arrays["step"][0] == 0 and (np.diff(frame.arrays["step"]) >= 0).all()
    target, true = frame.arrays["target_mean"][:, -2], frame.arrays["true_mean"][:, -2]
    assert target[-1] > target[0] + 0.1 and true[-1] < true[0] - 0.1
    np.testing.assert_allclose(target[-1], frame.arrays["all_mean"][0, -2])
    assert frame.info["done"] and frame.info["nearest_member"] > frame.info["moved"]


def test_random_labels_are_attacked_as_well_without_any_class_coming_near(taps):
    """The falsifier: success without entanglement, but in the logits, where it is a tautology."""
    events = looked("falsifier", H1)
    frame = last(events, "falsifier")
    assert frame.info["memorised"] > 0.99 and frame.info["success"] > 0.95
    adversarial, random, members = frame.arrays["success_mean"]
    hidden = [taps.index(name) for name in ("input", "relu 1", "relu 2")]
    assert (np.abs(adversarial[hidden]) < 0.1).all()
    assert adversarial[-1] > 0.2 > adversarial[taps.index("relu 3")]
    assert np.abs(random).max() < 0.1
    # against what its own classes have in common, x_adv has taken over there as well
    assert members[taps.index("relu 3")] < adversarial[taps.index("relu 3")] + 0.1
    assert {row["what"] for row in rows(events, "falsifier")} == {"adversarial", "random", "members"}
    golden = GOLDEN["random_label"]
    assert np.abs(adversarial[hidden] - golden["adv"][:3]).max() < 0.05
    assert abs(adversarial[-1] - golden["adv"][-1]) < 0.1


def test_the_other_network_is_trained_once_and_kept(measured):
    found = kept(measured)
    assert {"weights", "other_weights"} <= set(found)
    again = looked("takeover", H1, found)
    assert "other_weights" not in kept(again)
    np.testing.assert_array_equal(
        last(again, "takeover").arrays["all_mean"], last(measured, "takeover").arrays["all_mean"]
    )


def test_an_untargeted_attack_is_measured_by_the_class_it_was_driven_to():
    frame = last(
        looked("takeover", QUICK.model_copy(update={"attack": FgsmSpec(goal="untargeted", samples=12)})), "takeover"
    )
    assert frame.arrays["all_mean"].shape == (len(CONTROLS), 4)


def test_noise_without_images_works_too():
    data = GaussianNoiseSpec(features=6, classes=3, train_size=60, test_size=30)
    frame = last(looked("takeover", QUICK.model_copy(update={"dataset": data})), "takeover")
    assert np.isfinite(frame.arrays["all_mean"][0]).all()
