"""The line along which values on a grid are zero."""

from __future__ import annotations

import numpy as np


def zero_line(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments, two points each, where ``values`` [G, H] at ``y`` [G] and ``x`` [H] change their sign.

    Each cell is cut into two triangles, and in a triangle the values are linear: so of a plane the line is exact, and
    nothing is ambiguous. Cells with a value that is not finite have no line.
    """
    corners = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).astype(float)
    a, b, c, d = _cells(values.astype(float)[..., None])
    at_a, at_b, at_c, at_d = _cells(corners)
    held = np.concatenate([np.concatenate([a, b, d], axis=1), np.concatenate([a, d, c], axis=1)])  # [T, 3]
    place = np.concatenate([np.stack([at_a, at_b, at_d], axis=1), np.stack([at_a, at_d, at_c], axis=1)])  # [T, 3, 2]
    following, next_place = np.roll(held, -1, axis=1), np.roll(place, -1, axis=1)
    crossed = (held > 0) != (following > 0)
    crossed &= np.isfinite(held).all(1, keepdims=True)
    start, end = place[crossed], next_place[crossed]
    share = held[crossed] / (held[crossed] - following[crossed])
    points = start + share[:, None] * (end - start)
    return points[:, 0], points[:, 1]


def _cells(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The four corners of every cell, a row each: [cells, ...]."""
    width = grid.shape[-1]
    parts = (grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:])
    return tuple(part.reshape(-1, width) for part in parts)  # type: ignore[return-value]
