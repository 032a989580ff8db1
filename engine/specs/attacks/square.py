"""Square: random search with windows, from the model's scores alone."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.specs.attacks.common import FixedBudgetSpec, Goal, goal_param
from engine.specs.base import param


class SquareSpec(FixedBudgetSpec):
    """Square: random square windows at the edge of the ball, kept where they help (Andriushchenko et al. 2020).

    L1 is the form that AutoAttack uses (Croce & Hein 2021). Of a vector the windows are runs of neighbouring values.
    """

    title: ClassVar[str] = "Square"
    family: ClassVar[str] = "Score, black box"
    method: Literal["square"] = "square"
    gradient_free: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
    queries: int = param(
        5000,
        "Looks at the model's scores in each restart, the one at the clean sample not included",
        label="Queries",
        ge=1,
        le=1_000_000,
    )
    p_init: float = param(0.8, "Share of the image that the first windows cover", label="p", gt=0, le=1)
    restarts: int = param(1, "Independent runs; each sample keeps its best", label="Restarts", ge=1, le=1000)
    loss: Literal["published", "margin", "cross-entropy"] = param(
        "published",
        "What a window has to improve to be kept",
        label="Loss",
        choices={
            "published": "as published: margin, cross-entropy towards a target",
            "margin": "margin",
            "cross-entropy": "cross-entropy",
        },
        advanced=True,
    )
    together: int = param(
        1,
        "Windows tried side by side from about the 65th query on, of which the best is kept (ours); 1 = as published, more is faster",
        label="Side by side",
        ge=1,
        le=64,
        advanced=True,
    )
    rescale: bool = param(
        False,
        "Fit the schedule by which windows shrink to the queries; otherwise it is that of 10,000 queries, as in AutoAttack",
        label="Fit schedule to queries",
        advanced=True,
    )
