"""How far networks of finite width are from the infinite ones: E C = C_inf + b / n and Var C = v / n, to leading order.

The Gram matrix K = (q1, q2, q12) of a pair's pre-activations is carried from layer to layer with its mean shift m / n and its
covariance S / n. That of the activations, a mean over n units, has shift J m + H : S / 2 and covariance J S J^T + Omega, where
F(K) = E (phi(u)^2, phi(v)^2, phi(u) phi(v)) has Jacobian J and Hessians H, and Omega is the covariance of those three; the
delta method gives C. It holds while b / n is small: for n >= 256 and some five layers.

Sources: S. Yaida (2020), "Non-Gaussian processes and neural networks at finite widths", for the expansion; R. Price (1958),
"A useful theorem for nonlinear devices having Gaussian inputs", for the derivatives of Gaussian averages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from engine.geometry.nulls.mean_field import ACTIVATIONS

Array = NDArray[np.float64]

RADII, ANGLES, REACH = 90, 40, 10.0  # nodes along the radius and in each sector between the kinks of phi(u) and phi(v)
_DIRECTIONS = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 1], [1, 0]]], np.float64)  # of K with q1, q2, q12


@dataclass(frozen=True)
class Correction:
    """One layer: ``E C = C + bias / n`` and ``Var C = variance / n`` for the activations' correlation in width n."""

    C: float
    bias: float
    variance: float


def elementwise(name: str, slope: float = 0.01) -> Callable[[Array], Array]:
    """An activation by its name in the model's settings, or "linear"; ``slope`` is the leaky ReLU's below 0."""
    match name:
        case "linear":
            return lambda z: z
        case "relu":
            return lambda z: np.maximum(z, 0)
        case "leaky_relu":
            return lambda z: np.where(z > 0, z, slope * z)
    return ACTIVATIONS[name].value


def corrections(
    name: str, sigma_w: float, sigma_b: float, depth: int, gram: Sequence[float] = (1.0, 1.0, 0.0)
) -> list[Correction]:
    """The corrections in ``depth`` layers, given the first pre-activations' exact ``gram`` = (q1, q2, q12).

    Raises ValueError for a pair that is exactly parallel, where the expansion has nothing to add.
    """
    phi = elementwise(name)
    k = np.array(gram, np.float64)
    shift, spread = np.zeros(3), np.zeros((3, 3))
    found = []
    for _ in range(depth):
        if k[2] ** 2 >= k[0] * k[1] * (1 - 1e-12):
            raise ValueError("a parallel pair has no correction")
        mean, jacobian, hessians, omega = _averages(phi, k)
        shift = jacobian @ shift + np.einsum("fij,ij->f", hessians, spread) / 2
        spread = jacobian @ spread @ jacobian.T + omega
        found.append(_correlation(mean, shift, spread))
        k = sigma_w**2 * mean + sigma_b**2
        shift, spread = sigma_w**2 * shift, sigma_w**4 * spread
    return found


def _averages(phi: Callable[[Array], Array], k: Array) -> tuple[Array, Array, Array, Array]:
    """F ``[3]``, its Jacobian ``[3, 3]``, its Hessians ``[3, 3, 3]`` and Omega ``[3, 3]`` at (q1, q2, q12)."""
    root = np.linalg.cholesky(np.array([[k[0], k[2]], [k[2], k[1]]]))
    w, weight = _plane(k[2] / math.sqrt(k[0] * k[1]))
    one, two = phi(root[0, 0] * w[0]), phi(root[1, 0] * w[0] + root[1, 1] * w[1])
    values = np.stack([one * one, two * two, one * two])
    mean = values @ weight
    inverse = np.linalg.inv(root)
    a = inverse @ _DIRECTIONS @ inverse.T
    form = np.einsum("in,dij,jn->dn", w, a, w)
    trace = np.trace(a, axis1=1, axis2=2)
    jacobian = values @ (weight * (form - trace[:, None]) / 2).T
    hessians = np.empty((3, 3, 3))
    for d in range(3):
        for e in range(3):
            mixed = np.einsum("in,ij,jn->n", w, a[d] @ a[e], w)
            hermite = (form[d] - trace[d]) * (form[e] - trace[e]) - 4 * mixed + 2 * np.trace(a[d] @ a[e])
            hessians[:, d, e] = values @ (weight * hermite) / 4
    omega = (values * weight) @ values.T - np.outer(mean, mean)
    return mean, jacobian, hessians, omega


def _correlation(mean: Array, shift: Array, spread: Array) -> Correction:
    """The delta method for C = p12 / sqrt(p1 p2)."""
    one, two, _ = mean
    c = mean[2] / math.sqrt(one * two)
    unit = 1 / math.sqrt(one * two)
    gradient = np.array([-c / (2 * one), -c / (2 * two), unit])
    hessian = np.array(
        [
            [3 * c / (4 * one**2), c / (4 * one * two), -unit / (2 * one)],
            [c / (4 * one * two), 3 * c / (4 * two**2), -unit / (2 * two)],
            [-unit / (2 * one), -unit / (2 * two), 0.0],
        ]
    )
    bias = gradient @ shift + (hessian * spread).sum() / 2
    return Correction(float(c), float(bias), float(gradient @ spread @ gradient))


def _plane(c: float) -> tuple[Array, Array]:
    """Nodes ``[2, M]`` and weights of the standard normal plane, in sectors on whose edges phi(u) or phi(v) may have a kink."""
    theta = math.acos(min(1.0, max(-1.0, c)))
    edges = np.sort(np.mod([math.pi / 2, 3 * math.pi / 2, theta + math.pi / 2, theta + 3 * math.pi / 2], 2 * math.pi))
    edges = np.append(edges, edges[0] + 2 * math.pi)
    x, wx = leggauss(ANGLES)
    angle = np.concatenate([(a + b) / 2 + (b - a) / 2 * x for a, b in pairwise(edges)])
    w_angle = np.concatenate([(b - a) / 2 * wx for a, b in pairwise(edges)])
    x, wx = leggauss(RADII)
    r = REACH * (x + 1) / 2
    w_r = REACH / 2 * wx * r * np.exp(-r * r / 2) / (2 * math.pi)
    nodes = np.stack([np.outer(r, np.cos(angle)).ravel(), np.outer(r, np.sin(angle)).ravel()])
    return nodes, np.outer(w_r, w_angle).ravel()
