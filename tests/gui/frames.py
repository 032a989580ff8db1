"""Small frames with known numbers for the tests of panels."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.events import Frame
from engine.experiments.groups import GROUPS, QUANTITIES
from engine.session.table import Table

CLASSES = ["zero", "one", "two"]
TAPS = [
    {"name": "input", "kind": "input", "layer": 0},
    {"name": "linear 1", "kind": "linear", "layer": 1},
    {"name": "relu 1", "kind": "activation", "layer": 1},
    {"name": "linear 2", "kind": "linear", "layer": 2},
    {"name": "relu 2", "kind": "activation", "layer": 2},
    {"name": "logits", "kind": "logits", "layer": 3},
]
INDEX = np.array([40, 10, 30, 20, 60, 50])  # test indices of the six probe samples
LABEL = np.array([0, 0, 1, 1, 2, 2])


def dataset_frame(shape: tuple[int, ...] = (1, 8, 8), n: int = 9, classes: list[str] = CLASSES) -> Frame:
    """``n`` samples with test indices 100, 101, …, labels 0, 1, 2, 0, …"""
    values = np.random.default_rng(0).random((n, *shape)).astype(np.float32)
    k = len(classes)
    return Frame(
        "dataset",
        "data",
        0,
        {
            "images": values,
            "labels": np.arange(n) % k,
            "index": np.arange(n) + 100,
            "train_counts": np.arange(k) + 1000,
            "test_counts": np.arange(k) + 300,
        },
        {"name": "toy", "classes": classes, "train": 3003, "test": 903, "shape": list(shape), "bounds": [0, 1]},
    )


def model_frame() -> Frame:
    shapes = ["", "4 × 64", "ReLU", "4 × 4", "ReLU", "3 × 4"]
    parameters = [0, 260, 0, 20, 0, 15]
    layers = [
        {"name": tap["name"], "kind": tap["kind"], "shape": shape, "parameters": count}
        for tap, shape, count in zip(TAPS, shapes, parameters, strict=True)
    ]
    return Frame("model", "init", 0, {}, {"layers": layers, "parameters": 295, "taps": TAPS})


def gallery_frame(step: int = 3, shape: tuple[int, ...] = (1, 8, 8), m: int = 4, **info: Any) -> Frame:
    """``m`` attacked samples, test indices 10, 20, …; the even ones are fooled."""
    rng = np.random.default_rng(1)
    x = rng.random((m, *shape)).astype(np.float32)
    delta = (0.1 * np.sign(rng.normal(size=x.shape))).astype(np.float32)
    success = np.arange(m) % 2 == 0
    return Frame(
        "gallery",
        "attack",
        step,
        {
            "x": x,
            "x_adv": x + delta,
            "y": np.arange(m) % 3,
            "target": (np.arange(m) + 1) % 3,
            "index": (np.arange(m) + 1) * 10,
            "clean_prediction": np.arange(m) % 3,
            "clean_confidence": np.full(m, 0.75),
            "prediction": np.where(success, (np.arange(m) + 1) % 3, np.arange(m) % 3),
            "confidence": np.full(m, 0.5),
            "success": success,
            "first_success": np.where(success, 2, -1),
            "loss": np.linspace(1, 2, m),
            "norm": np.full(m, 0.1),
        },
        {
            "method": "pgd",
            "norm": "Linf",
            "eps": 0.1,
            "steps": 10,
            "restart": 0,
            "classes": CLASSES,
            "n_samples": 20,
            "success_rate": 0.4,
            **info,
        },
    )


def matrix_eta() -> np.ndarray:
    """Rapidity [2 views, T, pairs], a different number everywhere."""
    pairs = len(INDEX) * (len(INDEX) - 1) // 2
    return np.linspace(-1.5, 2.5, 2 * len(TAPS) * pairs).reshape(2, len(TAPS), pairs).astype(np.float32)


def matrix_frame(which: str = "clean", eta: np.ndarray | None = None) -> Frame:
    arrays = {"eta": matrix_eta() if eta is None else eta, "index": INDEX, "label": LABEL}
    return Frame(f"matrix/{which}", "train", 5, arrays, {"taps": TAPS, "classes": CLASSES})


def profile_frame(present: tuple[str, ...] | None = None, scale: float = 1.0) -> Frame:
    """Means that name their place: net, view, quantity, group and tap are digits of the number."""
    shape = (2, 2, len(QUANTITIES), len(GROUPS), len(TAPS))
    grid = np.indices(shape)
    mean = scale * (0.1 * grid[0] + 0.01 * grid[1] + 0.3 * grid[2] + 0.05 * grid[3] + 0.002 * grid[4])
    names = [group.name for group in GROUPS]
    for g, name in enumerate(names):
        if present is not None and name not in present:
            mean[:, :, :, g] = np.nan
    count = np.array([0 if present is not None and name not in present else 100 + g for g, name in enumerate(names)])
    return Frame(
        "profile",
        "measure",
        0,
        {"mean": mean, "low": mean - 0.01, "high": mean + 0.02, "count": count},
        {
            "groups": [{"name": g.name, "label": g.label} for g in GROUPS],
            "quantities": [{"name": q.name, "label": q.label, "unit": q.unit} for q in QUANTITIES],
            "taps": TAPS,
            "bootstrap": 200,
        },
    )


def pairs_frame(eta: np.ndarray | None = None) -> Frame:
    """Four lines: two "same" of known samples, an "adv_target" and a "clean_target" with a training sample each."""
    if eta is None:
        eta = np.array([0.2, -0.3, 1.0, -1.2])[None, :, None] * np.ones((2, 4, len(TAPS)))
        eta[1] += 0.5
    names = [group.name for group in GROUPS]
    group = np.array([names.index(n) for n in ("same", "different", "adv_target", "clean_target")])
    return Frame(
        "pairs",
        "attack",
        3,
        {
            "eta": eta.astype(np.float32),
            "a": np.array([40, 40, 30, 30]),
            "b": np.array([10, 60, -1, -1]),
            "group": group,
        },
        {"groups": [{"name": g.name, "label": g.label} for g in GROUPS], "taps": TAPS},
    )


def steps_table(n: int = 200, start: float = 2.0) -> Table:
    table = Table()
    table.extend(
        {"step": k + 1, "epoch": k // 100, "loss": start * 0.97**k + 1e-3, "accuracy": min(1.0, 0.3 + k / n)}
        for k in range(n)
    )
    return table


def epochs_table() -> Table:
    return Table(
        {
            "epoch": e,
            "step": 100 * e,
            "train_loss": 0.5 / e,
            "train_accuracy": 0.8 + 0.05 * e,
            "test_loss": 0.6 / e,
            "test_accuracy": 0.7 + 0.05 * e,
        }
        for e in (1, 2)
    )


def decision_map_frame(g: int = 21, y: int = 1, **info: Any) -> Frame:
    """A plane in which class 2 begins at a = 1: the margin of class 1 is 1 - a. x at (0, 0), x_adv at (1.5, 0)."""
    along = np.linspace(-1.0, 3.0, g)
    a, b = np.meshgrid(along, along)
    angle = np.linspace(0, 2 * np.pi, 73)
    rng = np.random.default_rng(2)
    return Frame(
        "decision_map",
        "map",
        0,
        {
            "prediction": np.where(a < 1, 1, 2).astype(np.int16),
            "margin": (1 - a).astype(np.float32),
            "confidence": (0.5 + np.abs(a - 1) / 8).astype(np.float32),
            "in_ball": (np.hypot(a, b) <= 1.6).astype(np.uint8),
            "in_box": (b >= -0.5).astype(np.uint8),
            "extent": np.array([-1.0, 3.0, -1.0, 3.0]),
            "points": np.array([[0.0, 0.0], [1.5, 0.0], [1.0, 2.0]]),
            "images": rng.random((3, 1, 8, 8)).astype(np.float32),
            "point_prediction": np.array([1, 2, 2], dtype=np.int16),
            "point_margin": np.array([1.0, -0.5, 0.0], dtype=np.float32),
            "point_confidence": np.array([0.625, 0.5625, 0.5], dtype=np.float32),
            "ball": 1.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1),
            "box": 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1),
        },
        {
            "index": 20,
            "third_index": 70,
            "third_name": "two",
            "y": y,
            "target": -1,
            "success": True,
            "classes": CLASSES,
            "norm": "L2",
            "eps": 1.6,
            "radius": 1.6,
            "moved": 1.5,
            "method": "pgd",
            "title": "PGD",
            "axes": ["x_adv", "sample 70 (class two)"],
            "note": "",
            **info,
        },
    )


def class_matrix_frame(done: int = 3, **info: Any) -> Frame:
    """Three classes, 10 samples each: i to j succeeded 3 i + j times; rows from ``done`` on are not there yet."""
    success = 3 * np.arange(3)[:, None] + np.arange(3)[None, :]
    count = np.full((3, 3), 10)
    np.fill_diagonal(success, 0)
    np.fill_diagonal(count, 0)
    success[done:], count[done:] = 0, 0
    before = np.zeros((3, 3), dtype=np.int64)
    before[2, 1] = 1
    return Frame(
        "class_matrix",
        "matrix",
        done,
        {"success": success, "count": count, "before": before},
        {
            "classes": CLASSES,
            "method": "pgd",
            "title": "PGD",
            "norm": "Linf",
            "eps": 0.1,
            "budget": "ε = 0.1",
            "per_class": 10,
            "done": done,
            "total": 3,
            **info,
        },
    )


def attack_steps(steps: int = 6, m: int = 4) -> tuple[Table, Table]:
    """(attack, attack_samples): sample k begins at margin k + 1 and loses one a step; losses are minus the margins."""
    margin = (np.arange(m) + 1.0)[None, :] - np.arange(steps)[:, None]
    samples = Table(
        {"step": s, **{f"loss {k}": -v for k, v in enumerate(row)}, **{f"margin {k}": v for k, v in enumerate(row)}}
        for s, row in enumerate(margin.tolist())
    )
    broken = np.maximum.accumulate(margin < 0).mean(1)
    attack = Table(
        {
            "step": s,
            "success_so_far": float(broken[s]),
            "success_before": 0.05,
            "samples": 20,
            "restart": 0,
            "stage": "",
            "smallest": float("nan"),
        }
        for s in range(steps)
    )
    return attack, samples
