"""Frames of reconciliation and its price, with the shares that the binomial law gives at known angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from frames import TAPS
from scipy.stats import binom

from engine.events import Frame
from engine.experiments.keys import artifact_keys
from engine.specs import ExperimentSpec

T = len(TAPS)
WEIGHTS = artifact_keys(ExperimentSpec())["weights"]
DIGITS = [str(k) for k in range(10)]
FOOLING, RAW, CLEAN, WRONG = range(4)
# mean angle (degrees) of each kind at each tap, falling with depth for all but the wrong lock
ANGLES = np.array(
    [
        [78.2, 70.0, 63.0, 55.0, 40.6, 28.3],
        [84.0, 83.0, 80.0, 78.0, 75.0, 72.0],
        [52.0, 50.0, 47.0, 44.0, 39.0, 30.0],
        [89.0, 91.0, 93.0, 97.0, 104.0, 110.0],
    ]
)
REPETITIONS = (1, 3, 7, 15, 31, 101)
HALF = (13.160, 29.791, 45.493, 57.897, 67.087, 77.087)
SHANNON = (18.995, 47.041, 61.539, 70.467, 76.385, 82.447)
MESSAGE = np.array([[(r * c + r) % 4 for c in range(8)] for r in range(8)], dtype=np.uint8)


def law(angle: np.ndarray | float, repetition: int) -> np.ndarray:
    """Success of BCH(255, 131, 18) with repetition on a binary symmetric channel of error angle / 180 degrees."""
    wrong = binom.sf(repetition // 2, repetition, np.asarray(angle) / 180)
    return np.asarray(binom.cdf(18, 255, wrong))


def wilson(successes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    z, p = 1.96, successes / n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def digit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    image = rng.random(shape)
    if len(shape) == 3:
        image[..., 2:6, 3:5] = 1.0
    return image


def reconciliation_frame(
    *, shape: tuple[int, ...] = (1, 8, 8), classes: list[str] = DIGITS, repetition: int = 15, n: int = 100, done: bool = True,
    **info: Any,
) -> Frame:  # fmt: skip
    """The fooling noise and the clean image open the lock of the last hidden layer; raw noise and the wrong lock do not."""
    rng = np.random.default_rng(0)
    predicted = law(np.minimum(ANGLES, 120), repetition)
    hits = np.rint(predicted * n)
    low, high = wilson(hits, n)
    opened = np.array([True, False, True, False])
    images = np.where(opened[:, None, None], MESSAGE, -1).astype(np.int8)
    probability = np.full((4, len(classes)), 0.0)
    seen, sure = [3, 8, 3, 3], [0.9999, 0.41, 0.97, 0.9999]
    for k in range(4):
        probability[k] = (1 - sure[k]) / max(1, len(classes) - 1)
        probability[k, seen[k] % len(classes)] = sure[k]
    norm = np.linspace(0, 4, 9)
    spread = np.array([10.0, 3.0, 12.0])[:, None] * norm
    robust = law(np.minimum(89, ANGLES[:3, 4][:, None] + spread), repetition)
    robust_low, robust_high = wilson(np.rint(robust * n), n)
    names = ["fooling noise", "raw noise", "clean test image", "wrong-class lock"]
    wrong_bits = [9, 74, 6, 131]
    cases = [
        {
            "name": names[k],
            "seen": seen[k] % len(classes),
            "confidence": sure[k],
            "angle": float(ANGLES[k, 4]),
            "wrong_bits": float(ANGLES[k, 4]) / 180,
            "wrong_code_bits": wrong_bits[k],
            "corrects": 18,
            "predicted": float(law(min(120.0, ANGLES[k, 4]), repetition)),
            "recovered": bool(opened[k]),
            "lock": (4 if k == WRONG else 3) % len(classes),
            "sentence": "The check agrees." if opened[k] else "The check fails: nothing is returned.",
        }
        for k in range(4)
    ]
    return Frame(
        "reconciliation",
        "measure",
        0,
        {
            "angle": ANGLES,
            "angle_low": ANGLES - 2,
            "angle_high": ANGLES + 2,
            "recovered": hits / n,
            "recovered_low": low,
            "recovered_high": high,
            "predicted": predicted,
            "count": np.full((4, T), n),
            "message": MESSAGE,
            "case_input": np.stack([digit(rng, shape) for _ in range(4)]).astype(np.float32),
            "case_before": rng.random(shape).astype(np.float32),
            "case_probability": probability,
            "case_image": images,
            "robust_norm": norm,
            "robust_share": np.rint(robust * n) / n,
            "robust_low": robust_low,
            "robust_high": robust_high,
            "robust_predicted": robust,
        },
        {
            "key": WEIGHTS,
            "done": done,
            "taps": TAPS,
            "classes": classes,
            "chosen": {"class": 3 % len(classes), "layer": "relu 2", "tap": 4},
            "repetition": repetition,
            "code": {"n": 255, "k": 131, "t": 18},
            "hash_bits": 255 * repetition,
            "seed": 0,
            "cases": cases,
            "fooled": 1.0,
            "confidence": 0.9999,
            "eps": 1.5,
            "sha256": "ab" * 32,
            "helper_bits": 255 * repetition,
            "table": "reconciliation",
            "is_image": len(shape) == 3,
            "uncentred": 0.74,
            "random_net": 0.03,
            **info,
        },
    )


def curve_frame(decodings: int = 400) -> Frame:
    angle = np.array([5.0, 10, 13, 16, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80])
    fine = np.linspace(0, 90, 181)
    predicted = np.stack([law(angle, r) for r in REPETITIONS])
    rng = np.random.default_rng(1)
    hits = rng.binomial(decodings, predicted)
    low, high = wilson(hits, decodings)
    error = np.sqrt(predicted * (1 - predicted) / decodings)
    z = np.divide(hits / decodings - predicted, error, out=np.zeros_like(error), where=error > 1e-3)
    return Frame(
        "reconciliation_curve",
        "measure",
        0,
        {
            "angle": angle,
            "repetitions": np.array(REPETITIONS),
            "measured": hits / decodings,
            "low": low,
            "high": high,
            "predicted": predicted,
            "z": z,
            "fine_angle": fine,
            "law": np.stack([law(fine, r) for r in REPETITIONS]),
            "half": np.array(HALF),
            "shannon": np.array(SHANNON),
        },
        {"key": WEIGHTS, "done": True, "code": {"n": 255, "k": 131, "t": 18}, "decodings": decodings, "agree": float(np.abs(z).max())},
    )  # fmt: skip


def price_frame(*, layers: bool = True, pairs: int = 200, done: bool = True) -> Frame:
    """What entangling first costs: more is recovered, by impostors as well, until one or two hashes are left."""
    depth = np.arange(41)
    grow = 1 - np.exp(-depth / 4)
    genuine = np.stack([0.01 + 0.685 * grow, 0.005 + 0.995 * np.minimum(1, depth / 3), 0.2 + 0.8 * grow])
    impostor = np.stack([0.51 * (1 - np.exp(-depth / 6)), 0.86 + 0.14 * np.minimum(1, depth / 3), 0.1 + 0.9 * grow])
    distinct = np.stack(
        [
            np.maximum(2, np.rint(200 * np.exp(-np.maximum(0, depth - 6) / 5))),
            np.maximum(1, np.rint(200 * np.exp(-np.maximum(0, depth - 3) / 1.5))),
            np.maximum(1, np.rint(200 * np.exp(-np.maximum(0, depth - 4) / 3))),
        ]
    )
    shares = {"genuine": genuine, "impostor": impostor}
    arrays: dict[str, np.ndarray] = {"depth": depth, "distinct": distinct.astype(int), "entropy": np.log2(distinct)}
    for name, share in shares.items():
        hits = np.rint(share * pairs)
        arrays[name] = hits / pairs
        arrays[f"{name}_low"], arrays[f"{name}_high"] = wilson(hits, pairs)
    if not layers:
        for name, array in arrays.items():
            if name not in ("depth", "distinct"):
                array[2] = np.nan
        arrays["distinct"][2] = 0
    nan = math.nan
    theta = math.acos(0.6)
    arrays |= {
        "limit_genuine": np.array([1 - theta / math.pi, nan, nan]),
        "limit_impostor": np.array([0.5, nan, nan]),
        "bound_d": np.array([64, 64, 128]),
        "bound_n": np.array([255, 1785, 1785]),
        "bound_cells": np.array([202.7, 389.9, 660.2]),
        "bound_leak": np.array([124.0, 1654.0, 1654.0]),
        "bound_left": np.array([78.7, -1264.1, -993.8]),
    }
    return Frame(
        "price",
        "measure",
        0,
        arrays,
        {
            "key": WEIGHTS,
            "done": done,
            "identities": pairs,
            "counts": [pairs, pairs, pairs if layers else 0],
            "genuine": ["at this C", "at this C", "the same test sample with noise; mean C 0.71"],
            "correlation": 0.6,
            "repetition": 7,
            "ratio": 16,
            "code": {"n": 255, "k": 131, "t": 18},
            "layer": "relu 2" if layers else "",
            "series": ["zero-mean identities", "uniform [0, 1] identities", "features of relu 2"],
            "sentence": "Entanglement raises noise tolerance only by destroying the entropy that makes the secret a secret.",
        },
    )
