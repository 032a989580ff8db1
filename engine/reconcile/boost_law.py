"""What one MaxLikelihood layer does to an angle, exactly: the boost that selection buys, and a single colliding pair.

The MaxLikelihood network is our reconstruction of a construction that is known from abstracts alone (Y. Lai, X. Dong, Z. Jin,
"On the Computational Entanglement of Distant Features in Adversarial Machine Learning", arXiv 2309.15669, v5 to v7); these laws
are of the reconstruction.
"""

from __future__ import annotations

import math

from scipy.special import digamma, ndtri


def boost_law(ratio: float) -> tuple[float, float]:
    """``(M2, g)`` of a layer that keeps one of ``ratio`` = N/n >= 1 candidates by ``|r . axis|``, as n grows.

    ``M2 = E[z^2 | kept] = 1 + 2 z phi(z) / alpha`` with ``alpha = 1 / ratio`` and ``z`` its two-sided quantile; the layer acts as
    ``diag(sqrt(M2), 1, .., 1)`` along the axis, so that ``tan phi`` shrinks by ``e^-g``, ``g = ln(M2) / 2``, for ANY input.
    ``ratio`` = 1 selects nothing: M2 = 1, g = 0. Raises ValueError for less than 1.
    """
    if not ratio >= 1:
        raise ValueError(f"of N candidates at most N can be kept, but N/n = {ratio}")
    z = _quantile(ratio)
    second = 1 + 2 * z * _density(z) * ratio
    return second, math.log(second) / 2


def width_gain(rows: int, ratio: float) -> float:
    """What a finite width n adds to the boost of an input near the axis, on average: about 1/n where N/n is large.

    The n - 1 directions across the axis shrink by ``E ln chi_(n-1)``. The axis grows by ``ln(n M2) / 2``, less a quarter of the
    relative variance of its squared length, ``Var(z^2 | kept) / (n M2^2)``, to first order in 1/n. At N/n = 1 this is the gap of a
    Gaussian layer, ``(psi(n/2) - psi((n-1)/2)) / 2``, to that order. Raises ValueError for fewer than 2 rows.
    """
    if rows < 2:
        raise ValueError(f"a layer of {rows} rows has no direction across its axis")
    second, _ = boost_law(ratio)
    z = _quantile(ratio)
    fourth = 3 + 2 * (z**3 + 3 * z) * _density(z) * ratio
    scatter = (fourth - second**2) / (4 * rows * second**2)
    return (math.log(rows / 2) - float(digamma((rows - 1) / 2))) / 2 - scatter


def colliding_pair(theta: float) -> float:
    """Angle of one pair after a layer whose rows all give both members the same sign, as n grows.

    ``1 - C' = (1 - C) (pi - theta - sin theta) / (pi - theta + sin theta cos theta)`` for ``theta`` in [0, pi); iterated,
    ``theta_l`` falls like pi/l. Computed from half angles, so that small ones keep their digits.
    Raises ValueError outside [0, pi): opposite vectors never collide.
    """
    if not 0 <= theta < math.pi:
        raise ValueError(f"two vectors at {theta} rad never get the same sign")
    left = math.pi - theta
    sine = math.sin(theta)
    # near pi both terms are of third order in what is left
    upper = left**3 / 6 * (1 - left**2 / 20) if left < 1e-3 else left - sine
    lower = 2 * left**3 / 3 * (1 - left**2 / 5) if left < 1e-3 else left + sine * math.cos(theta)
    half = math.sin(theta / 2) * math.sqrt(upper / lower)  # sin^2 of the half angle is (1 - C) / 2
    return 2 * math.asin(min(1.0, half))


def _quantile(ratio: float) -> float:
    """z beyond which, on both sides, lies one of ``ratio``; 0 at 1."""
    return abs(float(ndtri(1 / (2 * ratio))))


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
