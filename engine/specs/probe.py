"""What is measured on the features."""

from __future__ import annotations

from engine.specs.base import Spec, param


class ProbeSpec(Spec):
    """Which features are compared, how often, and with what statistics."""

    samples: int = param(
        128, "Test samples whose features are compared, balanced over the classes", label="Probe samples", ge=4, le=512
    )
    reference: int = param(
        512,
        "Training samples that give the mean for centring and stand for their class, balanced over the classes",
        label="Reference samples",
        ge=4,
        le=100_000,
    )
    bootstrap: int = param(
        1000,
        "Bootstrap resamples of the inputs for each 95% band of the final measurement",
        label="Bootstrap",
        ge=50,
        le=100_000,
    )
    pairs: int = param(
        60, "World lines drawn in the spacetime diagram, shared among the groups", label="World lines", ge=2, le=2000
    )
    budget: float = param(
        0.03,
        "Largest share of training time that live probing may take",
        label="Probe budget",
        unit="of training time",
        gt=0,
        le=1,
        advanced=True,
    )
    every: int = param(
        0,
        "Training steps between probes; 0 chooses by the budget",
        label="Probe every",
        unit="steps, 0 = auto",
        ge=0,
        le=1_000_000,
        advanced=True,
    )
