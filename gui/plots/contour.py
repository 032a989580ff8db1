"""The line along which values on a grid are zero."""

from __future__ import annotations

import numpy as np


def zero_line(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments, two points each, where ``values`` [G, H] at ``y`` [G] and ``x`` [H] change their sign.

    Each cell is cut into two triangles, and in a triangle the values are linear: so of a plane the line is exact, and
    nothing is ambiguous. Cells with a value that is not finite have no line.
    """
    above, finite = values > 0, np.isfinite(values)
    same = (
        (above[:-1, :-1] == above[:-1, 1:]) & (above[:-1, :-1] == above[1:, :-1]) & (above[:-1, :-1] == above[1:, 1:])
    )
    whole = finite[:-1, :-1] & finite[:-1, 1:] & finite[1:, :-1] & finite[1:, 1:]
    row, column = np.nonzero(~same & whole)  # few of all cells: those that the line passes through
    corners = [(row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)]
    triangles = [[corners[k] for k in three] for three in ((0, 1, 3), (0, 3, 2))]
    held = np.concatenate([np.stack([values[r, c] for r, c in three], axis=1) for three in triangles]).astype(float)
    place = np.concatenate(
        [np.stack([np.stack([x[c], y[r]], axis=-1) for r, c in three], axis=1) for three in triangles]
    ).astype(float)
    following, next_place = np.roll(held, -1, axis=1), np.roll(place, -1, axis=1)
    crossed = (held > 0) != (following > 0)
    start, end = place[crossed], next_place[crossed]
    share = held[crossed] / (held[crossed] - following[crossed])
    points = start + share[:, None] * (end - start)
    return points[:, 0], points[:, 1]
