"""Means with percentile bootstrap intervals over INPUTS: pairs that share an input are not independent.

Resampling n inputs with replacement gives each a multiplicity w_i; a pair then counts w_i w_j times, and a pair of an
input with itself is never counted (a U-statistic). So every resample of many means is one matrix product.

Entries that are not finite are left out of the mean and of every resample: NaN (dead pairs) and +-inf (saturated
pairs), the latter counted so that a reader knows. Source: B. Efron (1979), "Bootstrap methods: another look at the
jackknife"; M. A. Arcones and E. Giné (1992), "On the bootstrap of U and V statistics".
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.generators import drain
from engine.geometry.readings import quantities
from engine.seeds import generator

_BLOCK = 2**24  # pair weights kept from call to call: 128 MB of float64
_PIECE = 2**20  # weights made, or numbers sorted, between two breaths: some hundredths of a second
_READ = 2**16  # rapidities whose other quantities are read off between two breaths
_DRAWS = 4096  # resamples in a piece of pair weights, so that each piece has many pairs too

_Block = tuple[slice, slice, Tensor]  # which entries, which resamples, and their weights [entries, resamples]


@dataclass(frozen=True, eq=False)
class Interval:
    """Means and their percentile intervals; tensors of one shape."""

    mean: Tensor
    """float64; NaN where nothing finite was there to average."""
    low: Tensor
    """float64, lower end of the interval; NaN where the mean is of fewer than two values."""
    high: Tensor
    """float64, upper end of the interval."""
    count: Tensor
    """int64: how many finite entries the mean is over."""
    saturated: Tensor
    """int64: how many entries were infinite and left out."""


def multiplicities(n: int, resamples: int, draw: torch.Generator) -> Tensor:
    """How often each of n inputs is drawn in each resample: float64 ``[n, resamples]``, columns sum to n."""
    drawn = torch.randint(n, (n, resamples), generator=draw)
    return torch.zeros(n, resamples, dtype=torch.float64).scatter_add_(
        0, drawn, torch.ones((), dtype=torch.float64).expand(n, resamples)
    )


def input_means(values: Tensor, *, resamples: int, seed: int, level: float = 0.95) -> Interval:
    """Mean over n inputs of each column of ``values`` ``[n, ...]``; the result has shape ``[...]``."""
    return drain(resampling_inputs(values, resamples=resamples, seed=seed, level=level))


def resampling_inputs(
    values: Tensor, *, resamples: int, seed: int, level: float = 0.95
) -> Generator[None, None, Interval]:
    """:func:`input_means` with pauses for breath, of which many resamples need some."""
    n = len(values)
    draw = generator(seed, "bootstrap")
    size = max(1, _PIECE // max(1, n))
    blocks = (
        (slice(None), slice(start, stop), multiplicities(n, stop - start, draw))
        for start, stop in _steps(resamples, size)
    )
    rows = values.cpu().double().reshape(n, -1).T
    found = yield from _interval(rows, blocks, resamples, level)
    return _each(found, lambda tensor: tensor.reshape(values.shape[1:]))


class PairBootstrap:
    """Resampled pair means of one probe set: made once, used at every probe with the same resamples.

    ``groups`` ``[P(P-1)/2]`` gives each pair's group in ``numpy.triu_indices(P, 1)`` order, 0 to ``n_groups - 1``, or
    -1 for a pair in none; ``n`` is P. Raises ValueError when their number does not fit n.

    Cost: the pair weights (resamples x pairs x 8 bytes) are made by the first call and kept while they fit in 128 MB, and
    made anew by each call beyond that, so that one call with many rows is cheaper than many; a call multiplies
    ``[M, pairs]`` by ``[pairs, resamples]`` once, whatever the number of groups.
    """

    def __init__(
        self, groups: Tensor, *, n: int, n_groups: int, resamples: int, seed: int, level: float = 0.95
    ) -> None:
        i, j = torch.triu_indices(n, n, offset=1)
        if groups.shape != i.shape:
            raise ValueError(f"{n} inputs make {len(i)} pairs, but groups are given for {tuple(groups.shape)}")
        groups = groups.cpu()
        sizes = [int((groups == group).sum()) for group in range(n_groups)]
        self._resamples, self._level, self._sizes = resamples, level, sizes
        self._order = torch.argsort(groups, stable=True)[int((groups < 0).sum()) :][: sum(sizes)]  # group after group
        self._ends = i[self._order], j[self._order]
        self._inputs = multiplicities(n, resamples, generator(seed, "bootstrap"))
        self._fits = resamples * sum(sizes) <= _BLOCK
        self._kept: dict[tuple[int, int], Tensor] = {}  # pieces by their first pair and resample

    def means(self, values: Tensor) -> Interval:
        """Mean over each group of each row of ``values`` ``[..., P(P-1)/2]``: tensors ``[n_groups, ...]``."""
        return drain(self.resampling(values))

    def resampling(self, values: Tensor) -> Generator[None, None, Interval]:
        """:meth:`means` with pauses for breath."""
        return (yield from self._means(values.cpu().double().index_select(-1, self._order)))

    def profile(self, eta: Tensor) -> Interval:
        """Means of all of :data:`engine.geometry.readings.QUANTITIES` from eta ``[..., P(P-1)/2]``.

        Tensors ``[6, n_groups, ...]``. Saturated pairs count fully in C, the angle and the chords, and are left out
        of rapidity and ln gamma.
        """
        return drain(self.profiling(eta))

    def profiling(self, eta: Tensor) -> Generator[None, None, Interval]:
        """:meth:`profile` with pauses for breath."""
        ordered = eta.cpu().double().index_select(-1, self._order)
        rows = ordered.reshape(-1, ordered.shape[-1])
        parts = []
        for part in torch.split(rows, max(1, _READ // max(1, rows.shape[1]))):
            parts.append(torch.from_numpy(quantities(part.numpy())))
            yield
        read = torch.cat(parts, dim=1)
        found = yield from self._means(read.reshape(len(read), *ordered.shape))
        return _each(found, lambda tensor: tensor.transpose(0, 1))

    def _means(self, ordered: Tensor) -> Generator[None, None, Interval]:
        rows = ordered.reshape(-1, ordered.shape[-1])
        found, start = [], 0
        for size in self._sizes:
            group = rows[:, start : start + size]
            found.append((yield from _interval(group, self._blocks(start, size), self._resamples, self._level)))
            start += size
        shape = (len(self._sizes), *ordered.shape[:-1])
        return Interval(*(torch.stack(column).reshape(shape) for column in zip(*map(_columns, found), strict=True)))

    def _blocks(self, first: int, size: int) -> Iterator[_Block]:
        most = max(1, _PIECE // min(self._resamples, _DRAWS))
        for begin, end in _steps(self._resamples, _DRAWS):
            for start, stop in _steps(size, most):
                drawn = self._kept.get((first + start, begin))
                if drawn is None:
                    drawn = self._weights(slice(first + start, first + stop), slice(begin, end))
                    if self._fits:
                        self._kept[first + start, begin] = drawn
                yield slice(start, stop), slice(begin, end), drawn

    def _weights(self, pairs: slice, draws: slice) -> Tensor:
        i, j = self._ends
        inputs = self._inputs[:, draws]
        return inputs.index_select(0, i[pairs]).mul_(inputs.index_select(0, j[pairs]))


def _interval(rows: Tensor, blocks: Iterable[_Block], resamples: int, level: float) -> Generator[None, None, Interval]:
    """Interval of each row of ``[M, K]``, resampled with the weights that ``blocks`` gives piece by piece, a breath after each."""
    total = rows.sum(1)
    count = torch.full((len(rows),), rows.shape[1])
    saturated = torch.zeros_like(count)
    gaps = torch.nonzero(~total.isfinite()).flatten()  # rows in which something is not finite
    finite = rows[gaps].isfinite()
    if len(gaps):
        count[gaps] = finite.sum(1)
        saturated[gaps] = rows[gaps].isinf().sum(1)
        rows = rows.index_copy(0, gaps, rows[gaps].masked_fill(~finite, 0.0))
        total = rows.sum(1)
    sums = rows.new_zeros(len(rows), resamples)
    divisors = rows.new_zeros(len(rows), resamples)
    for entries, draws, weights in blocks:
        sums[:, draws] += rows[:, entries] @ weights
        everything = weights.sum(0)
        divisors[:, draws] += everything
        divisors[gaps, draws] += finite[:, entries].double() @ weights - everything
        yield
    tail = (1 - level) / 2
    asked, ends = rows.new_tensor([tail, 1 - tail]), []
    for start, stop in _steps(len(rows), max(1, _PIECE // max(1, resamples))):
        some = slice(start, stop)
        ends.append(torch.nanquantile(sums[some] / divisors[some], asked, dim=1))  # 0/0 is NaN: left out
        yield
    low, high = torch.cat(ends, dim=1) if ends else rows.new_empty(2, 0)
    alone = count < 2  # one value says nothing of the spread
    low, high = low.masked_fill(alone, torch.nan), high.masked_fill(alone, torch.nan)
    return Interval(total / count, low, high, count, saturated)


def _steps(total: int, size: int) -> Iterator[tuple[int, int]]:
    return ((start, min(total, start + size)) for start in range(0, total, size))


def _columns(interval: Interval) -> tuple[Tensor, ...]:
    return interval.mean, interval.low, interval.high, interval.count, interval.saturated


def _each(interval: Interval, change: Callable[[Tensor], Tensor]) -> Interval:
    return Interval(*map(change, _columns(interval)))
