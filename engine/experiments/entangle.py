"""Measure the entanglement: every group of pairs at every tap, with full intervals, beside the network at initialisation."""

from __future__ import annotations

import numpy as np

from engine.events import Frame, Progress, Record
from engine.experiments.attack import attack
from engine.experiments.bench import Bench, Making
from engine.experiments.probe import probe_for
from engine.experiments.views import VIEWS

NETS = ("trained", "initial")


def entangle(bench: Bench) -> Making:
    """The final measurement: frames to look at and one record for each mean with its interval."""
    trained = yield from bench.restored()
    attacked = (yield from bench.restored_attack()) if trained is not None else None
    if attacked is None:
        yield from attack(bench)
        trained, attacked = bench.trained, bench.attacked
    assert trained is not None and attacked is not None
    probe = yield from probe_for(bench)
    frame = yield from probe.measured_frames(trained, attacked)
    yield from _records(frame)
    yield Progress(3, 3, "entanglement measured")


def _records(frame: Frame) -> Making:
    groups, quantities, taps = (frame.info[name] for name in ("groups", "quantities", "taps"))
    mean, low, high = (frame.arrays[name] for name in ("mean", "low", "high"))
    for net, view, quantity, group, tap in np.argwhere(np.isfinite(mean)):
        at = net, view, quantity, group, tap
        yield Record(
            "profile",
            {
                "net": NETS[net],
                "view": VIEWS[view],
                "quantity": quantities[quantity]["name"],
                "group": groups[group]["name"],
                "tap": taps[tap]["name"],
                "tap_index": int(tap),
                "mean": float(mean[at]),
                "low": float(low[at]),
                "high": float(high[at]),
                "n": int(frame.arrays["count"][group]),
            },
        )
