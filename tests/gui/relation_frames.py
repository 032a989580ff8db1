"""Frames of vulnerability and transferability with known numbers, for the tests of panels."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame

LABELS = {
    "boost": "Boost (centred)",
    "boost_uncentred": "Boost, not centred",
    "margin": "Logit margin",
    "linear_distance": "Margin / |gradient|",
    "input_distance": "Distance",
    "rate": "Boost per layer",
    "rate_uncentred": "Boost per layer, not centred",
    "total_boost": "Total boost",
    "norm": "Smallest L2 norm",
    "median_norm": "Median smallest L2 norm",
    "accuracy": "Clean accuracy",
    "layers": "Layers",
    "transfer": "Transfer",
    "cka": "Debiased linear CKA",
    "rsa": "Pair correlations",
    "gradient_cosine": "Cosine of input gradients",
}
WRONG = "Wrong: pairs that share a network are not independent."


def statistic(name: str, unit: str, rho: float, p: float, low: float | None, **more: Any) -> dict[str, Any]:
    """As an experiment tells it; the interval is 0.2 wide, without ``low`` there is none."""
    given = name.split(" | ")[1].split(", ") if " | " in name else []
    told = {"name": name, "label": f"label of {name}", "unit": unit, "rho": rho, "p": p, "n": 40, "given": given}
    ends = {"low": low, "high": None if low is None else low + 0.2, "least": None, "most": None, "wrong": ""}
    return {**told, **ends, **more}


def networks(count: int) -> list[dict[str, Any]]:
    shapes = {"width": 32, "activation": "relu", "channels": None, "accuracy": 0.9}
    return [{"name": f"{k + 1}x32 relu", "depth": k + 1, "layers": k + 1, **shapes} for k in range(count)]


def vulnerability_frame(n: int = 4, inputs: int = 5, *, done: bool = True) -> Frame:
    """Networks 1 to n deep; norm = 1 + position of the input, boost = network + a tenth of it; one norm is missing."""
    place = np.arange(inputs, dtype=float)
    each = np.arange(n, dtype=float)[:, None] + place / 10
    norm = np.broadcast_to(1 + place, (n, inputs)).copy()
    norm[0, 2] = np.nan
    arrays = {name: each.copy() for name in ("boost", "boost_uncentred", "margin", "linear_distance")}
    arrays |= {name: np.arange(n, dtype=float) for name in ("rate", "rate_uncentred", "total_boost")}
    arrays |= {"norm": norm, "median_norm": 2 + np.arange(n, dtype=float), "accuracy": np.full(n, 0.9)}
    arrays |= {"layers": np.arange(1.0, n + 1), "index": np.arange(inputs) * 10, "y": np.arange(inputs)}
    arrays |= {"network": np.broadcast_to(np.arange(n)[:, None], (n, inputs)), "input_distance": place}
    statistics = [
        statistic("input boost", "input", -0.06, 0.3, None, least=-0.28, most=0.08),
        statistic("input boost | margin, input_distance", "input", -0.03, 0.6, -0.13),
        statistic("input margin", "input", 0.92, 0.0005, 0.8),
        statistic("network rate", "network", -0.71, 0.0005, -0.86),
        statistic("network rate | accuracy, layers", "network", -0.16, 0.49, -0.3),
    ]
    info = {
        "networks": networks(n),
        "statistics": statistics if done else [],
        "labels": LABELS,
        "attack": "DDN",
        "steps": 100,
        "neighbours": 20,
        "inputs": inputs,
        "candidates": 450,
        "failed": 1,
        "done": done,
        "total": 4,
    }
    return Frame("vulnerability", "measure", 0, arrays, info)


def transferability_frame(n: int = 4, *, attacked: int = 4, done: bool = True) -> Frame:
    """Transfer from s to t is 0.1 s + 0.01 t, 1 on the diagonal; CKA is 0.5 + 0.01 |s - t|, RSA partly negative."""
    s, t = np.mgrid[:n, :n].astype(float)
    eye = np.eye(n, dtype=bool)
    transfer = np.where(eye, 1.0, 0.1 * s + 0.01 * t)
    transfer[attacked:] = np.nan
    arrays = {"transfer": transfer, "counted": np.full((n, n), 100)}
    if attacked == n:
        arrays["cka"] = np.where(eye, 1.0, 0.5 + 0.01 * abs(s - t))
        arrays["rsa"] = np.where(eye, 1.0, -0.2)
        arrays["gradient_cosine"] = np.where(eye, 1.0, 0.3 + 0.1 * abs(s - t))
    statistics = [
        statistic("cka", "network", 0.8, 0.0002, None),
        statistic("cka naive", "pair", 0.8, 3e-70, None, wrong=WRONG),
        statistic("cka | gradient_cosine", "network", 0.22, 0.15, None),
        statistic("gradient_cosine", "network", 0.87, 0.0002, None),
        statistic("gradient_cosine | cka", "network", 0.6, 0.001, None),
    ]
    info = {
        "networks": networks(n),
        "statistics": statistics if done else [],
        "labels": LABELS,
        "norm": "L2",
        "eps": 1.0,
        "eps_rule": "2 x the median",
        "steps": 40,
        "inputs": 150,
        "mean_transfer": 0.83,
        "white_box": 0.99,
        "done": done,
    }
    return Frame("transferability", "measure", 0, arrays, info)


def transfers_frame(n: int = 4) -> Frame:
    """The same of three attacks: MI transfers half as often as PGD, noise never; corrected is 0.1 less."""
    old = transferability_frame(n)
    transfer = np.stack([old.arrays["transfer"], old.arrays["transfer"] / 2, np.zeros((n, n))])
    arrays = {**old.arrays, "transfer": transfer, "corrected": transfer - 0.1}
    arrays |= {"transfer_low": np.maximum(transfer - 0.05, 0), "transfer_high": np.minimum(transfer + 0.05, 1)}
    attacks = [("pgd", "PGD", 0.83), ("mi", "MI-FGSM", 0.4), ("noise", "Random noise", 0.0)]
    told = [{"name": name, "label": label, "mean_transfer": mean, "white_box": 0.9} for name, label, mean in attacks]
    of_mi = [
        {**each, "name": f"mi: {each['name']}", "rho": 0.5, "label": f"{each['label']} (MI-FGSM)"}
        for each in old.info["statistics"]
    ]
    info = {**old.info, "attacks": told, "statistics": [*old.info["statistics"], *of_mi]}
    return Frame("transferability", "measure", 0, arrays, info)
