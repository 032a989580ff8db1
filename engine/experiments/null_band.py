"""The band about theory's null in the limit of width: where networks of the width at hand fall, to leading order in 1/width."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.geometry import readings
from engine.geometry.nulls import scatter, wide

Array = NDArray[np.float64]

# on how many probe samples scatter is found, and by how many of the reference these are centred there. Half as many show a
# fifth more scatter in pairs of one class; all 512 of the reference would show up to a third less in deep pairs of different classes
INPUTS, REFERENCE = 80, 64
DRAWS = 64  # the band's width is good to a tenth
STEP = 1e-4  # of rapidity, in the derivatives of what is read off it
MOST_LAYERS = 12
ALIKE = 1 - 1e-6  # correlation of inputs from which on a pair counts as one sample twice
LEFT = 1e-8  # of a squared length must remain after centring


@dataclass(frozen=True, eq=False)
class Band:
    """About the wide limit, before and after each activation: ``[views, Q, groups, 2 depth]``, NaN beyond ``layers``."""

    shift: Array
    """How far the mean over networks is off."""
    low: Array
    """Lower end of where 95% of networks fall."""
    high: Array
    """Upper end."""
    layers: int


def band(
    gram: Array,
    probe: int,
    groups: NDArray[np.int64],
    n_groups: int,
    activation: str,
    scales: tuple[float, float],
    depth: int,
    width: int,
    seed: int,
) -> Generator[None, None, Band]:
    """For the means of groups of pairs among the first ``probe`` rows of ``gram`` ``[N, N]``, centred by the others, and not.

    Only of layers where leading order holds: the others, and all beyond the twelfth, have none.
    """
    layers = min(depth, MOST_LAYERS, int(scatter.RELATIVE * width))
    count = min(probe, INPUTS)
    reference = np.arange(probe, min(len(gram), probe + REFERENCE))
    some = np.concatenate([np.arange(count), reference])
    i, j = np.triu_indices(probe, 1)
    members = groups[(i < count) & (j < count)]
    thin = gram[np.ix_(some, some)]
    size = np.sqrt(np.outer(np.diagonal(thin), np.diagonal(thin)))[:count, :count]
    apart = (np.abs(thin[:count, :count]) < ALIKE * size)[np.triu_indices(count, 1)]
    chosen = np.stack([(members == group) & apart for group in range(n_groups)]).astype(np.float64)
    shape = 2, len(readings.QUANTITIES), n_groups

    def read(now: Array) -> Array:
        """Rapidity of every pair, in both views."""
        sizes = np.diagonal(now)[:count]
        views = wide.centred(now, np.arange(count, len(now))), now
        return np.stack([rapidity(seen[:count, :count], sizes) for seen in views])

    def weigh(eta: Array) -> scatter.Weights:
        """How the means of every quantity of every group depend on it; a pair without one is left out."""
        there = chosen * np.isfinite(eta)[:, None]  # [views, groups, pairs]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = there / there.sum(-1, keepdims=True)
        at = np.where(np.isfinite(eta), eta, 0.0)
        below, here, above = (readings.quantities(at + step) for step in (-STEP, 0.0, STEP))  # [Q, views, pairs]
        parts = (above - below) / (2 * STEP), (above - 2 * here + below) / STEP**2
        first, second = (np.einsum("qvp,vgp->vqgp", part, share).reshape(2, -1, share.shape[-1]) for part in parts)
        return scatter.Weights(first, second)

    blank = np.full((*shape, 2 * depth), np.nan)
    if not layers:
        return Band(blank, blank, blank, 0)
    of = scatter.Wide(thin, activation, *scales, layers)
    found = yield from scatter.scatter(of, read, DRAWS, np.random.default_rng(seed), weigh)

    def everywhere(part: Array) -> Array:
        full = blank.copy()
        full[..., : 2 * layers] = part.T.reshape(*shape, 2 * layers)
        return full

    shift, low, high = map(everywhere, found.band(width))
    return Band(shift, low, high, layers)


def rapidity(gram: Array, sizes: Array) -> Array:
    """Of all pairs ``[P (P - 1) / 2]`` from inner products ``[P, P]``; NaN for a dead one.

    NaN too where centring has left so little of the squared ``sizes`` ``[P]`` that its digits are rounding.
    """
    i, j = _pairs(len(gram))
    own = np.sqrt(np.maximum(np.diagonal(gram), 0))
    own = np.where(own**2 > LEFT * sizes, own, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        eta: Array = np.arctanh(np.clip(gram[i, j] / (own[i] * own[j]), -1, 1))
    return eta


@lru_cache(maxsize=4)
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both members of every pair, in triu order."""
    i, j = np.triu_indices(count, 1)
    return i, j
