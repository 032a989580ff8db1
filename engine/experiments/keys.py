"""Under which key each result is kept: a result is used again only if everything that it depends on is equal."""

from __future__ import annotations

from engine.specs import ExperimentSpec

DEPENDS = {
    "weights": ("dataset", "model", "training"),
    "adversarial": ("dataset", "model", "training", "attack"),
}


def artifact_keys(spec: ExperimentSpec) -> dict[str, str]:
    """The key of each artifact that an experiment with this spec makes or can use, by artifact name."""
    return {name: spec.key(*parts) for name, parts in DEPENDS.items()}
