"""What is recorded of an adversarial training: robust accuracy after epochs, and looks for catastrophic overfitting."""

from __future__ import annotations

import pytest
from looking import looked, rows

from engine.data import drain, load
from engine.experiments.live_robustness import SAMPLES, LiveRobustness
from engine.experiments.rates import share
from engine.specs import (
    ExperimentSpec,
    FastTrainingSpec,
    MlpSpec,
    PgdTrainingSpec,
    ProbeSpec,
    TrainingSpec,
    TrainingSpecs,
)

SHARED = {"epochs": 4, "learning_rate": 0.005}


def spec(training: TrainingSpecs) -> ExperimentSpec:
    probe = ProbeSpec(samples=20, reference=40, every=1000)
    return ExperimentSpec(model=MlpSpec(depth=1, width=16), training=training, probe=probe)


def test_robust_accuracy_stands_in_the_table_of_epochs_with_its_interval() -> None:
    found = rows(looked("train", spec(PgdTrainingSpec(eps=0.1, steps=2, **SHARED))), "epochs")
    measured = [row for row in found if row.get("robust_accuracy") is not None]
    assert len(found) == 4
    assert found[-1] in measured
    for row in measured:
        interval = share(round(row["robust_accuracy"] * SAMPLES), SAMPLES)  # type: ignore[operator]
        assert (row["robust_low"], row["robust_high"]) == pytest.approx((interval.low, interval.high))
        assert row["robust_accuracy"] <= row["test_accuracy"] + 0.1  # type: ignore[operator]
    assert measured[-1]["robust_accuracy"] > 0.2  # type: ignore[operator]


def test_standard_training_measures_none() -> None:
    found = looked("train", spec(TrainingSpec(**SHARED)))
    assert not any("robust_accuracy" in row for row in rows(found, "epochs"))
    assert not rows(found, "overfitting")


def test_fast_training_says_what_it_saw_of_overfitting() -> None:
    found = rows(looked("train", spec(FastTrainingSpec(eps=0.1, **SHARED))), "overfitting")
    assert [row["epoch"] for row in found] == [1, 2, 3, 4]
    assert all(row["collapsed"] == 0 and row["restored"] is None for row in found)
    assert all(0 <= row["pgd"] <= 1 for row in found)  # type: ignore[operator]


def test_dear_measurements_are_made_less_often_and_the_last_epoch_is_always_measured() -> None:

    pgd = spec(PgdTrainingSpec(steps=40, **SHARED))
    fast = spec(FastTrainingSpec(**SHARED))
    data = drain(load(pgd.dataset, 0))
    often, seldom = LiveRobustness(pgd, data), LiveRobustness(fast, data)
    assert all(often.due(epoch, last=False) for epoch in range(1, 9))
    assert 0 < sum(seldom.due(epoch, last=False) for epoch in range(1, 9)) < 8
    assert seldom.due(1, last=True)
    assert not LiveRobustness(spec(TrainingSpec(**SHARED)), data).due(4, last=True)
