"""Every attack's settings. A new attack is one class in a file here, one import line and one entry of the union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.specs.attacks.apgd import ApgdSpec
from engine.specs.attacks.common import AttackSpecBase, FixedBudgetSpec, Goal, MinimalNormSpec, Norm, norm_param
from engine.specs.attacks.decision import BoundarySpec, DecisionSpec, GeoDaSpec, HopSkipJumpSpec, SurFreeSpec
from engine.specs.attacks.ensemble import AutoAttackSpec, EnsembleSpec, FastEnsembleSpec, SequenceSpec
from engine.specs.attacks.fab import FabSpec, FabTargetedSpec
from engine.specs.attacks.features import FeatureSpec, NoiseAttackSpec
from engine.specs.attacks.fixed import BimSpec, FgsmSpec, PgdSpec
from engine.specs.attacks.minimal import CarliniWagnerSpec, ConfidentSpec, DdnSpec, DeepFoolSpec, EadSpec, FmnSpec
from engine.specs.attacks.score import NesSpec, SimbaSpec, SpsaSpec
from engine.specs.attacks.shared import PatchSpec, SharedSpec, UniversalSpec
from engine.specs.attacks.sparse import JsmaSpec, OnePixelSpec, PixelBudgetSpec, SigmaZeroSpec, SparseRsSpec
from engine.specs.attacks.square import SquareSpec
from engine.specs.attacks.transfer import DiSpec, MiSpec, NiSpec, SiNiSpec, TiSpec, VmiSpec

AttackSpec = Annotated[
    FgsmSpec
    | BimSpec
    | PgdSpec
    | ApgdSpec
    | MiSpec
    | NiSpec
    | SiNiSpec
    | DiSpec
    | TiSpec
    | VmiSpec
    | AutoAttackSpec
    | FabSpec
    | FabTargetedSpec
    | FastEnsembleSpec
    | SequenceSpec
    | SquareSpec
    | SimbaSpec
    | NesSpec
    | SpsaSpec
    | BoundarySpec
    | HopSkipJumpSpec
    | GeoDaSpec
    | SurFreeSpec
    | DeepFoolSpec
    | CarliniWagnerSpec
    | DdnSpec
    | FmnSpec
    | EadSpec
    | JsmaSpec
    | SigmaZeroSpec
    | OnePixelSpec
    | SparseRsSpec
    | UniversalSpec
    | PatchSpec
    | FeatureSpec
    | NoiseAttackSpec,
    Field(discriminator="method"),
]

__all__ = [
    "ApgdSpec",
    "AttackSpec",
    "AttackSpecBase",
    "AutoAttackSpec",
    "BimSpec",
    "BoundarySpec",
    "CarliniWagnerSpec",
    "ConfidentSpec",
    "DdnSpec",
    "DecisionSpec",
    "DeepFoolSpec",
    "DiSpec",
    "EadSpec",
    "EnsembleSpec",
    "FabSpec",
    "FabTargetedSpec",
    "FastEnsembleSpec",
    "FeatureSpec",
    "FgsmSpec",
    "FixedBudgetSpec",
    "FmnSpec",
    "GeoDaSpec",
    "Goal",
    "HopSkipJumpSpec",
    "JsmaSpec",
    "MiSpec",
    "MinimalNormSpec",
    "NesSpec",
    "NiSpec",
    "NoiseAttackSpec",
    "Norm",
    "OnePixelSpec",
    "PatchSpec",
    "PgdSpec",
    "PixelBudgetSpec",
    "SequenceSpec",
    "SharedSpec",
    "SiNiSpec",
    "SigmaZeroSpec",
    "SimbaSpec",
    "SparseRsSpec",
    "SpsaSpec",
    "SquareSpec",
    "SurFreeSpec",
    "TiSpec",
    "UniversalSpec",
    "VmiSpec",
    "norm_param",
]
