"""Frames of linear networks on noise: angles that shrink by the boost law, with known signs and sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame
from engine.specs import ExperimentSpec, MaxLikelihoodSpec, UniformNoiseSpec

LAW = 1.0169
"""1/2 ln M2 at N/n = 64."""
DEPTH, TRAIN, UNSEEN = 20, 32, 64
SPEC = ExperimentSpec(dataset=UniformNoiseSpec(), max_likelihood=MaxLikelihoodSpec())
"""The settings that the frames were made with."""
KEY = SPEC.key("dataset", "max_likelihood")
SERIES = ["as they are", "mean subtracted (control)"]
SIZES = [16, 32, 64, 128, 256]


def interval(values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean over the last axis with a normal 95% interval; ``values`` [2, L+1, samples]."""
    mean, error = values.mean(-1), 1.96 * values.std(-1) / np.sqrt(values.shape[-1])
    return {"": mean, "_low": np.maximum(mean - error, 0.0), "_high": mean + error}


def named(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    return {name + suffix: found for suffix, found in interval(values).items()}


def max_likelihood_frame(layers: int = DEPTH, *, done: bool | None = None, **info: Any) -> Frame:
    """``layers`` of 20 are there. As they are, every sample falls to the point; centred, half of them to its antipode."""
    finished = layers == DEPTH if done is None else done
    rng = np.random.default_rng(5)
    depth = np.arange(layers + 1)[:, None]
    angle = {
        "train": np.stack([np.full(TRAIN, 0.52), np.full(TRAIN, 1.4)]) + 0.05 * rng.standard_normal((2, TRAIN)),
        "unseen": np.stack([0.55 + 0.05 * rng.standard_normal(UNSEEN), 1.45 + 0.05 * rng.standard_normal(UNSEEN)]),
    }
    sign = {"train": np.ones((2, TRAIN)), "unseen": np.ones((2, UNSEEN))}
    sign["train"][1, :3] = -1
    sign["unseen"][1, ::2] = -1
    gained = LAW * depth + np.cumsum(0.06 * rng.standard_normal((DEPTH + 1, 1)), 0)[: layers + 1] * (depth > 0)
    tangent = {name: np.tan(each)[:, None, :] * np.exp(-gained) for name, each in angle.items()}
    arrays: dict[str, Any] = {}
    for name, each in tangent.items():
        folded = np.sin(np.arctan(each) / 2) ** 2
        wrong = sign[name][:, None, :] < 0
        arrays[f"{name}_C"] = sign[name][:, None, :] / np.sqrt(1 + each**2)
        arrays |= named(f"{name}_loss", np.where(wrong, 1 - folded, folded))
        if name == "unseen":
            arrays |= named("blind_loss", folded)
            arrays["wrong_pole"] = np.broadcast_to(wrong.mean(-1), folded.shape[:2]).copy()
    boost = np.full((2, layers + 1), np.nan)
    boost[:, 1:] = np.diff(gained[:, 0])
    arrays |= {"boost": boost, "boost_low": boost - 0.05, "boost_high": boost + 0.05}
    arrays["effective_rank"] = 1 + np.array([[20.0], [55.0]]) * np.exp(-0.9 * depth[:, 0])
    arrays["retrieval"] = np.tile(np.clip(1.02 - 0.03 * depth[:, 0], 0.005, 1.0), (2, 1))
    arrays["retrieval_exact"] = np.ones((2, layers + 1))
    sizes = SIZES if finished else []
    arrays["label_samples"] = np.array(sizes, int)
    arrays["label_train"] = np.array([1.0, 1.0, 0.98, 0.86, 0.69])[: len(sizes)]
    arrays["label_test"] = np.array([0.51, 0.49, 0.5, 0.53, 0.5])[: len(sizes)]
    return Frame(
        "max_likelihood",
        "measure",
        0,
        arrays,
        {
            "key": KEY,
            "done": finished,
            "title": "Uniform noise",
            "features": 64,
            "samples": TRAIN,
            "unseen": 1000,
            "candidates": 4096,
            "rows": 64,
            "depth": DEPTH,
            "likelihood": "probit",
            "temperature": 0.3,
            "law": LAW,
            "law_finite": LAW + 0.016,
            "M2": float(np.exp(2 * LAW)),
            "constant_loss": [0.0, 0.0],
            "final": {},
            "series": SERIES,
            "ceiling": 35.0,
            "reconstruction": True,
            "labels_done": finished,
            "notes": [],
            "three_targets": 0.67 if finished else float("nan"),
            **info,
        },
    )


def noise_descent_frame(points: int = 60, *, done: bool = True, flat: bool = False, **info: Any) -> Frame:
    """Loss of the shared target falls by 4 decades; random labels are learnt by training samples alone."""
    step = np.unique(np.round(np.linspace(0, 1000, 60)).astype(int))[:points]
    fall = 4.0 * step / 1000
    shared = 0.12 * 10**-fall
    arrays: dict[str, Any] = {"step": step}
    random = np.maximum(0.5 * 10 ** -(1.2 * step / 1000), 0.02)
    for name, two in (
        ("train_loss", [shared, random]),
        ("unseen_loss", [1.3 * shared, np.full(len(step), 0.5)]),
        ("blind_loss", [1.3 * shared, np.full(len(step), 0.31)]),
    ):
        mean = np.array(two)
        arrays |= {name: mean, f"{name}_low": 0.9 * mean, f"{name}_high": 1.1 * mean}
    arrays["train_accuracy"] = np.array([np.ones(len(step)), np.minimum(1.0, 0.5 + step / 600)])
    arrays["unseen_accuracy"] = np.array([np.ones(len(step)), np.full(len(step), 0.5)])
    if done:
        layers = np.arange(5)
        arrays["effective_rank"] = 1 + np.array([[20.0], [55.0]]) * np.exp(-np.array([[0.9], [0.1]]) * layers)
        C = np.tanh(1.3 + 0.9 * layers)[None, :, None] * np.array([1.0, 0.3])[:, None, None] * np.ones(UNSEEN)
        arrays["layer_C"] = np.full_like(C, np.nan) if flat else C
    return Frame(
        "noise_descent",
        "measure",
        0,
        arrays,
        {
            "key": KEY,
            "done": done,
            "tasks": ["shared target", "random labels (control)"],
            "depth": 4,
            "width": 64,
            "steps": 1000,
            "samples": TRAIN,
            "unseen": 1000,
            "constant_loss": [0.0, 0.5],
            "centred": {"unseen_loss": 0.44, "unseen_accuracy": 0.56},
            **info,
        },
    )
