"""Frames of the takeover, its falsifier, the Bell test and the sets of features, with known numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from frames import TAPS

from engine.events import Frame

T = len(TAPS)
NAMES = ["adversarial", "clean", "random", "initial", "other", "members"]
LABELS = ["x_adv", "x before", "random", "at initialisation", "another seed", "members (ceiling)"]
STEPS = [0, 4, 8, 12, 12]
ENDS = {"adversarial": 0.33, "clean": -0.05, "random": -0.04, "initial": 0.11, "other": 0.1, "members": 0.66}
"""Mean C at relu 2, the last layer before the logits."""
ALONG = {"attack": "PGD"}


def takeover_frame(done: bool = True, moments: int = 5, **info: Any) -> Frame:
    """relu 2 (and linear 2) are taken over at step 8, the logits at step 4, no layer before."""
    target = np.zeros((5, T))
    true = np.full((5, T), 0.3)
    target[2:, 3:5] = [0.32, 0.33]
    target[1:, 5] = 0.6
    step = np.array(STEPS)[:moments]
    arrays: dict[str, Any] = {"step": step, "fraction": step / 12}
    for name, mean in (("target", target), ("true", true)):
        arrays |= {
            f"{name}_mean": mean[:moments],
            f"{name}_low": mean[:moments] - 0.02,
            f"{name}_high": mean[:moments] + 0.02,
        }
    if done:
        depth = np.linspace(0, 1, T)
        depth[4], depth[5] = 1.0, 1.2
        mean = np.array([ENDS[name] for name in NAMES])[:, None] * depth
        success = mean + 0.1
        for which, values in (("all", mean), ("success", success)):
            arrays |= {f"{which}_mean": values, f"{which}_low": values - 0.03, f"{which}_high": values + 0.02}
            less = values[0] - values
            less[[NAMES.index("adversarial"), NAMES.index("members")]] = np.nan
            arrays |= {
                f"{which}_paired_mean": less,
                f"{which}_paired_low": less - 0.01,
                f"{which}_paired_high": less + 0.01,
            }
        arrays |= {"all_count": np.array([100] * 5 + [40]), "success_count": np.array([70] * 5 + [40])}
    return Frame(
        "takeover",
        "measure",
        0,
        arrays,
        {
            "names": NAMES,
            "labels": LABELS,
            "taps": TAPS,
            "title": "PGD",
            "norm": "L2",
            "budget": "ε = 1",
            "goal": "next",
            "inputs": 100,
            "success": 0.7,
            "bootstrap": 200,
            "nearest_member": 1.9,
            "moved": 1.0,
            "done": done,
            **info,
        },
    )


def falsifier_frame(**info: Any) -> Frame:
    mean = np.stack([np.array([0.0, 0.01, 0.01, 0.03, 0.057, 0.6]), np.full(T, -0.005)])
    arrays = {}
    for which in ("all", "success"):
        arrays |= {f"{which}_mean": mean, f"{which}_low": mean - 0.01, f"{which}_high": mean + 0.01}
    return Frame(
        "falsifier",
        "measure",
        0,
        arrays,
        {
            "names": ["adversarial", "random"],
            "labels": ["x_adv", "random"],
            "taps": TAPS,
            "memorised": 0.998,
            "samples_memorised": 500,
            "title": "PGD",
            "norm": "L2",
            "budget": "ε = 1",
            "inputs": 100,
            "success": 1.0,
            **info,
        },
    )


def dropping(S: float) -> list[dict[str, float]]:
    rows = [(0.0, S, 1.0), (0.2, 2.69, 0.852), (0.4, 3.23, 0.74)]
    return [
        {"least": least, "S": s, "efficiency": eff, "bound": min(4.0, 4 / eff - 2), "as_zero": 1.9 - least}
        for least, s, eff in rows
    ]


def bell_frame(**info: Any) -> Frame:
    """Six pairs on the sawtooth at every layer; S falls from 2 with depth; the first linear map is dead."""
    theta = np.tile(np.linspace(0.3, 2.8, 6), (T, 1))
    line = 1 - 2 * theta / math.pi
    layers: list[dict[str, Any]] = []
    for k, tap in enumerate(TAPS):
        S = 2.0 - 0.1 * k
        row = {
            "S": S,
            "error": 0.01 * k,
            "samples": 400,
            "dead": 0,
            "algebraic": 2.8 - 0.1 * k,
            "rho1": 0.9,
            "rho2": 0.8,
        }
        layers.append({"tap": tap["name"], **(row | {"dropping": dropping(S)} if k != 1 else {})})
    return Frame(
        "bell",
        "measure",
        0,
        {
            "theta": theta,
            "E": line + 0.004,
            "E_error": np.full_like(theta, 0.01),
            "theta_told": theta,
            "theta_told_error": np.full_like(theta, 0.015),
            "sawtooth": line,
            "disjoint": np.array([1.7, 1.9, 2.0, 2.0, 2.1, 2.26, 2.3, 1.86]),
        },
        {
            "taps": TAPS,
            "layers": layers,
            "pair": {
                "protocol": {"S": 2.0, "error": 0.0},
                "cosines": 2 * math.sqrt(2),
                "dropping": dropping(2.0),
            },
            "rows": 10_000,
            "disjoint_rows": 100,
            **info,
        },
    )


SPECTRUM = ["entropy", "effective_rank", "purity", "participation", "null_purity", "m", "dead"]
COLLAPSE = ["nc1", "nc2_norms", "nc2_angles", "nc3", "nc4", "mean_cosine"]


def structure_frame(**info: Any) -> Frame:
    """Effective rank 10 + tap (centred, trained), 20 + tap (initial), 2 less uncentred; CKA is 1 on the diagonal."""
    spectrum = np.zeros((2, 2, T, len(SPECTRUM)))
    for net in (0, 1):
        for view in (0, 1):
            rank = 10.0 * (net + 1) + np.arange(T) - 2 * view
            spectrum[net, view, :, 1] = rank
            spectrum[net, view, :, 0] = np.log(rank)
            spectrum[net, view, :, 2] = 1 / rank
            spectrum[net, view, :, 3] = rank
            spectrum[net, view, :, 4] = 0.02
            spectrum[net, view, :, 5] = 60
    cka = 1 - 0.1 * np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    collapse = np.full((2, T, len(COLLAPSE)), 0.1)
    collapse[0, :, 0] = 10.0 ** -np.arange(T)
    collapse[:, :, 3] = np.nan
    collapse[:, 4, 3] = 0.9
    collapse[:, :, 5] = -0.49
    return Frame(
        "structure",
        "measure",
        0,
        {"spectrum": spectrum, "cka_layers": cka, "cka_networks": 0.5 * cka - 0.01, "collapse": collapse},
        {
            "taps": TAPS,
            "nets": ["trained", "initial"],
            "spectrum": SPECTRUM,
            "collapse": COLLAPSE,
            "classes": 3,
            "simplex": -0.5,
            "samples": 60,
            **info,
        },
    )


PAIR_TAPS = [
    {"name": "input", "kind": "input", "layer": 0},
    {"name": "relu 1", "kind": "activation", "layer": 1},
    {"name": "logits", "kind": "logits", "layer": 2},
]


def all_pairs_frame(measured=3):
    histogram = np.zeros((2, 3, 2, 4), np.int64)
    histogram[:, :measured, 0, 3], histogram[:, :measured, 1, 1] = 10, 30
    histogram[0, 1, 0] = [0, 0, 5, 5]
    mean = np.full((2, 3, 2, 6), 0.5)
    info = {
        "taps": PAIR_TAPS,
        "groups": ["same", "different"],
        "quantities": [],
        "samples": 9,
        "dead": [[0, 2, 0][:measured]] * 2,
        "done": measured == 3,
    }
    arrays = {"histogram": histogram, "mean": mean, "sd": mean / 2, "count": histogram.sum(-1)}
    return Frame("all_pairs", "measure", 0, arrays, info)
