"""The geometry of one pair of feature vectors, accurate from parallel through orthogonal to opposite.

Everything comes from two lengths: the chord between the unit vectors and the chord to the antipode. Neither
loses digits at its own pole, unlike the inner product, whose arc cosine is useless below angles of 1e-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_SMALL, _LARGE = 1e-100, 1e100  # between them, squares neither vanish nor overflow


@dataclass(frozen=True, eq=False)
class PairGeometry:
    """What two directions are to each other; float64 tensors of one shape.

    A pair with a dead member (a zero or non-finite vector) is NaN throughout. A pair that is exactly parallel or
    opposite at float64 precision is saturated: ``eta`` is +inf or -inf and ``gamma`` is inf, the rest is finite.
    """

    C: Tensor
    """Correlation, the cosine of the angle, in [-1, 1]."""
    theta: Tensor
    """Angle in radians, in [0, pi]."""
    d: Tensor
    """Chord between the unit vectors, in [0, 2]."""
    d_antipode: Tensor
    """Chord from one unit vector to the other's antipode, in [0, 2]; ``d**2 + d_antipode**2 = 4``."""
    eta: Tensor
    """Rapidity ``ln(d_antipode / d) = artanh C``: positive when correlated, negative when anti-correlated."""
    gamma: Tensor
    """Lorentz factor ``cosh eta = 1 / sin theta``, at least 1."""


def pair_geometry(x: Tensor, y: Tensor) -> PairGeometry:
    """Compare row i of ``x`` with row i of ``y``; both ``[..., N, D]`` of any real type, computed in float64.

    Source: W. Kahan (2006), "How Futile are Mindless Assessments of Roundoff in Floating-Point Computation?",
    section 12, for the angle; R. A. Fisher (1921), "On the probable error of a coefficient of correlation", for eta.
    """
    d, d_antipode = chords(unit_rows(x)[0], unit_rows(y)[0])
    near, far = d.square(), d_antipode.square()
    return PairGeometry(
        C=(far - near) / (far + near),
        theta=kahan_angle(d, d_antipode),
        d=d,
        d_antipode=d_antipode,
        eta=rapidity(d, d_antipode),
        gamma=(far + near) / (2 * d * d_antipode),
    )


def centred(x: Tensor, mean: Tensor) -> Tensor:
    """``x - mean`` in float64; ``x`` is ``[N, D]``, ``mean`` is ``[D]``, usually the mean over training samples.

    A row that is dead, zero or not finite, becomes NaN: centring would give every dead one the same direction.
    """
    x = x.double()
    alive = torch.linalg.vector_norm(x, torch.inf, dim=-1, keepdim=True) > 0
    return torch.where(alive, x - mean.double(), torch.nan)


def unit_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """Scale each row of ``[..., N, D]`` to length 1 in float64, safe from overflow and underflow.

    Returns the unit rows and a boolean mask ``[..., N]`` of the dead ones, which have no direction because they are
    zero or not finite: their unit row is NaN, never 0, so that nothing computed from them passes for a measurement.
    """
    x = x.double()
    largest = torch.linalg.vector_norm(x, torch.inf, dim=-1, keepdim=True)
    if not bool(((largest > _SMALL) & (largest < _LARGE)).all()):
        x = x / largest  # 0/0 and inf/inf are NaN: dead
    norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / norms, norms.isnan().squeeze(-1)


def chords(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Distances from each unit row of ``a`` to the one of ``b`` and to its antipode: ``|a - b|``, ``|a + b|``."""
    return lengths(a - b), lengths(a + b)


def kahan_angle(d: Tensor, d_antipode: Tensor) -> Tensor:
    """Angle in [0, pi] between unit vectors from their two chords."""
    return 2 * torch.atan2(d, d_antipode)


def rapidity(d: Tensor, d_antipode: Tensor) -> Tensor:
    """``ln(d_antipode / d)``, signed, never clipped; +inf for parallel and -inf for opposite vectors."""
    return torch.log(d_antipode / d)


def lengths(x: Tensor) -> Tensor:
    """Euclidean length of each row of ``[..., D]``; scaled first, so that tiny chords do not square to zero."""
    largest = x.abs().amax(-1, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest)
    return (x / scale).square().sum(-1).sqrt() * scale.squeeze(-1)
