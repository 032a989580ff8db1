"""Adversarial takeover beside its controls, and the falsifier: in sign and order as measured before (THEORY F, H1)."""

import numpy as np
import pytest
from looking import kept, last, looked, rows

from engine.experiments.takeover import CONTROLS
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

H1 = ExperimentSpec(
    model=MlpSpec(depth=3, width=128),
    training=TrainingSpec(epochs=20),
    attack=PgdSpec(goal="random", norm="L2", eps=1.0, alpha=0.1, steps=40, samples=200),
    probe=ProbeSpec(bootstrap=400),
)
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
