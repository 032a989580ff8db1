"""Black-box attacks that read the model's class scores: SimBA, NES, SPSA."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.specs.attacks.common import FixedBudgetSpec, Goal, goal_param, norm_param, precision_param
from engine.specs.base import param


def queries_param(default: int) -> Any:
    """The field ``queries``: an attack's budget of looks at the model."""
    return param(
        default,
        "Most looks at the model for each sample, the one at the clean sample included",
        label="Queries",
        ge=1,
        le=1_000_000,
    )


class _Score(FixedBudgetSpec):
    family: ClassVar[str] = "Score, black box"
    gradient_free: ClassVar[bool] = True
    precision: Literal["float32"] = precision_param()  # to confirm a success in float32 would cost a query


class SimbaSpec(_Score):
    """SimBA: steps along one basis direction after another, kept where the score gets worse (Guo et al. 2019).

    Kept inside the ball, which the paper bounds only by the number of steps.
    """

    title: ClassVar[str] = "SimBA"
    method: Literal["simba"] = "simba"
    norm: Literal["Linf", "L2"] = norm_param("L2")
    eps: float = param(
        1.0, "Radius of the ball around each sample, in input units", label="ε", unit="input units", ge=0, le=1000
    )
    goal: Goal = goal_param("untargeted")
    queries: int = queries_param(5000)
    alpha: float = param(0.2, "Length of each step, in input units", label="Step α", unit="input units", gt=0, le=1000)
    basis: Literal["pixel", "dct"] = param(
        "pixel",
        "Directions that are tried, in random order and none twice before all were tried",
        label="Directions",
        choices={"pixel": "single values (pixels)", "dct": "cosine waves of low frequency (DCT)"},
    )
    frequencies: float = param(
        0.5,
        "With cosine waves: the share of the frequencies along each axis of an image that is used, the lowest, and at least 8; of vectors all",
        label="Frequencies",
        gt=0,
        le=1,
        advanced=True,
    )


class _Estimate(_Score):
    norm: Literal["Linf", "L2"] = norm_param("Linf")
    goal: Goal = goal_param("untargeted")
    queries: int = queries_param(5000)
    alpha: float = param(0.01, "Size of each step, in input units", label="Step α", unit="input units", gt=0, le=1000)


class NesSpec(_Estimate):
    """NES: gradient descent on an estimate from pairs of Gaussian probes, with momentum (Ilyas et al. 2018)."""

    title: ClassVar[str] = "NES"
    method: Literal["nes"] = "nes"
    probes: int = param(
        50,
        "Looks at the model for each estimate, in pairs on both sides of the point",
        label="Probes",
        ge=2,
        le=100_000,
    )
    sigma: float = param(
        0.001, "Standard deviation of the probes, in input units", label="Probe σ", unit="input units", gt=0, le=100
    )
    momentum: float = param(0.9, "Share of the last direction that is kept", label="Momentum", ge=0, lt=1)
    loss: Literal["cross-entropy", "margin"] = param(
        "cross-entropy",
        "What is made larger",
        label="Loss",
        choices={"cross-entropy": "cross-entropy", "margin": "margin between the classes' scores"},
    )
    patience: int = param(
        5,
        "Steps without progress after which a sample's step is halved, down to a 200th; 0 = never",
        label="Patience",
        ge=0,
        le=10_000,
    )


class SpsaSpec(_Estimate):
    """SPSA: Adam on an estimate of the margin's gradient from pairs of random sign probes (Uesato et al. 2018)."""

    title: ClassVar[str] = "SPSA"
    method: Literal["spsa"] = "spsa"
    probes: int = param(
        128,
        "Looks at the model for each estimate, in pairs on both sides of the point",
        label="Probes",
        ge=2,
        le=100_000,
    )
    delta: float = param(
        0.01,
        "How far each value of a probe is moved, in input units",
        label="Probe δ",
        unit="input units",
        gt=0,
        le=100,
    )
