"""The perturbations that a training allows: a ball of radius eps around each input, cut by the range of the data."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from engine.specs import AdversarialTraining

Bounds = tuple[float, float] | None
"""The range that every input value lies in; None where there is none."""


class Ball(Protocol):
    """Around each of n inputs ``[n, ...]``. The range is applied after the ball, which keeps a point in both."""

    def project(self, x_adv: Tensor) -> Tensor:
        """The point inside that stands for ``x_adv`` ``[n, ...]``."""

    def ascent(self, gradient: Tensor) -> Tensor:
        """Per input the direction of length 1, in this norm, along which the loss rises most; 0 where it is flat."""

    def draw(self, draws: torch.Generator) -> Tensor:
        """A random point of each ball."""

    def near(self, draws: torch.Generator, deviation: float) -> Tensor:
        """A point of each ball next to the input: Gaussian noise of this deviation, in input units."""


def ball(spec: AdversarialTraining, x: Tensor, bounds: Bounds) -> Ball:
    """The ball of the training's norm and eps around each of ``x`` ``[n, ...]``, which lie within ``bounds``."""
    return ball_of(spec.norm, spec.eps, x, bounds)


def ball_of(norm: Literal["Linf", "L2"], eps: float, x: Tensor, bounds: Bounds) -> Ball:
    """The ball of a norm."""
    return LinfBall(x, eps, bounds) if norm == "Linf" else L2Ball(x, eps, bounds)


class LinfBall:
    """Every value within eps of the input's."""

    def __init__(self, x: Tensor, eps: float, bounds: Bounds) -> None:
        self.x, self.eps = x, eps
        self.lower, self.upper = (within(edge, bounds) for edge in (x - eps, x + eps))

    def project(self, x_adv: Tensor) -> Tensor:
        return torch.clamp(x_adv, self.lower, self.upper)

    def ascent(self, gradient: Tensor) -> Tensor:
        return gradient.sign()

    def draw(self, draws: torch.Generator) -> Tensor:
        """Uniform."""
        noise = torch.rand(self.x.shape, generator=draws)
        return self.project(noise.mul_(2 * self.eps).sub_(self.eps).add_(self.x))

    def near(self, draws: torch.Generator, deviation: float) -> Tensor:
        return self.project(self.x + deviation * torch.randn(self.x.shape, generator=draws))


class L2Ball:
    """Euclidean distance from the input at most eps."""

    def __init__(self, x: Tensor, eps: float, bounds: Bounds) -> None:
        self.x, self.eps, self.bounds = x, eps, bounds

    def project(self, x_adv: Tensor) -> Tensor:
        delta = x_adv - self.x
        norms = lengths(delta)
        outside = norms > self.eps
        shrunk = self.x + delta * column(self.eps / norms.clamp_min(self.eps or 1.0), delta)
        return within(torch.where(column(outside, delta), shrunk, x_adv), self.bounds)

    def ascent(self, gradient: Tensor) -> Tensor:
        top = column(gradient.flatten(1).abs().amax(1), gradient)
        scaled = gradient / torch.where(top > 0, top, 1.0)  # a tiny gradient must not square to zero
        norms = column(lengths(scaled), scaled)
        return scaled / torch.where(norms > 0, norms, 1.0)

    def draw(self, draws: torch.Generator) -> Tensor:
        """In a uniform direction at a uniform distance: nearly all of a ball's volume lies at its surface."""
        direction = self.ascent(torch.randn(self.x.shape, generator=draws))
        distance = self.eps * torch.rand(len(self.x), generator=draws)
        return self.project(self.x + direction * column(distance, direction))

    def near(self, draws: torch.Generator, deviation: float) -> Tensor:
        return self.project(self.x + deviation * torch.randn(self.x.shape, generator=draws))


def within(x: Tensor, bounds: Bounds) -> Tensor:
    """The nearest points in the range."""
    return x if bounds is None else x.clamp(*bounds)


def lengths(delta: Tensor) -> Tensor:
    """Euclidean length of each row ``[n, ...]``."""
    found: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    return found


def column(values: Tensor, like: Tensor) -> Tensor:
    """One number a row, shaped to multiply ``like`` ``[n, ...]``."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
