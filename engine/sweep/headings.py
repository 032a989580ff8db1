"""What the columns of a sweep's table are called, where an axis and something measured may have the same name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.sweep.axes import field_named
from engine.sweep.columns import BY_NAME, COLUMNS, Column


def headings(fields: Sequence[str], measured: Sequence[str]) -> tuple[Column, ...]:
    """The axes, then what was measured; the latter is told from an axis of the same label."""
    axes = [_of_axis(field) for field in fields]
    taken = {axis.label.lower() for axis in axes}
    others = [Column(name, name, "", "complexity", "") for name in measured if name not in BY_NAME]
    known = (column for column in COLUMNS if column.name in measured)
    told = (replace(c, label=f"{c.label}, measured") if c.label.lower() in taken else c for c in known)
    return (*axes, *told, *others)


def alike(fields: Sequence[str], measured: Sequence[str]) -> list[tuple[str, str]]:
    """(column measured, axis) of the same label."""
    labels = {_of_axis(field).label.lower(): field for field in fields}
    return [(c.name, labels[c.label.lower()]) for c in COLUMNS if c.name in measured and c.label.lower() in labels]


def _of_axis(field: str) -> Column:
    known = field_named(field)
    return Column(field, known.label, known.unit, "axis", known.help)
