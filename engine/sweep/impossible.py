"""Values of an axis that no point of a sweep can be built with, found before hours are spent on the others.

The parts of an experiment are valid or not each by itself. So a value can never work where its part cannot be built with
any combination of the other axes of that part, however many points there are. Ranges are looked up; what else a part
asks for is found by building it, up to a limit: what is not found by then is not said.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from engine.errors import SpecError
from engine.spec_files import apply_overrides
from engine.specs import (
    AxisSpec,
    ExperimentSpec,
    Parameter,
    Spec,
    SweepSpec,
    carried,
    discriminator,
    parameters,
    variants,
)
from engine.specs.sweep import Value
from engine.sweep.axes import field_named, levels, value_text
from engine.sweep.points import written

_TRIES = 300
"""Combinations tried for one value."""
_BUILDS = 1500
"""Parts built for one axis: about 50 ms."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Impossible:
    """Values of one axis with which every point fails."""

    field: str
    values: tuple[Value, ...]
    all_of_them: bool
    """Whether the axis has no other values; every point of the sweep fails then."""
    reason: str
    """Of the first of them, in a sentence."""

    @property
    def named(self) -> str:
        """The first few of them."""
        rest = f" and {len(self.values) - _NAMED:,} more" if len(self.values) > _NAMED else ""
        return ", ".join(value_text(value) for value in self.values[:_NAMED]) + rest

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        if self.all_of_them:
            return f"No value of {self.field} can work, so every point fails. {self.reason}"
        which = "one of these values" if len(self.values) > 1 else "this value"
        return f"{self.field} = {self.named} can never work: every point with {which} fails. {self.reason}"


def impossible(spec: ExperimentSpec) -> list[Impossible]:
    """The axes of a sweep that have such values, in their order.

    Of a range that points are drawn from, its ends are looked at, and those of what its field allows of it.

    The axes must be right (:func:`engine.sweep.axes.check`). Takes some milliseconds for each axis at most, however many
    points the sweep has.
    """
    order = [axis.field for axis in spec.sweep.axes]
    parts: dict[str, list[AxisSpec]] = {}
    for axis in spec.sweep.axes:
        parts.setdefault(_part(axis.field), []).append(axis)
    found = [each for part, axes in parts.items() for each in _of_part(spec, part, axes)]
    return sorted(found, key=lambda each: order.index(each.field))


def _of_part(spec: ExperimentSpec, part: str, given: Sequence[AxisSpec]) -> list[Impossible]:
    building = _Building(spec, part, given)
    drawn = spec.sweep.mode == "random"
    axes = {axis.field: building.looked_at(axis) if drawn and not axis.values else levels(axis) for axis in given}
    # those that their range refuses are left out: with them nothing could be built anyway
    left = {field: tuple(value for value in them if building.takes(field, value)) for field, them in axes.items()}
    left = {field: them for field, them in left.items() if them}
    found = []
    for field, them in axes.items():
        refused = set(them) - set(left.get(field, ()))
        never = refused | building.never(field, left)
        if never:
            named = tuple(value for value in them if value in never)
            found.append(Impossible(field, named, len(named) == len(them), _reason(spec, field, named[0], left)))
    return found


class _Building:
    """The one part that axes change, built with their values."""

    def __init__(self, spec: ExperimentSpec, part: str, axes: Sequence[AxisSpec]) -> None:
        self._part = part
        self._now: Spec = getattr(spec, part) if part else spec
        self._tag = f"{part}.{discriminator(part)}" if part and discriminator(part) else ""
        known = variants(part) if part else {}
        named = [name for axis in axes if axis.field == self._tag for name in axis.values]
        chosen = [known[name] for name in named if isinstance(name, str) and name in known]
        self._classes: list[type[Spec]] = chosen or [type(self._now)]
        self._works: set[tuple[str, Value]] = set()
        self._kept: dict[type[Spec], dict[str, Any]] = {}

    def looked_at(self, axis: AxisSpec) -> tuple[Value, ...]:
        """Values that stand for a range: its ends, and within it the ends of what its field allows, with what is next to them."""
        low, high = axis.low, axis.high
        whole = field_named(axis.field).kind == "int"
        if whole:
            low, high = math.ceil(low), math.floor(high)
        name, found = axis.field.rpartition(".")[2], {low, high}
        for field in (known[name] for known in map(_known, self._classes) if name in known):
            least = low if field.minimum is None else max(low, field.minimum)
            most = high if field.maximum is None else min(high, field.maximum)
            within = (least, least + 1, most - 1, most) if whole else (least, (least + most) / 2, most)
            found |= {value for value in within if least <= value <= most and field.allows(value)}
        return tuple(sorted(int(value) if whole else value for value in found))

    def takes(self, field: str, value: Value) -> bool:
        """Whether any variant that there will be has the field and takes the value by itself."""
        if field == self._tag:
            return value in variants(self._part)
        name = field.rpartition(".")[2]
        return any(name in known and _within(known[name], value) for known in map(_known, self._classes))

    def never(self, field: str, axes: Mapping[str, tuple[Value, ...]]) -> set[Value]:
        """Those values of an axis with which nothing that the other axes come to can be built."""
        found: set[Value] = set()
        if not self._part:
            return found
        left = _BUILDS
        beside = {name: _standing_for(them) for name, them in axes.items()}
        many = math.prod(len(them) for name, them in beside.items() if name != field)
        for value in axes.get(field, ()):
            if (field, value) in self._works:
                continue
            tried = 0
            for chosen in product(*((value,) if name == field else them for name, them in beside.items())):
                if tried == min(_TRIES, left):
                    break
                tried += 1
                if self._can_be(dict(zip(axes, chosen, strict=True))):
                    self._works.update(zip(axes, chosen, strict=True))
                    break
            else:
                if tried == many:
                    found.add(value)
            left -= tried
            if left <= 0:
                break
        return found

    def _can_be(self, values: Mapping[str, Value]) -> bool:
        named = values.get(self._tag)
        cls = variants(self._part)[named] if isinstance(named, str) else type(self._now)
        if cls not in self._kept:
            same = cls is type(self._now)
            self._kept[cls] = self._now.model_dump() if same else carried(self._now, cls)
        changed = {field.rpartition(".")[2]: value for field, value in values.items() if field != self._tag}
        try:
            cls.model_validate(self._kept[cls] | changed)
        except ValidationError:
            return False
        return True


@functools.cache
def _known(cls: type[Spec]) -> dict[str, Parameter]:
    return {each.name: each for each in parameters(cls)}


def _within(known: Parameter, value: Value) -> bool:
    """Whether a field takes a value, by its range or its choices."""
    if known.kind == "choice":
        return value in dict(known.choices)
    return known.allows(value) if isinstance(value, int | float) and not isinstance(value, bool) else True


def _standing_for(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Values that stand for all of an axis: of many numbers its ends and one beside, one of them odd and one even if there are.

    Parts compare numbers, and ask whether they are odd; they ask for nothing else.
    """
    numbers = [value for value in values if not isinstance(value, str)]
    if len(values) <= 3 or len(numbers) < len(values):
        return values
    in_order = sorted(numbers)
    chosen = (*in_order[:2], in_order[-1])
    parities = {value % 2 for value in chosen}
    return (*chosen, *[value for value in in_order if value % 2 not in parities and value % 1 == 0][:1])


def _part(field: str) -> str:
    return field.rpartition(".")[0]


def _reason(spec: ExperimentSpec, field: str, value: Value, axes: Mapping[str, tuple[Value, ...]]) -> str:
    """Why a value does not work: by itself, else together with the first values of the other axes."""
    alone = {field: value}
    others = {name: them[0] for name, them in axes.items() if _part(name) == _part(field)}
    base = spec.model_copy(update={"sweep": SweepSpec()})
    for given in (alone, others | alone):
        try:
            apply_overrides(base, [f"{name}={written(each)}" for name, each in given.items()])
        except SpecError as error:
            lines = str(error).splitlines()
            return next((line for line in lines if line.startswith(field)), lines[0])
    return "Its part cannot be built with it."
