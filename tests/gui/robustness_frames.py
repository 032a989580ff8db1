"""Frames of the robustness look with known numbers, for the tests of panels."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame
from engine.experiments.robustness.curves import ATTACKS, MINIMAL, NOISE, broken_within, gap_to_best, robust, worst
from engine.specs import ExperimentSpec

EPS = np.array([0.0, 0.1, 0.2, 0.3])
N = 20
LABELS = {"standard": "Standard", "pgd-at": "PGD-AT"}
SIGNS = {"steps": "More steps", "unbounded": "Unbounded attack", "one step": "One step beats many"}


def sign(name: str, raised: bool | None) -> dict[str, Any]:
    """As an experiment tells it."""
    told = {"name": name, "title": SIGNS[name], "raised": raised, "figure": 0.2, "said": "4 of 20"}
    return {**told, "reason": f"Reason of {name}.", "advice": f"Advice on {name}."}


def robustness_frame(networks: int = 1, *, done: bool = True) -> Frame:
    """Sample k breaks at 0.014 k by FMN, and by the others later; sample 0 is wrong as it is. Each further network is twice as robust."""
    names = list(ATTACKS)
    arrays: dict[str, Any] = {"eps": EPS, "index": 10 * np.arange(N), "y": np.arange(N) % 10}
    broken_at, norms = [], []
    for m in range(networks):
        norm = 0.014 * 2**m * np.arange(N)
        norms.append(norm)
        found = [broken_within(np.where(norm > 0, norm * (3 if a == NOISE else 1.2), 0), EPS) for a in names]
        found[names.index(MINIMAL)] = broken_within(norm, EPS)
        broken_at.append(np.stack(found))
    arrays["broken_at"] = np.stack(broken_at)
    arrays["norm"] = np.stack(norms)
    arrays["smallest"] = arrays["norm"] * 0.9
    arrays["right"] = arrays["norm"] > 0
    every = robust(arrays["broken_at"], 4)
    arrays |= {"robust": every.share.copy(), "low": every.low.copy(), "high": every.high.copy()}
    together = robust(np.stack([worst(each) for each in broken_at]), 4)
    arrays |= {"worst": together.share, "worst_low": together.low, "worst_high": together.high}
    gaps = [gap_to_best(each, 4) for each in broken_at]
    for name, which in (("best", "best"), ("gap", "gap"), ("gap_low", "low"), ("gap_high", "high")):
        arrays[name] = np.stack([getattr(gap, which) for gap in gaps])
    arrays["clean"] = arrays["right"].mean(1)
    arrays["median"] = np.array([[[0.14 * 2**m, 0.1, 0.2], [0.126 * 2**m, 0.1, 0.2]] for m in range(networks)])
    if not done:
        for name in ("robust", "low", "high"):
            arrays[name][:, 1:] = np.nan
        arrays["median"][:] = np.nan
    spec = ExperimentSpec()
    signs = [sign("steps", False), sign("unbounded", True), sign("one step", None)]
    info = {
        "attacks": [{"name": name, "label": label} for name, label in ATTACKS.items()],
        "networks": [{"name": name, "label": label} for name, label in list(LABELS.items())[:networks]],
        "total": networks,
        "signs": [signs if done else []] * networks,
        "measured": [done] * networks,
        "norm": spec.robustness.norm,
        "steps": spec.robustness.steps,
        "queries": spec.robustness.queries,
        "samples": N,
        "done": done,
        "key": spec.key("dataset", "model", "training", "robustness", "hardening"),
    }
    return Frame("robustness", "measure", 0, arrays, info, keep=done)
