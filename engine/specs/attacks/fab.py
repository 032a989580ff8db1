"""FAB: the smallest perturbation by repeated projection onto the linearised decision boundary."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.specs.attacks.common import Goal, MinimalNormSpec, goal_param, norm_param
from engine.specs.base import param


class _Fab(MinimalNormSpec):
    family: ClassVar[str] = "Minimal norm"
    norm: Literal["Linf", "L2", "L1"] = norm_param(
        "Linf", "Norm of the perturbation that is made as small as it can be"
    )
    steps: int = param(100, "Projections in each restart", label="Steps", ge=1, le=10_000)
    restarts: int = param(
        1,
        "Runs, each after the first from a random point half as far away as the best so far; a sample keeps its best",
        label="Restarts",
        ge=1,
        le=1000,
    )
    alpha_max: float = param(
        0.1,
        "Most weight of the step from the sample against that from the point, when the two are mixed",
        label="α max",
        ge=0,
        le=1,
        advanced=True,
    )
    eta: float = param(
        1.05,
        "How far a step goes beyond the linearised boundary; 1 = onto it",
        label="Overshoot η",
        ge=1,
        le=10,
        advanced=True,
    )
    beta: float = param(
        0.9,
        "After a success the next step begins at this share of the way from the sample to it",
        label="Backward step β",
        gt=0,
        lt=1,
        advanced=True,
    )


class FabSpec(_Fab):
    """Fast adaptive boundary attack: steps onto the nearest of all linearised class boundaries (Croce & Hein 2020)."""

    title: ClassVar[str] = "FAB"
    method: Literal["fab"] = "fab"
    goal: Goal = goal_param("untargeted")


class FabTargetedSpec(_Fab):
    """Targeted FAB: towards each of the likeliest other classes in turn; any wrong class counts (Croce & Hein 2020)."""

    title: ClassVar[str] = "FAB-T"
    method: Literal["fab-t"] = "fab-t"
    goal: Literal["untargeted"] = param(
        "untargeted",
        "What counts as success: any wrong class, whichever class the attack is heading for",
        label="Goal",
        choices={"untargeted": "untargeted: any other class"},
    )
    n_target_classes: int = param(
        9, "Other classes that it heads for, the most likely first", label="Target classes", ge=1, le=1000
    )
