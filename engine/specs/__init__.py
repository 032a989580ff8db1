"""The vocabulary: frozen, validated descriptions of what to do.

A parameter is written down here once, with its unit, range and one-line help; the form, the command line and
the TOML file are all made from :func:`parameters`. Nothing of the project is imported here, and no torch.

Every spec is immutable, compares by value, and round-trips through ``model_dump(mode="json")``. Construction
raises ``pydantic.ValidationError`` on a bad value; :mod:`engine.spec_files` turns that into a sentence.
"""

from __future__ import annotations

from engine.specs.attacks import (
    ApgdSpec,
    AttackSpec,
    AttackSpecBase,
    AutoAttackSpec,
    BimSpec,
    BoundarySpec,
    CarliniWagnerSpec,
    ConfidentSpec,
    DdnSpec,
    DeepFoolSpec,
    DiSpec,
    EadSpec,
    EnsembleSpec,
    FabSpec,
    FabTargetedSpec,
    FastEnsembleSpec,
    FeatureSpec,
    FgsmSpec,
    FixedBudgetSpec,
    FmnSpec,
    GeoDaSpec,
    Goal,
    HopSkipJumpSpec,
    MinimalNormSpec,
    MiSpec,
    NesSpec,
    NiSpec,
    NoiseAttackSpec,
    Norm,
    PgdSpec,
    SequenceSpec,
    SimbaSpec,
    SiNiSpec,
    SpsaSpec,
    SquareSpec,
    SurFreeSpec,
    TiSpec,
    VmiSpec,
)
from engine.specs.attacks.common import SHARED
from engine.specs.base import Spec, param
from engine.specs.carrying import carried
from engine.specs.data import (
    DatasetSpec,
    DigitsSpec,
    GaussianNoiseSpec,
    IdxSpec,
    NoiseSpec,
    UniformNoiseSpec,
)
from engine.specs.decision_map import MapSpec
from engine.specs.experiment import PARTS, ExperimentSpec, discriminator, variants
from engine.specs.models import Activation, CnnSpec, Init, LinearSpec, MlpSpec, ModelSpec, NetworkSpec
from engine.specs.parameters import Parameter, parameters
from engine.specs.probe import ProbeSpec
from engine.specs.training import TrainingSpec

__all__ = [
    "PARTS",
    "SHARED",
    "Activation",
    "ApgdSpec",
    "AttackSpec",
    "AttackSpecBase",
    "AutoAttackSpec",
    "BimSpec",
    "BoundarySpec",
    "CarliniWagnerSpec",
    "CnnSpec",
    "ConfidentSpec",
    "DatasetSpec",
    "DdnSpec",
    "DeepFoolSpec",
    "DiSpec",
    "DigitsSpec",
    "EadSpec",
    "EnsembleSpec",
    "ExperimentSpec",
    "FabSpec",
    "FabTargetedSpec",
    "FastEnsembleSpec",
    "FeatureSpec",
    "FgsmSpec",
    "FixedBudgetSpec",
    "FmnSpec",
    "GaussianNoiseSpec",
    "GeoDaSpec",
    "Goal",
    "HopSkipJumpSpec",
    "IdxSpec",
    "Init",
    "LinearSpec",
    "MapSpec",
    "MiSpec",
    "MinimalNormSpec",
    "MlpSpec",
    "ModelSpec",
    "NesSpec",
    "NetworkSpec",
    "NiSpec",
    "NoiseAttackSpec",
    "NoiseSpec",
    "Norm",
    "Parameter",
    "PgdSpec",
    "ProbeSpec",
    "SequenceSpec",
    "SiNiSpec",
    "SimbaSpec",
    "Spec",
    "SpsaSpec",
    "SquareSpec",
    "SurFreeSpec",
    "TiSpec",
    "TrainingSpec",
    "UniformNoiseSpec",
    "VmiSpec",
    "carried",
    "discriminator",
    "param",
    "parameters",
    "variants",
]
