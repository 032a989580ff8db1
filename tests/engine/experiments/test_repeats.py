"""Intervals over networks: the same training from other seeds."""

import numpy as np
from looking import last, looked, rows
from scipy import stats

from engine.experiments.groups import GROUP_POSITION
from engine.specs import ControlsSpec, ExperimentSpec, MlpSpec, ProbeSpec, TrainingSpec

SMALL = ExperimentSpec(
    model=MlpSpec(depth=1, width=32),
    training=TrainingSpec(epochs=2),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=50),
    controls=ControlsSpec(repeats=4),
)


def test_the_interval_is_students_over_networks():
    events = looked("repeats", SMALL)
    frame = last(events, "repeats")
    each = frame.arrays["each"][:, 0, 0, GROUP_POSITION["same"]]
    assert each.shape == (4, 4) and (each.std(0)[1:] > 0).all() and np.allclose(each[:, 0], each[0, 0])
    interval = stats.t.interval(0.95, 3, each[:, -1].mean(), stats.sem(each[:, -1]))
    ends = frame.arrays["low"][0, 0, GROUP_POSITION["same"], -1], frame.arrays["high"][0, 0, GROUP_POSITION["same"], -1]
    np.testing.assert_allclose(ends, interval)
    assert (frame.arrays["accuracy"] > 0.3).all()
    assert {row["networks"] for row in rows(events, "repeats")} == {4}
