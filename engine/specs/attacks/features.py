"""Attacks that ask the paper's question directly: what does it take to make features of distant inputs alike?"""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.specs.attacks.common import FixedBudgetSpec, alpha_param, goal_param, norm_param, stop_param
from engine.specs.base import param


class FeatureSpec(FixedBudgetSpec):
    """Feature-space attack: drive a layer's features to those of an example of the target class (Sabour, Cao, Faghri & Fleet 2016)."""

    title: ClassVar[str] = "Feature attack"
    family: ClassVar[str] = "Feature space"
    method: Literal["feature"] = "feature"
    norm: Literal["Linf", "L2"] = norm_param("Linf")
    stop: bool = stop_param(False)
    target_sample: int = param(
        -1,
        "Test sample (its number) that all features are driven to; a targeted goal then means its class. -1: for each sample an example as the goal says",
        label="Towards test sample",
        ge=-1,
        le=10_000_000,
    )
    layer: str = param(
        "",
        "Tap, or module name, whose features are driven, for example relu 3; empty takes the last one before the class scores",
        label="Layer",
    )
    alpha: float = alpha_param("2.5 ε / steps, enough to cross the ball")
    steps: int = param(40, "Gradient steps in each restart", label="Steps", ge=1, le=10_000)
    random_start: bool = param(
        False, "Begin at a random point of the ball instead of at the sample", label="Random start"
    )
    restarts: int = param(
        1, "Independent runs, each towards another example; each sample keeps its best", label="Restarts", ge=1, le=1000
    )

    @property
    def one_target(self) -> bool:
        """All are driven to the chosen sample, its own class too."""
        return self.target_sample >= 0


class NoiseAttackSpec(FixedBudgetSpec):
    """Fooling noise: from pure noise to the target class at a given confidence, within a budget (Nguyen, Yosinski & Clune 2015)."""

    title: ClassVar[str] = "Fooling noise"
    family: ClassVar[str] = "Feature space"
    method: Literal["noise"] = "noise"
    norm: Literal["Linf", "L2"] = norm_param("L2", "Norm that bounds how far the noise is changed")
    eps: float = param(
        1.5, "How far the noise may be changed, in input units", label="ε", unit="input units", ge=0, le=1000
    )
    goal: Literal["next", "random", "least-likely"] = goal_param("next", "The class that the noise is to be seen as")
    target_class: int = param(
        -1,
        "Class that all noise is driven to; -1: each sample another, by the goal and the label of the image in whose place the noise is",
        label="Towards class",
        ge=-1,
        le=100_000,
    )
    confidence: float = param(
        0.99, "Softmax probability of the target class that counts as success", label="Confidence", gt=0, lt=1
    )
    alpha: float = alpha_param("2.5 ε / steps, enough to cross the ball")
    steps: int = param(100, "Gradient steps", label="Steps", ge=1, le=10_000)

    @property
    def least_confidence(self) -> float:
        """The confidence asked for."""
        return self.confidence
