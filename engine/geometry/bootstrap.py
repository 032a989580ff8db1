"""Means with percentile bootstrap intervals over INPUTS: pairs that share an input are not independent.

Resampling n inputs with replacement gives each a multiplicity w_i; a pair then counts w_i w_j times, and a pair of an
input with itself is never counted (a U-statistic). So every resample of many means is one matrix product.

Entries that are not finite are left out of the mean and of every resample: NaN (dead pairs) and +-inf (saturated
pairs), the latter counted so that a reader knows. Source: B. Efron (1979), "Bootstrap methods: another look at the
jackknife"; M. A. Arcones and E. Giné (1992), "On the bootstrap of U and V statistics".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.readings import quantities
from engine.seeds import generator

_BLOCK = 2**24  # pair weights held at a time: 128 MB of float64


@dataclass(frozen=True, eq=False)
class Interval:
    """Means and their percentile intervals; tensors of one shape."""

    mean: Tensor
    """float64; NaN where nothing finite was there to average."""
    low: Tensor
    """float64, lower end of the interval."""
    high: Tensor
    """float64, upper end of the interval."""
    count: Tensor
    """int64: how many finite entries the mean is over."""
    saturated: Tensor
    """int64: how many entries were infinite and left out."""


def multiplicities(n: int, resamples: int, seed: int) -> Tensor:
    """How often each of n inputs is drawn in each resample: float64 ``[resamples, n]``, rows sum to n."""
    drawn = torch.randint(n, (resamples, n), generator=generator(seed, "bootstrap"))
    return torch.zeros(resamples, n, dtype=torch.float64).scatter_add_(1, drawn, torch.ones(drawn.shape, dtype=torch.float64))


def input_means(values: Tensor, *, resamples: int, seed: int, level: float = 0.95) -> Interval:
    """Mean over n inputs of each column of ``values`` ``[n, ...]``; the result has shape ``[...]``."""
    shape = values.shape[1:]
    rows = values.double().reshape(len(values), -1).T
    weights = multiplicities(len(values), resamples, seed).to(rows.device)
    return _reshaped(_interval(rows, lambda part: weights[:, part], resamples, level), shape)


class PairBootstrap:
    """Resampled pair means of one probe set: made once, used at every probe with the same resamples.

    ``groups`` ``[P(P-1)/2]`` gives each pair's group in ``numpy.triu_indices(P, 1)`` order, 0 to ``n_groups - 1``, or
    -1 for a pair in none; ``n`` is P. Raises ValueError when their number does not fit n.

    Cost: the pair weights (resamples x pairs x 8 bytes) are kept while they fit in 128 MB, and made anew in blocks
    beyond that; a call multiplies ``[M, pairs]`` by ``[pairs, resamples]`` once, whatever the number of groups.
    """

    def __init__(self, groups: Tensor, *, n: int, n_groups: int, resamples: int, seed: int, level: float = 0.95) -> None:
        i, j = torch.triu_indices(n, n, offset=1)
        if groups.shape != i.shape:
            raise ValueError(f"{n} inputs make {len(i)} pairs, but groups are given for {tuple(groups.shape)}")
        self.n_groups, self.resamples, self.level = n_groups, resamples, level
        self._inputs = multiplicities(n, resamples, seed)
        self._members = [torch.nonzero(groups.cpu() == group).flatten() for group in range(n_groups)]
        self._ends = [(i[members], j[members]) for members in self._members]
        fits = resamples * sum(map(len, self._members)) <= _BLOCK
        self._kept = [self._weights(g, slice(None)) for g in range(n_groups)] if fits else None

    def means(self, values: Tensor) -> Interval:
        """Mean over each group of each row of ``values`` ``[..., P(P-1)/2]``: tensors ``[n_groups, ...]``."""
        shape = values.shape[:-1]
        rows = values.double().reshape(-1, values.shape[-1])
        found = [self._group(rows, group) for group in range(self.n_groups)]
        return Interval(*(torch.stack([getattr(f, name).reshape(shape) for f in found]) for name in Interval.__annotations__))

    def profile(self, eta: Tensor) -> Interval:
        """Means of all of :data:`engine.geometry.readings.QUANTITIES` from eta ``[..., P(P-1)/2]``.

        Tensors ``[6, n_groups, ...]``. Saturated pairs count fully in C, the angle and the chords, and are left out
        of rapidity and ln gamma.
        """
        found = self.means(torch.from_numpy(quantities(eta.cpu().numpy())))
        return Interval(*(getattr(found, name).transpose(0, 1) for name in Interval.__annotations__))

    def _group(self, rows: Tensor, group: int) -> Interval:
        kept = self._kept

        def weights(part: slice) -> Tensor:
            return self._weights(group, part) if kept is None else kept[group][:, part]

        return _interval(rows[:, self._members[group]], weights, self.resamples, self.level)

    def _weights(self, group: int, part: slice) -> Tensor:
        i, j = self._ends[group]
        return self._inputs[:, i[part]] * self._inputs[:, j[part]]


def _interval(rows: Tensor, weights: Callable[[slice], Tensor], resamples: int, level: float) -> Interval:
    """Interval of each row of ``[M, K]``; ``weights`` gives ``[resamples, k]`` for a slice of the K entries."""
    finite = rows.isfinite()
    count = finite.sum(1)
    whole = count == rows.shape[1]
    filled = rows if bool(whole.all()) else rows.masked_fill(~finite, 0.0)
    partial = finite[~whole].double()
    sums = rows.new_zeros(len(rows), resamples)
    totals = rows.new_zeros(resamples)
    own_totals = rows.new_zeros(len(partial), resamples)
    size = max(1, _BLOCK // resamples)
    for start in range(0, rows.shape[1], size):
        part = slice(start, start + size)
        drawn = weights(part)
        sums += filled[:, part] @ drawn.T
        totals += drawn.sum(1)
        if len(partial):
            own_totals += partial[:, part] @ drawn.T
    divisors = totals.expand(len(rows), -1).clone()
    divisors[~whole] = own_totals
    tail = (1 - level) / 2
    ends = torch.tensor([tail, 1 - tail], dtype=torch.float64, device=rows.device)
    low, high = torch.nanquantile(sums / divisors, ends, dim=1)  # 0/0, a resample without any entry, is NaN
    return Interval(filled.sum(1) / count, low, high, count, rows.isinf().sum(1))


def _reshaped(interval: Interval, shape: torch.Size) -> Interval:
    return Interval(*(getattr(interval, name).reshape(shape) for name in Interval.__annotations__))
