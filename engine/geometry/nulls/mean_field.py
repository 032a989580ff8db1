"""Wide networks at initialisation with any activation, weights of scale sigma_w and biases of scale sigma_b.

A pair is (q1, q2, c): the mean squares of the two samples' pre-activations and their correlation. One layer maps it to the
next by Gaussian averages, taken by the trapezoid rule: Gauss-Hermite fails for tanh at large q, whose poles come close.

Sources: B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli (2016), "Exponential expressivity in deep neural
networks through transient chaos"; S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein (2017), "Deep information
propagation"; C. K. I. Williams (1997), "Computing with infinite networks", for erf.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erf, ndtr

Array = NDArray[np.float64]

STEP, REACH = 0.08, 9.2  # of the trapezoid rule: what lies beyond is below 1e-18
SETTLED = 1e-15
MOST_ITERATIONS = 200_000

Smooth = Literal["tanh", "erf", "gelu", "relu", "leaky_relu", "linear"]


@cache
def _nodes() -> tuple[Array, Array]:
    z = STEP * np.arange(-round(REACH / STEP), round(REACH / STEP) + 1)
    return np.asarray(z, np.float64), STEP * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _gelu(z: Array) -> Array:
    value: Array = z * ndtr(z)
    return value


def _gelu_slope(z: Array) -> Array:
    value: Array = ndtr(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return value


def _gelu_bend(z: Array) -> Array:
    value: Array = (2 - z * z) * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return value


@dataclass(frozen=True)
class Activation:
    """A smooth activation, elementwise, with its first two derivatives."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    bend: Callable[[Array], Array]


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, lambda z: np.cosh(z) ** -2.0, lambda z: -2 * np.tanh(z) * np.cosh(z) ** -2.0),
    "erf": Activation(
        erf,
        lambda z: 2 / math.sqrt(math.pi) * np.exp(-z * z),
        lambda z: -4 / math.sqrt(math.pi) * z * np.exp(-z * z),
    ),
    "gelu": Activation(_gelu, _gelu_slope, _gelu_bend),
}


def square_mean(phi: Callable[[Array], Array], q: float) -> float:
    """E phi(sqrt(q) z)^2 for a standard normal z."""
    z, weight = _nodes()
    return float(weight @ phi(math.sqrt(q) * z) ** 2)


def product_mean(phi: Callable[[Array], Array], q1: float, q2: float, c: float) -> float:
    """E phi(u) phi(v) for normal u and v of variances ``q1``, ``q2`` and correlation ``c``."""
    u, v, weight = _pair(c)
    return float((weight * phi(math.sqrt(q1) * u) * phi(math.sqrt(q2) * v)).sum())


def _pair(c: float) -> tuple[Array, Array, Array]:
    """Unit normals of correlation c in rotated variables, so that c = +-1 is as easy as any other."""
    z, weight = _nodes()
    along, across = math.sqrt(max(0.0, (1 + c) / 2)) * z[:, None], math.sqrt(max(0.0, (1 - c) / 2)) * z[None]
    return along + across, along - across, weight[:, None] * weight[None]


@dataclass(frozen=True)
class Pair:
    """What theory knows of two samples at a layer."""

    q1: float
    q2: float
    c: float
    """Correlation of the pre-activations."""
    C: float
    """Correlation of the activations after them."""


def trajectory(
    name: str, sigma_w: float, sigma_b: float, depth: int, *, q1: float = 1.0, q2: float = 1.0, c: float = 0.0
) -> list[Pair]:
    """A pair through ``depth`` layers, given its first pre-activations."""
    phi = ACTIVATIONS[name].value
    found = []
    for _ in range(depth):
        one, two, both = square_mean(phi, q1), square_mean(phi, q2), product_mean(phi, q1, q2, c)
        found.append(Pair(q1, q2, c, both / math.sqrt(one * two)))
        q1, q2, q12 = (sigma_w**2 * mean + sigma_b**2 for mean in (one, two, both))
        c = min(1.0, max(-1.0, q12 / math.sqrt(q1 * q2)))
    return found


def distance_map(name: str, sigma_w: float, sigma_b: float, q: float, far: float) -> float:
    """1 - c after a layer, given ``far`` = 1 - c before it, at equal q on both sides: without cancellation near c = 1."""
    phi = ACTIVATIONS[name].value
    z, weight = _nodes()
    along, across = math.sqrt(1 - far / 2) * z[:, None], math.sqrt(far / 2) * z[None]
    root = math.sqrt(q)
    apart = float((weight[:, None] * weight * (phi(root * (along + across)) - phi(root * (along - across))) ** 2).sum())
    return sigma_w**2 * apart / 2 / (sigma_w**2 * square_mean(phi, q) + sigma_b**2)


@dataclass(frozen=True)
class Phase:
    """Where a network's pairs end, and how fast."""

    name: Literal["ordered", "critical", "chaotic"]
    q: float
    """Mean square that the pre-activations settle at."""
    chi1: float
    """Factor by which a small distance between two samples grows in a layer."""
    c: float
    """Correlation that all pairs settle at."""
    xi: float
    """Layers in which what is left to that shrinks by e; infinite at criticality."""


def phase(name: str, sigma_w: float, sigma_b: float) -> Phase:
    """The fixed points of an activation with these scales; raises ValueError where q does not settle."""
    kind = ACTIVATIONS[name]
    q = fixed_variance(name, sigma_w, sigma_b)
    chi1 = sigma_w**2 * square_mean(kind.slope, q)
    if abs(chi1 - 1) < 1e-9:
        return Phase("critical", q, chi1, 1.0, math.inf)
    if chi1 < 1:
        return Phase("ordered", q, chi1, 1.0, -1 / math.log(chi1))

    def gain(far: float) -> float:
        return distance_map(name, sigma_w, sigma_b, q, far) - far

    # a pair at c = 0 never comes out below 0; with no bias and an odd activation it stays there
    far = 1.0 if gain(1.0) > -1e-14 else float(brentq(gain, 1e-9, 1.0, xtol=1e-15, rtol=1e-14))
    slope = sigma_w**2 * product_mean(kind.slope, q, q, 1 - far)
    return Phase("chaotic", q, chi1, 1 - far, -1 / math.log(slope))


def fixed_variance(name: str, sigma_w: float, sigma_b: float) -> float:
    """The mean square q* = sigma_w^2 E phi(sqrt(q*) z)^2 + sigma_b^2 that a bounded activation's layers settle at.

    Raises ValueError where iteration from 1 runs away or is not settled (an unbounded activation, or too slow a decay).
    """
    phi = ACTIVATIONS[name].value

    def gain(q: float) -> float:
        return sigma_w**2 * square_mean(phi, q) + sigma_b**2 - q

    high = 1.0
    while gain(high) > 0:
        high *= 2
        if high > 1e8:
            raise ValueError(f"{name} with sigma_w = {sigma_w:g} and sigma_b = {sigma_b:g} has no finite mean square")
    low = high
    while gain(low) <= 0:
        low /= 2
        if low < 1e-14:
            return 0.0
    return float(brentq(gain, low, high, xtol=1e-16, rtol=1e-14))


def critical_scales(name: str, q: float) -> tuple[float, float]:
    """``sigma_w, sigma_b`` at which chi1 = 1 and the mean square settles at ``q``."""
    kind = ACTIVATIONS[name]
    sigma_w2 = 1 / square_mean(kind.slope, q)
    return math.sqrt(sigma_w2), math.sqrt(q - sigma_w2 * square_mean(kind.value, q))
