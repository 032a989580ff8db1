"""Success against the angle, a law of the code alone: real projections and the real decoder beside the binomial law.

A pair of directions at an angle, projected by fresh standard normal rows, is exactly two normal numbers a row whatever the
dimension: the plane of the pair is all that a row sees. So each message is hashed twice and decoded, with a projection of
its own, and nothing is assumed but that.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.events import Event, Frame, Progress, Record
from engine.experiments.bench import Making
from engine.experiments.lens import Work
from engine.experiments.rates import wilson
from engine.generators import stoppable
from engine.reconcile import channel
from engine.reconcile.code import Code
from engine.reconcile.commitment import majority
from engine.reconcile.message import BITS
from engine.seeds import generator

Array = NDArray[np.float64]

TOPIC = "reconciliation_curve"
REPETITIONS = (1, 3, 7, 15, 31, 101)
CHANCES = (0.97, 0.75, 0.4, 0.1)
"""Where on each law messages are simulated, angles rounded to half degrees."""
FINE = np.linspace(0.0, 90.0, 361)
_NUMBERS = 2**20  # drawn between two breaths

_curves: dict[tuple[int, int, int, int, tuple[int, ...]], Curve] = {}


@dataclass(frozen=True, eq=False)
class Curve:
    """R repetitions, A angles, F points of the law; NaN at angles where a repetition was not measured."""

    repetitions: tuple[int, ...]
    angle: Array
    measured: Array
    z: Array
    law: Array


def reconciliation_curve(code: Code, *, own: int, decodings: int, seed: int) -> Making:
    """The curve of a code for :data:`REPETITIONS` and the ``own`` one; measured once in a process for equal settings."""
    repetitions = tuple(sorted({*REPETITIONS, own}))
    asked = code.n, code.t, decodings, seed, repetitions
    if asked not in _curves:
        _curves[asked] = yield from _measured(code, repetitions, decodings, seed)
    yield from _told(_curves[asked], code, decodings)


def _measured(
    code: Code, repetitions: tuple[int, ...], decodings: int, seed: int
) -> Generator[Event | None, None, Curve]:
    law = np.stack([_law(code, r, FINE) for r in repetitions])
    places = [sorted({round(2 * float(np.interp(-p, -row, FINE))) / 2 for p in CHANCES}) for row in law]
    angle = np.array(sorted({a for row in places for a in row}))
    measured = np.full((len(repetitions), len(angle)), np.nan)
    total, done = sum(map(len, places)), 0
    for row, (repetition, angles) in enumerate(zip(repetitions, places, strict=True)):
        for degrees in angles:
            said = Progress(done, total, f"simulating messages: r = {repetition}, {degrees:g}°")
            simulating = simulated(code, repetition, math.radians(degrees), decodings, seed)
            column = int(np.searchsorted(angle, degrees))
            measured[row, column] = (yield from stoppable(simulating, said)) / decodings
            done += 1
    predicted = np.stack([_law(code, r, angle) for r in repetitions])
    error = np.sqrt(predicted * (1 - predicted) / decodings)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, (measured - predicted) / error, np.nan)  # where the law is certain there is no scatter
    return Curve(repetitions, angle, measured, z, law)


def simulated(code: Code, repetition: int, theta: float, messages: int, seed: int) -> Work[int]:
    """How many of so many random messages are recovered from hashes of a pair at the angle theta (radians)."""
    rows = code.n * repetition
    draw = generator(seed, "reconciliation curve", str(repetition), f"{theta:.6f}")
    size = max(1, _NUMBERS // (2 * rows))
    recovered = 0
    for start in range(0, messages, size):
        count = min(size, messages - start)
        message = torch.randint(2, (count, BITS), generator=draw).numpy().astype(np.uint8)
        one, other = torch.randn(2, count, rows, generator=draw, dtype=torch.float64).numpy()
        yield
        first, second = one >= 0, math.cos(theta) * one + math.sin(theta) * other >= 0
        offset = np.repeat(code.encode(message), repetition, axis=1) ^ first.astype(np.uint8)
        decoded = yield from code.decoding(majority(offset ^ second.astype(np.uint8), repetition))
        recovered += int(((decoded.messages[:, :BITS] == message).all(1) & (decoded.corrected >= 0)).sum())
    return recovered


def _law(code: Code, repetition: int, degrees: Array) -> Array:
    return channel.success(np.radians(degrees), n=code.n, t=code.t, repetition=repetition)


def _told(curve: Curve, code: Code, decodings: int) -> Making:
    predicted = np.stack([_law(code, r, curve.angle) for r in curve.repetitions])
    low, high = wilson(np.round(np.nan_to_num(curve.measured) * decodings), decodings)
    missing = np.isnan(curve.measured)
    low, high = np.where(missing, np.nan, low), np.where(missing, np.nan, high)
    half = [math.degrees(channel.half_angle(n=code.n, t=code.t, repetition=r)) for r in curve.repetitions]
    limit = [math.degrees(channel.shannon_angle(code.k / (code.n * r))) for r in curve.repetitions]
    arrays = {
        "angle": curve.angle,
        "repetitions": np.array(curve.repetitions),
        "measured": curve.measured,
        "low": low,
        "high": high,
        "predicted": predicted,
        "z": curve.z,
        "fine_angle": FINE,
        "law": curve.law,
        "half": np.array(half),
        "shannon": np.array(limit),
    }
    info = {
        "code": {"n": code.n, "k": code.k, "t": code.t},
        "decodings": decodings,
        "agree": float(np.nanmax(np.abs(curve.z), initial=0.0)),
        "done": True,
    }
    for row, column in zip(*np.nonzero(~missing), strict=True):
        found = {
            "repetition": curve.repetitions[row],
            "angle": float(curve.angle[column]),
            "recovered": float(curve.measured[row, column]),
            "low": float(low[row, column]),
            "high": float(high[row, column]),
            "predicted": float(predicted[row, column]),
            "z": float(curve.z[row, column]),
            "n": decodings,
        }
        yield Record(TOPIC, found)
    yield Frame(TOPIC, "measure", 0, arrays, info)
