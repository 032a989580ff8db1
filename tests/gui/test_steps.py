"""The steps of the rail: what their buttons say, and when a step's result counts as current."""

from __future__ import annotations

import pytest

from engine.experiments import EXPERIMENTS, KEPT_NETWORK, STEPS
from engine.session import Run
from engine.specs import PARTS, ExperimentSpec, FgsmSpec, MlpSpec, ProbeSpec, TrainingSpec
from gui import steps
from gui.chrome.rail import STEPS as RAIL

SPEC = ExperimentSpec()


def run(experiment: str, spec: ExperimentSpec = SPEC, status: str = "finished") -> Run:
    return Run(1, experiment, spec.model_dump(mode="json"), status, 0.0, 1.0, "")


def test_every_part_of_the_experiment_is_edited_in_exactly_one_step():
    assert [step.key for step in RAIL] == list(steps.FORMS)
    forms = [part for parts in steps.FORMS.values() for part in parts]
    assert sorted([*forms, *steps.SET_BY_PANELS]) == sorted([*PARTS, "experiment"])


def test_every_experiment_is_a_step_of_the_rail():
    assert steps.ORDER == STEPS
    assert set(steps.ORDER) <= set(steps.FORMS)
    assert set(steps.PANELS) <= set(steps.FORMS)


@pytest.mark.parametrize(
    ("step", "changed", "says"),
    [
        ("train", {"training": TrainingSpec(epochs=1)}, "Train 1 epoch"),
        ("train", {"training": TrainingSpec(epochs=3)}, "Train 3 epochs"),
        ("attack", {"attack": FgsmSpec(samples=1)}, "Attack 1 sample"),
        ("attack", {"attack": FgsmSpec(samples=1200)}, "Attack 1,200 samples"),
        ("data", {}, "Load data"),
        ("report", {}, "Write report…"),
    ],
)
def test_the_button_says_what_it_will_do(step, changed, says):
    assert steps.action(step, SPEC.model_copy(update=changed)) == says


def test_a_step_makes_those_before_it_too():
    assert steps.current_results(SPEC, [run("train")]) == {"data", "model", "train"}
    assert steps.current_results(SPEC, [run("story")]) == set(steps.ORDER)
    assert steps.current_results(SPEC, []) == set()


def test_a_closer_look_makes_the_steps_that_it_needs():
    assert steps.current_results(SPEC, [run("decision_map")]) == {"data", "model", "train", "attack"}
    assert steps.current_results(SPEC, [run("class_matrix")]) == {"data", "model", "train"}
    assert {*steps.ORDER, *steps.REACHES} == {*EXPERIMENTS, KEPT_NETWORK}


@pytest.mark.parametrize("status", ["running", "failed", "cancelled", "interrupted"])
def test_a_run_that_did_not_finish_made_nothing(status):
    assert steps.current_results(SPEC, [run("story", status=status)]) == set()


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"title": "Another"}, set(steps.ORDER)),
        ({"probe": ProbeSpec(samples=8)}, {"data", "model", "train", "attack"}),
        ({"attack": FgsmSpec()}, {"data", "model", "train"}),
        ({"training": TrainingSpec(epochs=1)}, {"data", "model"}),
        ({"model": MlpSpec(width=7)}, {"data"}),
        ({"seed": 1}, set()),
    ],
)
def test_an_edit_puts_out_of_date_what_depends_on_it(changed, left):
    assert steps.current_results(SPEC.model_copy(update=changed), [run("story")]) == left


def test_a_run_of_another_version_is_never_taken_for_current():
    strange = Run(1, "story", {"title": "from the future", "warp": 9}, "finished", 0.0, 1.0, "")
    assert steps.current_results(SPEC, [strange, run("data")]) == {"data"}
