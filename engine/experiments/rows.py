"""Rows of frames that hold means of groups of pairs, matched by name: a profile, its null, its repetition. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.events import Frame

__all__ = ["beyond", "row"]


def row(
    frame: Frame, name: str, *, view: int, quantity: str, group: str, taps: Sequence[str], net: int | None = None
) -> np.ndarray:
    """The array ``name`` of a frame at the taps of these names, float64; NaN where the frame has no such thing.

    Arrays are ``[views, Q, G, T]``, or ``[nets, views, Q, G, T]`` where ``net`` chooses the first.
    """
    missing = np.full(len(taps), np.nan)
    groups = [item["name"] for item in frame.info["groups"]]
    quantities = [item["name"] for item in frame.info["quantities"]]
    if name not in frame.arrays or group not in groups or quantity not in quantities:
        return missing
    values = frame.arrays[name] if net is None else frame.arrays[name][net]
    values = values[view, quantities.index(quantity), groups.index(group)]
    where = {tap["name"]: k for k, tap in enumerate(frame.info["taps"])}
    return np.array([float(values[where[tap]]) if tap in where else np.nan for tap in taps])


def beyond(low: float, high: float, null_low: float, null_high: float) -> int:
    """+1 where an interval lies above the null's band, -1 where it lies below, 0 where the two touch or one is missing."""
    if low > null_high:
        return 1
    return -1 if high < null_low else 0
