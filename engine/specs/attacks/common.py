"""What attacks have in common: a goal and samples, and either a fixed budget or a norm to make small."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.specs.base import Spec, param

Norm = Literal["Linf", "L2", "L1", "L0"]
Goal = Literal["untargeted", "next", "random", "least-likely"]

SHARED = ("norm", "eps", "goal", "samples", "stop")
"""The fields that mean the same in every attack that has them."""


def norm_param(default: Norm, help: str = "Norm that bounds the perturbation") -> Any:
    """The field ``norm``; its annotation says which norms an attack knows."""
    return param(default, help, label="Norm", choices={"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"})


def goal_param(default: Goal = "next") -> Any:
    """The field ``goal``; its annotation says which goals an attack knows."""
    return param(
        default,
        "What counts as success: any wrong class, or one chosen class",
        label="Goal",
        choices={
            "untargeted": "untargeted: any other class",
            "next": "targeted: y + 1",
            "random": "targeted: a random other class",
            "least-likely": "targeted: the least likely class",
        },
    )


def stop_param(default: bool = True) -> Any:
    """The field ``stop`` of an attack of a fixed budget."""
    return param(
        default,
        "Let a sample rest at its first success: much faster, but it goes no deeper into the wrong class",
        label="Stop at success",
    )


def precision_param() -> Any:
    """The field ``precision`` of attacks that stay within a budget."""
    return param(
        "float32",
        "Numbers the attack computes with; a success in bfloat16 counts only once float32 confirms it, and where the processor cannot multiply bfloat16 float32 is used",
        label="Precision",
        advanced=True,
        choices={"float32": "float32", "bfloat16": "bfloat16, confirmed in float32"},
    )


class AttackSpecBase(Spec):
    """What every attack has. Its first docstring line is its help and names its source."""

    title: ClassVar[str]
    """Short name, as its paper and the literature write it."""
    family: ClassVar[str]
    """The group under which it is listed."""
    minimal: ClassVar[bool] = False
    """It looks for the smallest perturbation instead of keeping within a budget."""
    gradient_free: ClassVar[bool] = False
    """It asks the model for its outputs alone."""

    goal: Goal = goal_param()
    samples: int = param(300, "Test samples attacked, balanced over the classes", label="Samples", ge=1, le=100_000)

    @property
    def least_confidence(self) -> float:
        """Softmax probability that a target class must have to count as reached."""
        return 0.0


class _Budget(Spec):
    norm: Literal["Linf", "L2", "L1"] = norm_param("Linf")
    eps: float = param(
        0.1, "Radius of the ball around each sample, in input units", label="ε", unit="input units", ge=0, le=1000
    )


class FixedBudgetSpec(AttackSpecBase, _Budget):  # fields come in the order of the bases from the last: the budget first
    """What every attack within a ball of fixed radius has."""

    stop: bool = stop_param()
    precision: Literal["float32", "bfloat16"] = precision_param()


class _Smallest(Spec):
    norm: Norm = norm_param("L2", "Norm of the perturbation that is made as small as it can be")


class MinimalNormSpec(AttackSpecBase, _Smallest):
    """What every attack has that looks for the smallest perturbation; it has no budget."""

    minimal: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
