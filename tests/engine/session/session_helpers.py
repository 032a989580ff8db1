"""Small experiments for the tests of the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.events import Artifact, Frame, Record
from engine.session import Session
from engine.specs import ExperimentSpec

SPEC = ExperimentSpec(title="Digits")


def frame(step: int, topic: str = "gallery", value: float | None = None, phase: Any = "train") -> Frame:
    x = np.full((2, 3), step if value is None else value, dtype=np.float32)
    return Frame(topic, phase, step, {"x": x}, {"step": step})


def filled(workdir: Path, rows: int = 10, frames: int = 3) -> Session:
    """A session with one finished run."""
    session = Session.create(workdir, SPEC)
    recorder = session.recorder(session.begin_run("train", SPEC))
    for i in range(rows):
        recorder.put(Record("steps", {"step": i, "loss": 1 / (i + 1)}))
    for i in range(frames):
        recorder.put(frame(i))
    recorder.put(Artifact("weights", "k1", {"w": np.arange(6.0).reshape(2, 3)}, {"layers": 1}))
    recorder.close("finished")
    return session


def same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    """Equal names, types, shapes and values, NaN equal to NaN."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype
        and a[name].shape == b[name].shape
        and np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f")
        for name in a
    )
