"""The experiment as a whole: its parts, and which classes may stand for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import model_validator

from engine.specs.attacks import AttackSpec, PgdSpec
from engine.specs.base import Spec, param
from engine.specs.compared import HardeningSpec, RobustnessSpec, TransferSpec
from engine.specs.controls import ControlsSpec
from engine.specs.data import DatasetSpec, DigitsSpec
from engine.specs.decision_map import MapSpec
from engine.specs.max_likelihood import MaxLikelihoodSpec
from engine.specs.models import MlpSpec, ModelSpec
from engine.specs.probe import ProbeSpec
from engine.specs.reconcile import ReconcileSpec
from engine.specs.sweep import SweepSpec
from engine.specs.training import TrainingSpec, TrainingSpecs

PARTS: tuple[str, ...] = (
    "dataset",
    "model",
    "training",
    "attack",
    "probe",
    "controls",
    "map",
    "max_likelihood",
    "reconcile",
    "hardening",
    "robustness",
    "transfer",
    "sweep",
)


class ExperimentSpec(Spec):
    """Everything one experiment needs: data, model, training, attack and probe, with one seed for all randomness."""

    title: str = param("Untitled", "Name shown in the window and on the report", label="Title", max_length=200)
    seed: int = param(0, "The one seed from which every generator is derived", label="Seed", ge=0, lt=2**63)
    threads: int = param(
        1,
        "CPU threads torch computes with; equal counts give equal numbers, bit for bit",
        label="Threads",
        ge=1,
        le=256,
        advanced=True,
    )
    dataset: DatasetSpec = DigitsSpec()
    model: ModelSpec = MlpSpec()
    training: TrainingSpecs = TrainingSpec()
    attack: AttackSpec = PgdSpec()
    probe: ProbeSpec = ProbeSpec()
    controls: ControlsSpec = ControlsSpec()
    map: MapSpec = MapSpec()
    max_likelihood: MaxLikelihoodSpec = MaxLikelihoodSpec()
    reconcile: ReconcileSpec = ReconcileSpec()
    hardening: HardeningSpec = HardeningSpec()
    robustness: RobustnessSpec = RobustnessSpec()
    transfer: TransferSpec = TransferSpec()
    sweep: SweepSpec = SweepSpec()

    @model_validator(mode="before")
    @classmethod
    def _method_of_older_files(cls, data: Any) -> Any:
        """Sessions from before there were other trainings name no method."""
        training = data.get("training") if isinstance(data, Mapping) else None
        if isinstance(training, Mapping) and "method" not in training:
            return {**data, "training": {"method": "standard", **training}}
        return data

    def key(self, *parts: str) -> str:
        """A fingerprint of the named parts with seed and threads: results with equal keys are equal results."""
        picked = {name: getattr(self, name).model_dump(mode="json") for name in parts}
        text = json.dumps([self.seed, self.threads, picked], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def variants(part: str) -> dict[str, type[Spec]]:
    """The spec classes that may stand for a part of the experiment, by discriminator value, in order.

    ``variants("dataset")`` gives ``{"digits": DigitsSpec, ...}``; a part with one class gives ``{"": cls}``.
    """
    annotation = ExperimentSpec.model_fields[part].annotation
    discriminator = ExperimentSpec.model_fields[part].discriminator
    classes = get_args(annotation) or (annotation,)
    if not isinstance(discriminator, str):
        return {"": classes[0]}
    return {cls.model_fields[discriminator].default: cls for cls in classes}


def discriminator(part: str) -> str:
    """The name of the field that tells a part's variants apart (``source``, ``family``, ``method``), or ''."""
    found = ExperimentSpec.model_fields[part].discriminator
    return found if isinstance(found, str) else ""
