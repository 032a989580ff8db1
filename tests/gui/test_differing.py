"""What differs between specs: which fields, in whose words, and what of it is unfair."""

from __future__ import annotations

import numpy as np
import pytest
from frames import profile_frame

from engine.experiments.groups import GROUPS, QUANTITIES
from engine.session import Table
from engine.specs import CnnSpec, ExperimentSpec, GaussianNoiseSpec, MlpSpec, PgdSpec
from gui.comparing import readings
from gui.differing import differences, summary, unfair


def plain(**changes):
    return ExperimentSpec(**changes).model_dump(mode="json")


def test_equal_specs_say_so_and_a_title_is_no_difference():
    found = differences([plain(title="One"), plain(title="Other"), plain()])
    assert found == []
    assert "same spec" in summary(found, 3)


def test_a_field_is_named_as_the_form_names_it_with_its_unit_and_one_value_a_source():
    specs = [plain(attack=PgdSpec(eps=eps)) for eps in (0.1, 0.2, 0.1)]
    (only,) = differences(specs)
    assert (only.part, only.label, only.values) == ("Attack", "ε", ("0.1", "0.2", "0.1"))
    assert only.unit
    assert unfair([only]) == ("other eps",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"seed": 7}, "other seed"),
        ({"dataset": GaussianNoiseSpec()}, "other data"),
        ({"attack": PgdSpec(eps=0.25)}, "other eps"),
        ({"attack": PgdSpec(goal="untargeted")}, "other goal"),
    ],
)
def test_what_makes_a_comparison_unfair_is_marked(changed, why):
    assert why in unfair(differences([plain(), plain(**changed)]))


def test_another_network_is_what_one_compares_and_no_unfairness():
    found = differences([plain(model=MlpSpec()), plain(model=CnnSpec())])
    assert unfair(found) == ()
    assert found[0].part == "Model"
    assert found[0].values == ("MLP", "CNN")
    assert "–" in {value for each in found for value in each.values}  # a field that the other family has not


def test_a_spec_of_an_older_version_differs_by_no_part_that_it_did_not_know():
    old = plain()
    del old["transfer"], old["sweep"]
    assert differences([old, plain()]) == []


def test_numbers_have_their_intervals():
    epochs = Table([{"epoch": 1, "test_accuracy": 0.9, "test_samples": 100}])
    attack = Table([{"step": 0, "success_so_far": 0.5, "samples": 16}])
    profile = profile_frame()
    accuracy, success, adversarial, _ = readings({"epochs": epochs, "attack": attack}, profile)
    # Wilson 1927 for 90 of 100 and 8 of 16
    assert (accuracy.low, accuracy.high) == (pytest.approx(0.8256, abs=1e-4), pytest.approx(0.9448, abs=1e-4))
    assert (success.low, success.high) == (pytest.approx(0.2800, abs=1e-4), pytest.approx(0.7200, abs=1e-4))
    g = [group.name for group in GROUPS].index("adv_target")
    assert QUANTITIES[0].name == "C"
    assert adversarial.value == profile.arrays["mean"][0, 0, 0, g, -2]
    assert np.isclose(adversarial.low, adversarial.value - 0.01) and np.isclose(
        adversarial.high, adversarial.value + 0.02
    )
    assert str(accuracy) == "90.0% of 100 [82.6%, 94.5%]"
