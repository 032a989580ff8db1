"""Measurements without torch, which tests of sweeps name instead of the real one."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.errors import TrainingError
from engine.specs import ExperimentSpec

MEASURE = "tests.engine.sweep.tiny:measured"
LETHAL = "tests.engine.sweep.tiny:lethal"
FAILING = "tests.engine.sweep.tiny:failing"
ENDLESS = "tests.engine.sweep.tiny:endless"
ODD = "tests.engine.sweep.tiny:odd"
UNKIND = "tests.engine.sweep.tiny:ignores_stop"


@dataclass
class Measured:
    """As the real one has it."""

    row: dict[str, float | int | str | None]
    weights: dict[str, np.ndarray] = field(default_factory=dict)


def measured(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """A few milliseconds of waiting, and numbers that follow from the spec alone."""
    for _ in range(3):
        time.sleep(0.001)
        yield None
    return Measured(row_of(spec), {"w": np.full(3, float(spec.seed))})


def row_of(spec: ExperimentSpec) -> dict[str, float | int | str | None]:
    """What :func:`measured` finds."""
    return {
        "parameters": spec.model.width**2,
        "width": spec.model.width,
        "test_accuracy": ((spec.seed * 37 + spec.model.width) % 101) / 101,
        "theory_change": None,
    }


def lethal(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """The process dies of the network of width 13."""
    if spec.model.width == 13:
        os._exit(7)
    return (yield from measured(spec, reach, geometry))


def failing(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """Width 13 fails as a person may cause it, width 14 by a bug."""
    if spec.model.width == 13:
        raise TrainingError("The loss is not a number. Choose a lower learning rate.")
    if spec.model.width == 14:
        raise ZeroDivisionError("one over nothing")
    return (yield from measured(spec, reach, geometry))


def odd(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """Widths from 13 on come to what a file can hardly hold."""
    match spec.model.width:
        case 13:
            return Measured({"parameters": 2**70})
        case 14:
            raise TrainingError("half a \udcff and a \0")
        case 15:
            return Measured({"rank": math.inf, "change": math.nan, "depth": "a\0b \ud800"})
        case 16:
            return Measured({"rank": [1.0]})  # type: ignore[dict-item]
    return (yield from measured(spec, reach, geometry))


def endless(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """Goes on until it is stopped; leaves a file in the folder of its title when it is."""
    folder = Path(spec.title)
    (folder / f"begun {spec.model.width}").touch()
    try:
        while True:
            time.sleep(0.005)
            yield None
    finally:
        (folder / f"ended {spec.model.width}").touch()


def ignores_stop(spec: ExperimentSpec, reach: str, geometry: bool) -> Generator[None, None, Measured]:
    """Does not look up until there is a file "enough" in the folder of its title."""
    folder = Path(spec.title)
    (folder / f"begun {spec.model.width}").touch()
    until = time.monotonic() + 120
    while not (folder / "enough").exists() and time.monotonic() < until:
        time.sleep(0.005)
    (folder / f"ended {spec.model.width}").touch()
    yield None
    return Measured(row_of(spec))
