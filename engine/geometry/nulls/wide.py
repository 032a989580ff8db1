"""Gram matrices of whole sets of inputs in a network of infinite width at initialisation, layer by layer.

In that limit the features' inner products, divided by their number, are those of a Gaussian process: they give the raw and,
with the mean of reference samples taken away, the centred correlation of every pair, exactly.

Sources: Y. Cho, L. Saul (2009), "Kernel methods for deep learning" (ReLU); C. K. I. Williams (1997), "Computing with infinite
networks" (erf); F. G. Mehler (1866), for the expansion in Hermite polynomials that serves tanh and GELU.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.geometry.nulls.mean_field import ACTIVATIONS

Array = NDArray[np.float64]

TERMS = 120  # of the Hermite series; what is left of it is put into the last
NODES, REACH = 400, 12.0
AT_ONCE = 40_000  # pairs between two breaths
CLOSED = ("relu", "leaky_relu", "erf")  # activations whose kernel has a closed form
ROUNDING = 1e-8  # coefficients below this count by their square: they go with what is left of the series


def layers(
    gram: Array, activation: str, sigma_w: float, sigma_b: float, depth: int, slope: float = 0.01
) -> Generator[Array | None, None, None]:
    """Gram matrices ``[N, N]`` before and after each activation, 2 ``depth`` + 1 of them: the last are the logits'.

    In between, None: a pause for breath.

    ``gram`` is that of the inputs, inner products divided by their length. ``activation`` is a name in the model's settings
    or "linear"; then there is nothing after the maps, and ``depth`` + 1 matrices come.
    """
    for layer in range(depth + 1):
        gram = sigma_w**2 * gram + sigma_b**2
        yield gram
        if layer < depth and activation != "linear":
            gram = yield from _in_parts(activation, gram, slope)
            yield gram


def residual(
    gram: Array, activation: str, sigma_w: float, sigma_b: float, depth: int, alpha2: float, slope: float = 0.01
) -> Generator[Array | None, None, None]:
    """Gram matrices of a linear map, then of each block ``x + alpha (W phi(x) + b)`` its map and its sum, then the logits'.

    2 ``depth`` + 2 of them, and None in between: a pause for breath. ``alpha2`` is alpha squared. The sum is exact since the
    map's weights are independent of x: the inner products of both parts add up.

    Source: G. Yang, S. Schoenholz (2017), "Mean field residual networks: on the edge of chaos".
    """
    gram = sigma_w**2 * gram + sigma_b**2
    yield gram
    for _ in range(depth):
        branch = sigma_w**2 * (yield from _in_parts(activation, gram, slope)) + sigma_b**2
        yield branch
        gram = gram + alpha2 * branch
        yield gram
    yield sigma_w**2 * gram + sigma_b**2


def dual(activation: str, gram: Array, slope: float = 0.01) -> Array:
    """E phi(u) phi(v) for every pair of normal u, v with this covariance matrix ``[N, N]``."""
    return _rows(activation, gram, slope, slice(None), _coefficients_of(activation, gram))


def _in_parts(activation: str, gram: Array, slope: float) -> Generator[None, None, Array]:
    """:func:`dual`, with breaths."""
    known, parts = _coefficients_of(activation, gram), []
    yield None
    step = max(1, AT_ONCE // len(gram))
    for start in range(0, len(gram), step):
        parts.append(_rows(activation, gram, slope, slice(start, start + step), known))
        yield None
    return np.concatenate(parts)


def _rows(activation: str, gram: Array, slope: float, rows: slice, known: Coefficients | None) -> Array:
    """Some rows of :func:`dual`."""
    q = np.diagonal(gram)
    gram, own = gram[rows], q[rows]
    scale = np.sqrt(np.outer(own, q))
    c = np.divide(gram, scale, out=np.zeros_like(gram), where=scale > 0)  # a zero input has no direction
    c = np.clip(c, -1, 1)
    match activation:
        case "relu":
            return _half_linear(c, scale, 0.0)
        case "leaky_relu":
            return _half_linear(c, scale, slope)
        case "erf":
            value: Array = 2 / math.pi * np.arcsin(2 * gram / np.sqrt(np.outer(1 + 2 * own, 1 + 2 * q)))
            return value
    assert known is not None
    return _by_series(known, c, rows)


def _half_linear(c: Array, scale: Array, slope: float) -> Array:
    """Arc-cosine kernel of degree 1, mixed with the identity."""
    theta = np.arccos(c)
    bent = (np.sqrt(np.maximum(1 - c * c, 0)) + (math.pi - theta) * c) / (2 * math.pi)  # E relu(u) relu(v) at q = 1
    value: Array = scale * ((1 - slope) ** 2 * bent + slope * c)
    return value


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Of z -> phi(sqrt(q) z) in Hermite polynomials, for N values of q."""

    a: Array
    """``[TERMS, N]``"""
    even: Array
    """What they leave of the even part of phi: the root of its share of E phi^2, ``[N]``."""
    odd: Array
    """The same of the odd part."""


def _by_series(known: Coefficients, c: Array, rows: slice) -> Array:
    """sum_k a_k(q_i) a_k(q_j) c^k by Horner's scheme, without the terms that symmetry leaves out."""
    a = known.a
    total = np.outer(known.even[rows], known.even) + c * np.outer(known.odd[rows], known.odd)
    at, square = TERMS, c * c  # TERMS is even
    for k in _present(a)[::-1].tolist():
        for _ in range((at - k) // 2):
            total *= square
        if (at - k) % 2:
            total *= c
        total += a[k, rows, None] * a[k]
        at = k
    for _ in range(at):
        total *= c
    return total


def _present(a: Array) -> NDArray[np.int64]:
    """Which terms there are: an odd activation has no even ones, and GELU no odd ones but the first."""
    return np.flatnonzero(a.any(1))


def _coefficients_of(activation: str, gram: Array) -> Coefficients | None:
    """None for an activation with a closed form."""
    return None if activation in CLOSED else _coefficients(activation, np.diagonal(gram))


def _coefficients(name: str, q: Array) -> Coefficients:
    phi = ACTIVATIONS[name].value
    z, weight, weighted = _basis()
    root = np.sqrt(q)[:, None] * z
    there, mirrored = phi(root), phi(-root)
    a, left, largest = np.empty((TERMS, len(q))), [], 0.0
    for first, part in ((0, (there + mirrored) / 2), (1, (there - mirrored) / 2)):
        found = weighted[first::2] @ part.T
        largest = max(largest, float(np.abs(found).max(initial=0.0)))
        a[first::2] = np.where(np.abs(found) > ROUNDING * largest, found, 0.0)
        left.append(np.sqrt(np.maximum((part * part) @ weight - (a[first::2] ** 2).sum(0), 0)))
    return Coefficients(a, *left)


@cache
def _basis() -> tuple[Array, Array, Array]:
    """Nodes above 0 ``[NODES / 2]``, their weights with those of their mirror images, and the Hermite polynomials there so
    weighted ``[TERMS, NODES / 2]``: each is even or odd, as the part of phi that it is to meet."""
    z = np.linspace(-REACH, REACH, NODES)
    weight = 2 * (z[1] - z[0]) * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    z, weight = z[NODES // 2 :], weight[NODES // 2 :]
    return z, weight, _hermite(TERMS, z) * weight


def _hermite(terms: int, z: Array) -> Array:
    """Orthonormal Hermite polynomials ``[terms, len(z)]`` by their stable recurrence."""
    basis = np.empty((terms, len(z)))
    basis[0] = 1
    basis[1] = z
    for k in range(1, terms - 1):
        basis[k + 1] = (z * basis[k] - math.sqrt(k) * basis[k - 1]) / math.sqrt(k + 1)
    return basis


def centred(gram: Array, reference: NDArray[np.int64]) -> Array:
    """The Gram matrix with the mean of the ``reference`` rows' features taken away from all."""
    mean = gram[:, reference].mean(1)
    value: Array = gram - mean[:, None] - mean[None] + mean[reference].mean()
    return value
