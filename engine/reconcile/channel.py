"""Signs of random projections as a noisy channel: what an angle costs in wrong bits, and what a code can still read.

Each row of a random Gaussian projection gives two directions at the angle theta different signs with probability
theta / pi, independently of the other rows, when the rows are drawn afresh: a binary symmetric channel. For ONE fixed
projection and many pairs this holds on average over projections, no longer pair by pair independently.

Sources: M. X. Goemans, D. P. Williamson (1995), "Improved approximation algorithms for maximum cut and satisfiability
problems using semidefinite programming"; M. S. Charikar (2002), "Similarity estimation techniques from rounding
algorithms"; C. E. Shannon (1948), "A mathematical theory of communication", for the capacity.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import entr
from scipy.stats import binom

Array = NDArray[np.float64]

_NO_ANGLE, _RIGHT_ANGLE = 1e-12, math.pi / 2


def bit_error(theta: ArrayLike) -> Array:
    """``p = theta / pi``: chance of a wrong bit at an angle in radians, of any shape; within [0, 1]."""
    return np.asarray(theta, np.float64) / math.pi


def majority_error(p: ArrayLike, repetition: int) -> Array:
    """``P(Bin(r, p) > r / 2)``: chance that most of r copies, r odd, are wrong, each with probability ``p``."""
    return np.asarray(binom.sf(repetition // 2, repetition, np.asarray(p, np.float64)))


def success(theta: ArrayLike, *, n: int, t: int, repetition: int) -> Array:
    """Chance that a code word of n bits, each sent r times, has at most the t wrong bits that its code corrects.

    The binomial law at an angle in radians, of any shape; NaN where the angle is NaN.
    """
    return np.asarray(binom.cdf(t, n, majority_error(bit_error(theta), repetition)))


def half_angle(*, n: int, t: int, repetition: int) -> float:
    """The angle in radians at which :func:`success` is one half."""
    return float(
        brentq(lambda a: float(success(a, n=n, t=t, repetition=repetition)) - 0.5, _NO_ANGLE, math.pi, xtol=1e-14)
    )


def capacity(p: ArrayLike) -> Array:
    """``1 - h(p)`` bits a sign, h the binary entropy: 0 at p = 1/2, which is the right angle."""
    p = np.asarray(p, np.float64)
    return 1 - (entr(p) + entr(1 - p)) / math.log(2)


def shannon_angle(rate: float) -> float:
    """The angle in radians up to which some code of this rate, information bits a sign in (0, 1], can be read at all."""
    if not 0 < rate <= 1:
        raise ValueError(f"a rate is above 0 and at most 1, not {rate}")
    return float(brentq(lambda a: float(capacity(bit_error(a))) - rate, 0.0, _RIGHT_ANGLE, xtol=1e-14))
