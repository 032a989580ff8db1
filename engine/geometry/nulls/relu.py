"""ReLU and leaky ReLU networks of infinite width at initialisation, without bias: one map of the angle a layer.

Sources: Y. Cho, L. Saul (2009), "Kernel methods for deep learning" (the arc-cosine kernel of degree 1); the leaky map is its
mixture with the identity. The scale of the weights does not matter, nor do the lengths of the inputs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import psi
from scipy.stats import binom

from engine.geometry import readings

Array = NDArray[np.float64]

SERIES_BELOW = 0.05  # radians: below, sin t - t cos t is computed from its series, which loses no digits


def share(slope: float) -> float:
    """``k = (1 - a)^2 / (1 + a^2)``: how much of a leaky ReLU of slope ``a`` below 0 is not the identity; 1 for ReLU."""
    return (1 - slope) ** 2 / (1 + slope**2)


def layer(theta: ArrayLike, slope: float = 0.0) -> Array:
    """The angle after one layer (after its activation): ``C' = C + k (sin t - t cos t) / pi``, without cancellation at 0."""
    t = np.asarray(theta, np.float64)
    squared = np.sin(t / 2) ** 2 - share(slope) * _bracket(t) / (2 * math.pi)
    after: Array = 2 * np.arcsin(np.sqrt(np.clip(squared, 0, 1)))
    return after


def recursion(eta0: ArrayLike, depth: int, slope: float = 0.0) -> Array:
    """Rapidities after 0 to ``depth`` layers, ``[depth + 1, ...]`` for starts ``eta0`` ``[...]``."""
    theta = readings.angle(eta0)
    etas = [np.asarray(eta0, np.float64)]
    for _ in range(depth):
        theta = layer(theta, slope)
        with np.errstate(divide="ignore"):
            etas.append(-np.log(np.tan(theta / 2)))
    return np.stack(etas)


def residual_layer(theta: ArrayLike, alpha2: float) -> Array:
    """The angle after a residual block ``x + alpha W relu(x)`` (He): ``C' = (C + alpha^2 k(C)) / (1 + alpha^2)``.

    Source: the ReLU map as above; G. Yang, S. Schoenholz (2017), "Mean field residual networks: on the edge of chaos".
    """
    t = np.asarray(theta, np.float64)
    squared = np.sin(t / 2) ** 2 - alpha2 / (1 + alpha2) * _bracket(t) / (2 * math.pi)
    after: Array = 2 * np.arcsin(np.sqrt(np.clip(squared, 0, 1)))
    return after


def finite_width_slope(width: int) -> float:
    """What a ReLU layer of this width adds to the rapidity of a pair at a tiny angle: ``E[psi(k/2) - psi((k-1)/2)] / 2``.

    Both are cut by the same k ~ Bin(n, 1/2) units (k >= 2), on which the layer is linear: about 1/n, twice :func:`gap`'s.
    It takes over from the recursion, whose boosts are 1/l, at depth l ~ n.
    """
    k = np.arange(2, width + 1)
    weight = binom.pmf(k, width, 0.5)
    return float((weight * (psi(k / 2) - psi((k - 1) / 2))).sum() / weight.sum() / 2)


def _bracket(t: Array) -> Array:
    """sin t - t cos t for t in [0, pi]."""
    squared = t * t
    small = t * squared / 3 * (1 - squared / 10 * (1 - squared / 28 * (1 - squared / 54)))
    return np.where(t < SERIES_BELOW, small, np.sin(t) - t * np.cos(t))
