"""What a user runs. Each experiment is a generator of events that composes the rooms above into one stream.

Importing this package imports no torch; opening an experiment does.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.events import Artifact, Events
from engine.experiments.keys import artifact_keys, shorter, weights_key
from engine.specs import ExperimentSpec

STEPS: tuple[str, ...] = ("data", "model", "train", "attack", "entangle")
LOOKS: tuple[str, ...] = (
    "decision_map",
    "class_matrix",
    "attack_checks",
    "robustness",
    "null",
    "layers",
    "bell",
    "structure",
    "all_pairs",
    "takeover",
    "falsifier",
    "repeats",
    "vulnerability",
    "transferability",
    "complexity",
    "max_likelihood",
    "reconciliation",
    "price",
    "hardening",
)
"""Closer looks at the attack and at the geometry; each makes first what it needs, and no step needs it."""
EXPERIMENTS: tuple[str, ...] = (*STEPS, *LOOKS, "story")
KEPT_NETWORK = "kept_network"
"""Shows what a session opened from a point of a sweep has; nobody asks for it by name."""

__all__ = [
    "EXPERIMENTS",
    "KEPT_NETWORK",
    "LOOKS",
    "STEPS",
    "artifact_keys",
    "open_experiment",
    "shorter",
    "warm",
    "weights_key",
]


def open_experiment(name: str, spec: ExperimentSpec, given: Mapping[str, Artifact]) -> Events:
    """Open an experiment by name; pull it to work, close it to stop.

    ``given`` holds artifacts of earlier runs. Those made from exactly the same settings are used again; whatever
    is missing or out of date is made first, so that every step can be asked for at any time.

    Raises ``KeyError`` for a name that is neither in :data:`EXPERIMENTS` nor :data:`KEPT_NETWORK`.
    """
    from engine.experiments import steps

    return steps.open_step(name, spec, given)


def warm() -> str:
    """Load torch and take its slow first steps (an optimiser imports a second's worth of modules); says the device."""
    from engine.experiments import steps

    return steps.warm()
