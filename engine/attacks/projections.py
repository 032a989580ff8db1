"""Balls around samples: projecting onto them, stepping in them, drawing from them.

The box (the valid range of inputs) is applied after the ball. For both norms that keeps the point in the ball,
because the sample itself lies in the box: clamping moves no coordinate away from it.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from engine.specs import Norm

Bounds = tuple[float, float] | None


class Ball(Protocol):
    """A ball of radius eps around each of n samples, cut by the box."""

    def project(self, x_adv: Tensor) -> Tensor:
        """The point inside that stands for ``x_adv`` ``[n, ...]``."""

    def ascent(self, gradient: Tensor) -> Tensor:
        """Per sample the direction of length 1 (in this norm) along which the loss rises most; 0 where it is flat."""

    def draw(self, generators: list[torch.Generator]) -> Tensor:
        """A uniform random point of each sample's ball, drawn from its own generator, then put into the box."""

    def distance(self, x_adv: Tensor) -> Tensor:
        """How far each sample has been moved, in this norm; float64 ``[n]``."""


def ball(norm: Norm, x: Tensor, eps: float, bounds: Bounds) -> Ball:
    """The ball of the named norm around each sample of ``x``."""
    return LinfBall(x, eps, bounds) if norm == "Linf" else L2Ball(x, eps, bounds)


class LinfBall:
    """Every coordinate within eps of the sample's."""

    def __init__(self, x: Tensor, eps: float, bounds: Bounds) -> None:
        self.x, self.eps = x, eps
        self.lower, self.upper = (box(_within(edge, x, eps), bounds) for edge in (x - eps, x + eps))

    def project(self, x_adv: Tensor) -> Tensor:
        return torch.clamp(x_adv, self.lower, self.upper)

    def ascent(self, gradient: Tensor) -> Tensor:
        return gradient.sign()

    def draw(self, generators: list[torch.Generator]) -> Tensor:
        shape = self.x.shape[1:]
        noise = torch.stack([torch.rand(shape, generator=own, dtype=self.x.dtype) for own in generators])
        return self.project(noise.to(self.x.device).mul_(2).sub_(1).mul_(self.eps).add_(self.x))

    def distance(self, x_adv: Tensor) -> Tensor:
        return _rows(x_adv.double() - self.x.double()).abs().amax(1)


class L2Ball:
    """Euclidean distance from the sample at most eps."""

    def __init__(self, x: Tensor, eps: float, bounds: Bounds) -> None:
        self.x, self.eps, self.bounds = x, eps, bounds

    def project(self, x_adv: Tensor) -> Tensor:
        delta = x_adv - self.x
        norms = torch.linalg.vector_norm(_rows(delta), dim=1, dtype=torch.float64)
        shrink = (self.eps / norms).clamp(max=1)  # eps / 0 is inf, or NaN where eps is 0 too
        shrink = torch.where(norms > self.eps, shrink, 1.0).to(delta.dtype)
        return box(self.x + delta * _column(shrink, delta), self.bounds)

    def ascent(self, gradient: Tensor) -> Tensor:
        rows = _rows(gradient)
        largest = rows.abs().amax(1, keepdim=True)
        scaled = rows / torch.where(largest > 0, largest, 1.0)  # a tiny gradient must not square to zero
        norms = torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
        return (scaled / torch.where(norms > 0, norms, 1.0)).reshape(gradient.shape)

    def draw(self, generators: list[torch.Generator]) -> Tensor:
        shape, dtype = self.x.shape[1:], self.x.dtype
        direction = torch.stack([torch.randn(shape, generator=own, dtype=dtype) for own in generators])
        share = torch.stack([torch.rand((), generator=own, dtype=torch.float64) for own in generators])
        radius = (self.eps * share ** (1 / shape.numel())).to(dtype)  # the volume within r grows as r^D
        noise = self.ascent(direction) * _column(radius, direction)
        return self.project(self.x + noise.to(self.x.device))

    def distance(self, x_adv: Tensor) -> Tensor:
        delta = _rows(x_adv.double() - self.x.double())
        return delta.square().sum(1).sqrt()


def box(x: Tensor, bounds: Bounds) -> Tensor:
    """Clamp to the valid range of inputs; None is no range."""
    return x if bounds is None else x.clamp(*bounds)


def _within(edge: Tensor, x: Tensor, eps: float) -> Tensor:
    """``x - eps`` or ``x + eps``; where that was rounded outwards, one step back: the difference really is within eps."""
    inward = torch.nextafter(edge, x)
    return edge + (inward - edge) * ((edge - x).abs() > eps)


def _rows(x: Tensor) -> Tensor:
    return x.reshape(len(x), -1)


def _column(values: Tensor, like: Tensor) -> Tensor:
    """One number a sample, shaped to multiply ``like`` ``[n, ...]``."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
