"""The pair of entries that promises most, found without looking at all pairs.

A pair (p, q) promises ``(a_p + a_q) (b_p + b_q)`` where both sums are above 0, else nothing. An entry that two others
equal or excel in both a and b can be left out: one of the two can take its place in any pair. What remains is near the
Pareto front, some ten of a thousand entries as a rule.
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

AT_ONCE = 2**21  # pairs


def best_single(a: Tensor, b: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of ``[n, D]`` the largest ``a b`` with both above 0, 0 where there is none, and its index."""
    worth = torch.where((a > 0) & (b > 0) & allowed, a * b, 0.0)
    best = worth.max(1)
    return best.values, best.indices[:, None]


def best_pair(a: Tensor, b: Tensor, allowed: Tensor) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """For each row of ``[n, D]`` what the best pair of ``allowed`` entries promises ``[n]``, 0 where none does, and its
    indices ``[n, 2]``."""
    chosen = _front(a, b, allowed)
    n, m = chosen.shape
    padded = chosen < 0
    index = chosen.clamp_min(0)
    a = a.gather(1, index).masked_fill_(padded, -torch.inf)
    b = b.gather(1, index).masked_fill_(padded, -torch.inf)
    promise = a.new_zeros(n)
    pair = index.new_zeros(n, 2)
    rows = max(1, AT_ONCE // (m * m))
    firsts = max(1, min(m, AT_ONCE // m))
    for begin in range(0, n, rows):
        some = slice(begin, begin + rows)
        for first in range(0, m, firsts):
            one = slice(first, first + firsts)
            alpha = a[some, one, None] + a[some, None, :]
            beta = b[some, one, None] + b[some, None, :]
            worth = torch.where((alpha > 0) & (beta > 0), alpha * beta, 0.0).triu_(first + 1)
            best, flat = worth.flatten(1).max(1)
            better = best > promise[some]
            promise[some] = torch.where(better, best, promise[some])
            found = torch.stack([flat // m + first, flat % m], 1)
            pair[some] = torch.where(better[:, None], found, pair[some])
            yield None
    return promise, index.gather(1, pair)


def _front(a: Tensor, b: Tensor, allowed: Tensor) -> Tensor:
    """int64 ``[n, m]``: the indices of the entries that fewer than two others equal or excel; the rest of a row is -1."""
    a, b = a.masked_fill(~allowed, -torch.inf), b.masked_fill(~allowed, -torch.inf)
    order = a.argsort(dim=1, descending=True, stable=True)
    b = b.gather(1, order)
    # the largest and the second largest b among the entries before, all of which have at least as large an a
    before = torch.nn.functional.pad(b, (1, 0), value=-torch.inf)[:, :-1]
    largest = before.cummax(1).values
    largest_earlier = torch.nn.functional.pad(largest, (1, 0), value=-torch.inf)[:, :-1]
    second = torch.minimum(before, largest_earlier).cummax(1).values
    kept = b > second
    count = kept.sum(1)
    chosen = order.new_full((len(a), max(2, int(count.max()))), -1)
    row, column = kept.nonzero(as_tuple=True)
    chosen[row, (kept.cumsum(1) - 1)[row, column]] = order[row, column]
    return chosen
