"""How likely a random row is to make all samples collide: what a MaxLikelihood layer ranks its candidates by.

A row r says the sign of r.x. With Gaussian noise of size tau on that reading, the chance that every sample i gets the sign
``s y_i`` is the product of ``Phi(s y_i r.x_i / tau)``: a probit model of cosine LSH (M. S. Charikar 2002, "Similarity estimation
techniques from rounding algorithms"). The ranking by it is our reconstruction, not the authors' algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

Array = NDArray[np.float64]

_FAINT = -1e-290  # log-likelihoods nearer to 0 have lost their digits to underflow


@dataclass(frozen=True)
class Likelihood:
    """The ranking: probit at a temperature, or one of its two limits."""

    kind: Literal["probit", "sum", "violations"] = "probit"
    """``sum`` is tau to infinity, ``|sum_i y_i r.x_i|``; ``violations`` is tau to 0, the least sum of squares on the wrong side."""
    temperature: float = 0.3
    """tau > 0, of the probit alone."""

    def scores(self, readings: Array) -> tuple[Array, Array]:
        """From ``y_i r.x_i`` ``[rows, m]``: a score that ranks rows as their likelihood does, and the better sign s, ``[rows]`` each.

        Probit: ``-ln(-loglik)``, which keeps the order where the likelihood itself rounds to 1. Violations: minus the sum of squares
        on the wrong side, or the least margin where there is none, which is what decides as tau falls to 0. A row of which no sign
        is better gets +1.
        """
        if self.kind == "sum":
            total = readings.sum(1)
            return np.abs(total), np.where(total < 0, -1.0, 1.0)
        one, other = self._probit(readings) if self.kind == "probit" else _violations(readings)
        return np.maximum(one, other), np.where(other > one, -1.0, 1.0)

    def _probit(self, readings: Array) -> tuple[Array, Array]:
        z = readings / self.temperature
        far = log_ndtr(-np.abs(z))  # of the less likely side; the likelier one follows from it
        near = np.log1p(-np.exp(far))
        right = z > 0
        agreeing = np.where(right, near, far).sum(1)
        opposing = np.where(right, far, near).sum(1)
        return _negative_log(agreeing, z), _negative_log(opposing, -z)


def _negative_log(loglik: Array, z: Array) -> Array:
    """``-ln(-loglik)``; summed anew in logarithms where ``loglik`` has underflown."""
    faint = loglik > _FAINT
    found: Array = -np.log(-np.where(faint, -1.0, loglik))
    if faint.any():  # every z is far above 0 there, and -ln Phi(z) = Phi(-z)
        found[faint] = -logsumexp(log_ndtr(-z[faint]), axis=1)
    return found


def _violations(readings: Array) -> tuple[Array, Array]:
    squares = readings * readings
    found = []
    for wrong, margin in ((readings < 0, readings.min(1)), (readings > 0, -readings.max(1))):
        violated = np.where(wrong, squares, 0.0).sum(1)
        found.append(np.where(violated > 0, -violated, np.maximum(margin, 0.0)))
    return found[0], found[1]
