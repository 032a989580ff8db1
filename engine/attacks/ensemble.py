"""Ensembles: attacks one after another, each on the samples that have withstood those before it.

Source: F. Croce, M. Hein (2020), "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
attacks" (AutoAttack); for L1 F. Croce, M. Hein (2021), "Mind the box: l1-APGD for sparse adversarial attacks on image
classifiers". The targeted members head for 9 other classes (L1: APGD for 5), or for all there are: with 2 classes the one,
with 3 the two. Their losses for so few classes are at :func:`engine.attacks.tools.losses.dlr` and
:func:`~engine.attacks.tools.losses.targeted_dlr`. Square tries several windows side by side, which finds as much in less time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from engine.attacks.apgd import apgd
from engine.attacks.core.attack import JointMethod, JointSteps, lockstep
from engine.attacks.core.batch import Batch, Steps, repack
from engine.attacks.fab import fab, fab_targeted
from engine.attacks.square import square
from engine.specs import (
    ApgdSpec,
    EnsembleSpec,
    FabSpec,
    FabTargetedSpec,
    FastEnsembleSpec,
    SequenceSpec,
    SquareSpec,
)

TOGETHER = 8  # windows that Square tries side by side


@dataclass(frozen=True)
class Member:
    """One attack of an ensemble."""

    stage: str
    """Its name in the window."""
    method: Callable[..., Steps]
    spec: ApgdSpec | FabSpec | FabTargetedSpec | SquareSpec
    passes: int
    """About how many passes through the model it costs a sample."""


def ensemble(spec: EnsembleSpec) -> JointMethod:
    """All members on all batches. Between members the survivors of all batches are put together into full ones."""
    chosen = members(spec)
    passes = sum(member.passes for member in chosen)

    def joint(batches: Sequence[Batch]) -> JointSteps:
        done = 0
        for member in chosen:
            share = done / passes, (done + member.passes) / passes
            for batch in batches:
                batch.begin(member.stage, share, guarded=member.spec.minimal)
            repack(batches)
            yield from lockstep(partial(member.method, spec=member.spec))(batches)
            done += member.passes

    return joint


def members(spec: EnsembleSpec) -> list[Member]:
    """The attacks of an ensemble in turn."""
    if isinstance(spec, SequenceSpec):
        return _chosen(spec)
    restarts, targets = (5, 5) if spec.norm == "L1" else (1, 9)
    fast = [_apgd(spec, "ce", restarts=restarts), _apgd(spec, "targeted-dlr", n_target_classes=targets)]
    return fast if isinstance(spec, FastEnsembleSpec) else [*fast, _fab_t(spec), _square(spec)]


def _chosen(spec: SequenceSpec) -> list[Member]:
    rounds: dict[str, Any] = {"steps": spec.steps, "restarts": spec.restarts}
    targets: dict[str, Any] = {"n_target_classes": spec.n_target_classes}
    everything = [
        (spec.apgd_ce, _apgd(spec, "ce", **rounds)),
        (spec.apgd_dlr, _apgd(spec, "dlr", **rounds)),
        (spec.apgd_t, _apgd(spec, "targeted-dlr", **rounds, **targets)),
        (spec.fab, Member("FAB", fab, FabSpec(norm=spec.norm, **rounds), 8 * spec.steps * spec.restarts)),
        (spec.fab_t, _fab_t(spec, **rounds, **targets)),
        (spec.square, _square(spec, queries=spec.queries, restarts=spec.restarts)),
    ]
    return [member for wanted, member in everything if wanted]


def _apgd(spec: EnsembleSpec, loss: Literal["ce", "dlr", "targeted-dlr"], **settings: Any) -> Member:
    own = ApgdSpec(norm=spec.norm, eps=spec.eps, stop=spec.stop, loss=loss, **settings)
    targets = own.n_target_classes if loss == "targeted-dlr" else 1
    name = {"ce": "APGD-CE", "dlr": "APGD-DLR", "targeted-dlr": "APGD-T"}[loss]
    return Member(name, apgd, own, 2 * own.steps * own.restarts * targets)


def _fab_t(spec: EnsembleSpec, **settings: Any) -> Member:
    own = FabTargetedSpec(norm=spec.norm, **settings)
    return Member("FAB-T", fab_targeted, own, 2 * own.steps * own.restarts * own.n_target_classes)


def _square(spec: EnsembleSpec, **settings: Any) -> Member:
    own = SquareSpec(norm=spec.norm, eps=spec.eps, stop=spec.stop, together=TOGETHER, **settings)
    return Member("Square", square, own, own.queries * own.restarts)
