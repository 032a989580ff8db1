"""A sweep: one experiment at many settings, each of which makes one network."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from engine.specs.base import Spec, param

Value = bool | int | float | str


class AxisSpec(Spec):
    """One field that a sweep varies: over ``values``, or over ``count`` values from ``low`` to ``high``.

    A random sample draws from the values, or from the whole range.
    """

    field: str = Field(description="The field as --set names it: model.width, attack.eps, seed", min_length=1)
    values: tuple[Value, ...] = Field(default=(), description="The values; empty takes the range", max_length=10_000)
    low: float = Field(default=0.0, description="Least value of the range")
    high: float = Field(default=0.0, description="Largest value of the range")
    count: int = Field(default=5, description="Values of the range in a grid, its ends among them", ge=1, le=10_000)
    scale: Literal["linear", "log"] = Field(default="linear", description="How the range is divided")

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if self.values:
            return self
        if not self.low <= self.high or not math.isfinite(self.high - self.low):
            raise ValueError(f"the axis {self.field} needs values, or a range with low below high")
        if self.low == self.high and self.count > 1:
            raise ValueError(f"the axis {self.field} needs values, or a range with low below high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"the axis {self.field} is logarithmic, and its low end {self.low:g} is not above 0")
        return self


class SweepSpec(Spec):
    """The same experiment at many settings: a grid or a random sample over any fields, one network a point."""

    axes: tuple[AxisSpec, ...] = Field(default=(), description="The fields that vary", max_length=16)
    mode: Literal["grid", "random"] = param(
        "grid",
        "Every combination of the values, or points drawn at random",
        label="Points",
        choices={"grid": "grid", "random": "random sample"},
    )
    points: int = param(
        100,
        "Points of a random sample; a grid has as many as it has combinations",
        label="Random points",
        ge=1,
        le=10_000_000,
    )
    reach: Literal["initial", "trained", "attacked"] = param(
        "attacked",
        "How far each point goes: only built and measured, trained as well, or attacked as well",
        label="Each point is",
        choices={"initial": "built", "trained": "trained", "attacked": "attacked"},
    )
    geometry: bool = param(
        True, "Measure rapidity, ln γ and effective rank of the probe samples at every point", label="Geometry"
    )
    keep_weights: bool = param(
        True, "Keep each trained network, so that its point can be opened", label="Keep networks", advanced=True
    )

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        names = [axis.field for axis in self.axes]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"the field {twice} has two axes; put all of its values in one")
        return self
