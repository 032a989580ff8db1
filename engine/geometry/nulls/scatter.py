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


@dataclass(frozen=True, eq=False)
class Weights:
    """How K readings depend on V numbers each in B blocks, at one place: to first and to second order, ``[B, K, V]``."""

    first: Array
    second: Array

    def slope(self, change: Array) -> Array:
        """First derivative of the readings ``[B K]`` along a change ``[B, V]``."""
        value: Array = (self.first @ change[..., None]).ravel()
        return value

    def bend(self, change: Array, bend: Array) -> Array:
        """Second derivative of the readings ``[B K]`` where the numbers have these two ``[B, V]``."""
        value: Array = (self.first @ bend[..., None] + self.second @ (change**2)[..., None]).ravel()
        return value


def themselves(values: Array) -> Weights:
    """Weights of numbers ``[1, V]`` that are the readings."""
    unit = np.eye(values.shape[1])[None]
    return Weights(unit, np.zeros_like(unit))


def scatter(
    of: Wide,
    read: Callable[[Array], Array],
    draws: int,
    rng: np.random.Generator,
    weigh: Callable[[Array], Weights] = themselves,
) -> Generator[None, None, Scatter]:
    """What is read off Gram matrices does over networks whose hidden layers are of one width.

    ``read`` takes a Gram matrix ``[N, N]`` to numbers ``[B, V]``, and ``weigh`` tells at the wide limit's how the
    readings depend on them, each on each number apart: so the many pairs of a group are perturbed, but only once weighed.
    Standard deviations are good to about ``sqrt(1 / (2 draws))``. The taps are those before and after each activation; the
    logits are left out, since theirs is another width. Yields None for breath.
    """
    limit = []
    for each in wide.layers(of.gram, of.activation, of.sigma_w, of.sigma_b, of.depth, of.slope):
        if each is not None:
            limit.append(each)
        yield None
    roots = [_root(each) for each in limit[: 2 * of.depth : 2]]
    middle, weights = [], []
    for each in limit[: 2 * of.depth]:
        middle.append(read(each))
        weights.append(weigh(middle[-1]))
        yield None
    first, second = [], []
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
        changes = [(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)]
        bends = [(a - 2 * at + b) / STEP**2 for a, at, b in zip(up, middle, down, strict=True)]
        first.append([of_tap.slope(change) for of_tap, change in zip(weights, changes, strict=True)])
        second.append([of_tap.bend(*both) for of_tap, *both in zip(weights, changes, bends, strict=True)])
        yield None
    return Scatter(np.mean(second, 0) / 2, np.square(first).mean(0))


def _perturbed(
    of: Wide, more: list[list[Array]], step: float, read: Callable[[Array], Array]
) -> Generator[None, None, list[Array]]:
    """What is read at all taps where each layer has a ``step`` of more units than the wide limit has."""
    found, gram = [], of.gram
    for before, after in more:
        gram = of.sigma_w**2 * gram + of.sigma_b**2
        found.append(read(gram + step * before))
        gram = wide.dual(of.activation, gram, of.slope) + step * after
        found.append(read(gram))
        yield None
    return found


def _root(gram: Array) -> Array:
    """A square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(gram)
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root
