"""Gram matrices of whole sets of inputs in a network of infinite width at initialisation, layer by layer.

In that limit the features' inner products, divided by their number, are those of a Gaussian process: they give the raw and,
with the mean of reference samples taken away, the centred correlation of every pair, exactly.

Sources: Y. Cho, L. Saul (2009), "Kernel methods for deep learning" (ReLU); C. K. I. Williams (1997), "Computing with infinite
networks" (erf); F. G. Mehler (1866), for the expansion in Hermite polynomials that serves tanh and GELU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.geometry.nulls.mean_field import ACTIVATIONS

Array = NDArray[np.float64]

TERMS = 120  # of the Hermite series; what is left of it is put into the last
NODES, REACH = 400, 12.0
AT_ONCE = 40_000  # pairs between two breaths


def layers(
    gram: Array, activation: str, sigma_w: float, sigma_b: float, depth: int, slope: float = 0.01
) -> Iterator[Array | None]:
    """Gram matrices ``[N, N]`` before and after each activation, 2 ``depth`` + 1 of them: the last are the logits'.

    In between, None: a pause for breath.

    ``gram`` is that of the inputs, inner products divided by their length. ``activation`` is a name in the model's settings
    or "linear"; then there is nothing after the maps, and ``depth`` + 1 matrices come.
    """
    for layer in range(depth + 1):
        gram = sigma_w**2 * gram + sigma_b**2
        yield gram
        if layer < depth and activation != "linear":
            parts = []
            for rows in np.array_split(np.arange(len(gram)), 1 + len(gram) ** 2 // AT_ONCE):
                parts.append(dual(activation, gram, slope, rows))
                yield None
            gram = np.concatenate(parts)
            yield gram


def residual(
    gram: Array, activation: str, sigma_w: float, sigma_b: float, depth: int, alpha2: float, slope: float = 0.01
) -> Iterator[Array | None]:
    """Gram matrices of a linear map, then of each block ``x + alpha (W phi(x) + b)`` its map and its sum, then the logits'.

    2 ``depth`` + 2 of them, and None in between: a pause for breath. ``alpha2`` is alpha squared. The sum is exact since the
    map's weights are independent of x: the inner products of both parts add up.

    Source: G. Yang, S. Schoenholz (2017), "Mean field residual networks: on the edge of chaos".
    """
    gram = sigma_w**2 * gram + sigma_b**2
    yield gram
    for _ in range(depth):
        parts = []
        for rows in np.array_split(np.arange(len(gram)), 1 + len(gram) ** 2 // AT_ONCE):
            parts.append(dual(activation, gram, slope, rows))
            yield None
        branch = sigma_w**2 * np.concatenate(parts) + sigma_b**2
        yield branch
        gram = gram + alpha2 * branch
        yield gram
    yield sigma_w**2 * gram + sigma_b**2


def dual(activation: str, gram: Array, slope: float = 0.01, rows: NDArray[np.int64] | None = None) -> Array:
    """E phi(u) phi(v) for every pair of normal u, v with this covariance matrix ``[N, N]``, or for some of its rows."""
    q = np.diagonal(gram)
    rows = np.arange(len(gram)) if rows is None else rows
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
    return _by_series(activation, c, q, rows)


def _half_linear(c: Array, scale: Array, slope: float) -> Array:
    """Arc-cosine kernel of degree 1, mixed with the identity."""
    theta = np.arccos(c)
    bent = (np.sqrt(np.maximum(1 - c * c, 0)) + (math.pi - theta) * c) / (2 * math.pi)  # E relu(u) relu(v) at q = 1
    value: Array = scale * ((1 - slope) ** 2 * bent + slope * c)
    return value


def _by_series(name: str, c: Array, q: Array, rows: NDArray[np.int64]) -> Array:
    """sum_k a_k(q_i) a_k(q_j) c^k with the Hermite coefficients of z -> phi(sqrt(q) z)."""
    a, even, odd = _coefficients(name, q)
    total = np.outer(even[rows], even) + c * np.outer(odd[rows], odd)  # TERMS is even
    for k in range(TERMS - 1, -1, -1):
        total = total * c + np.outer(a[k, rows], a[k])
    return total


def _coefficients(name: str, q: Array) -> tuple[Array, Array, Array]:
    """``a [TERMS, N]``, and the roots ``[N]`` of what they leave of the even and of the odd part of phi, E phi^2."""
    phi = ACTIVATIONS[name].value
    z, weight, weighted = _basis()
    values = phi(np.sqrt(q)[:, None] * z)
    a = weighted @ values.T
    left = [
        np.maximum((((values + sign * values[:, ::-1]) / 2) ** 2) @ weight - (a[first::2] ** 2).sum(0), 0)
        for first, sign in ((0, 1), (1, -1))
    ]
    return a, np.sqrt(left[0]), np.sqrt(left[1])


@cache
def _basis() -> tuple[Array, Array, Array]:
    """Nodes ``[NODES]``, their weights, and the weighted Hermite polynomials there ``[TERMS, NODES]``."""
    z = np.linspace(-REACH, REACH, NODES)
    weight = (z[1] - z[0]) * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
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
