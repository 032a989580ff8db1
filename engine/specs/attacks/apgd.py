"""Auto-PGD: gradient steps whose size is set on the way."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.specs.attacks.common import FixedBudgetSpec, Goal, goal_param
from engine.specs.attacks.fixed import eot_param
from engine.specs.base import param


class ApgdSpec(FixedBudgetSpec):
    """Auto-PGD: momentum, and steps halved at checkpoints that go on from the best point so far (Croce & Hein 2020).

    In L1 it is L1-APGD, whose steps change few values at a time (Croce & Hein 2021).
    """

    title: ClassVar[str] = "APGD"
    family: ClassVar[str] = "Fixed budget, white box"
    method: Literal["apgd"] = "apgd"
    goal: Goal = goal_param("untargeted")
    loss: Literal["ce", "dlr", "targeted-dlr"] = param(
        "ce",
        "What is made larger; with a chosen target both DLR losses are the targeted one, for that class alone",
        label="Loss",
        choices={
            "ce": "cross-entropy",
            "dlr": "difference of logits ratio (DLR)",
            "targeted-dlr": "targeted DLR, one likely class after another",
        },
    )
    steps: int = param(100, "Gradient steps in each restart", label="Steps", ge=1, le=10_000)
    restarts: int = param(1, "Random starts, of each target class with targeted DLR", label="Restarts", ge=1, le=1000)
    n_target_classes: int = param(
        9, "Other classes that targeted DLR tries, the most likely first", label="Target classes", ge=1, le=1000
    )
    rho: float = param(
        0.75,
        "Steps are halved at a checkpoint when the loss rose in at most this share of the steps since the last one; L1 does not use it",
        label="ρ",
        advanced=True,
        ge=0,
        le=1,
    )
    larger_balls: bool = param(
        True,
        "In L1, spend 30 % of the steps in a ball of 3 ε and 30 % in one of 2 ε first; other norms do not use it",
        label="From larger balls (L1)",
        advanced=True,
    )
    eot: int = eot_param()
