"""Every pair of the test set."""

import numpy as np
from looking import last, longest_breath, looked, rows

from engine.experiments.groups import QUANTITIES
from engine.specs import ExperimentSpec, MlpSpec, ProbeSpec, TrainingSpec

SMALL = ExperimentSpec(
    model=MlpSpec(depth=1, width=24),
    training=TrainingSpec(epochs=2),
    probe=ProbeSpec(samples=30, reference=60, bootstrap=50),
)


def test_no_pair_is_left_out():
    events = looked("all_pairs", SMALL)
    frame = last(events, "all_pairs")
    n = frame.info["samples"]
    assert n == 450 and frame.info["done"]
    assert (frame.arrays["count"].sum(-1) == n * (n - 1) // 2).all()
    assert (frame.arrays["histogram"].sum((-1, -2)) == n * (n - 1) // 2).all()
    c = [quantity.name for quantity in QUANTITIES].index("C")
    same, different = frame.arrays["mean"][0, 2, :, c]
    assert same > different
    assert np.isfinite(frame.arrays["sd"][..., c]).all()
    assert len(rows(events, "all_pairs")) == 2 * 4 * 2


def test_it_can_be_cancelled_at_once():
    looked("all_pairs", SMALL)
    assert longest_breath("all_pairs", SMALL, {}) < 0.2
