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


def goal_param(
    default: Goal = "next", help: str = "What counts as success: any wrong class, or one chosen class"
) -> Any:
    """The field ``goal``; its annotation says which goals an attack knows."""
    return param(
        default,
        help,
        label="Goal",
        choices={
            "untargeted": "untargeted: any other class",
            "next": "targeted: y + 1",
            "random": "targeted: a random other class",
            "least-likely": "targeted: the least likely class",
        },
    )


def alpha_param(rule: str) -> Any:
    """The field ``alpha`` of attacks whose steps may follow a rule; 0 stands for it."""
    return param(
        0.0,
        f"Size of each step, in input units; 0 takes {rule}",
        label="Step α",
        unit="input units",
        ge=0,
        le=1000,
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
    images_only: ClassVar[bool] = False
    """What it does to an input needs rows and columns."""
    joint: ClassVar[bool] = False
    """It makes one thing for all samples: what counts is how that does in the end, not whether any of its forms did."""

    goal: Goal = goal_param()
    samples: int = param(300, "Test samples attacked, balanced over the classes", label="Samples", ge=1, le=100_000)

    @property
    def aim(self) -> Goal | int:
        """The goal, or the one class that all samples are driven to (``target_class`` of the attacks that have it)."""
        chosen: int = getattr(self, "target_class", -1)
        return chosen if chosen >= 0 else self.goal

    @property
    def one_target(self) -> bool:
        """All samples are driven to one class, those included that are of it."""
        return isinstance(self.aim, int)

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

    reach: ClassVar[float] = 2.5
    """How far all steps together go, in radii, where ``alpha`` is left to the rule."""
    stop: bool = stop_param()
    precision: Literal["float32", "bfloat16"] = precision_param()

    @property
    def step_size(self) -> float:
        """``alpha``, or ``reach * eps / steps`` where it is 0 or no setting."""
        return float(getattr(self, "alpha", 0.0) or self.reach * self.eps / getattr(self, "steps", 1))


class _Smallest(Spec):
    norm: Norm = norm_param("L2", "Norm of the perturbation that is made as small as it can be")


class MinimalNormSpec(AttackSpecBase, _Smallest):
    """What every attack has that looks for the smallest perturbation; it has no budget."""

    minimal: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
