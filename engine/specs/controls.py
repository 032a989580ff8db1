"""How much is spent on the controls that a claim must survive."""

from __future__ import annotations

from engine.specs.base import Spec, param


class ControlsSpec(Spec):
    """Networks drawn or trained anew, and resamples, for null models, controls and tests."""

    draws: int = param(
        20,
        "Networks of the same architecture drawn anew at initialisation, for the null's 95% band; a network is one "
        "independent unit",
        label="Null networks",
        ge=2,
        le=1000,
    )
    repeats: int = param(
        3,
        "Networks trained from other seeds, for intervals over networks",
        label="Repeats",
        unit="networks",
        ge=2,
        le=100,
    )
    memorised: int = param(
        1000,
        "Training samples that the falsifier learns by heart with random labels",
        label="Memorised samples",
        ge=10,
        le=100_000,
    )
    networks: int = param(
        12,
        "Small networks that are trained to relate geometry to vulnerability and to transfer",
        label="Networks compared",
        ge=4,
        le=200,
    )
    permutations: int = param(
        2000,
        "Permutations and bootstrap resamples of each test over networks or inputs",
        label="Permutations",
        ge=100,
        le=1_000_000,
        advanced=True,
    )
    rows: int = param(
        10_000,
        "Random hyperplanes that read signs off a pair of features in the Bell panel",
        label="Hyperplanes",
        ge=100,
        le=10_000_000,
        advanced=True,
    )
