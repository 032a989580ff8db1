"""The MaxLikelihood network: linear layers whose rows are the random ones most likely to make all training samples collide.

OUR RECONSTRUCTION. The papers that claim zero loss on noise (Y. Lai, X. Dong, Z. Jin, arXiv 2309.15669, v5 to v7) are known from
their abstracts alone; nothing here claims to be the authors' algorithm. Of N Gaussian rows each layer keeps the n most likely
ones (:mod:`engine.reconcile.likelihood`), turned to their better sign; the samples pass through, are scaled to length 1, and the
next layer is chosen. The whole is one linear map.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.reconcile.likelihood import Likelihood

Array = NDArray[np.float64]

_NANOSECONDS = 15e6  # of work between two breaths, roughly
_COPIED = 2**21  # numbers copied between two breaths
_LEAST = 4 * 2.0**-52  # deviations of a unit vector below this are rounding


def most_likely(
    x: Array,
    y: Array,
    *,
    candidates: int,
    rows: int,
    likelihood: Likelihood,
    rng: np.random.Generator,
    block: int = 0,
) -> Generator[None, None, Array]:
    """One layer ``[rows, d]`` float64 for unit samples ``x`` ``[m, d]`` with signs ``y`` ``[m]``: ``W = yield from most_likely(..)``.

    The candidates are drawn a block at a time and only the best are kept, so memory goes with ``rows``, not ``candidates``. ``block``
    (0: some 20 ms of work) changes no number: the generator gives one stream, and of equal scores the first drawn is kept. The
    rows are in the order in which they were drawn. Raises ValueError for more rows than candidates.
    """
    if rows > candidates:
        raise ValueError(f"{rows:,} rows cannot be kept of {candidates:,} candidates")
    m, d = x.shape
    size = block or max(1, int(_NANOSECONDS / (12 * d + 0.4 * d * m + 60 * m)))
    signed = x.T if (y == 1).all() else (y[:, None] * x).T
    kept = np.empty((rows, d))
    scores = np.full(rows, -np.inf)
    drawn = np.arange(candidates, candidates + rows)  # slots still empty give way first
    for start in range(0, candidates, size):
        new = rng.standard_normal((min(size, candidates - start), d))
        score, sign = likelihood.scores(new @ signed)
        better = np.flatnonzero(score >= scores.min())  # a likelihood of 0 still fills an empty slot
        ranks = np.lexsort((np.concatenate([drawn, start + better]), -np.concatenate([scores, score[better]])))
        stay = np.zeros(rows + len(better), dtype=bool)
        stay[ranks[:rows]] = True
        free, come = np.flatnonzero(~stay[:rows]), better[stay[rows:]]
        kept[free], scores[free], drawn[free] = new[come] * sign[come, None], score[come], start + come
        yield None
    order, ordered = np.argsort(drawn), np.empty_like(kept)
    for start in range(0, rows, step := max(1, _COPIED // d)):
        part = order[start : start + step]
        ordered[start : start + step] = kept[part]
        yield None
    return ordered


@dataclass(frozen=True, eq=False)
class Flow:
    """Samples on their way through linear maps, relative to the shared point: the image of one direction, the axis.

    Sample i is ``along_i axis + e^log_scale across_i``, of length 1, with ``across_i`` orthogonal to the axis. The two parts are
    carried separately, so that ``tan phi = |across| / |along|`` keeps its relative precision at any depth: float64 vectors of the
    samples themselves end at angles of 1e-16.
    """

    axis: Array
    """``[d]``, of length 1."""
    along: Array
    """``[k]``, the cosine C with the axis."""
    across: Array
    """``[k, d]``, in units of ``e^log_scale``."""
    log_scale: float = 0.0

    @property
    def x(self) -> Array:
        """The samples as float64 vectors of length 1 hold them ``[k, d]``."""
        return np.asarray(self.along[:, None] * self.axis + np.exp(self.log_scale) * self.across)

    @property
    def log_tan(self) -> Array:
        """``ln tan phi`` of the angle to the axis, folded to [0, pi/2] ``[k]``; -inf for a sample on it."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.linalg.norm(self.across, axis=1)) + self.log_scale - np.log(np.abs(self.along)))

    @property
    def phi(self) -> Array:
        """Angle to the shared point, in [0, pi] ``[k]``, accurate near 0; near pi its complement is what is accurate."""
        return np.asarray(np.arctan2(np.exp(self.log_scale) * np.linalg.norm(self.across, axis=1), self.along))

    @property
    def loss(self) -> Array:
        """``(1 - C) / 2 = sin^2(phi / 2)`` ``[k]``, accurate below 1e-16."""
        return np.asarray(np.sin(self.phi / 2) ** 2)

    @property
    def blind_loss(self) -> Array:
        """``(1 - |C|) / 2`` ``[k]``: blind to the sign, so that the antipode counts as the shared point."""
        folded = np.arctan2(np.exp(self.log_scale) * np.linalg.norm(self.across, axis=1), np.abs(self.along))
        return np.asarray(np.sin(folded / 2) ** 2)

    def through(self, weight: Array) -> Flow:
        """After a linear map ``[n, d]``, scaled to length 1 again."""
        axis = weight @ self.axis
        grown = float(np.linalg.norm(axis))
        axis = axis / grown
        moved = self.across @ weight.T
        shifted = moved @ axis
        moved -= shifted[:, None] * axis
        moved -= (moved @ axis)[:, None] * axis  # once more: what is left of the first subtraction
        scale = np.exp(self.log_scale)
        along = grown * self.along + scale * shifted
        length = np.hypot(along, scale * np.linalg.norm(moved, axis=1))
        moved /= length[:, None]
        largest = float(np.abs(moved).max(initial=0.0))
        if not largest > 0:
            return Flow(axis, along / length, moved, self.log_scale)
        return Flow(axis, along / length, moved / largest, self.log_scale + float(np.log(largest)))


def shared_axis(x: Array, y: Array) -> Array | None:
    """Direction of ``sum_i y_i x_i`` of unit samples ``[m, d]``, the shared point at the input; None where they cancel."""
    total = (y[:, None] * x).sum(0)
    length = float(np.linalg.norm(total))
    return total / length if length > 1e-12 * len(x) else None


def flow_from(x: Array, axis: Array) -> Flow:
    """Unit samples ``x`` ``[k, d]`` before any layer. A deviation from the axis that is only rounding counts as none."""
    along = x @ axis
    across = x - along[:, None] * axis
    across -= (across @ axis)[:, None] * axis
    across[np.linalg.norm(across, axis=1) < _LEAST] = 0.0
    return Flow(axis, along, across)
