"""The points of a sweep: what each is, worked out when it is asked for, so that a million of them cost nothing."""

from __future__ import annotations

import json
import math
import random

from engine.seeds import derive
from engine.spec_files import apply_overrides
from engine.specs import ExperimentSpec, SweepSpec
from engine.specs.sweep import Value
from engine.sweep.axes import check, drawn, levels


class Points:
    """The points of a sweep, from 0 to ``len(points) - 1``; without axes it is one, the experiment itself.

    A grid has every combination of its axes' values, the last axis fastest. A random sample draws each point from the
    experiment's seed and its own number alone, so that points are the same whatever others there are.

    Raises:
        SpecError: an unknown field, a wrong kind of value, or too many points.
    """

    def __init__(self, spec: ExperimentSpec) -> None:
        check(spec)
        self.sweep = spec.sweep
        self.axes = spec.sweep.axes
        self.fields = tuple(axis.field for axis in self.axes)
        self.random = spec.sweep.mode == "random"
        # what a point is computed with: it has no sweep of its own, and its process one thread
        self._base = spec.model_copy(update={"sweep": SweepSpec(), "threads": 1})
        # a range of which points are drawn has no levels
        self._levels = [() if self.random and not axis.values else levels(axis) for axis in self.axes]
        self._orders: dict[tuple[int, bool], list[int]] = {}
        self._length = spec.sweep.points if self.random else math.prod(len(each) for each in self._levels)

    def __len__(self) -> int:
        return self._length

    def values(self, index: int) -> dict[str, Value]:
        """The values of a point by field, in the order of the axes.

        Raises:
            IndexError: there is no such point.
        """
        self._check(index)
        if self.random:
            draw = random.Random(derive(self._base.seed, "sweep", str(index))).random
            return {
                axis.field: known[int(draw() * len(known))] if known else drawn(axis, draw())
                for axis, known in zip(self.axes, self._levels, strict=True)
            }
        chosen: list[Value] = []
        for each in reversed(self._levels):
            index, digit = divmod(index, len(each))
            chosen.append(each[digit])
        return dict(zip(self.fields, reversed(chosen), strict=True))

    def spec(self, index: int) -> ExperimentSpec:
        """The experiment of a point, its values put in as --set does it.

        Raises:
            SpecError: the values do not fit together, or one is out of its range.
            IndexError: there is no such point.
        """
        return apply_overrides(self._base, [f"{field}={written(value)}" for field, value in self.values(index).items()])

    def in_order_of(self, field: str, place: int, descending: bool = False) -> int:
        """Of the points of a grid, sorted by one axis and then by number, the one at a place.

        Raises:
            KeyError: the points are not a grid, or the field is not an axis.
            IndexError: there is no such place.
        """
        self._check(place)
        if self.random or field not in self.fields:
            raise KeyError(field)
        axis = self.fields.index(field)
        order = self._order(axis, descending)
        stride = math.prod(len(each) for each in self._levels[axis + 1 :])
        rank, within = divmod(place, self._length // len(order))
        outer, inner = divmod(within, stride)
        return (outer * len(order) + order[rank]) * stride + inner

    def _order(self, axis: int, descending: bool) -> list[int]:
        """The digits of an axis in the order of their values."""
        known = self._orders.get((axis, descending))
        if known is None:
            values = self._levels[axis]
            known = sorted(range(len(values)), key=lambda digit: values[digit], reverse=descending)
            self._orders[axis, descending] = known
        return known

    def _check(self, index: int) -> None:
        if not 0 <= index < self._length:
            raise IndexError(f"the sweep has {self._length} points, and none with the number {index}")


def written(value: Value) -> str:
    """A value as TOML has it, which is how --set takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
