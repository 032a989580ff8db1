"""What is shown while an attack runs, and what is written down of each sample afterwards."""

import functools

import pytest

from engine.errors import AttackError
from engine.events import Artifact, Record
from engine.experiments import open_experiment, watching
from engine.specs import (
    CarliniWagnerSpec,
    DigitsSpec,
    ExperimentSpec,
    FeatureSpec,
    MlpSpec,
    NoiseAttackSpec,
    PgdSpec,
    ProbeSpec,
    SequenceSpec,
    TrainingSpec,
)


@functools.cache
def trained():
    spec = ExperimentSpec(
        dataset=DigitsSpec(),
        model=MlpSpec(depth=2, width=24),
        training=TrainingSpec(epochs=2),
        probe=ProbeSpec(samples=8, reference=60, bootstrap=50, pairs=4, every=1000),
    )
    return spec, {e.name: e for e in open_experiment("train", spec, {}) if isinstance(e, Artifact)}


def attacked(attack):
    spec, weights = trained()
    events = list(open_experiment("attack", spec.model_copy(update={"attack": attack}), weights))
    return [[e.row for e in events if isinstance(e, Record) and e.table == name] for name in ("attack", "attacked")]


def test_a_success_between_two_steps_that_are_shown_counts(monkeypatch):
    """With stop off a sample may be broken at one step and not at the next: the count never forgets it."""
    attack = PgdSpec(goal="untargeted", eps=0.12, alpha=0.24, steps=40, restarts=2, stop=False, samples=60)
    every, outcome = attacked(attack)
    monkeypatch.setattr(watching, "SHOWN_ITERATES", 4)
    few, again = attacked(attack)
    assert [row["first_step"] for row in outcome] == [row["first_step"] for row in again]
    assert len(few) < 15 < len(every)
    assert few[-1]["success_so_far"] == every[-1]["success_so_far"]
    by_cost = {row["forwards"]: row["success_so_far"] for row in every}
    assert all(row["success_so_far"] == by_cost[row["forwards"]] for row in few[:-1])
    assert any(row["success_so_far"] > row["success_rate"] for row in few)


def test_the_table_tells_whether_an_attack_was_needed():
    steps, outcome = attacked(CarliniWagnerSpec(goal="untargeted", kappa=5.0, steps=20, searches=2, samples=60))
    wrong = [row for row in outcome if row["clean_prediction"] != row["y"]]
    needed = [row for row in wrong if not row["already"]]
    assert needed and all(row["norm_L2"] > 0 for row in needed if row["success"])
    assert steps[0]["success_before"] == sum(row["already"] for row in outcome) / len(outcome)


def test_the_table_names_the_member_that_broke_a_sample():
    _, outcome = attacked(SequenceSpec(eps=0.1, steps=2, queries=20, samples=40))
    for row in outcome:
        assert (row["first_stage"] != "") == bool(row["success"] and not row["already"])
    assert {row["first_stage"] for row in outcome} & {"APGD-CE", "APGD-DLR", "APGD-T", "Square"}


def test_noise_is_driven_to_the_class_that_was_chosen():
    _, outcome = attacked(NoiseAttackSpec(target_class=7, eps=5.0, confidence=0.3, samples=20))
    assert {row["target"] for row in outcome} == {7} and 7 in {row["y"] for row in outcome}
    assert all(row["prediction"] == 7 and row["confidence"] >= 0.3 for row in outcome if row["success"])
    assert sum(row["success"] for row in outcome) >= 10


def test_features_are_driven_to_the_test_sample_that_was_chosen():
    _, outcome = attacked(FeatureSpec(eps=0.3, steps=30, samples=20, target_sample=0))
    assert len({row["target"] for row in outcome}) == 1 and any(row["success"] for row in outcome)
    with pytest.raises(AttackError, match=r"test sample 99999, but .* test samples, counted from 0"):
        attacked(FeatureSpec(target_sample=99_999, samples=5))
    with pytest.raises(AttackError, match="Class 12 is to be reached, but there are 10 classes"):
        attacked(NoiseAttackSpec(target_class=12, samples=5))
