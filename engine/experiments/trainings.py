"""The trainings that are set beside each other, from the settings of the one that is set up."""

from __future__ import annotations

from engine.specs import (
    ExperimentSpec,
    FastTrainingSpec,
    PgdTrainingSpec,
    TradesTrainingSpec,
    TrainingBase,
    TrainingSpec,
    TrainingSpecs,
)

LABELS = {
    "standard": "Standard",
    "pgd-at": "PGD-AT",
    "trades": "TRADES",
    "fast": "Fast AT",
    "smoothing": "Label smoothing",
    "noise": "Noisy inputs",
}
"""What each training is called, in the order in which they are shown."""


def plain(training: TrainingBase) -> TrainingSpec:
    """Standard training with the same optimizer, batches, epochs and label noise; labels and inputs stay sharp."""
    shared = training.model_dump(include=set(TrainingBase.model_fields))
    return TrainingSpec(**{**shared, "label_smoothing": 0.0, "input_noise": 0.0})


def trainings(spec: ExperimentSpec) -> dict[str, TrainingSpecs]:
    """The standard training first, then those that the hardening settings choose, by the names of :data:`LABELS`."""
    hardening, standard = spec.hardening, plain(spec.training)
    found: dict[str, TrainingSpecs] = {"standard": standard}
    shared = standard.model_dump(include=set(TrainingBase.model_fields))
    attacked = {**shared, "norm": hardening.norm, "eps": hardening.eps}
    if hardening.pgd_at:
        found["pgd-at"] = PgdTrainingSpec(**attacked, steps=hardening.steps)
    if hardening.trades:
        found["trades"] = TradesTrainingSpec(**attacked, steps=hardening.steps, beta=hardening.beta)
    if hardening.fast:
        found["fast"] = FastTrainingSpec(**attacked)
    if hardening.smoothing:
        found["smoothing"] = TrainingSpec(**{**shared, "label_smoothing": hardening.label_smoothing})
    if hardening.noise:
        found["noise"] = TrainingSpec(**{**shared, "input_noise": hardening.input_noise})
    return found


def inner_steps(training: TrainingSpecs) -> int:
    """Gradient steps of the inner attack in each training step."""
    match training:
        case PgdTrainingSpec() | TradesTrainingSpec():
            return training.steps
        case FastTrainingSpec():
            return 1
        case _:
            return 0
