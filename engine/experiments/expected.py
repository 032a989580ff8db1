"""What theory expects of pairs of inputs at the last hidden layer of a network that has learnt nothing, where it knows.

Deep linear networks: exact at any width (:mod:`engine.geometry.nulls.gaussian_chain`). Plain and residual networks: in the
limit of infinite width. Others: nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from engine.experiments.null_band import rapidity
from engine.geometry import readings
from engine.geometry.nulls import wide
from engine.geometry.nulls.gaussian_chain import gap, gap_variance, gaussian_chain
from engine.models.initial import scales
from engine.specs import LinearSpec, MlpSpec, ModelSpec, ResidualSpec

Array = NDArray[np.float64]

RESOLVED = 14.0
"""Rapidity up to which a correlation in float64 tells it."""
MOST_WORK = 1e8  # layers of the exact chain, times the square of its grid's points: about a second
STARTS = 8  # starts of the chain to each unit of rapidity, at least 13; between them it is interpolated


@dataclass(frozen=True)
class Expected:
    """Means over the pairs; NaN where theory does not say."""

    change: float = math.nan
    """Of ln gamma, from the input to the last hidden layer."""
    ln_gamma: float = math.nan
    rapidity: float = math.nan


def expected(spec: ModelSpec, inputs: Array, eta: Array) -> Generator[None, None, Expected]:
    """For pairs of ``inputs`` ``[P, D]`` as the first linear map sees them, of rapidities ``eta`` ``[P (P - 1) / 2]``.

    Pairs that are dead or saturated at the input are left out.
    """
    alive = np.isfinite(eta)
    if not alive.any():
        return Expected()
    start = readings.ln_gamma(eta[alive])
    if isinstance(spec, LinearSpec):
        if scales(spec)[1] > 0:
            return Expected()  # biases of nonzero scale: pairs are drawn to the bias as well
        change = spec.depth * float(gap(spec.width)) if spec.depth else 0.0
        if not math.isfinite(change):
            return Expected()
        yield
        found = _chained(eta[alive], spec.width, spec.depth)
        return Expected(change, float(start.mean()) + change, found)
    if not isinstance(spec, MlpSpec | ResidualSpec) or (isinstance(spec, MlpSpec) and spec.batch_norm and spec.depth):
        return Expected()
    if isinstance(spec, MlpSpec) and not spec.depth:
        return Expected(0.0, float(start.mean()), float(eta[alive].mean()))
    after = (yield from _wide(spec, inputs))[alive]
    if not (np.abs(after) < RESOLVED).all():  # saturated, or beyond what a correlation can tell
        return Expected()
    ln_gamma = readings.ln_gamma(after)
    return Expected(float((ln_gamma - start).mean()), float(ln_gamma.mean()), float(after.mean()))


def proper_depth(spec: ModelSpec) -> float:
    """``sum 1 / (n_l - 3/2)`` over the hidden layers of a deep linear network, of which alone its rapidity is a function.

    NaN for other networks, and for a width below 2. The error is of order 1/n^2.
    """
    if not isinstance(spec, LinearSpec) or spec.width < 2:
        return math.nan
    return spec.depth / (spec.width - 1.5)


def _chained(eta: Array, width: int, depth: int) -> float:
    """Mean of E eta over starts ``eta`` after so many layers: odd in the start, so that half of the line is computed.

    The starts are the same for all pairs up to a whole number, so that networks of one shape share them. NaN where it would take long.
    """
    if not depth:
        return float(eta.mean())
    top = max(1, math.ceil(float(np.abs(eta).max())))
    reach = top + depth * float(gap(width)) + 9 * math.sqrt(depth * float(gap_variance(width))) + 36 / (width - 1)
    points = 2 * reach / min(0.15, 0.42 / math.sqrt(width))
    if depth * points**2 > MOST_WORK:
        return math.nan
    starts = np.linspace(0, top, max(13, STARTS * top + 1))
    ends = gaussian_chain(starts, [width] * depth).rapidity[:, -1]
    if not np.isfinite(ends).all():
        return math.nan
    both = np.concatenate([-starts[:0:-1], starts]), np.concatenate([-ends[:0:-1], ends])
    return float(CubicSpline(*both)(eta).mean())


def _wide(spec: MlpSpec | ResidualSpec, inputs: Array) -> Generator[None, None, Array]:
    """Rapidities of all pairs at the last hidden layer in the limit of infinite width."""
    sigma_w, sigma_b = scales(spec)
    gram = inputs @ inputs.T / inputs.shape[1]
    if isinstance(spec, ResidualSpec):
        kernels = wide.residual(gram, spec.activation, sigma_w, sigma_b, spec.depth, spec.alpha2)
        last = 2 * spec.depth
    else:
        kernels = wide.layers(gram, spec.activation, sigma_w, sigma_b, spec.depth)
        last = 2 * spec.depth - 1
    number = -1
    for kernel in kernels:
        if kernel is not None:
            number += 1
            if number == last:
                return rapidity(kernel, np.diagonal(kernel))
        yield
    raise AssertionError("a network has a last hidden layer")
