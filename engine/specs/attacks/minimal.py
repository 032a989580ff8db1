"""Gradient attacks for the smallest perturbation: DeepFool, C&W, DDN, FMN, EAD."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.specs.attacks.common import MinimalNormSpec, norm_param
from engine.specs.base import param

_NORM_HELP = "Norm of the perturbation that is made as small as it can be"


def _refine() -> Any:
    return param(
        0,
        "Looks between the sample and its nearest success, each where the secant of the margin puts the boundary; they cost a "
        "forward pass each and one more; 0 = the attack as published",
        label="Refine",
        ge=0,
        le=50,
        advanced=True,
    )


class DeepFoolSpec(MinimalNormSpec):
    """DeepFool: steps onto the nearest of the linearised class boundaries, then a little beyond (Moosavi-Dezfooli et al. 2016)."""

    title: ClassVar[str] = "DeepFool"
    family: ClassVar[str] = "Minimal norm"
    method: Literal["deepfool"] = "deepfool"
    norm: Literal["L2", "Linf"] = norm_param("L2", _NORM_HELP)
    goal: Literal["untargeted"] = param(
        "untargeted",
        "What counts as success: any wrong class; DeepFool knows no targets",
        label="Goal",
        choices={"untargeted": "untargeted: any other class"},
    )
    steps: int = param(50, "Steps at most; a sample rests at its first success", label="Steps", ge=1, le=10_000)
    overshoot: float = param(
        0.02, "How far beyond the boundary, as a share of the way to it", label="Overshoot η", ge=0, le=10
    )
    candidates: int = param(
        10,
        "Classes whose boundaries are considered: the likeliest at the sample, its own included",
        label="Classes considered",
        ge=2,
        le=10_000,
        advanced=True,
    )
    refine: int = _refine()


class ConfidentSpec(MinimalNormSpec):
    """What attacks have that weigh the distance against a loss of the margin, by a constant c that is searched for."""

    steps: int = param(10_000, "Steps at most, for each value of c", label="Steps", ge=1, le=100_000)
    learning_rate: float = param(0.01, "Size of the steps", label="Learning rate", gt=0, le=100)
    kappa: float = param(
        0.0,
        "Confidence: by how much the wrong class's logit must exceed all others for a point to count as a success",
        label="Confidence κ",
        unit="logits",
        ge=0,
        le=1e6,
    )
    searches: int = param(
        9,
        "Values of c tried for each sample: ten times the last until one succeeds, then halfway between failure and success; "
        "of 10 or more the last is the least that has succeeded, once more",
        label="Searches for c",
        ge=1,
        le=100,
    )
    initial_const: float = param(
        1e-3, "First weight of the loss against the distance", label="First c", gt=0, le=1e10, advanced=True
    )
    abort_early: bool = param(
        True,
        "A sample leaves a search when its objective has fallen by less than 0.01% in each of two tenths of it in a row; "
        "off: it takes all steps",
        label="Abort early",
        advanced=True,
    )
    refine: int = _refine()


class CarliniWagnerSpec(ConfidentSpec):
    """C&W: Adam on the squared distance plus c times the margin that is missing (Carlini & Wagner 2017)."""

    title: ClassVar[str] = "C&W"
    family: ClassVar[str] = "Minimal norm"
    method: Literal["cw"] = "cw"
    norm: Literal["L2"] = norm_param("L2", _NORM_HELP)


class EadSpec(ConfidentSpec):
    """EAD: C&W's objective with an L1 term, by iterative shrinkage: few values change (Chen et al. 2018)."""

    title: ClassVar[str] = "EAD"
    family: ClassVar[str] = "Minimal norm"
    method: Literal["ead"] = "ead"
    norm: Literal["L1"] = norm_param("L1", _NORM_HELP)
    steps: int = param(1000, "Steps at most, for each value of c", label="Steps", ge=1, le=100_000)
    learning_rate: float = param(
        0.01,
        "First size of a step; it falls to 0 as the square root of the steps left",
        label="Learning rate",
        gt=0,
        le=100,
    )
    beta: float = param(
        0.01,
        "Weight of the L1 distance against the squared L2 distance; also the least change of a value that is not undone",
        label="L1 weight β",
        unit="input units",
        ge=0,
        le=100,
    )
    rule: Literal["EN", "L1"] = param(
        "EN",
        "Which of a sample's successes is kept: the smallest elastic-net distance β L1 + L2², or the smallest L1",
        label="Decision rule",
        choices={"EN": "elastic net", "L1": "L1"},
    )
    fista: bool = param(
        True,
        "Steps begin ahead of the last point (FISTA): fewer are needed, with a second forward pass where the new point may be nearer; off: ISTA",
        label="Accelerated",
        advanced=True,
    )


class DdnSpec(MinimalNormSpec):
    """Decoupled direction and norm: gradient steps on a sphere that shrinks after a success and grows otherwise (Rony et al. 2019)."""

    title: ClassVar[str] = "DDN"
    family: ClassVar[str] = "Minimal norm"
    method: Literal["ddn"] = "ddn"
    norm: Literal["L2"] = norm_param("L2", _NORM_HELP)
    steps: int = param(100, "Gradient steps", label="Steps", ge=1, le=100_000)
    init_norm: float = param(1.0, "Radius of the first sphere", label="First radius", unit="input units", gt=0, le=1e6)
    gamma: float = param(
        0.05, "Share by which the radius shrinks or grows at each step", label="Radius step γ", gt=0, lt=1
    )
    levels: int = param(
        0,
        "Values of the input range that each point is rounded to; the paper has the 256 of an image file, 0 rounds nothing",
        label="Levels",
        ge=0,
        le=65_536,
        advanced=True,
    )
    refine: int = _refine()


class FmnSpec(MinimalNormSpec):
    """Fast minimum norm: gradient steps in a ball whose radius is drawn to the boundary (Pintor et al. 2021)."""

    title: ClassVar[str] = "FMN"
    family: ClassVar[str] = "Minimal norm"
    method: Literal["fmn"] = "fmn"
    norm: Literal["L2", "Linf", "L1", "L0"] = norm_param("L2", _NORM_HELP)
    steps: int = param(100, "Gradient steps in each restart", label="Steps", ge=1, le=100_000)
    alpha: float = param(
        1.0,
        "First length of a gradient step in L2; it falls to a hundredth along a cosine",
        label="Step α",
        unit="input units",
        gt=0,
        le=1e6,
    )
    gamma: float = param(
        0.05,
        "First share by which the radius shrinks or grows at each step; it falls to 0.001 along a cosine",
        label="Radius step γ",
        gt=0,
        lt=1,
    )
    restarts: int = param(
        1,
        "Runs, each after the first from the sample's nearest success so far, with long steps again",
        label="Restarts",
        ge=1,
        le=1000,
    )
    refine: int = _refine()
