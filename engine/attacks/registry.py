"""Which function carries out which spec: a new attack is one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.attacks.apgd import apgd
from engine.attacks.bim import bim
from engine.attacks.boundary import boundary
from engine.attacks.carlini_wagner import carlini_wagner
from engine.attacks.core.attack import JointMethod, lockstep
from engine.attacks.core.batch import Batch, Steps
from engine.attacks.ddn import ddn
from engine.attacks.deepfool import deepfool
from engine.attacks.ead import ead
from engine.attacks.ensemble import ensemble
from engine.attacks.fab import fab, fab_targeted
from engine.attacks.feature import feature
from engine.attacks.fgsm import fgsm
from engine.attacks.fmn import fmn
from engine.attacks.geoda import geoda
from engine.attacks.hopskipjump import hop_skip_jump
from engine.attacks.jsma import jsma
from engine.attacks.nes import nes
from engine.attacks.noise import noise
from engine.attacks.one_pixel import one_pixel
from engine.attacks.patch import patch
from engine.attacks.pgd import pgd
from engine.attacks.sigma_zero import sigma_zero
from engine.attacks.simba import simba
from engine.attacks.sparse_rs import sparse_rs
from engine.attacks.spsa import spsa
from engine.attacks.square import square
from engine.attacks.surfree import surfree
from engine.attacks.transfer import di, mi, ni, sini, ti
from engine.attacks.universal import universal
from engine.attacks.vmi import vmi
from engine.specs import (
    ApgdSpec,
    AttackSpecBase,
    AutoAttackSpec,
    BimSpec,
    BoundarySpec,
    CarliniWagnerSpec,
    DdnSpec,
    DeepFoolSpec,
    DiSpec,
    EadSpec,
    FabSpec,
    FabTargetedSpec,
    FastEnsembleSpec,
    FeatureSpec,
    FgsmSpec,
    FmnSpec,
    GeoDaSpec,
    HopSkipJumpSpec,
    JsmaSpec,
    MiSpec,
    NesSpec,
    NiSpec,
    NoiseAttackSpec,
    OnePixelSpec,
    PatchSpec,
    PgdSpec,
    SequenceSpec,
    SigmaZeroSpec,
    SimbaSpec,
    SiNiSpec,
    SparseRsSpec,
    SpsaSpec,
    SquareSpec,
    SurFreeSpec,
    TiSpec,
    UniversalSpec,
    VmiSpec,
)

METHODS: dict[type[AttackSpecBase], Callable[[Batch, Any], Steps]] = {
    FgsmSpec: fgsm,
    PgdSpec: pgd,
    SimbaSpec: simba,
    NesSpec: nes,
    SpsaSpec: spsa,
    BoundarySpec: boundary,
    HopSkipJumpSpec: hop_skip_jump,
    GeoDaSpec: geoda,
    SurFreeSpec: surfree,
    BimSpec: bim,
    ApgdSpec: apgd,
    MiSpec: mi,
    NiSpec: ni,
    SiNiSpec: sini,
    DiSpec: di,
    TiSpec: ti,
    VmiSpec: vmi,
    FabSpec: fab,
    FabTargetedSpec: fab_targeted,
    SquareSpec: square,
    CarliniWagnerSpec: carlini_wagner,
    DdnSpec: ddn,
    DeepFoolSpec: deepfool,
    EadSpec: ead,
    FmnSpec: fmn,
    JsmaSpec: jsma,
    SigmaZeroSpec: sigma_zero,
    OnePixelSpec: one_pixel,
    SparseRsSpec: sparse_rs,
    FeatureSpec: feature,
    NoiseAttackSpec: noise,
}
"""Attacks on each sample by itself."""

JOINT_METHODS: dict[type[AttackSpecBase], Callable[[Any], JointMethod]] = {
    AutoAttackSpec: ensemble,
    FastEnsembleSpec: ensemble,
    SequenceSpec: ensemble,
    UniversalSpec: universal,
    PatchSpec: patch,
}
"""Attacks that look for one perturbation of all samples."""


def method_of(spec: AttackSpecBase) -> JointMethod:
    """The function that carries out an attack on all batches."""
    joint = JOINT_METHODS.get(type(spec))
    if joint is not None:
        return joint(spec)
    single = METHODS[type(spec)]
    return lockstep(lambda batch: single(batch, spec))
