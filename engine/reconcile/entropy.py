"""How much of a secret public helper data can leave: a bound that needs no assumption about the features.

n hyperplanes through the origin cut d dimensions into at most ``2 sum_{i < d} C(n - 1, i)`` cells, and features in one
cell have one hash, so a hash holds at most the logarithm of that. The helper, the hash masked by a code word, tells
n r - k bits of it. Where repetition makes the difference negative no information-theoretic secrecy is left to claim:
this is reconciliation, not encryption.

Sources: T. M. Cover (1965), "Geometrical and statistical properties of systems of linear inequalities with applications
in pattern recognition"; Y. Dodis, L. Reyzin, A. Smith (2004), "Fuzzy extractors: how to generate strong keys from
biometrics and other noisy data", for the leak of the code offset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp


@dataclass(frozen=True)
class Secrecy:
    """Bits, all of them bounds."""

    cells: float
    """log2 of the number of sign patterns: the most that a hash can hold."""
    leak: int
    """What the helper tells of it, ``n r - k``."""

    @property
    def left(self) -> float:
        """The most that can be guaranteed to stay secret; below 0 nothing is. It is a bound on the guarantee, not on the secret."""
        return self.cells - self.leak


def log2_cells(d: int, n: int) -> float:
    """log2 of how many sign patterns n projections can give in d dimensions; n where every pattern is possible.

    Raises ValueError for less than one dimension or projection.
    """
    if d < 1 or n < 1:
        raise ValueError(f"{n} projection(s) in {d} dimension(s) have no sign pattern")
    if d >= n:
        return float(n)
    i = np.arange(d, dtype=np.float64)
    choose = gammaln(n) - gammaln(i + 1) - gammaln(n - i)
    return 1 + float(logsumexp(choose)) / math.log(2)


def secrecy(d: int, *, n: int, k: int, repetition: int = 1) -> Secrecy:
    """Of a hash of d features by a code of n bits with k of information, each bit repeated."""
    return Secrecy(log2_cells(d, n * repetition), n * repetition - k)
