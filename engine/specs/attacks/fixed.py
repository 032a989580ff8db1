"""Gradient steps within a ball: the classic white-box attacks of a fixed budget."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from engine.specs.attacks.common import FixedBudgetSpec, alpha_param
from engine.specs.base import param


def sparsity_param() -> Any:
    """The field ``sparsity``."""
    return param(
        0.99,
        "Share of the values that a step in L1 leaves alone: those of the smallest gradients; other norms do not use it",
        label="Sparsity (L1)",
        advanced=True,
        ge=0,
        le=1,
    )


def eot_param() -> Any:
    """The field ``eot``."""
    return param(
        1,
        "Gradients averaged at each step: expectation over transformation, for models that answer at random (Athalye et al. 2018)",
        label="Gradients a step (EOT)",
        advanced=True,
        ge=1,
        le=1000,
    )


class FgsmSpec(FixedBudgetSpec):
    """Fast gradient sign method: one step to the edge of the ball (Goodfellow, Shlens & Szegedy 2015)."""

    title: ClassVar[str] = "FGSM"
    family: ClassVar[str] = "Fixed budget, white box"
    method: Literal["fgsm"] = "fgsm"


class BimSpec(FixedBudgetSpec):
    """Basic iterative method: steps of size alpha from the sample itself, kept in the ball (Kurakin, Goodfellow & Bengio 2017).

    It is PGD without a random start. The paper takes min(ε/α + 4, 1.25 ε/α) steps.
    """

    title: ClassVar[str] = "BIM"
    family: ClassVar[str] = "Fixed budget, white box"
    method: Literal["bim"] = "bim"
    alpha: float = alpha_param("2.5 ε / steps, enough to cross the ball")
    steps: int = param(12, "Gradient steps", label="Steps", ge=1, le=10_000)
    sparsity: float = sparsity_param()


class PgdSpec(FixedBudgetSpec):
    """Projected gradient descent: steps of size alpha, projected onto the ball and the input range (Madry et al. 2018)."""

    title: ClassVar[str] = "PGD"
    family: ClassVar[str] = "Fixed budget, white box"
    method: Literal["pgd"] = "pgd"
    alpha: float = alpha_param("2.5 ε / steps, enough to cross the ball")
    steps: int = param(40, "Gradient steps in each restart", label="Steps", ge=1, le=10_000)
    random_start: bool = param(
        True, "Begin at a random point of the ball instead of at the sample", label="Random start"
    )
    restarts: int = param(1, "Independent runs; each sample keeps its best", label="Restarts", ge=1, le=1000)
    sparsity: float = sparsity_param()
    eot: int = eot_param()

    @model_validator(mode="after")
    def _restarts_need_randomness(self) -> PgdSpec:
        if self.restarts > 1 and not self.random_start:
            raise ValueError("restarts above 1 need a random start: without one every restart is the same run")
        return self
