"""Everything a pair shows, from its rapidity alone: correlation, angle, chords, gamma. No torch here.

Rapidity keeps full precision at both poles, so it is what is stored; all else is read off it. Functions take any
array or number and give float64. NaN (a dead pair) stays NaN; at saturation, eta = +-inf, the correlation, the angle
and the chords have their limits, and gamma and ln gamma are inf.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

QUANTITIES = ("C", "angle", "chord", "antipode", "rapidity", "ln_gamma")
"""What a profile shows, in the order of :func:`quantities`."""

_BLOCK = 8192


def correlation(eta: ArrayLike) -> Array:
    """C = tanh eta, the cosine of the angle, in [-1, 1]."""
    c: Array = np.tanh(_array(eta))
    return c


def angle(eta: ArrayLike) -> Array:
    """theta = 2 atan(exp(-eta)), radians in [0, pi]."""
    eta = _array(eta)
    small = 2 * np.arctan(np.exp(-np.abs(eta)))
    return np.where(eta < 0, math.pi - small, small)


def chord(eta: ArrayLike) -> Array:
    """d = 2 sin(theta / 2), distance between the unit vectors, in [0, 2]."""
    eta = _array(eta)
    e = np.exp(-np.abs(eta))
    value: Array = np.where(eta < 0, 2.0, 2 * e) / np.sqrt(1 + e * e)
    return value


def antipode(eta: ArrayLike) -> Array:
    """d' = 2 cos(theta / 2), distance from one unit vector to the other's antipode, in [0, 2]."""
    return chord(-_array(eta))


def gamma(eta: ArrayLike) -> Array:
    """gamma = cosh eta = 1 / sin theta, at least 1; inf above |eta| of 710, where float64 ends."""
    with np.errstate(over="ignore"):
        value: Array = np.cosh(_array(eta))
    return value


def ln_gamma(eta: ArrayLike) -> Array:
    """ln cosh eta, at least 0; accurate for every eta, however small or large."""
    size = np.abs(_array(eta))
    e = np.exp(-2 * size)
    small = size < 0.5
    # one logarithm for both ranges: ln cosh = -ln(1 - tanh^2)/2 keeps small values, the other form keeps large ones
    log = np.log1p(np.where(small, -np.square(np.tanh(size)), e))
    return np.where(small, -0.5 * log, size + log - math.log(2))


def quantities(eta: ArrayLike) -> Array:
    """All of :data:`QUANTITIES` at once, stacked in front: ``[6, ...]`` for eta ``[...]``.

    Equal to the functions above; made together because they share their exponentials, and in blocks that stay in
    the processor's cache (live probing needs them at hundreds of thousands of pairs).
    """
    eta = _array(eta)
    out: Array = np.empty((len(QUANTITIES), eta.size))
    flat = eta.reshape(-1)
    for start in range(0, eta.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        _fill(flat[part], out[:, part])
    return out.reshape(len(QUANTITIES), *eta.shape)


def _fill(eta: Array, out: Array) -> None:
    size = np.abs(eta)
    e = np.exp(-size)
    square = e * e
    anti, small = eta < 0, size < 0.5
    out[0] = np.tanh(eta)
    out[1] = 2 * np.arctan(e)
    np.subtract(math.pi, out[1], out=out[1], where=anti)
    long = 2 / np.sqrt(1 + square)
    short = long * e
    out[2] = np.where(anti, long, short)
    out[3] = np.where(anti, short, long)
    out[4] = eta
    log = np.log1p(np.where(small, -np.square(out[0]), square))
    out[5] = np.where(small, -0.5 * log, size + log - math.log(2))


def _array(eta: Any) -> Array:
    return np.asarray(eta, dtype=np.float64)
