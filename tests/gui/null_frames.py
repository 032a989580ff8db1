"""Frames of the null, of a repetition and of the layer split, with known numbers, for the tests of panels."""

from __future__ import annotations

import numpy as np
from frames import TAPS

from engine.events import Frame
from engine.experiments.groups import GROUPS, QUANTITIES

NAMES = [group.name for group in GROUPS]
SHAPE = (2, len(QUANTITIES), len(GROUPS), len(TAPS))
INFO = {
    "groups": [{"name": g.name, "label": g.label} for g in GROUPS],
    "quantities": [{"name": q.name, "label": q.label, "unit": q.unit} for q in QUANTITIES],
    "taps": TAPS,
}


def null_frame(theory: str = "", mean: float = 0.1, phase: str = "") -> Frame:
    """The same mean everywhere, its band 0.04 wide either side; theory 0.01 above it, for pairs of clean samples."""
    values = np.full(SHAPE, mean)
    known = np.full(SHAPE, np.nan)
    if theory:
        known[:, :, [NAMES.index("same"), NAMES.index("different")], 1:] = mean + 0.01
    arrays = {
        "mean": values,
        "mean_low": values - 0.01,
        "mean_high": values + 0.01,
        "low": values - 0.04,
        "high": values + 0.04,
        "theory": known,
    }
    if theory == "infinite width":
        arrays |= {"theory_low": known - 0.02, "theory_high": known + 0.03}
    info = {
        **INFO,
        "networks": 20,
        "theory": theory,
        "sentence": "Said of the theory." if theory else "",
        "phase": phase,
    }
    return Frame("null", "measure", 0, arrays, info)


def repeats_frame() -> Frame:
    """Clean pairs only: 0.3 with an interval of 0.05 either side."""
    mean = np.full(SHAPE, np.nan)
    mean[:, :, [NAMES.index("same"), NAMES.index("different"), NAMES.index("target_members")]] = 0.3
    arrays = {
        "each": np.stack([mean] * 5),
        "mean": mean,
        "low": mean - 0.05,
        "high": mean + 0.05,
        "accuracy": np.array([0.9, 0.91, 0.92, 0.93, 0.94]),
    }
    return Frame("repeats", "measure", 0, arrays, {**INFO, "networks": 5})


def layers_frame(bias: bool = True) -> Frame:
    """Three layers; the mean boost of layer l, part p, group g is 0.1 l + 0.02 p + 0.01 g, before training a tenth of it.

    The logits have no activation and a kernel.
    """
    layer, part, group = np.meshgrid(np.arange(3), np.arange(3), np.arange(2), indexing="ij")
    mean = 0.1 * layer + 0.02 * part + 0.01 * group + 0.05
    mean[2, 2] = np.nan
    if not bias:
        mean[:, 1] = np.nan
    boost = np.stack([mean, mean / 10])
    arrays = {
        "boost": np.stack([boost, boost - 0.02, boost + 0.03], axis=-1),
        "limit": np.array([[5.83, 2.0, np.inf], [6.0, 6.0, np.inf]]),
        "largest": np.array([[0.38, 0.5, 0.9], [0.1, 0.1, 0.1]]),
        "gap": np.array([[0.008, 0.008, 0.06], [0.008, 0.008, 0.06]]),
    }
    info = {
        "layers": ["linear 1", "linear 2", "logits"],
        "parts": ["linear", "bias", "activation"],
        "groups": ["same", "different"],
        "nets": ["trained", "initial"],
        "bootstrap": 200,
    }
    return Frame("layers", "measure", 0, arrays, info)
