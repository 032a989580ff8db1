"""One series of samples on its way through a MaxLikelihood network, and what is read off it at every layer."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binom

from engine.experiments.noise.samples import View
from engine.geometry.bootstrap import multiplicities
from engine.geometry.spectrum import spectrum
from engine.reconcile.likelihood import Likelihood
from engine.reconcile.max_likelihood import Flow, flow_from, most_likely, shared_axis
from engine.seeds import derive, generator
from engine.specs import MaxLikelihoodSpec

Array = NDArray[np.float64]
T = TypeVar("T")
Work = Generator[None, None, T]

SHOWN = 64  # samples of each kind whose world lines are drawn
RESAMPLES = 500
_BOOTSTRAP = 5000  # inputs up to which means are resampled; beyond, the bootstrap is normal anyway
_WORK = 2e8  # multiplications of one product
_NUMBERS = 2**20  # of samples that are looked at together
_RANKED = 400  # the smaller side at most of samples whose effective rank is taken

MEANS = ("train_loss", "unseen_loss", "blind_loss")
INTERVALS = (*MEANS, "boost")
SINGLE = ("wrong_pole", "effective_rank", "retrieval", "retrieval_exact")


def likelihood_of(spec: MaxLikelihoodSpec) -> Likelihood:
    """The ranking that a spec asks for."""
    return Likelihood(spec.likelihood, spec.temperature)


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """A stream of candidates of its own."""
    return np.random.default_rng(derive(seed, "max likelihood", *purpose))


class Layers:
    """Samples with signs passed through one layer after another: training ones choose the rows, all follow. Made by :func:`layers_of`.

    Both are held in parts, so that all that is done to one takes a moment only.
    """

    def __init__(self, train: list[Flow], y: Array, others: list[Flow], spec: MaxLikelihoodSpec) -> None:
        self.train, self.others = train, others
        self._spec, self._y = spec, y

    @property
    def axis(self) -> Array:
        """The shared point at the present layer ``[d]``."""
        return self.train[0].axis

    def advance(self, rng: np.random.Generator) -> Work[None]:
        """Choose one more layer and pass everything through it."""
        spec, x = self._spec, []
        for flow in self.train:
            x.append(flow.x)
            yield None
        weight = yield from most_likely(
            np.concatenate(x),
            self._y,
            candidates=spec.candidates,
            rows=spec.rows,
            likelihood=likelihood_of(spec),
            rng=rng,
        )
        for flows in (self.train, self.others):
            for number, flow in enumerate(flows):
                flows[number] = flow.through(weight)
                yield None


def layers_of(train: Array, y: Array, others: Array, spec: MaxLikelihoodSpec) -> Work[Layers]:
    """Unit samples ``[m, d]`` with signs ``[m]``, and others ``[k, d]``, before any layer.

    Raises ValueError where the signed training samples cancel, so that there is no shared point.
    """
    axis = shared_axis(train, y) if len(train) else None
    yield None
    if axis is None:
        raise ValueError("the training samples have no common direction")
    longest = max(spec.rows, train.shape[1])
    size = max(1, min(int(_WORK / (spec.rows * longest)), _NUMBERS // longest))
    parts: tuple[list[Flow], list[Flow]] = ([], [])
    for flows, x in zip(parts, (train, others), strict=True):
        for start in range(0, max(1, len(x)), size):
            flows.append(flow_from(x[start : start + size], axis))
            yield None
    return Layers(parts[0], y, parts[1], spec)


def read(flows: list[Flow], *names: str) -> Work[list[Array]]:
    """Properties of all samples of some flows, each ``[k]``."""
    found = []
    for flow in flows:
        found.append([getattr(flow, name) for name in names])
        yield None
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


class Series:
    """A view of the samples with everything measured so far, one entry a layer; what cannot be measured stays NaN."""

    def __init__(self, seen: View, seed: int) -> None:
        self.seen, self._seed = seen, seed
        self.measured: dict[str, list[Array]] = {
            name: [] for name in ("train_C", "unseen_C", *INTERVALS, *SINGLE)
        }  # an interval is [mean, low, high]
        self._log_tan = np.empty(0)
        self.layers: Layers | None = None
        self.missing = ""

    def begin(self, spec: MaxLikelihoodSpec) -> Work[None]:
        """Take up the samples; ``missing`` says why where there is nothing to pass through layers."""
        seen = self.seen
        if len(seen.unseen) < 2:
            self.missing = "fewer than two unseen samples have a direction"
            return
        everyone = np.concatenate([seen.copies, seen.unseen])
        yield None
        try:
            self.layers = yield from layers_of(seen.train, np.ones(len(seen.train)), everyone, spec)
        except ValueError as why:
            self.missing = str(why)

    @property
    def count(self) -> int:
        return len(self.seen.unseen)

    def advance(self, layer: int) -> Work[None]:
        """One layer more, of the candidates that every series draws there."""
        if self.layers is not None:
            yield from self.layers.advance(stream(self._seed, "layer", str(layer)))

    def measure(self) -> Work[None]:
        """Read everything off the present layer."""
        layers = self.layers
        if layers is None:
            for name, values in self.measured.items():
                one = name in ("train_C", "unseen_C")
                kind = len(self.seen.train) if name == "train_C" else self.count
                values.append(
                    np.full(min(SHOWN, kind), np.nan) if one else np.full(3 if name in INTERVALS else 1, np.nan)
                )
            return
        everyone = yield from read(layers.others, "along", "loss", "blind_loss", "log_tan")
        c, loss, blind, log_tan = (values[self.seen.items :] for values in everyone)
        train_c, train_loss = yield from read(layers.train, "along", "loss")
        add = self._add
        add("train_C", train_c[:SHOWN])
        add("unseen_C", c[:SHOWN])
        for name, losses in zip(MEANS, (train_loss, loss, blind), strict=True):
            add(name, mean_interval(losses, self._seed))
            yield None
        add("wrong_pole", np.array([(c < 0).mean()]))
        with np.errstate(invalid="ignore"):
            gained = self._log_tan - log_tan if len(self._log_tan) else np.empty(0)
        add("boost", median_interval(gained))
        self._log_tan = log_tan
        add("effective_rank", np.array([self._rank()]))
        yield None
        add("retrieval", np.array([self._retrieval(exact=False)]))
        add("retrieval_exact", np.array([self._retrieval(exact=True)]))
        yield None

    def stacked(self, name: str) -> Array:
        """``[l + 1, ...]`` of a measured name."""
        return np.stack(self.measured[name])

    def _add(self, name: str, values: Array) -> None:
        self.measured[name].append(values)

    def _rank(self) -> float:
        assert self.layers is not None
        # of wide samples no more than are ranked
        most = 4 * _RANKED if len(self.layers.axis) <= _RANKED else _RANKED
        x, _ = self._first(self.seen.items + min(self.count, most))
        return effective_rank(x[self.seen.items :])

    def _retrieval(self, *, exact: bool) -> float:
        """Share of items whose noisy copy is nearest to the item itself, by the cosines of float64 outputs or exactly."""
        items = self.seen.items
        if items < 2:
            return float("nan")
        x, flow = self._first(2 * items)
        if exact:
            return nearest_exactly(flow, items)
        return float(((x[:items] @ x[items:].T).argmax(1) == np.arange(items)).mean())

    def _first(self, wanted: int) -> tuple[Array, Flow]:
        """The first of the others, copies before unseen ones, as float64 holds them and as one flow."""
        assert self.layers is not None
        flows = self.layers.others
        scale = max(flow.log_scale for flow in flows)
        x, along, across, held = [], [], [], 0
        for part in flows:
            if held < wanted:
                x.append(part.x)
                along.append(part.along)
                across.append(np.exp(part.log_scale - scale) * part.across)
                held += len(part.along)
        flow = Flow(flows[0].axis, np.concatenate(along)[:wanted], np.concatenate(across)[:wanted], scale)
        return np.concatenate(x)[:wanted], flow


def nearest_exactly(flow: Flow, items: int) -> float:
    """Share of copies, the first ``items``, nearest to their item, the next, by distances that do not end with float64's cosines."""
    across, squares = flow.across, (flow.across**2).sum(1)
    copy, item = slice(0, items), slice(items, 2 * items)
    apart = squares[copy, None] + squares[None, item] - 2 * across[copy] @ across[item].T
    scale = np.exp(2 * flow.log_scale)
    total = flow.along[copy, None] + flow.along[None, item]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # at one pole, the difference along the axis follows from the lengths across it
        pole = scale * (squares[copy, None] - squares[None, item]) ** 2 / total**2
        far = (flow.along[copy, None] - flow.along[None, item]) ** 2 / scale
    distance = apart + np.where(np.abs(total) > 1, pole, far)
    return float((distance.argmin(1) == np.arange(items)).mean())


def effective_rank(x: Array) -> float:
    """exp S of unit rows, of the first 400 where both sides are larger: more would take more than a moment."""
    return spectrum(torch.from_numpy(x if min(x.shape) <= _RANKED else x[:_RANKED])).effective_rank


def mean_interval(values: Array, seed: int) -> Array:
    """Mean over inputs with its 95% bootstrap interval: ``[3]``. The same resamples serve as many values at every layer."""
    n, mean = len(values), values.mean()
    if n < 2:
        return np.array([mean, np.nan, np.nan])
    if n > _BOOTSTRAP:
        reach = 1.96 * values.std(ddof=1) / n**0.5
        return np.array([mean, mean - reach, mean + reach])
    return np.array([mean, *np.quantile(values @ _resampling(n, seed), (0.025, 0.975))])


@lru_cache(maxsize=4)
def _resampling(n: int, seed: int) -> Array:
    """Weight of each of n inputs in each resample ``[n, RESAMPLES]``."""
    weights: Array = multiplicities(n, RESAMPLES, generator(seed, "max likelihood", "bootstrap")).numpy() / n
    return weights


def median_interval(values: Array) -> Array:
    """Median over inputs with its 95% interval ``[3]``: order statistics, which is where the bootstrap of a median tends to.

    Values that are not finite are left out; NaN where fewer than one (six, for the interval) are left.
    """
    finite = np.sort(values[np.isfinite(values)])
    n = len(finite)
    if n == 0:
        return np.full(3, np.nan)
    low = int(binom.ppf(0.025, n, 0.5)) - 1
    ends = (finite[low], finite[n - 1 - low]) if low >= 0 else (np.nan, np.nan)
    return np.array([np.median(finite), *ends])
