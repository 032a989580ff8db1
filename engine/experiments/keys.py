"""Under which key each result is kept: a result is used again only if everything that it depends on is equal."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.experiments.trainings import trainings
from engine.specs import ExperimentSpec, IdxSpec

DEPENDS = {
    "weights": ("dataset", "model", "training"),
    "adversarial": ("dataset", "model", "training", "attack"),
    "other_weights": ("dataset", "model", "training"),
}


def artifact_keys(spec: ExperimentSpec) -> dict[str, str]:
    """The key of each artifact that an experiment with this spec makes or can use, by artifact name."""
    files = _files(spec)
    keys = {name: spec.key(*parts) + files for name, parts in DEPENDS.items()}
    for name, training in trainings(spec).items():
        keys[hardened_name(name)] = spec.model_copy(update={"training": training}).key(*DEPENDS["weights"]) + files
    return keys | {"fleet": f"{keys['weights']}-{spec.controls.networks}"}


def hardened_name(training: str) -> str:
    """The name of the artifact that holds the network of one of :data:`engine.experiments.trainings.LABELS`."""
    return f"hardened.{training}"


def weights_key(spec: ExperimentSpec) -> str:
    """The key of the trained network alone: asked for of many specs at a time."""
    return spec.key(*DEPENDS["weights"]) + _files(spec)


def shorter(spec: ExperimentSpec, epochs: int) -> ExperimentSpec:
    """The same experiment with fewer epochs."""
    return spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": epochs})})


def _files(spec: ExperimentSpec) -> str:
    """A fingerprint of the data files that a spec names: their content may change under the same folder."""
    if not isinstance(spec.dataset, IdxSpec):
        return ""
    try:
        found = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in Path(spec.dataset.folder).iterdir())
    except OSError:
        return "-none"
    return "-" + hashlib.sha256(repr(found).encode()).hexdigest()[:8]
