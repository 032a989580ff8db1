"""The exact law of deep linear networks over width and depth, checked on networks drawn anew.

A pair that begins orthogonal has E ln gamma = sum of gap(n) over its layers, and E |eta| is a function of the proper depth
s = sum of 1 / (n - 3/2) alone, to order 1/n^2. The unit is the network: every cell has networks of its own, so that the
largest |z| of all cells has a known distribution.

Sources: C. M. Newman (1986), "The distribution of Lyapunov exponents: exact results for random matrices", for the gap; Z. Sidak
(1967), "Rectangular confidence regions for the means of multivariate normal distributions", for the largest of many z.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.stats import t as student

from engine.events import Record
from engine.geometry import readings
from engine.geometry.nulls.gaussian_chain import advancing_chain, gap
from engine.geometry.pairs import pair_geometry
from engine.seeds import derive, generator

Array = NDArray[np.float64]

WIDTHS = (8, 16, 32, 64)
TIMES = (0.5, 1, 2, 4)
"""Depths, as multiples of the width: the proper depth is then about the same in every width."""
NETWORKS = 160  # in each cell
AT_ONCE = 2**19  # weights drawn between two breaths


@dataclass(frozen=True)
class Cell:
    """Networks of one width and depth, beside the law; the pair begins with C = 0."""

    width: int
    depth: int
    networks: int
    proper_depth: float
    ln_gamma: float
    """Mean over the networks."""
    error: float
    """Its standard error."""
    law: float
    """E ln gamma: the sum of the gaps."""
    z: float
    size: float
    """Mean of |eta| over the networks."""
    size_error: float
    size_law: float
    """E |eta|, by the exact chain."""
    collapse: float
    """How far E |eta| is from that of the widest network at the same proper depth."""

    @property
    def size_z(self) -> float:
        return (self.size - self.size_law) / self.size_error

    def told(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"size_z": self.size_z}

    def record(self) -> Record:
        return Record("complexity_laws", self.told())


@dataclass(frozen=True)
class Largest:
    """The largest |z| of independent cells."""

    z: float
    p: float
    """Chance of one as large in any cell, were the law right in all."""
    critical: float
    """What the largest exceeds in 5% of cases."""
    cells: int

    def told(self) -> dict[str, Any]:
        return asdict(self)


def checked_law(
    seed: int, widths: Sequence[int] = WIDTHS, times: Sequence[float] = TIMES, networks: int = NETWORKS
) -> Generator[Cell | None, None, tuple[list[Cell], Largest]]:
    """Every width with every depth, one :class:`Cell` yielded after another; None is a pause for breath."""
    shapes = [(n, max(1, round(n * times_n))) for n in widths for times_n in times]
    widest, longest = max(widths), max(depth / (width - 1.5) for width, depth in shapes)
    laws = {}
    for n in widths:
        deepest = max(depth for width, depth in shapes if width == n)
        if n == widest:  # its curve is what all others are compared with
            deepest = max(deepest, math.ceil(longest * (n - 1.5)))
        law = yield from advancing_chain([0.0], [n] * deepest)
        laws[n] = law.size[0]
    curve = CubicSpline(np.arange(len(laws[widest])) / (widest - 1.5), laws[widest])
    found = []
    for width, depth in shapes:
        eta = yield from drawn(width, depth, networks, derive(seed, "linear law", f"{width} {depth}"))
        found.append(_cell(width, depth, eta, float(laws[width][depth]), curve))
        yield found[-1]
    return found, largest([cell.z for cell in found], networks)


def drawn(width: int, depth: int, networks: int, seed: int) -> Generator[None, None, Array]:
    """Rapidity ``[networks]`` of a pair that begins orthogonal, behind ``depth`` linear layers of ``width`` units.

    Weights are normal and float32, as the lab's networks have them; the pair is carried through them in float64.
    """
    rng = generator(seed, "weights")
    pair = torch.eye(width, 2, dtype=torch.float64).expand(networks, width, 2).clone()
    rows = max(1, AT_ONCE // width**2)
    for _ in range(depth):
        for start in range(0, networks, rows):
            part = pair[start : start + rows]
            weights = torch.empty(len(part), width, width).normal_(0.0, width**-0.5, generator=rng)
            part.copy_(weights.double() @ part)
            yield
    return pair_geometry(pair[..., 0], pair[..., 1]).eta.numpy()


def largest(z: Sequence[float], networks: int) -> Largest:
    """Of independent cells with Student's distribution each."""
    degrees, cells = networks - 1, len(z)
    most = float(np.abs(z).max())
    one = 2 * float(student.sf(most, degrees))
    return Largest(
        most,
        -math.expm1(cells * math.log1p(-one)) if one < 1 else 1.0,
        float(student.isf((1 - 0.95 ** (1 / cells)) / 2, degrees)),
        cells,
    )


def _cell(width: int, depth: int, eta: Array, size_law: float, curve: CubicSpline) -> Cell:
    networks, s = len(eta), depth / (width - 1.5)
    ln_gamma, size = readings.ln_gamma(eta), np.abs(eta)
    error, size_error = (float(values.std(ddof=1)) / math.sqrt(networks) for values in (ln_gamma, size))
    law = depth * float(gap(width))
    mean = float(ln_gamma.mean())
    return Cell(
        width,
        depth,
        networks,
        s,
        mean,
        error,
        law,
        (mean - law) / error,
        float(size.mean()),
        size_error,
        size_law,
        size_law - float(curve(s)),
    )
