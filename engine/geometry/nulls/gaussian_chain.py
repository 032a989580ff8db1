"""Pairs in a deep linear network at initialisation: an exact Markov chain of rapidities, for any widths.

One Gaussian layer with n outputs turns the correlation C into the sample correlation, about a known mean, of n normal pairs
with correlation C: its scale and its input width do not matter. Three laws hold exactly, at every width and depth: the
mean angle is conserved, E ln gamma grows by :func:`gap` a layer, and an infinitely deep network ends at C = +1 with
probability 1 - theta_0 / pi.

Sources: R. A. Fisher (1915), "Frequency distribution of the values of the correlation coefficient in samples from an
indefinitely large population", for the law of one layer; C. M. Newman (1986), "The distribution of Lyapunov exponents:
exact results for random matrices", for the gap; M. X. Goemans, D. P. Williamson (1995), "Improved approximation algorithms
for maximum cut", for the last law.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.polynomial.chebyshev import chebinterpolate, chebval
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gammaln, hyp2f1, polygamma, psi, sici

from engine.generators import drain
from engine.geometry import readings

Array = NDArray[np.float64]

STEP = (
    0.42  # of the grid, in units of the widest layer's spread 1 / sqrt(n): a sinc interpolation errs by less than 1e-13
)
COARSEST = 0.15  # and never more: the density's nearest singularities are pi/2 off the real line
SATURATED = 19.5  # |eta| from which on tanh eta is 1 in float64
SERIES_FROM, TERMS = 20, 40  # the hypergeometric series: its last term is below 1e-17 from c = 20 on
SPREADS = 9.0  # standard deviations of the last layer's rapidity that the grid reaches beyond its mean
TAIL = 36.0  # e-folds of the heaviest tail of one layer's law, exp(-(n - 1) |eta|), that it reaches beyond that
FEW_RUNS = 4  # of layers of equal width, up to which each run has a grid of its own reach


def gap(n: ArrayLike) -> Array:
    """What a Gaussian linear layer of width ``n`` adds to E ln gamma: ``(psi(n/2) - psi((n-1)/2)) / 2``; inf for n = 1."""
    n = np.asarray(n, np.float64)
    with np.errstate(invalid="ignore"):
        value: Array = np.where(n > 1, (psi(n / 2) - psi(np.maximum(n - 1, 1e-300) / 2)) / 2, np.inf)
    return value


def gap_variance(n: ArrayLike) -> Array:
    """Variance that such a layer adds to a rapidity far from 0: ``(psi1(n/2) + psi1((n-1)/2)) / 4``; inf for n = 1."""
    n = np.asarray(n, np.float64)
    value: Array = np.where(n > 1, (polygamma(1, n / 2) + polygamma(1, np.maximum(n - 1, 1e-9) / 2)) / 4, np.inf)
    return value


@dataclass(frozen=True, eq=False)
class Law:
    """The law of a pair's rapidity after each layer; float64 arrays ``[S, L + 1]`` for S starts, layer 0 the input."""

    C: Array
    """E C."""
    C2: Array
    """E C^2."""
    angle: Array
    """E theta, radians: the same in every layer."""
    chord: Array
    """E d."""
    antipode: Array
    """E d'."""
    rapidity: Array
    """E eta; infinite or NaN after a layer of width 1, which leaves nothing but the poles."""
    rapidity2: Array
    """E eta^2."""
    size: Array
    """E |eta|."""
    ln_gamma: Array
    """E ln cosh eta."""
    positive: Array
    """P(C > 0), half of what lies at 0 included."""
    low: Array
    """The 2.5% quantile of eta."""
    high: Array
    """The 97.5% quantile of eta."""


def gaussian_chain(eta0: ArrayLike, widths: Sequence[int]) -> Law:
    """The exact law of the rapidity after linear Gaussian layers of these output ``widths``, from each start ``eta0`` ``[S]``.

    The law is that of independent networks, for one pair: pairs in one network share its weights. Exact to about 1e-10.
    Raises ValueError for a width below 1 and for a NaN start.
    """
    return _chain(*_checked(eta0, widths))


def advancing_chain(eta0: ArrayLike, widths: Sequence[int]) -> Generator[None, None, Law]:
    """:func:`gaussian_chain`, with a breath after every layer; it is worked out anew each time."""
    return (yield from _advance(*_checked(eta0, widths)))


def _checked(eta0: ArrayLike, widths: Sequence[int]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    starts = np.atleast_1d(np.asarray(eta0, np.float64))
    if np.isnan(starts).any():
        raise ValueError("a pair without a rapidity (a dead one) has no law")
    if any(n < 1 for n in widths):
        raise ValueError(f"widths must be at least 1, got {list(widths)}")
    return tuple(starts.tolist()), tuple(int(n) for n in widths)


@lru_cache(maxsize=64)
def _chain(starts: tuple[float, ...], widths: tuple[int, ...]) -> Law:
    return drain(_advance(starts, widths))


def _advance(starts: tuple[float, ...], widths: tuple[int, ...]) -> Generator[None, None, Law]:
    eta0 = np.array(starts)
    inside = np.isfinite(eta0)
    grids = _grids(np.abs(eta0[inside]).max(initial=0.0), widths)
    # a law is its density on the grid of its layer, and what lies at the poles
    density: Array | None = None  # [S, M]; None as long as all is at the start
    before = grids[0] if grids else Grid(1.0, 1)
    plus, minus = (eta0 == np.inf).astype(float), (eta0 == -np.inf).astype(float)
    layers = [_start(eta0)]
    for n, grid in zip(widths, grids, strict=True):
        points = grid.points
        if n == 1:
            towards = 1 - readings.angle(before.points if density is not None else eta0) / math.pi
            if density is None:
                gained = np.where(inside, towards, 0.0)
                plus, minus = plus + gained, minus + np.where(inside, 1 - gained, 0.0)
            else:
                weights = before.step * density
                plus, minus = plus + weights @ towards, minus + weights @ (1 - towards)
            density = np.zeros((len(eta0), len(points)))
        elif density is None:
            density = np.zeros((len(eta0), len(points)))
            density[inside] = kernel(n, eta0[inside, None], points[None])
        else:
            density = before.step * density @ _transfer(n, before, grid)
        before = grid
        layers.append(_moments(points, density, plus, minus))
        yield
    return Law(*(np.stack(column, axis=1) for column in zip(*layers, strict=True)))


def kernel(n: int, eta: Array, after: Array) -> Array:
    """Density of the rapidity ``after`` a layer of width ``n >= 2``, given ``eta`` before it; arrays are broadcast."""
    log_cosh = readings.ln_gamma
    log = (
        math.log(n - 1) + gammaln(n) - math.log(2 * math.pi) / 2 - gammaln(n + 0.5)
        - n * log_cosh(eta) - (n - 1) * log_cosh(after)
        - (n - 0.5) * (log_cosh(eta - after) - log_cosh(eta) - log_cosh(after))
    )  # fmt: skip
    value: Array = np.exp(log) * _hypergeometric(n + 0.5, (1 + np.tanh(eta) * np.tanh(after)) / 2)
    return value


def _hypergeometric(c: float, z: Array) -> Array:
    """2F1(1/2, 1/2; c; z) for z in [0, 1] and half-integer c, many times faster than scipy's.

    For small c a Chebyshev series in ``sqrt(1 - z)``, in which it is analytic as far as -1: 26 terms are exact. For large c the
    hypergeometric series itself, whose terms fall faster than a power of c; scipy's Gamma(c) overflows there.
    """
    if c < SERIES_FROM:
        return np.asarray(chebval(2 * np.sqrt(1 - z) - 1, _chebyshev(c)), np.float64)
    ratios = [(k + 0.5) ** 2 / ((c + k) * (k + 1)) for k in range(TERMS)]
    total: Array = np.ones(z.shape)
    for ratio in reversed(ratios):  # Horner's rule
        total = np.asarray(1 + ratio * z * total, np.float64)
    return total


@lru_cache(maxsize=32)
def _chebyshev(c: float) -> Array:
    def function(w: Array) -> Array:
        return np.asarray(hyp2f1(0.5, 0.5, c, 1 - ((w + 1) / 2) ** 2), np.float64)

    return np.asarray(chebinterpolate(function, 26), np.float64)  # type: ignore[type-var]  # its stubs know no arrays


@dataclass(frozen=True)
class Grid:
    """Points ``step * (-half .. half)`` on which a layer's density lives."""

    step: float
    half: int

    @property
    def points(self) -> Array:
        return np.asarray(self.step * np.arange(-self.half, self.half + 1), np.float64)


def _grids(start: float, widths: Sequence[int]) -> list[Grid]:
    """For each layer a grid as fine as its own spread asks for, and as wide as what has come together by then.

    Layers of equal width in a row share one, and so do all of equal width where widths change often: what takes a density
    from one grid to the next is then computed once.
    """
    runs = [(n, len(list(same))) for n, same in groupby(widths)]
    grids: list[Grid] = []
    passed: list[int] = []
    whole = _reach(start, [n for n in widths if n > 1])
    for n, count in runs:
        passed += [n] * count
        reach = whole if len(runs) > FEW_RUNS else _reach(start, [each for each in passed if each > 1])
        step = min(COARSEST, STEP / math.sqrt(n))
        grids += [Grid(step, max(1, math.ceil(reach / step)))] * count
    return grids


def _reach(start: float, widths: Sequence[int]) -> float:
    """How far from 0 the rapidity may lie after these layers."""
    if not widths:
        return 1.0
    mean = start + float(gap(np.array(widths)).sum())
    return mean + SPREADS * math.sqrt(float(gap_variance(np.array(widths)).sum())) + TAIL / (min(widths) - 1)


@lru_cache(maxsize=32)
def _transfer(n: int, before: Grid, after: Grid) -> Array:
    """``[M, M']``: the kernel from one grid to another. It is symmetric under a change of both signs: half is computed."""
    upper = kernel(n, before.points[: before.half + 1, None], after.points[None])
    return np.concatenate([upper, upper[: before.half][::-1, ::-1]])


def _start(eta0: Array) -> tuple[Array, ...]:
    c = readings.correlation(eta0)
    positive = np.where(c == 0, 0.5, c > 0)
    chords = readings.chord(eta0), readings.antipode(eta0)
    sizes = eta0, eta0**2, np.abs(eta0), readings.ln_gamma(eta0)
    return c, c**2, readings.angle(eta0), *chords, *sizes, positive, eta0, eta0


def _moments(grid: Array, density: Array, plus: Array, minus: Array) -> tuple[Array, ...]:
    h = grid[1] - grid[0]
    weights = h * density
    # integrals over half the line of a function known on a grid that resolves it: those of its sinc interpolation
    above = 2 * sici(math.pi * (np.arange(len(grid)) - len(grid) // 2))[0] / math.pi

    def mean(values: Array, at_plus: float, at_minus: float) -> Array:
        poles = np.zeros(len(plus))
        with np.errstate(invalid="ignore"):  # inf - inf: no mean
            for share, value in ((plus, at_plus), (minus, at_minus)):
                poles[share > 0] += share[share > 0] * value
        found: Array = weights @ values + poles
        return found

    inf = math.inf
    return (
        mean(np.tanh(grid), 1, -1),
        mean(np.tanh(grid) ** 2, 1, 1),
        mean(readings.angle(grid), 0, math.pi),
        mean(readings.chord(grid), 0, 2),
        mean(readings.antipode(grid), 2, 0),
        mean(grid, inf, -inf),
        mean(grid * grid, inf, inf),
        mean(grid * above, inf, inf),
        mean(readings.ln_gamma(grid), inf, inf),
        mean((1 + above) / 2, 1, 0),
        *_quantiles((0.025, 0.975), grid, density, plus, minus),
    )


def _quantiles(shares: Sequence[float], grid: Array, density: Array, plus: Array, minus: Array) -> list[Array]:
    fine = np.linspace(grid[0], grid[-1], 4 * len(grid) - 3)
    below = CubicSpline(grid, density, axis=1).antiderivative()(fine) + minus[:, None]
    below = np.maximum.accumulate(below, axis=1)
    found = []
    for share in shares:
        inner = np.array([np.interp(share, row, fine) for row in below])
        found.append(np.where(minus >= share, -np.inf, np.where(1 - plus < share, np.inf, inner)))
    return found
