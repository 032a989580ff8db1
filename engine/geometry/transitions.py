"""How much closer a pair came from one place to another, in three conventions, all from the rapidities. No torch here.

Only the Gram and the Doppler rapidities add up over layers. The Einstein one does not: show it, never sum it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Boost:
    """A change of a pair's geometry written as a boost; float64 arrays of one shape.

    ``rapidity`` and ``beta`` are positive for contraction and negative for expansion; ``gamma`` is at least 1.
    """

    rapidity: Array
    beta: Array
    gamma: Array


def gram_boost(eta0: ArrayLike, eta1: ArrayLike) -> Boost:
    """Change of the pair's own rapidity, ``eta1 - eta0``; additive over layers. Recommended for display.

    ``beta = (C1 - C0) / (1 - C0 C1)``: Einstein's addition of velocities.
    """
    change = np.asarray(eta1, np.float64) - np.asarray(eta0, np.float64)
    return Boost(change, np.tanh(change), np.cosh(change))


def doppler_boost(eta0: ArrayLike, eta1: ArrayLike) -> Boost:
    """Logarithmic contraction of the chord, ``chi = ln(d0 / d1)``; additive over layers."""
    chi = _log_contraction(eta0, eta1)
    return Boost(chi, np.tanh(chi), np.cosh(chi))


def einstein_boost(eta0: ArrayLike, eta1: ArrayLike) -> Boost:
    """Length contraction, ``gamma = d0 / d1``, the paper-like view; its rapidity does NOT add over layers.

    Under expansion (d1 > d0) the frames are swapped: ``gamma = d1 / d0`` and beta and the rapidity are negative.
    """
    chi = _log_contraction(eta0, eta1)
    size, sign = np.abs(chi), np.sign(chi)
    speed = np.sqrt(-np.expm1(-2 * size))
    return Boost(sign * (size + np.log1p(speed)), sign * speed, np.exp(size))  # acosh(e^s) without cancellation


def _log_contraction(eta0: ArrayLike, eta1: ArrayLike) -> Array:
    """ln(d0 / d1), since ln d = ln 2 - ln(1 + exp(2 eta)) / 2."""
    before, after = (np.logaddexp(0.0, 2 * np.asarray(eta, np.float64)) for eta in (eta0, eta1))
    return np.asarray(after - before, np.float64) / 2
