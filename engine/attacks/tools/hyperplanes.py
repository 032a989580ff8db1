"""The nearest point of a hyperplane inside the box: the step from which FAB is made.

Source: F. Croce, M. Hein (2020), "Minimally distorted adversarial examples with a fast adaptive boundary attack", which
solves the three problems by sorting. Here L-inf and L2 are solved by Newton's method, which on their concave, piecewise
linear functions is exact after a few steps, none of which goes too far.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.attacks.tools.projections import Box


def to_hyperplane(norm: Literal["Linf", "L2", "L1"], x: Tensor, w: Tensor, value: Tensor, box: Box | None) -> Tensor:
    """The point of ``{z in the box: w.z + b = 0}`` that is nearest to ``x``, a row at a time.

    ``x`` and ``w`` are ``[n, ...]`` and ``value`` ``[n]`` is ``w.x + b``, positive on the one side of the hyperplane and
    negative on the other; it is asked for instead of b because a network's linearisation knows it without cancellation.
    ``x`` lies in the box. Where the box does not reach the hyperplane, the result is the point of the box that comes
    nearest to it. Values with a weight of 0 stay.
    """
    weight = w.reshape(len(w), -1)
    direction = weight.sign() * -value.sign().to(w.dtype)[:, None]
    size = weight.abs()
    scale = size.amax(1, keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    size /= scale  # so that tiny gradients do not vanish in sums and squares
    need = value.abs().double() / scale[:, 0]
    if box is None:
        room = size.sign() * torch.finfo(size.dtype).max
    else:
        room = box.room(x, direction.reshape(x.shape)).reshape(size.shape)
    moved = {"Linf": _linf, "L2": _l2, "L1": _l1}[norm](size, room, need)
    x_adv = x + direction.mul_(moved).reshape(x.shape)
    return x_adv if box is None else box.clamp(x_adv)


def _linf(size: Tensor, room: Tensor, need: Tensor) -> Tensor:
    """``min(t, room)`` with the least t at which the weighted sum is ``need``."""
    return _raised(torch.ones_like(size), size, room, need)


def _l2(size: Tensor, room: Tensor, need: Tensor) -> Tensor:
    """``min(t size, room)`` with the least t at which the weighted sum is ``need``."""
    return _raised(size, size, room, need)


def _raised(rate: Tensor, size: Tensor, room: Tensor, need: Tensor) -> Tensor:
    """``min(t rate, room)`` ``[n, D]`` with the least t at which its sum weighted by ``size`` is ``need``.

    The sum grows with t and ever slower, so Newton's steps from t = 0 approach the solution from below.
    """
    gain = rate * size
    reach = (size * room).sum(1, dtype=torch.float64)
    t = torch.zeros_like(size[:, 0])
    moving = torch.empty_like(size)
    for _ in range(size.shape[1] + 2):  # each step passes a breakpoint, most of them many
        at = rate * t[:, None]
        torch.lt(at, room, out=moving)
        slope = moving.mul_(gain).sum(1, dtype=torch.float64)
        missing = need - torch.minimum(at, room, out=at).mul_(size).sum(1, dtype=torch.float64)
        following = (t + missing / slope).to(t.dtype)
        on = (following > t * (1 + 2 * torch.finfo(t.dtype).eps)) & (need < reach)  # false for 0 / 0
        if not bool(on.any()):
            break
        t = torch.where(on, following, t)
    return torch.where((need >= reach)[:, None], room, torch.minimum(rate * t[:, None], room))


def _l1(size: Tensor, room: Tensor, need: Tensor) -> Tensor:
    """The room of the largest weights in turn, and of the last one as much as it takes."""
    ordered, order = size.sort(dim=1, descending=True, stable=True)
    room = room.gather(1, order)
    before = torch.zeros(ordered.shape, dtype=torch.float64, device=size.device)
    torch.cumsum(ordered[:, :-1] * room[:, :-1], 1, dtype=torch.float64, out=before[:, 1:])
    rest = (need[:, None] - before).to(size.dtype).clamp_min_(0)
    used = torch.minimum(rest / torch.where(ordered > 0, ordered, 1.0), room)
    return torch.empty_like(used).scatter_(1, order, used)
