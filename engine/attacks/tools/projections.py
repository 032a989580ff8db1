"""Balls around samples: projecting onto them, stepping in them, drawing from them.

In L-inf and L2 the box (the valid range of inputs) is applied after the ball. That keeps the point in the ball,
because the sample itself lies in the box: clamping moves no coordinate away from it. In L1 that would waste most of the
budget (F. Croce, M. Hein 2021, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers"), so there
the projection is the one onto both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import torch
from torch import Tensor

from engine.attacks.tools.draws import Draws
from engine.attacks.tools.thresholds import largest, shrunk
from engine.errors import AttackError
from engine.specs import Norm

Bounds: TypeAlias = tuple[float | Sequence[float] | Tensor, float | Sequence[float] | Tensor] | None
"""The lowest and the highest valid input: numbers, or one a channel or an element; None where all inputs are valid."""


@dataclass(frozen=True, eq=False)
class Box:
    """The range of valid inputs; ``lower`` and ``upper`` are finite and broadcast to one sample."""

    lower: Tensor
    upper: Tensor
    ends: tuple[float, float] | None
    """The same as two numbers, if all elements have the same; clamping to numbers is faster."""

    def clamp(self, x: Tensor) -> Tensor:
        """The nearest valid input."""
        return torch.clamp(x, self.lower, self.upper) if self.ends is None else x.clamp(*self.ends)

    @property
    def width(self) -> Tensor:
        """``upper - lower``, above 0; broadcasts to one sample."""
        return self.upper - self.lower

    def room(self, x: Tensor, sign: Tensor) -> Tensor:
        """How far each value of ``x`` ``[n, ...]``, which is valid, may go along ``sign`` (-1 or 1; 0: nowhere)."""
        return torch.maximum((self.upper - x).mul_(sign), (self.lower - x).mul_(sign))

    def contains(self, x: Tensor) -> Tensor:
        """bool ``[n]``: all of a sample's values are valid."""
        return ((x >= self.lower) & (x <= self.upper)).flatten(1).all(1)

    def rounded(self, x: Tensor, levels: int) -> Tensor:
        """The nearest of ``levels`` evenly spaced values from lower to upper, as a file of images keeps it."""
        steps = (x - self.lower) / self.width * (levels - 1)
        return self.clamp(self.lower + steps.round() / (levels - 1) * self.width)

    def __str__(self) -> str:
        return f"[{_shown(self.lower)}, {_shown(self.upper)}]"


def box_of(bounds: Bounds, x: Tensor) -> Box | None:
    """The box that ``bounds`` mean for samples ``x`` ``[n, ...]``, in their type and on their device.

    Each of the two bounds is a number, or ``[C]`` numbers for samples ``[C, ...]``, or the shape of a whole sample.
    Raises AttackError when they have another shape, are not finite, or when a lower one is not below its upper one.
    """
    if bounds is None:
        return None
    if len(bounds) != 2:
        raise AttackError(f"The range of valid inputs needs a lowest and a highest value, but {len(bounds)} are given.")
    lower, upper = (_bound(bound, x, name) for bound, name in zip(bounds, ("lowest", "highest"), strict=True))
    if not bool((lower < upper).all()):
        raise AttackError(
            f"The range of valid inputs is [{_shown(lower)}, {_shown(upper)}], but its lower end must be below its upper "
            "end: exchange or correct them."
        )
    ends = (float(lower), float(upper)) if lower.ndim == upper.ndim == 0 else None
    return Box(lower, upper, ends)


def _bound(bound: float | Sequence[float] | Tensor, x: Tensor, name: str) -> Tensor:
    try:
        found = torch.as_tensor(bound, dtype=x.dtype, device=x.device)
    except (TypeError, ValueError, RuntimeError):
        raise AttackError(f"The {name} valid inputs are not numbers: give one number, or a list of them.") from None
    sample = x.shape[1:]
    if found.ndim == 1 and len(sample) > 1 and found.shape[0] == sample[0]:
        found = found.reshape(-1, *[1] * (len(sample) - 1))
    elif found.ndim > 0 and found.shape != sample:
        raise AttackError(
            f"The {name} valid inputs have the shape {list(found.shape)}, but the samples have {list(sample)}: give one "
            f"number, or {sample[0]} numbers, one for each {'channel' if len(sample) > 1 else 'element'}."
        )
    if not bool(found.isfinite().all()):
        raise AttackError(f"The {name} valid input is not a finite number: give the real range, or none at all.")
    return found


def _shown(bound: Tensor) -> str:
    values = bound.flatten().tolist()
    return ", ".join(f"{value:g}" for value in values[:4]) + (", …" if len(values) > 4 else "")


class Ball(Protocol):
    """A ball of radius eps around each of n samples ``x``, cut by the box."""

    x: Tensor
    eps: float
    box: Box | None

    def project(self, x_adv: Tensor) -> Tensor:
        """The point inside that stands for ``x_adv`` ``[n, ...]``."""

    def ascent(self, gradient: Tensor, x_adv: Tensor | None = None, *, sparsity: float | Tensor = 0.99) -> Tensor:
        """Per sample the direction of length 1 (in this norm) along which the loss rises most; 0 where it is flat.

        ``x_adv`` is where the gradient was taken; only L1 looks at it, and at ``sparsity``.
        """

    def draw(self, draws: Draws, restart: int = 0) -> Tensor:
        """A uniform random point of each sample's ball, then put into the box."""

    def rows(self, index: Tensor) -> Self:
        """The balls of some of the samples (int64 or bool index)."""


def ball(norm: Norm, x: Tensor, eps: float, box: Box | None) -> Ball:
    """The ball of the named norm around each sample of ``x``, all of which lie in the box."""
    kinds: dict[Norm, type[LinfBall] | type[L2Ball] | type[L1Ball]] = {"Linf": LinfBall, "L2": L2Ball, "L1": L1Ball}
    if norm not in kinds:
        raise AttackError(f"There is no ball in {norm} to stay in: choose {', '.join(kinds)}.")
    return kinds[norm](x, eps, box)


class LinfBall:
    """Every coordinate within eps of the sample's."""

    def __init__(self, x: Tensor, eps: float, box: Box | None) -> None:
        self.x, self.eps, self.box = x, eps, box
        self.lower, self.upper = (_clamped(_within(edge, x, eps), box) for edge in (x - eps, x + eps))

    def rows(self, index: Tensor) -> Self:
        some = copy(self)
        some.x, some.lower, some.upper = self.x[index], self.lower[index], self.upper[index]
        return some

    def project(self, x_adv: Tensor) -> Tensor:
        return torch.clamp(x_adv, self.lower, self.upper)

    def ascent(self, gradient: Tensor, x_adv: Tensor | None = None, *, sparsity: float | Tensor = 0.99) -> Tensor:  # noqa: ARG002
        return gradient.sign()

    def draw(self, draws: Draws, restart: int = 0) -> Tensor:
        noise = draws.uniform("start", restart, self.x.shape[1:]).to(self.x.dtype)
        return self.project(noise.mul_(2).sub_(1).mul_(self.eps).add_(self.x))


class L2Ball:
    """Euclidean distance from the sample at most eps."""

    def __init__(self, x: Tensor, eps: float, box: Box | None) -> None:
        self.x, self.eps, self.box = x, eps, box

    def rows(self, index: Tensor) -> Self:
        return type(self)(self.x[index], self.eps, self.box)

    def project(self, x_adv: Tensor) -> Tensor:
        delta = x_adv - self.x
        norms = torch.linalg.vector_norm(_rows(delta), dim=1, dtype=torch.float64)
        outside = norms > self.eps
        if not bool(outside.any()):
            return _clamped(x_adv, self.box)
        shrink = torch.where(outside, self.eps / norms, 1.0).to(delta.dtype)
        moved = _settled(self.x, delta.mul_(_column(shrink, delta)), self.eps, order=2)
        if not bool(outside.all()):
            moved = torch.where(_column(outside, moved), moved, x_adv)  # those inside stay to the last bit
        return _clamped(moved, self.box)

    def ascent(self, gradient: Tensor, x_adv: Tensor | None = None, *, sparsity: float | Tensor = 0.99) -> Tensor:  # noqa: ARG002
        rows = _rows(gradient)
        top = rows.abs().amax(1, keepdim=True)
        scaled = rows / torch.where(top > 0, top, 1.0)  # a tiny gradient must not square to zero
        norms = torch.linalg.vector_norm(scaled, dim=1, keepdim=True, dtype=torch.float64).to(scaled.dtype)
        return scaled.div_(torch.where(norms > 0, norms, 1.0)).reshape(gradient.shape)

    def draw(self, draws: Draws, restart: int = 0) -> Tensor:
        shape = self.x.shape[1:]
        direction = draws.normal("start", restart, shape).to(self.x.dtype)
        share = draws.uniform("start radius", restart).double()
        radius = (self.eps * share ** (1 / shape.numel())).to(self.x.dtype)  # the volume within r grows as r^D
        return self.project(self.x + self.ascent(direction) * _column(radius, direction))


class L1Ball:
    """The absolute changes of a sample add up to at most eps."""

    def __init__(self, x: Tensor, eps: float, box: Box | None) -> None:
        self.x, self.eps, self.box = x, eps, box

    def rows(self, index: Tensor) -> Self:
        return type(self)(self.x[index], self.eps, self.box)

    def project(self, x_adv: Tensor) -> Tensor:
        """The nearest point (in L2) of ball and box together.

        With v = x_adv - x it is ``sign(v) min(max(|v| - lam, 0), room)``, ``room`` being how far the box lets each
        coordinate go, and ``lam`` >= 0 the least for which that lies in the ball.
        """
        delta = x_adv - self.x
        sign = delta.sign()
        room = None if self.box is None else _rows(self.box.room(self.x, sign))
        kept, outside = shrunk(_rows(delta).abs(), room, self.eps)
        if not bool(outside.any()):
            return _clamped(x_adv, self.box)
        moved = _settled(self.x, sign.mul_(kept.reshape(delta.shape)), self.eps, order=1)
        if not bool(outside.all()):
            moved = torch.where(_column(outside, moved), moved, x_adv)
        return _clamped(moved, self.box)

    def ascent(self, gradient: Tensor, x_adv: Tensor | None = None, *, sparsity: float | Tensor = 0.99) -> Tensor:
        """Equal steps along the signs of the largest gradients, 1 in all; 0 where the loss is flat.

        ``sparsity`` in [0, 1] is the share of coordinates that stay (a tensor ``[n]``: each sample's own); at least one
        moves. 1 is the direction of steepest ascent, a single coordinate. ``x_adv``: coordinates that the box would not
        let go on from there give their place to others.
        Source: F. Tramer, D. Boneh (2019), "Adversarial training and robustness for multiple perturbations" (SLIDE).
        """
        sign = gradient.sign()
        size = gradient.abs()
        if x_adv is not None and self.box is not None:
            size *= self.box.room(x_adv, sign) > 0
        share = 1 - torch.as_tensor(sparsity, dtype=torch.float64, device=gradient.device)
        count = (share * self.x[0].numel() - 1e-6).ceil().long().clamp_min(1)
        moving = largest(_rows(size), count).to(gradient.dtype)
        moving /= moving.sum(1, keepdim=True).clamp_min(1)
        return sign.mul_(moving.reshape(gradient.shape))

    def draw(self, draws: Draws, restart: int = 0) -> Tensor:
        """Uniform: D of the D + 1 spacings of an exponential sample made length eps, with random signs."""
        count = self.x.shape[1:].numel()
        waits = draws.uniform("start", restart, (count + 1,)).neg_().add_(1).log_().neg_()
        scale = self.eps / waits.sum(1, keepdim=True, dtype=torch.float64)
        noise = (waits[:, :count] * scale.to(waits.dtype)).to(self.x.dtype)
        return self.project(self.x + (noise * draws.signs("start signs", restart, (count,))).reshape(self.x.shape))


def _within(edge: Tensor, x: Tensor, eps: float) -> Tensor:
    """``x - eps`` or ``x + eps``; where that was rounded outwards, one step back: the difference really is within eps."""
    return edge + (torch.nextafter(edge, x) - edge) * ((edge - x).abs() > eps)


def _settled(x: Tensor, delta: Tensor, eps: float, order: int) -> Tensor:
    """``x + delta``; where adding has rounded a sample out of its ball, coordinates rounded outwards step back."""
    x_adv = x + delta
    change = x_adv - x
    outside = torch.linalg.vector_norm(_rows(change), order, dim=1, dtype=torch.float64) > eps * (1 + 5e-7)
    if not bool(outside.any()):
        return x_adv
    inward = torch.nextafter(x_adv, x)
    return torch.where(_column(outside, x) & (change.abs() > delta.abs()), inward, x_adv)


def _clamped(x: Tensor, box: Box | None) -> Tensor:
    return x if box is None else box.clamp(x)


def _rows(x: Tensor) -> Tensor:
    return x.reshape(len(x), -1)


def _column(values: Tensor, like: Tensor) -> Tensor:
    """One number a sample, shaped to multiply ``like`` ``[n, ...]``."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
