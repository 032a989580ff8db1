"""The curves and bounds that sign correlations are drawn against; imports no torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSICAL = 2.0
"""[T] |S| of four local signs, no row discarded (Clauser, Horne, Shimony & Holt 1969)."""
TSIRELSON = 2 * math.sqrt(2)
"""[T] the largest sum of four cosines, and of quantum correlations (Tsirelson 1980)."""
LEAST_EFFICIENCY = 2 * (math.sqrt(2) - 1)
"""Below this share of rows kept, local signs can reach 2 sqrt 2 (Garg & Mermin 1987)."""


def classical(theta: Any) -> NDArray[np.float64]:
    """E of the signs that a random hyperplane gives two vectors at angle ``theta`` (radians): 1 - 2 theta / pi."""
    return 1 - 2 * np.asarray(theta, dtype=np.float64) / math.pi


def cosine(theta: Any) -> NDArray[np.float64]:
    """What two vectors' cosine, or a quantum pair, would give at that angle."""
    return np.cos(np.asarray(theta, dtype=np.float64))


def is_loophole(row: Any) -> bool:
    """Whether an S above 2 was had by dropping rows (``{S, efficiency}``): the detection loophole."""
    return bool(abs(row["S"]) > CLASSICAL and row["efficiency"] < 1)


def share_above(trials: NDArray[np.float64]) -> float:
    """Share of trials with \\|S\\| above 2; NaN without trials."""
    finite = trials[np.isfinite(trials)]
    return float((np.abs(finite) > CLASSICAL).mean()) if len(finite) else math.nan
