"""Sign readouts of features, their correlation function, and the CHSH protocol that cannot exceed 2.

A shared random hyperplane (pair mode) or the data sample (network mode) is the hidden variable; each wing reads a sign off
its own vector. With no row discarded every row gives exactly +2 or -2, so |S| <= 2 holds identically: a larger value from
:func:`chsh` would be a bug, and is refused as one.

Sources: J. F. Clauser, M. A. Horne, A. Shimony, R. A. Holt (1969), "Proposed experiment to test local hidden-variable
theories"; B. S. Cirel'son (1980), "Quantum generalizations of Bell's inequality"; W. F. Sheppard (1899) and M. Charikar (2002),
"Similarity estimation techniques from rounding algorithms", for the signs; A. Garg, N. D. Mermin (1987), "Detector
inefficiencies in the Einstein-Podolsky-Rosen experiment", for what discarding rows does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Signs = NDArray[np.int8]

CLASSICAL, TSIRELSON = 2.0, 2 * math.sqrt(2)
LEAST_EFFICIENCY = 2 * (math.sqrt(2) - 1)
"""Share of rows that must be kept for S = 2 sqrt 2 to exclude every local explanation."""


def signs(values: ArrayLike) -> Signs:
    """+1 or -1 for each value; a zero is +1, so that no row is lost. Raises ValueError for a NaN."""
    values = np.asarray(values, np.float64)
    if np.isnan(values).any():
        raise ValueError("a value that is not a number has no sign")
    return np.where(values >= 0, 1, -1).astype(np.int8)


def sawtooth(theta: ArrayLike) -> Array:
    """``E(theta) = 1 - 2 theta / pi``: the correlation of the signs that random hyperplanes give to two directions."""
    return 1 - 2 * np.asarray(theta, np.float64) / math.pi


@dataclass(frozen=True)
class Agreement:
    """The angle between two directions as told by signs alone."""

    E: float
    """Mean product of the signs."""
    E_error: float
    """Its standard error."""
    theta: float
    """``pi (1 - p)`` for a share p of equal signs, radians."""
    theta_error: float
    """``pi sqrt(p (1 - p) / m)``."""
    C: float
    """``cos theta``: the tetrachoric estimate, Pearson's for normal variables."""
    rows: int


def agreement(a: Signs, b: Signs) -> Agreement:
    """From m rows of signs on both wings; raises ValueError for none."""
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"signs are compared row by row, but there are {len(a)} and {len(b)}")
    p = float(np.mean(a == b))
    error = math.sqrt(p * (1 - p) / len(a))
    theta = math.pi * (1 - p)
    return Agreement(2 * p - 1, 2 * error, theta, math.pi * error, math.cos(theta), len(a))


@dataclass(frozen=True)
class Chsh:
    """S of four settings."""

    S: float
    error: float
    """Standard error, ``sqrt((4 - S^2) / N)``; 0 where all rows say the same."""
    E: tuple[float, float, float, float]
    """Correlations of the settings (A, B), (A, B'), (A', B), (A', B')."""
    rows: int
    efficiency: float
    """Share of the rows that were kept: 1 for the protocol."""


def chsh(a: Signs, a2: Signs, b: Signs, b2: Signs) -> Chsh:
    """``S = mean(A B + A B' + A' B - A' B')`` with all four outcomes of every row, none left out.

    Raises ValueError for no rows or unequal numbers, AssertionError if |S| > 2, which no outcomes can give.
    """
    lengths = {len(wing) for wing in (a, a2, b, b2)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"all four outcomes are needed in every row, but there are {sorted(lengths)} of them")
    wide = [wing.astype(np.int64) for wing in (a, a2, b, b2)]
    each = wide[0] * (wide[2] + wide[3]) + wide[1] * (wide[2] - wide[3])
    s = float(each.mean())
    if any((np.abs(wing) != 1).any() for wing in wide) or abs(s) > CLASSICAL:
        raise AssertionError("a row of the CHSH protocol gave neither +2 nor -2: its outcomes are no signs")
    n = len(a)
    e = tuple(float(np.mean(x * y)) for x in wide[:2] for y in wide[2:])
    return Chsh(s, math.sqrt(max(0.0, 4 - s * s) / n), (e[0], e[1], e[2], e[3]), n, 1.0)


# --- three honest-looking mistakes, each of which lets S exceed 2 -------------------------------------------------


def disjoint_chsh(a: Signs, a2: Signs, b: Signs, b2: Signs) -> Chsh:
    """The mistake of four correlations on four disjoint quarters of the rows: S scatters about its mean by ``sqrt(sum Var)``.

    With 100 rows a quarter and |E| = 1/2, half of all such S exceed a true value of 2 by chance alone.
    """
    quarter = len(a) // 4
    if quarter == 0:
        raise ValueError(f"four disjoint parts need at least 4 rows, but there are {len(a)}")
    pairs = ((a, b), (a, b2), (a2, b), (a2, b2))
    e = [
        float(np.mean(x[i * quarter : (i + 1) * quarter].astype(np.int64) * y[i * quarter : (i + 1) * quarter]))
        for i, (x, y) in enumerate(pairs)
    ]
    error = math.sqrt(sum((1 - value * value) / quarter for value in e))
    return Chsh(e[0] + e[1] + e[2] - e[3], error, (e[0], e[1], e[2], e[3]), 4 * quarter, 1.0)


def post_selected_chsh(values: tuple[Array, Array, Array, Array], least: float) -> Chsh:
    """The mistake of keeping "confident" rows alone: each correlation from the rows where both readings reach ``least``.

    ``values`` are the readings A, A', B, B' before their signs are taken. S may reach 4; what it is worth shows the
    ``efficiency``, the smallest share that one wing's partner keeps (:func:`loophole_bound`). NaN where nothing is left.
    """
    kept = [np.abs(np.asarray(value)) >= least for value in values]
    wings = [signs(value).astype(np.int64) for value in values]
    e, conditional, used = [], [], []
    for i in (0, 1):
        for j in (2, 3):
            both = kept[i] & kept[j]
            used.append(int(both.sum()))
            e.append(float(np.mean((wings[i] * wings[j])[both])) if both.any() else math.nan)
            conditional += [both.sum() / max(1, kept[i].sum()), both.sum() / max(1, kept[j].sum())]
    error = math.sqrt(sum((1 - value * value) / max(1, n) for value, n in zip(e, used, strict=True)))
    return Chsh(e[0] + e[1] + e[2] - e[3], error, (e[0], e[1], e[2], e[3]), min(used), float(min(conditional)))


def kept_as_zero(values: tuple[Array, Array, Array, Array], least: float) -> float:
    """The same rows with an outcome of 0 instead of being dropped: never above 2."""
    a, a2, b, b2 = (np.where(np.abs(value) >= least, signs(value), 0).astype(np.int64) for value in values)
    return float(np.mean(a * (b + b2) + a2 * (b - b2)))


def loophole_bound(efficiency: float) -> float:
    """Largest S that local outcomes can show when this share of the partner's rows is kept: ``4 / efficiency - 2``, at most 4."""
    return min(4.0, 4 / efficiency - 2) if efficiency > 0 else 4.0


def algebraic_score(x: ArrayLike, x2: ArrayLike, y: ArrayLike, y2: ArrayLike) -> float:
    """``x.y + x.y' + x'.y - x'.y'`` of unit vectors: at most 2 sqrt 2. Cosines are no averages of local outcomes: not Bell's S."""
    vectors = [np.asarray(v, np.float64) / np.linalg.norm(v) for v in (x, x2, y, y2)]
    return float(vectors[0] @ (vectors[2] + vectors[3]) + vectors[1] @ (vectors[2] - vectors[3]))


def largest_algebraic_score(first: Array, second: Array) -> float:
    """The largest sum of four Pearson correlations over all linear readouts of two sets of features ``[N, D]``, ``[N, E]``.

    ``2 sqrt(rho1^2 + rho2^2)`` of the two largest canonical correlations; R. Horodecki, P. Horodecki, M. Horodecki (1995),
    "Violating Bell inequality by mixed spin-1/2 states", has the same form for two qubits.
    """
    bases = []
    for features in (first, second):
        centred = np.asarray(features, np.float64) - np.mean(features, axis=0)
        u, s, _ = np.linalg.svd(centred, full_matrices=False)
        bases.append(u[:, s > s.max(initial=0.0) * 1e-10])
    rho = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    rho = np.concatenate([np.clip(rho, 0, 1), [0.0, 0.0]])
    return float(2 * math.hypot(rho[0], rho[1]))


# --- the name -----------------------------------------------------------------------------------------------------


def concurrence(theta: ArrayLike) -> Array:
    """``sin theta``: of the two-qubit state ``(|0>a + |1>b) / sqrt 2`` that a pair of unit vectors spells, in [0, 1].

    Pairs with C = +-1, which the paper calls entangled, have none; orthogonal pairs have the most.
    """
    value: Array = np.sin(np.asarray(theta, np.float64))
    return value


def schmidt_entropy(theta: ArrayLike) -> Array:
    """Entanglement entropy of that state in bits, from the Schmidt weights ``(1 +- C) / 2``."""
    c = np.cos(np.asarray(theta, np.float64))
    total = np.zeros_like(c)
    for p in ((1 + c) / 2, (1 - c) / 2):
        total = total - np.where(p > 0, p * np.log2(np.where(p > 0, p, 1.0)), 0.0)
    return np.asarray(total, np.float64)


def quantum_chsh(theta: ArrayLike) -> Array:
    """The most that this state would give in a quantum experiment: ``2 sqrt(1 + sin^2 theta)``."""
    value: Array = 2 * np.sqrt(1 + np.sin(np.asarray(theta, np.float64)) ** 2)
    return value
