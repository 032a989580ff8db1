"""Attacks that change few values or pixels: JSMA, sigma-zero, one-pixel, Sparse-RS."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.specs.attacks.common import AttackSpecBase, Goal, MinimalNormSpec, goal_param, norm_param, stop_param
from engine.specs.attacks.score import queries_param
from engine.specs.base import Spec, param

_VALUES = (
    "Norm of the perturbation that is made as small as it can be; L0 counts values, of an image those of each channel"
)
_PIXELS = "Norm in which perturbations are measured; L0 counts values, of an image those of each channel"


def _steps(default: int) -> Any:
    return param(default, "Gradient steps", label="Steps", ge=1, le=100_000)


class JsmaSpec(MinimalNormSpec):
    """JSMA: the values whose change raises the target's score most and lowers the others', two at a time (Papernot et al. 2016).

    L0 counts values, of an image those of each channel. Untargeted it is the non-targeted or the
    maximal form (Wiyatno & Xu 2018). A sample rests at its first success, or where no two values promise any.
    """

    title: ClassVar[str] = "JSMA"
    family: ClassVar[str] = "Sparse"
    method: Literal["jsma"] = "jsma"
    norm: Literal["L0"] = norm_param("L0", _VALUES)
    theta: float = param(1.0, "How far a value goes at each step", label="θ", unit="input units", gt=0, le=1e6)
    gamma: float = param(
        0.145,
        "Most steps, as the share of the values that they change if none is changed twice, rounded up",
        label="γ",
        gt=0,
        le=1,
    )
    direction: Literal["up", "down", "either"] = param(
        "up",
        "Where values go: the paper has runs that only raise and runs that only lower them; either is ours",
        label="Values go",
        choices={"up": "up", "down": "down", "either": "each where it helps more"},
    )
    pairs: bool = param(
        True, "Choose the best two values at each step, as the paper does; off: one, which is ours", label="In pairs"
    )
    maximal: bool = param(
        False,
        "Untargeted: head for whichever class promises most at each step, or away from the true one, at a backward pass for "
        "each class (M-JSMA); off: away from the true class, at two (NT-JSMA), which is often stronger too",
        label="Any class (M-JSMA)",
        advanced=True,
    )
    weighted: bool = param(
        False,
        "Count what a value promises by how far the input range lets it go (ours); the paper counts its derivative alone",
        label="Count the room",
        advanced=True,
    )


class SigmaZeroSpec(MinimalNormSpec):
    """σ-zero: Adam on the margin and a smooth stand-in for L0, where changes below a threshold are undone (Cinà et al. 2025).

    L0 counts values, of an image those of each channel.
    """

    title: ClassVar[str] = "σ-zero"
    family: ClassVar[str] = "Sparse"
    method: Literal["sigma-zero"] = "sigma-zero"
    norm: Literal["L0"] = norm_param("L0", _VALUES)
    steps: int = _steps(100)
    eta: float = param(
        1.0, "First step size; it falls to a tenth along a cosine", label="Step η", unit="input units", gt=0, le=1e6
    )
    sigma: float = param(
        0.001,
        "How sharply the stand-in δ² / (δ² + σ) tells a change from none",
        label="σ",
        gt=0,
        le=100,
        advanced=True,
    )
    tau: float = param(
        0.3, "First threshold below which changes are undone", label="Threshold τ", unit="input units", ge=0, le=1e6
    )
    t: float = param(
        0.01,
        "How much the threshold rises after a success and falls otherwise, as a share of the step size",
        label="Threshold step t",
        ge=0,
        le=1,
        advanced=True,
    )


class _Pixels(Spec):
    norm: Literal["L0"] = norm_param("L0", _PIXELS)


class PixelBudgetSpec(AttackSpecBase, _Pixels):
    """What attacks have that may change a given number of pixels, as they like within the input range.

    A pixel of an image is all its channels at one place; of a vector it is a value.
    """

    family: ClassVar[str] = "Sparse"
    gradient_free: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
    stop: bool = stop_param()
    pixels: int = param(1, "Pixels that may be changed, each in all its channels", label="Pixels", ge=1, le=100_000)


class OnePixelSpec(PixelBudgetSpec):
    """One-pixel attack: differential evolution of the places and colours of few pixels (Su, Vargas & Sakurai 2019).

    Each sample is asked about once for each candidate of each generation. That it rests at its first success is ours.
    """

    title: ClassVar[str] = "One-pixel"
    method: Literal["one-pixel"] = "one-pixel"
    pixels: int = param(1, "Pixels that may be changed, each in all its channels", label="Pixels", ge=1, le=1000)
    population: int = param(400, "Candidates in each generation", label="Population", ge=4, le=10_000)
    generations: int = param(100, "Generations after the first", label="Generations", ge=0, le=100_000)
    scale: float = param(
        0.5, "Weight F of the difference of two candidates that is added to a third", label="F", gt=0, le=2
    )
    strategy: Literal["rand", "best"] = param(
        "rand",
        "What the difference is added to",
        label="Strategy",
        choices={"rand": "a random candidate, as published", "best": "the best candidate (ours): faster, but narrower"},
        advanced=True,
    )


class SparseRsSpec(PixelBudgetSpec):
    """Sparse-RS: random search over which pixels go to the ends of the input range, and to which (Croce et al. 2022)."""

    title: ClassVar[str] = "Sparse-RS"
    method: Literal["sparse-rs"] = "sparse-rs"
    pixels: int = param(10, "Pixels that may be changed, each in all its channels", label="Pixels", ge=1, le=100_000)
    queries: int = queries_param(5000)
    alpha_init: float = param(
        0.3, "Share of the pixels that is exchanged at first; it falls to a twentieth", label="α", gt=0, le=1
    )
