"""Reading frames: the numbers behind one pair, one layer or one world line. NumPy only, so that a window may use it.

A frame stores rapidities, because everything else about a pair follows from them without loss (THEORY, Gram
matrix of a pair): C = tanh eta, angle = 2 atan exp(-eta), gamma = cosh eta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.events import Frame
from engine.geometry import readings as read

VIEWS = ("centred", "uncentred")

__all__ = ["VIEWS", "layer_taps", "pair_eta", "readings", "square", "world_lines"]


def square(frame: Frame, tap: int, view: int) -> np.ndarray:
    """The correlation matrix C [P, P] of a ``matrix/*`` frame at tap position ``tap``; 1 on the diagonal, NaN if dead."""
    n = len(frame.arrays["index"])
    c = np.ones((n, n), dtype=np.float32)
    rows, cols = np.triu_indices(n, 1)
    c[rows, cols] = c[cols, rows] = np.tanh(frame.arrays["eta"][view, tap].astype(np.float32))
    return c


def pair_eta(frame: Frame, a: int, b: int) -> np.ndarray | None:
    """Rapidity [2 views, T] of two test samples of a ``matrix/*`` frame, or None if either is not in it."""
    index = frame.arrays["index"]
    where = [np.flatnonzero(index == sample) for sample in (a, b)]
    if a == b or not (len(where[0]) and len(where[1])):
        return None
    i, j = sorted((int(where[0][0]), int(where[1][0])))
    n = len(index)
    # position of (i, j) in numpy.triu_indices(n, 1) order
    flat = i * n - i * (i + 1) // 2 + (j - i - 1)
    found: np.ndarray = frame.arrays["eta"][:, :, flat].astype(np.float32)
    return found


def layer_taps(taps: Sequence[Mapping[str, Any]]) -> list[int]:
    """Positions of the last tap of each layer, input first: what comes out of layer l."""
    last: dict[int, int] = {int(tap["layer"]): position for position, tap in enumerate(taps)}
    return [last[layer] for layer in sorted(last)]


def world_lines(eta: np.ndarray, taps: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """World lines of pairs: (X [..., L+1], depth [L+1]) with X_0 = 0 and X_l = C_1 + ... + C_l at the layer outputs.

    ``eta`` is [..., T]. Since |C| <= 1 a line never leaves the cone |X_l| <= l. A dead layer ends the line (NaN).
    """
    outputs = layer_taps(taps)
    c = np.tanh(np.asarray(eta, dtype=np.float64)[..., outputs[1:]])
    x = np.concatenate([np.zeros((*c.shape[:-1], 1)), np.cumsum(c, axis=-1)], axis=-1)
    return x, np.arange(len(outputs))


def readings(eta: Any) -> dict[str, np.ndarray]:
    """All numbers of pairs from their rapidity, by name: C, angle (radians), chord, antipode, rapidity, gamma, ln_gamma."""
    named = dict(zip(read.QUANTITIES, read.quantities(eta), strict=True))
    return {**named, "gamma": read.gamma(eta)}
