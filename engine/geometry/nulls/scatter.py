"""How the means of a whole set of pairs scatter from one network of finite width to the next, and how far they are off.

A layer of n units puts the mean of n units' products in place of the expectation that the wide limit has. To leading
order what is read off the Gram matrices then has variance v / n, the sum over the layers of the variance of what one unit
more does to it, and a mean that is off by b / n, half the expected second derivative along it. Both are found by
perturbing the wide limit's own recursion: units are drawn at each layer, all layers are perturbed at once (their
products average to 0), and the first and second differences are averaged. For a single pair this is
:mod:`engine.geometry.nulls.finite_width`; here the pairs share their network, so that means over groups of them scatter
less than a pair does, and more than independent pairs would.

Source: S. Yaida (2020), "Non-Gaussian processes and neural networks at finite widths", for the expansion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry.nulls import wide
from engine.geometry.nulls.finite_width import elementwise

Array = NDArray[np.float64]

STEP = 1e-3  # of the perturbation: it changes distances by less than a percent
CROWD = (
    16  # units that are perturbed by together, by their sum over the root of their number: the tails of one are heavy
)
RELATIVE = 0.05  # depth / width up to which leading order held wherever it was tried
WITHIN_95 = 1.959964


@dataclass(frozen=True, eq=False)
class Scatter:
    """After each tap of :func:`engine.geometry.nulls.wide.layers` but the logits, of K readings: ``[taps, K]``."""

    bias: Array
    """The mean over networks of width n is off by ``bias / n``."""
    variance: Array
    """Over networks it is ``variance / n``."""

    def band(self, width: int) -> tuple[Array, Array, Array]:
        """Shift of the mean, and the ends about the wide limit between which 95% of networks of a width lie."""
        shift, reach = self.bias / width, WITHIN_95 * np.sqrt(self.variance / width)
        return shift, shift - reach, shift + reach


@dataclass(frozen=True, eq=False)
class Wide:
    """A plain network in the limit of width, and its inputs' inner products ``gram`` ``[N, N]`` over their length."""

    gram: Array
    activation: str
    sigma_w: float
    sigma_b: float
    depth: int
    slope: float = 0.01


def holds(layer: int, width: int) -> bool:
    """Whether leading order may be believed at a layer, counted from 1, of this width."""
    return layer <= RELATIVE * width


def scatter(
    of: Wide, read: Callable[[Array], Array], draws: int, rng: np.random.Generator
) -> Generator[None, None, Scatter]:
    """What ``read`` (a Gram matrix ``[N, N]`` to K numbers) does over networks whose hidden layers are of one width.

    Standard deviations are good to about ``sqrt(1 / (2 draws))``. The taps are those before and after each activation; the
    logits are left out, since theirs is another width. Yields None for breath.
    """
    limit = []
    for each in wide.layers(of.gram, of.activation, of.sigma_w, of.sigma_b, of.depth, of.slope):
        if each is not None:
            limit.append(each)
        yield None
    roots = [_root(each) for each in limit[: 2 * of.depth : 2]]
    at_limit = []
    for each in limit[: 2 * of.depth]:
        at_limit.append(read(each))
        yield None
    middle = np.stack(at_limit)
    first, second = np.zeros_like(middle), np.zeros_like(middle)
    phi = elementwise(of.activation, of.slope)
    for _ in range(draws):
        more = []
        for layer, root in enumerate(roots):
            u = root @ rng.standard_normal((len(root), CROWD))
            after = phi(u)
            more.append(
                [(now @ now.T - CROWD * limit[2 * layer + k]) / math.sqrt(CROWD) for k, now in enumerate((u, after))]
            )
        yield None
        up = yield from _perturbed(of, more, STEP, read)
        down = yield from _perturbed(of, more, -STEP, read)
        first += ((up - down) / (2 * STEP)) ** 2
        second += (up - 2 * middle + down) / STEP**2
        yield None
    return Scatter(second / 2 / draws, first / draws)


def _perturbed(
    of: Wide, more: list[list[Array]], step: float, read: Callable[[Array], Array]
) -> Generator[None, None, Array]:
    """The readings at all taps where each layer has a ``step`` of more units than the wide limit has."""
    found, gram = [], of.gram
    for before, after in more:
        gram = of.sigma_w**2 * gram + of.sigma_b**2
        found.append(read(gram + step * before))
        gram = wide.dual(of.activation, gram, of.slope) + step * after
        found.append(read(gram))
        yield None
    return np.stack(found)


def _root(gram: Array) -> Array:
    """A square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(gram)
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root
