"""Black-box attacks that read nothing but the predicted class: Boundary, HopSkipJump, GeoDA, SurFree."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.specs.attacks.common import Goal, MinimalNormSpec, goal_param, norm_param
from engine.specs.attacks.score import queries_param
from engine.specs.base import param

_NORM_HELP = "Norm of the perturbation that is made as small as it can be"


def _frequencies() -> Any:
    return param(
        0.5,
        "Directions are drawn from this share of the frequencies along each axis of an image, the lowest, and from at least "
        "8; 1 = from all, as of vectors always",
        label="Frequencies",
        gt=0,
        le=1,
    )


class DecisionSpec(MinimalNormSpec):
    """What attacks have that walk along the decision boundary from a point beyond it."""

    family: ClassVar[str] = "Decision, black box"
    gradient_free: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
    queries: int = queries_param(5000)
    begin: Literal["noise", "example"] = param(
        "noise",
        "Where the search begins, the other serving where this fails; towards a target always at an example of that class",
        label="Begin at",
        choices={"noise": "random noise", "example": "the nearest example of another class"},
        advanced=True,
    )
    tries: int = param(
        25, "Points looked at in search of one beyond the boundary", label="Tries", ge=1, le=10_000, advanced=True
    )


class BoundarySpec(DecisionSpec):
    """Boundary attack: random steps along the boundary and towards the sample, rejected where it holds (Brendel et al. 2018)."""

    title: ClassVar[str] = "Boundary"
    method: Literal["boundary"] = "boundary"
    norm: Literal["L2"] = norm_param("L2", _NORM_HELP)
    spherical_step: float = param(
        0.01, "First step around the sample, as a share of the distance", label="Step along", gt=0, le=1
    )
    source_step: float = param(
        0.01, "First step towards the sample, as a share of the distance", label="Step towards", gt=0, lt=1
    )
    adaptation: float = param(
        1.5, "Factor by which steps grow or shrink with their success", label="Adaptation", gt=1, le=10, advanced=True
    )


class HopSkipJumpSpec(DecisionSpec):
    """HopSkipJump: a direction from random looks around the boundary, a step, a search back to it (Chen et al. 2020)."""

    title: ClassVar[str] = "HopSkipJump"
    method: Literal["hopskipjump"] = "hopskipjump"
    norm: Literal["L2", "Linf"] = norm_param("L2", _NORM_HELP)
    probes: int = param(
        100, "Looks for the first direction; the k-th takes √k times as many", label="Probes", ge=2, le=100_000
    )
    most_probes: int = param(
        10_000, "Most looks for one direction", label="Most probes", ge=2, le=1_000_000, advanced=True
    )
    gamma: float = param(
        1.0,
        "How exactly the boundary is found: to γ / D^1.5 of the distance (L2), γ / D² (L∞), but never finer than 10⁻⁵ or coarser than 10⁻³",
        label="γ",
        gt=0,
        le=1e6,
        advanced=True,
    )


class GeoDaSpec(DecisionSpec):
    """GeoDA: takes the boundary for a plane, estimates its normal, and goes from the sample along it (Rahmati et al. 2020)."""

    title: ClassVar[str] = "GeoDA"
    method: Literal["geoda"] = "geoda"
    norm: Literal["L2", "Linf"] = norm_param("L2", _NORM_HELP)
    goal: Literal["untargeted"] = param(
        "untargeted",
        "What counts as success: any wrong class; GeoDA knows no targets",
        label="Goal",
        choices={"untargeted": "untargeted: any other class"},
    )
    frequencies: float = _frequencies()
    sigma: float = param(
        0.0002,
        "How far the looks are from the boundary: σ √d times the distance to the sample, d being the number of directions; "
        "the boundary itself is found to σ / 2 of that distance",
        label="Look σ",
        gt=0,
        le=1,
        advanced=True,
    )
    ratio: float = param(
        0.6,
        "Each estimate takes μ^(-2/3) times as many looks as the one before; the last takes what is left",
        label="Ratio μ",
        gt=0.01,
        le=1,
        advanced=True,
    )


class SurFreeSpec(DecisionSpec):
    """SurFree: turns towards random directions at right angles to the last ones, on the circle of shortest ways (Maho et al. 2021)."""

    title: ClassVar[str] = "SurFree"
    method: Literal["surfree"] = "surfree"
    norm: Literal["L2"] = norm_param("L2", _NORM_HELP)
    frequencies: float = _frequencies()
    theta_max: float = param(30.0, "First turn that is tried", label="θ max", unit="degrees", gt=0, lt=90)
    trials: int = param(
        3,
        "Turns tried to each side, from the widest; on small images 1 often does better",
        label="Turns T",
        ge=1,
        le=100,
    )
    rho: float = param(
        0.98,
        "Factor of the widest turn after a direction without success, divisor after one with",
        label="ρ",
        gt=0,
        le=1,
        advanced=True,
    )
    memory: int = param(
        100,
        "Last directions to which a new one is made orthogonal; at most half of all there are, and fewer where inputs are large",
        label="Memory",
        ge=0,
        le=10_000,
        advanced=True,
    )
    halvings: int = param(
        10, "Most halvings in the search for the best turn", label="Halvings", ge=0, le=50, advanced=True
    )
