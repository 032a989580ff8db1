"""Which point of a scatter plot the pointer or the arrow keys mean."""

from __future__ import annotations

import numpy as np

from gui.plots.plot import Plot

NEAR = 14.0  # pixels within which a point is pointed at


def nearest(plot: Plot, x: np.ndarray, y: np.ndarray, at: tuple[float, float]) -> int | None:
    """Position of the point that is within :data:`NEAR` pixels of ``at``, the nearest one; None where none is."""
    wide, high = plot.pixel()
    if not len(x) or not wide or not high:
        return None
    distance = np.hypot((x - at[0]) / wide, (y - at[1]) / high)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    found = int(distance.argmin())
    return found if distance[found] <= NEAR else None


def stepped(x: np.ndarray, y: np.ndarray, at: int | None, by: int) -> int | None:
    """The point that arrow keys reach from ``at``, in the order of x; NaN is passed over."""
    order = [int(k) for k in np.argsort(x, kind="stable") if np.isfinite(x[k]) and np.isfinite(y[k])]
    if not order:
        return None
    if at is None or at not in order:
        return order[0]
    return order[min(len(order) - 1, max(0, order.index(at) + by))]
