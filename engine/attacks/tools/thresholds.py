"""The mathematics of projecting many rows at once: one number a row (a threshold, a factor, a count) decides it.

Everything here is a function of each row alone: a row's result does not depend on the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.specs import Norm


def norms(delta: Tensor, norm: Norm) -> Tensor:
    """The size of each perturbation ``[n, ...]``: float64 ``[n]``; in L0 the number of values that are not 0."""
    rows = delta.reshape(len(delta), -1)
    if norm == "L0":
        return (rows != 0).sum(1).double()
    if norm == "Linf":
        return rows.abs().amax(1).double()
    if norm == "L1":  # as fast as it gets: vector_norm is 3 times as slow here, and for L-inf 20 times
        return rows.abs().sum(1, dtype=torch.float64)
    found: Tensor = torch.linalg.vector_norm(rows, 2, dim=1, dtype=torch.float64)
    return found


def dual_norms(gradient: Tensor, norm: Norm) -> Tensor:
    """How fast a loss can rise along its ``gradient`` ``[n, ...]`` for each unit of ``norm`` spent: float64 ``[n]``.

    L1 for L-inf, L2 for L2, L-inf for L1. L0 has no dual; that of L1 stands in for it, as in M. Pintor, F. Roli,
    W. Brendel, B. Biggio (2021), "Fast minimum-norm adversarial attacks through adaptive norm constraints".
    """
    duals: dict[Norm, Norm] = {"Linf": "L1", "L2": "L2", "L1": "Linf", "L0": "Linf"}
    return norms(gradient, duals[norm])


def onto_ball(delta: Tensor, norm: Norm, eps: Tensor) -> Tensor:
    """The nearest point (in L2) of each row's ball around 0 to ``delta`` ``[n, ...]``; ``eps`` is ``[n]``, at least 0.

    In L0 eps is the number of values that may differ from 0, rounded down; of equally large ones the first stay.
    """
    rows = delta.reshape(len(delta), -1)
    if norm == "Linf":
        limit = eps.to(rows.dtype)[:, None]
        found = torch.minimum(torch.maximum(rows, -limit), limit)
    elif norm == "L2":
        length = norms(delta, "L2")
        found = rows * torch.where(length > eps, eps / length, 1.0).to(rows.dtype)[:, None]
    elif norm == "L1":
        size = rows.abs()
        kept, outside = shrunk(size, None, eps)
        found = torch.where(outside[:, None], rows.sign() * kept, rows)
    else:
        found = keep_largest(rows, eps.long())
    return found.reshape(delta.shape)


def keep_largest(delta: Tensor, count: int | Tensor) -> Tensor:
    """``delta`` ``[n, ...]`` with all but the ``count`` (int or int64 ``[n]``) largest values of each row set to 0."""
    rows = delta.reshape(len(delta), -1)
    return torch.where(largest(rows.abs(), count), rows, 0.0).reshape(delta.shape)


def largest(size: Tensor, count: int | Tensor) -> Tensor:
    """bool ``[n, D]``: the ``count`` (int or int64 ``[n]``) largest of each row, of equal ones the first, but none that is 0."""
    width = size.shape[1]
    count = torch.as_tensor(count, device=size.device).expand(len(size)).clamp(0, width)
    most = max(1, int(count.max())) if len(count) else 1
    least = size.topk(most, dim=1).values.gather(1, (count[:, None] - 1).clamp_min(0))
    chosen = (size >= least) & (size > 0)
    if bool((chosen.sum(1) > count).any()):  # ties
        above = size > least
        level = chosen & ~above
        left = (count - above.sum(1))[:, None]
        chosen = (above & (left >= 0)) | (level & (level.cumsum(1) <= left))
    return chosen


def shrunk(size: Tensor, room: Tensor | None, eps: float | Tensor) -> tuple[Tensor, Tensor]:
    """``min(max(size - lam, 0), room)`` ``[n, D]`` with the least ``lam`` >= 0 for which each row's sum is at most eps,
    and bool ``[n]``: where that took a lam above 0.

    ``size`` and ``room`` (None: no limit) are ``[n, D]``, at least 0; ``eps`` is a number or ``[n]``. It is the nearest
    point to ``size`` of the part of a box that eps cuts off.
    """
    kept = size.clone() if room is None else torch.minimum(size, room)
    limit = torch.as_tensor(eps, dtype=torch.float64, device=size.device).expand(len(size))
    outside = kept.sum(1, dtype=torch.float64) > limit
    if not bool(outside.any()):
        return kept, outside
    some = slice(None) if bool(outside.all()) else outside.nonzero()[:, 0]
    size, room, limit = size[some], None if room is None else room[some], limit[some]
    lam = _free_threshold(size, limit) if room is None else _threshold(size, room, limit)
    found = _between(size - lam[:, None], room)
    total = found.sum(1, dtype=torch.float64)
    kept[some] = found.mul_(torch.where(total > limit, limit / total, 1.0).to(size.dtype)[:, None])  # rounding's share
    return kept, outside


def _free_threshold(size: Tensor, eps: Tensor) -> Tensor:
    """:func:`_threshold` without room: the sum is then convex in lam, so Newton's steps from below never pass the solution."""
    top = size.amax(1)
    close = 2 * torch.finfo(size.dtype).eps * top  # a smaller step may be lost in size - lam, and be made for ever
    lam = (top - eps).clamp_min(0).to(size.dtype)  # the largest alone keeps at most eps
    over = torch.empty_like(size)
    while True:  # each step passes a breakpoint
        rest = size - lam[:, None]
        torch.gt(rest, 0, out=over)  # as numbers: they add up much faster than bools
        excess = rest.clamp_min_(0).sum(1, dtype=torch.float64) - eps
        following = (lam + excess / over.sum(1)).to(lam.dtype)
        on = following > lam + close  # false for 0 / 0
        if not bool(on.any()):
            return torch.fmax(lam, following)
        lam = torch.where(on, following, lam)


def _threshold(size: Tensor, room: Tensor, eps: Tensor) -> Tensor:
    """``lam`` ``[n]`` of :func:`shrunk` for rows whose sum at lam = 0 is above eps.

    The sum falls with lam and is linear between breakpoints: Newton's step from a point on the right piece is exact.
    It is kept inside a bracket, which is halved where the pieces hold it up.
    """
    low, high = torch.zeros_like(size[:, 0]), size.amax(1)
    close = 2 * torch.finfo(size.dtype).eps * high
    lam, done = low, torch.zeros_like(low, dtype=torch.bool)
    moving = torch.empty_like(size)
    for step in range(200):  # ends long before
        rest = size - lam[:, None]
        torch.gt(rest, 0, out=moving)  # as numbers: they add up much faster than bools
        moving.sub_(torch.ge(rest, room, out=torch.empty_like(size))).clamp_min_(0)
        excess = _between(rest, room).sum(1, dtype=torch.float64) - eps
        low, high = torch.where(excess > 0, lam, low), torch.where(excess > 0, high, lam)
        newton = (lam + excess / moving.sum(1)).to(lam.dtype)
        at_end = (newton - lam).abs() <= close
        jump = (newton > low) & (newton < high) & (step % 2 == 0 or step < 12)
        following = torch.where(jump | at_end, newton, low + (high - low) / 2)
        lam = torch.where(done, lam, following)  # whoever is done waits for the others unchanged
        done = done | at_end | (high - low <= close)
        if bool(done.all()):
            break
    return lam


def _between(rest: Tensor, room: Tensor | None) -> Tensor:
    """Clipped to [0, room], in place."""
    rest.clamp_min_(0)
    return rest if room is None else torch.minimum(rest, room, out=rest)
