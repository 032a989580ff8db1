"""The work on one point: a task goes out to a process, near or far, and an outcome comes back."""

from __future__ import annotations

import functools
import importlib
import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.errors import UserError
from engine.session.codec import pack
from engine.specs import ExperimentSpec
from engine.sweep.software import version

MEASURE = "engine.sweep.measure:measured"
"""What measures a point where nothing else is named."""
Measure = Callable[[ExperimentSpec, str, bool], Generator[Any, None, Any]]
LOOK_EVERY = 0.1
"""Seconds between two looks at whether to stop."""
MOST_WEIGHTS = 900_000_000
"""Bytes of a network that a sweep can keep; SQLite takes a thousand million in one place."""
_NO_MEMORY = "Out of memory. Use a smaller model or fewer samples, or fewer workers."


@dataclass(frozen=True, slots=True)
class Task:
    """One point to be computed. All plain, and picklable."""

    index: int
    spec: str
    """The experiment of the point, as JSON."""
    reach: str
    geometry: bool
    keep_weights: bool
    version: str
    """Of the program that asks."""
    stop_file: str
    """The point is to be left as soon as there is a file of this name, on machines that see it."""
    measure: str = MEASURE
    """The function that measures, as ``module:name``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one point: its row (and weights), or why it has none. All plain, and picklable."""

    index: int
    row: Mapping[str, float | int | str | None] = field(default_factory=dict)
    weights: bytes | None = None
    """Its trained network, as safetensors."""
    error: str = ""
    """Why the point failed, in a sentence; empty where it did not."""
    is_bug: bool = False
    traceback: str = ""
    """Of a bug."""
    seconds: float = 0.0
    stopped: bool = False
    """It was told to stop, and did: the point is neither finished nor failed."""


def run_point(task: Task) -> Outcome:
    """Compute one point: the one function that an executor runs. What goes wrong is part of the outcome."""
    began = perf_counter()
    given: dict[str, Any] = {}
    try:
        measure = _function(task.measure)
        began = perf_counter()  # what a process loads is not the time of its first point
        if task.version != version():
            given["error"] = (
                f"This worker has Rapidity Lab {version()}, and the sweep was started by {task.version}. "
                "Install the same version on both, and retry the point."
            )
        else:
            given = _computed(task, measure)
    except UserError as error:
        given["error"] = str(error)
    except Exception as error:
        given = {"error": _NO_MEMORY} if _is_lack_of_memory(error) else failure(error)
    return Outcome(task.index, seconds=perf_counter() - began, **given)


def failure(error: BaseException) -> dict[str, Any]:
    """What an outcome says of an error that is a bug."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return {"error": said, "is_bug": True, "traceback": "".join(traceback.format_exception(error))}


def _computed(task: Task, measure: Measure) -> dict[str, Any]:
    stop = Path(task.stop_file)
    if stop.exists():
        return {"stopped": True}
    work = measure(ExperimentSpec.model_validate_json(task.spec), task.reach, task.geometry)
    look = perf_counter() + LOOK_EVERY
    try:
        while True:
            next(work)
            if (now := perf_counter()) >= look:
                if stop.exists():
                    return {"stopped": True}
                look = now + LOOK_EVERY
    except StopIteration as end:
        measured = end.value
    finally:
        work.close()
    weights = pack(measured.weights) if task.keep_weights and measured.weights else None
    if weights is not None and len(weights) > MOST_WEIGHTS:
        size = f"{len(weights) / 1e9:.1f} GB"
        return {"error": f"Its network takes {size}, more than a sweep keeps. Set sweep.keep_weights to false."}
    return {"row": dict(measured.row), "weights": weights}


def _is_lack_of_memory(error: Exception) -> bool:
    # torch has no class of its own for it on a processor
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


@functools.cache
def _function(name: str) -> Measure:
    """A measuring function by its name, loaded and warm: one of this program or of its tests, and nothing else."""
    module, _, function = name.partition(":")
    if module.split(".")[0] not in ("engine", "tests"):
        raise ValueError(f"{name} is no measuring function of Rapidity Lab")
    found: Measure = getattr(importlib.import_module(module), function)
    if name == MEASURE:
        _warm()
    return found


def _warm() -> None:
    """As many processes as cores compute, each with one thread; and a first step, which loads much, is taken here."""
    import torch

    torch.set_num_threads(1)
    weight = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([weight], fused=True)
    torch.autograd.backward(weight.sum())
    optimizer.step()
