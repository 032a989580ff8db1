"""One perturbation, or one patch, for all samples."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from engine.specs.attacks.common import AttackSpecBase, Goal, goal_param, norm_param
from engine.specs.base import Spec, param


def _alpha(default: float) -> Any:
    return param(default, "Size of each step, in input units", label="Step α", unit="input units", gt=0, le=1000)


class SharedSpec(AttackSpecBase):
    """What attacks have that fit one thing to many samples: how it is fitted, and to which.

    They depend on the set of samples that they are fitted to, so here a sample's result is not its own. Fitted to
    labelled examples that are not attacked, the result tells what it does to samples that it has never seen.
    """

    family: ClassVar[str] = "Universal and physical"
    joint: ClassVar[bool] = True
    goal: Goal = goal_param("untargeted")
    fit: Literal["examples", "samples"] = param(
        "examples",
        "What it is fitted to: training samples, so that the attacked ones are new to it, or the attacked ones themselves",
        label="Fitted to",
        choices={"examples": "training samples", "samples": "the attacked samples"},
    )
    epochs: int = param(
        20,
        "How often each sample of the fit is seen; what did best with all of them after any epoch is kept",
        label="Epochs",
        ge=1,
        le=10_000,
    )
    minibatch: int = param(
        64, "Samples that each step is made from", label="Minibatch", ge=1, le=100_000, advanced=True
    )
    clip: float = param(
        9.0,
        "Untargeted: most that one sample's cross-entropy counts, so that those already fooled don't outweigh the others",
        label="Loss at most",
        gt=0,
        le=1e6,
        advanced=True,
    )


class _Bounded(Spec):
    norm: Literal["Linf", "L2"] = norm_param("Linf")
    eps: float = param(
        0.1, "Size of the perturbation at most, in input units", label="ε", unit="input units", ge=0, le=1000
    )


class UniversalSpec(SharedSpec, _Bounded):
    """Universal perturbation: projected stochastic gradient steps on one perturbation for all samples (Shafahi et al. 2020).

    The question is that of Moosavi-Dezfooli et al. 2017. Each sample is attacked with the sum of itself and the
    perturbation, put into the input range.
    """

    title: ClassVar[str] = "Universal"
    method: Literal["universal"] = "universal"
    alpha: float = _alpha(0.02)


class _Placed(Spec):
    norm: Literal["L0"] = norm_param(
        "L0", "Norm in which perturbations are measured; L0 counts values, of an image those of each channel"
    )


class PatchSpec(SharedSpec, _Placed):
    """Adversarial patch: one small picture that fools the network wherever it is put on an image (Brown et al. 2017).

    For images alone.
    """

    title: ClassVar[str] = "Patch"
    images_only: ClassVar[bool] = True
    method: Literal["patch"] = "patch"
    size: float = param(
        0.3, "Side of the patch, as a share of the image's shorter side; at least a pixel", label="Size", gt=0, le=1
    )
    shape: Literal["square", "circle"] = param(
        "square", "Outline of the patch", label="Shape", choices={"square": "square", "circle": "circle"}
    )
    placement: Literal["random", "centre", "corner"] = param(
        "random",
        "Where it is put; at random: anew for each sample in each epoch, and once more at last",
        label="Placement",
        choices={"random": "at random", "centre": "in the centre", "corner": "in the upper left corner"},
    )
    target_class: int = param(
        -1,
        "Class that the patch itself is to be taken for, on samples of all others; -1: what the goal says",
        label="Taken for class",
        ge=-1,
        le=100_000,
    )
    alpha: float = _alpha(0.1)

    @model_validator(mode="after")
    def _one_aim(self) -> PatchSpec:
        if self.target_class >= 0 and self.goal != "untargeted":
            raise ValueError(
                "a patch that is to be taken for one class has no other targets: choose the untargeted goal, or class -1"
            )
        return self
