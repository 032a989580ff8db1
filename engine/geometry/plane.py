"""A plane through the input space: its axes, its points, and where balls and boxes cut it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from engine.specs import Norm

TINY = 1e-6  # relative length below which a direction is none, in the precision of float32 inputs
DIRECTIONS = 720  # in which an outline is followed
VALUES = 2**21  # of directions held at a time

Reach: TypeAlias = Callable[[Tensor], Tensor]
"""How far it is from the origin along each of some directions ``[k, D]``: lengths ``[k]``."""


@dataclass(frozen=True, eq=False)
class Plane:
    """The points ``origin + a u + b v`` with orthonormal ``u`` and ``v``: ``a`` and ``b`` are L2 lengths in input units."""

    origin: Tensor
    """``[D]`` float64"""
    u: Tensor
    v: Tensor
    u_towards: Literal["second", "third", "random"]
    """Which of the points given gave the first axis."""
    v_towards: Literal["third", "random"]
    """Which gave the second; random where the third point lies on the line along u."""

    def at(self, a: Tensor, b: Tensor) -> Tensor:
        """Points ``[n, D]`` of coordinates ``[n]``."""
        return self.origin + a[:, None] * self.u + b[:, None] * self.v

    def coordinates(self, point: Tensor) -> tuple[float, float]:
        """Where the projection of a point onto the plane lies."""
        delta = point.flatten().double() - self.origin
        return float(delta @ self.u), float(delta @ self.v)


def spanned(origin: Tensor, second: Tensor, third: Tensor, draw: torch.Generator) -> Plane:
    """The plane through three points of one shape, by Gram-Schmidt: u towards ``second``, v towards ``third``.

    Where ``second`` is the origin, u goes towards ``third``; directions that the points don't give are drawn at random.
    Raises ValueError in fewer than two dimensions, where there is no plane.
    """
    x, y, z = (point.flatten().double() for point in (origin, second, third))
    if len(x) < 2:
        raise ValueError("a plane needs inputs of two values or more")
    least = TINY * max(1.0, float(x.norm()))
    u_towards: Literal["second", "third", "random"] = "second"
    towards = y - x
    if float(towards.norm()) <= least:
        u_towards, towards = "third", z - x
    if float(towards.norm()) <= least:
        u_towards, towards = "random", torch.randn(len(x), generator=draw, dtype=torch.float64)
    u = towards / towards.norm()
    rest = _without(z - x, u)
    random = float(rest.norm()) <= max(least, TINY * float((z - x).norm()))
    if random:
        rest = _without(torch.randn(len(x), generator=draw, dtype=torch.float64), u)
    return Plane(x, u, rest / rest.norm(), u_towards, "random" if random else "third")


def _without(vector: Tensor, u: Tensor) -> Tensor:
    """What is left of a vector without its part along u; twice, so that rounding leaves none either."""
    once = vector - (vector @ u) * u
    left: Tensor = once - (once @ u) * u
    return left


def outline(plane: Plane, reach: Reach) -> Generator[None, None, Tensor]:
    """The edge of what surrounds the origin and has no holes seen from there: ``[R, 2]``, closed; pauses for breath."""
    angle = torch.linspace(0, 2 * math.pi, DIRECTIONS + 1, dtype=torch.float64)
    unit = torch.stack([angle.cos(), angle.sin()], dim=1)
    lengths = []
    for part in torch.split(unit, max(1, VALUES // len(plane.u))):
        lengths.append(reach(part[:, :1] * plane.u + part[:, 1:] * plane.v))
        yield None
    return unit * torch.cat(lengths)[:, None]


def ball_reach(norm: Norm, radius: float) -> Reach | None:
    """The ball of a radius around the origin, exactly; None in L0, which has no outline."""
    if norm == "L0":
        return None
    order = {"Linf": math.inf, "L2": 2.0, "L1": 1.0}[norm]
    return lambda step: radius / torch.linalg.vector_norm(step, ord=order, dim=1)


def box_reach(plane: Plane, lower: Tensor, upper: Tensor) -> Reach:
    """The box of valid inputs, exactly; ``lower`` and ``upper`` are ``[D]``, the origin lies between them.

    Where the origin lies on the edge of the range (a black pixel), most directions lead out of the box at once.
    """

    def reach(step: Tensor) -> Tensor:
        room = torch.where(step > 0, upper - plane.origin, lower - plane.origin) / step
        return torch.where(step.abs() > 1e-12, room, torch.inf).amin(1).clamp(min=0.0)

    return reach
