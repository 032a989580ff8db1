"""Several attacks one after another, each on the samples that have withstood those before it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from engine.specs.attacks.common import FixedBudgetSpec
from engine.specs.base import param


class EnsembleSpec(FixedBudgetSpec):
    """What ensembles have in common: they are untargeted."""

    family: ClassVar[str] = "Ensembles"
    goal: Literal["untargeted"] = param(
        "untargeted",
        "What counts as success: any wrong class",
        label="Goal",
        choices={"untargeted": "untargeted: any other class"},
    )


class AutoAttackSpec(EnsembleSpec):
    """AutoAttack, standard version: APGD-CE, targeted APGD-DLR, targeted FAB and Square on survivors (Croce & Hein 2020).

    In L1 with the settings of Croce & Hein 2021. Square tries its windows eight at a time, which is faster than one by one.
    """

    title: ClassVar[str] = "AutoAttack"
    method: Literal["autoattack"] = "autoattack"


class FastEnsembleSpec(EnsembleSpec):
    """APGD-CE, then targeted APGD-DLR on survivors: the first half of AutoAttack, much faster (after Croce & Hein 2020)."""

    title: ClassVar[str] = "Fast ensemble"
    method: Literal["fast"] = "fast"


class SequenceSpec(EnsembleSpec):
    """Chosen attacks one after another, each on the samples that withstood those before (after Croce & Hein 2020)."""

    title: ClassVar[str] = "Custom sequence"
    method: Literal["sequence"] = "sequence"
    apgd_ce: bool = param(True, "Auto-PGD on the cross-entropy", label="APGD-CE")
    apgd_dlr: bool = param(True, "Auto-PGD on the difference of logits ratio", label="APGD-DLR")
    apgd_t: bool = param(True, "Auto-PGD on the targeted DLR loss, one likely class after another", label="APGD-T")
    fab: bool = param(False, "The fast adaptive boundary attack, towards the nearest boundary", label="FAB")
    fab_t: bool = param(False, "FAB towards one likely class after another", label="FAB-T")
    square: bool = param(True, "Random search without gradients", label="Square")
    steps: int = param(100, "Gradient steps of each restart of APGD and FAB", label="Steps", ge=1, le=10_000)
    restarts: int = param(1, "Restarts of each attack", label="Restarts", ge=1, le=1000)
    n_target_classes: int = param(
        9,
        "Other classes that the targeted attacks head for, the most likely first",
        label="Target classes",
        ge=1,
        le=1000,
    )
    queries: int = param(5000, "Queries of Square in each restart", label="Queries", ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _something_is_run(self) -> SequenceSpec:
        if not (self.apgd_ce or self.apgd_dlr or self.apgd_t or self.fab or self.fab_t or self.square):
            raise ValueError("a sequence without attacks does nothing: choose at least one")
        return self
