"""Sweep files with known numbers, made without computing anything: for the tests of panels, and the benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
from engine.sweep.rows import put_row
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

WIDTHS, DEPTHS, SEEDS = (16, 32, 64, 128), (1, 2, 4), (0, 1, 2, 3)


def grid(*axes: tuple[str, tuple[Any, ...]], **others: Any) -> ExperimentSpec:
    """An experiment whose sweep has these axes."""
    made = tuple(AxisSpec(field=field, values=values) for field, values in axes)
    return ExperimentSpec(title="Known", sweep=SweepSpec(axes=made, **others))


SMALL = grid(("model.width", WIDTHS), ("model.depth", DEPTHS), ("seed", SEEDS))


def row_of(values: Mapping[str, Any], index: int) -> dict[str, float | int | None]:
    """Numbers like those of real networks: wider ones entangle less, deeper ones more, and the seed is noise."""
    width, depth = int(values.get("model.width", 32)), int(values.get("model.depth", 2))
    noise = math.sin(12.9898 * (index + 1)) * 0.5
    change = depth / (2 * width)
    accuracy = min(0.99, 0.6 + 0.07 * math.log2(width) - 0.01 * depth + 0.01 * noise)
    return {
        "parameters": 64 * width + (depth - 1) * width**2 + 10 * width,
        "layers": depth + 1,
        "width": width,
        "depth": depth,
        "train_loss": 0.3 - 0.02 * math.log2(width) + 0.01 * noise,
        "train_accuracy": min(1.0, accuracy + 0.02),
        "test_accuracy": accuracy,
        "test_low": accuracy - 0.03,
        "test_high": accuracy + 0.02,
        "test_samples": 360,
        "robust_accuracy": 0.2 + 0.05 * math.log2(width) - 0.03 * depth + 0.03 * noise,
        "attack_success": 0.7,
        "attacked": 100,
        "input_ln_gamma": 0.2,
        "input_rapidity": 0.6,
        "input_rank": 20.0,
        "initial_ln_gamma": 0.2 + change,
        "initial_rapidity": 0.6 + 2 * change,
        "initial_rank": 12 - 2 * depth + 0.02 * width,
        "ln_gamma": 0.25 + 1.5 * change,
        "rapidity": 0.7 + 0.1 * depth + 0.05 * noise - 0.02 * math.log2(width),
        "rank": 9 - depth + 0.03 * width + 0.3 * noise,
        "initial_change": change * (1 + 0.1 * noise),
        "change": 0.05 + 1.5 * change * (1 + 0.2 * noise),
        "theory_change": change,
        "theory_ln_gamma": 0.2 + change,
        "theory_rapidity": 0.6 + 2 * change,
        "seconds": 1.0 + noise,
    }


def outcome(store: SweepStore, index: int, error: str = "") -> Outcome:
    """What came of a point: its known row, or an error."""
    if error:
        return Outcome(index, error=error, seconds=0.5)
    return Outcome(index, row=row_of(store.points.values(index), index), seconds=1.0)


def made(
    path: Path,
    spec: ExperimentSpec = SMALL,
    *,
    finished: int | None = None,
    failed: tuple[int, ...] = (),
    running: int = 0,
) -> SweepStore:
    """A sweep file whose first points are finished (all of them where no number is given), some failed, some running."""
    store = SweepStore.create(path, spec)
    total = len(store.points)
    count = total if finished is None else finished
    with store.claimed(), store._database.write() as connection:
        for index in range(count):
            error = "The loss is not a number any more. Use a smaller learning rate." if index in failed else ""
            came = outcome(store, index, error)
            connection.execute(
                "INSERT INTO points (id, status, attempts, seconds, error) VALUES (?, ?, 1, ?, ?)",
                (index, "failed" if error else "finished", came.seconds, error),
            )
            put_row(connection, index, {**store.points.values(index), **came.row})
    for index in range(count, count + running):
        store.start(index)
    return store
