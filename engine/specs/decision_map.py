"""Which plane through the input space a decision map shows."""

from __future__ import annotations

from engine.specs.base import Spec, param


class MapSpec(Spec):
    """A plane through a test sample, what an attack made of it, and a third sample, with what the network says in it."""

    sample: int = param(
        -1,
        "Test sample to map, by its index; -1 takes the first that the attack has fooled",
        label="Sample",
        unit="index, -1 = first fooled",
        ge=-1,
        le=10_000_000,
        advanced=True,
    )
    third: int = param(
        -1,
        "Test sample that the plane goes through as well; -1 takes the nearest of the class that x_adv is seen as",
        label="Third sample",
        unit="index, -1 = nearest",
        ge=-1,
        le=10_000_000,
        advanced=True,
    )
    resolution: int = param(
        101, "Points along each side of the map", label="Resolution", unit="points", ge=11, le=501, advanced=True
    )
