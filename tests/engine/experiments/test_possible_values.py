"""Intervals reach nothing that cannot be, and counts are of what was measured."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch

from engine.experiments.groups import GROUPS, LEAST, MOST, QUANTITIES
from engine.experiments.null import null_frame
from engine.experiments.null_theory import Theory
from engine.experiments.takeover_rows import rows_of
from engine.models.network import Network, Tap
from engine.specs import ExperimentSpec, ProbeSpec


def test_the_nulls_band_stays_within_what_its_quantities_can_be() -> None:
    # a layer of width 1 sends pairs to C = +1 or -1, so that networks scatter as widely as they can
    rng = np.random.default_rng(0)
    found = np.where(rng.random((4, 2, len(QUANTITIES), len(GROUPS), 1)) < 0.7, 1.0, -1.0)
    nothing = Theory(np.full((2, len(QUANTITIES), 2, 1), np.nan), "", "")
    frame = null_frame(found, nothing, Network(torch.nn.Identity(), OrderedDict(), [Tap("input", "input", 0, "")]))
    for name, worst in (("low", -np.inf), ("mean_low", -np.inf), ("high", np.inf), ("mean_high", np.inf)):
        assert np.isfinite(frame.arrays[name][:, 0]).all() and worst
        for quantity, (least, most) in enumerate(zip(LEAST, MOST, strict=True)):
            values = frame.arrays[name][:, quantity]
            assert (values >= least).all() if worst < 0 else (values <= most).all(), (name, quantity)


def test_inputs_without_a_direction_at_a_layer_are_not_counted_there() -> None:
    values = torch.tensor([[0.1, torch.nan], [0.3, torch.nan], [0.2, 0.5]], dtype=torch.float64)
    rows = rows_of({"adversarial": values, "random": values - 0.1}, ExperimentSpec(probe=ProbeSpec(bootstrap=50)))
    assert rows.count.tolist() == [3, 3]
    assert rows.alive.tolist() == [[3, 1], [3, 1]]
