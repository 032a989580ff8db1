"""Gradient steps within a ball that are made to fool other models too: the transfer attacks.

They go on after a sample's first success: how far a point lies in the wrong class decides whether it carries over.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from engine.specs.attacks.common import FixedBudgetSpec, alpha_param, norm_param, stop_param
from engine.specs.base import Spec, param

FAMILY = "Fixed budget, transfer"


class _Steps(Spec):
    alpha: float = alpha_param("ε / steps, as the papers do")
    steps: int = param(10, "Gradient steps", label="Steps", ge=1, le=10_000)
    mu: float = param(
        1.0,
        "How much of the gradients of earlier steps is kept: 0 none, 1 all; each is scaled first, to absolute values of mean 1",
        label="Momentum μ",
        ge=0,
        le=2,
    )


class _Momentum(_Steps, FixedBudgetSpec):
    reach: ClassVar[float] = 1.0
    stop: bool = stop_param(False)


class _Cube(_Momentum):  # defined in L-inf alone
    norm: Literal["Linf"] = norm_param("Linf")


class _Plane(_Momentum):
    norm: Literal["Linf", "L2"] = norm_param("Linf")


class MiSpec(_Plane):
    """MI-FGSM: steps along the sum of all gradients so far, each scaled to absolute values of mean 1 (Dong et al. 2018)."""

    title: ClassVar[str] = "MI-FGSM"
    family: ClassVar[str] = FAMILY
    method: Literal["mi"] = "mi"


class NiSpec(_Cube):
    """NI-FGSM: as MI-FGSM, with each gradient taken where the momentum alone would lead (Lin et al. 2020)."""

    title: ClassVar[str] = "NI-FGSM"
    family: ClassVar[str] = FAMILY
    method: Literal["ni"] = "ni"


class SiNiSpec(_Cube):
    """SI-NI-FGSM: as NI-FGSM, with gradients averaged over copies scaled by 1, 1/2, 1/4, ... (Lin et al. 2020)."""

    title: ClassVar[str] = "SI-NI-FGSM"
    family: ClassVar[str] = FAMILY
    method: Literal["sini"] = "sini"
    copies: int = param(5, "Scaled copies m: 1, 1/2, 1/4, ...", label="Copies", ge=1, le=30)


class DiSpec(_Plane):
    """DI-FGSM: as MI-FGSM, with gradients taken at randomly shrunk and padded images (Xie et al. 2019).

    For images alone. With momentum the paper calls it M-DI²-FGSM, with μ = 0 DI²-FGSM.
    """

    title: ClassVar[str] = "DI-FGSM"
    images_only: ClassVar[bool] = True
    family: ClassVar[str] = FAMILY
    method: Literal["di"] = "di"
    probability: float = param(0.5, "Chance that a sample is transformed at a step", label="Probability p", ge=0, le=1)
    smallest: float = param(
        0.9,
        "Least size of the shrunk image, as a share of its own; the rest is filled with 0",
        label="Smallest size",
        gt=0,
        le=1,
    )


class TiSpec(_Plane):
    """TI-FGSM: as MI-FGSM, with gradients smoothed by a Gaussian, which stands for shifted images (Dong et al. 2019).

    For images alone. With momentum the paper calls it TI-MI-FGSM.
    """

    title: ClassVar[str] = "TI-FGSM"
    images_only: ClassVar[bool] = True
    family: ClassVar[str] = FAMILY
    method: Literal["ti"] = "ti"
    kernel: int = param(
        15, "Width of the smoothing kernel in pixels, an odd number; 1 smooths nothing", label="Kernel", ge=1, le=63
    )

    @field_validator("kernel")
    @classmethod
    def _odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError("the kernel needs a middle, so its width is an odd number")
        return kernel


class VmiSpec(_Cube):
    """VMI-FGSM: as MI-FGSM, with gradients corrected by how they vary around the last point (Wang & He 2021)."""

    title: ClassVar[str] = "VMI-FGSM"
    family: ClassVar[str] = FAMILY
    method: Literal["vmi"] = "vmi"
    neighbours: int = param(
        20, "Points around each iterate at which gradients are taken", label="Neighbours N", ge=1, le=1000
    )
    beta: float = param(1.5, "How far away these lie at most, in multiples of ε", label="Reach β", ge=0, le=100)
