"""A made-up comparison of trainings: numbers that a test can predict."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame

TAPS = [
    {"name": "input", "kind": "input", "layer": 0},
    {"name": "linear 1", "kind": "linear", "layer": 1},
    {"name": "relu 1", "kind": "activation", "layer": 1},
    {"name": "logits", "kind": "logits", "layer": 2},
]
NAMES = {"standard": "Standard", "pgd-at": "PGD-AT", "fast": "Fast AT"}
QUANTITIES = ["adv_target", "clean_target", "same", "different", "rank"]


def hardening_frame(count: int = 3, **info: Any) -> Frame:
    """Quantity q of training k at tap t is q + 0.1 k + 0.01 t after training and half of it before; bands are 0.05 to each side."""
    q, k, t = np.ogrid[: len(QUANTITIES), :count, : len(TAPS)]
    after = (q + 0.1 * k + 0.01 * t).astype(float)
    mean = np.stack([after / 2, after])
    paired = np.broadcast_to(0.1 * k, after.shape).copy()
    paired[:, 0] = np.nan
    accuracy = np.array([[0.98, 0.95, 0.9], [0.1, 0.7, 0.5]])[:, :count]
    gain = accuracy - accuracy[:, :1]
    gain[:, 0] = np.nan
    overfitted = [None, None, {"step": 200, "single_step": 0.9, "pgd": 0.05, "restored": 150}][:count]
    arrays = {
        "mean": mean, "low": mean - 0.05, "high": mean + 0.05,
        "paired_mean": paired, "paired_low": paired - 0.02, "paired_high": paired + 0.02,
        "accuracy": accuracy, "accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.02,
        "accuracy_paired": gain, "accuracy_paired_low": gain - 0.03, "accuracy_paired_high": gain + 0.03,
    }  # fmt: skip
    return Frame(
        "hardening",
        "measure",
        0,
        arrays,
        {
            "names": list(NAMES)[:count],
            "labels": list(NAMES.values())[:count],
            "wanted": 3,
            "taps": TAPS,
            "quantities": QUANTITIES,
            "overfitted": overfitted,
            "driven": [0.2, 0.05, 0.1][:count],
            "inputs": 300,
            "probed": 128,
            "norm": "Linf",
            "eps": 0.1,
            "attack": "APGD-CE and targeted APGD, 50 steps each",
            "steps": 40,
            "done": count == 3,
            "key": "",
            **info,
        },
    )
