"""What is said of an attack before its verdict is believed."""

import pytest

from engine.events import Frame, Progress
from engine.experiments import open_experiment
from engine.specs import DeepFoolSpec, DigitsSpec, ExperimentSpec, MlpSpec, PgdSpec, TrainingSpec

SMALL = ExperimentSpec(
    dataset=DigitsSpec(),
    model=MlpSpec(depth=2, width=64),
    training=TrainingSpec(epochs=4),
    attack=PgdSpec(goal="next", eps=0.1, alpha=0.02, steps=30, samples=40),
)


def checked(spec):
    events = list(open_experiment("attack_checks", spec, {}))
    frames = [e for e in events if isinstance(e, Frame) and e.topic == "attack_checks"]
    assert isinstance(events[-1], Progress) and events[-1].done == events[-1].total
    return frames[-1].info


def test_a_plain_network_and_a_strong_attack_raise_nothing():
    info = checked(SMALL)
    assert [f["name"] for f in info["flags"]] == [
        "randomised", "probabilities", "zero gradients", "inner optimisation", "changing computation",
        "black box better",
    ]  # fmt: skip
    assert not any(f["raised"] for f in info["flags"])
    active = info["active"]
    assert 10 < active["counted"] <= active["planted"] <= active["samples"] == 20
    assert active["found"] == active["counted"] * active["rate"] and active["low"] < active["rate"] <= active["high"]
    assert "too weak for this model, and" not in active["verdict"]


def test_a_feeble_attack_is_called_too_weak_and_queries_beat_it():
    feeble = PgdSpec(goal="next", eps=0.1, alpha=0.0005, steps=2, samples=40, random_start=False)
    info = checked(SMALL.model_copy(update={"attack": feeble}))
    assert info["active"]["rate"] == 0 and "too weak for this model" in info["active"]["verdict"]
    better = next(f for f in info["flags"] if f["name"] == "black box better")
    assert better["raised"] and better["figure"] > 0.002


@pytest.mark.parametrize("attack", [DeepFoolSpec(goal="untargeted", samples=20)])
def test_an_attack_without_a_budget_says_why_it_is_not_tested(attack):
    info = checked(SMALL.model_copy(update={"attack": attack}))
    assert info["active"] is None and "no weakness inside a ball" in info["why_not"]
    assert len(info["flags"]) == 5
