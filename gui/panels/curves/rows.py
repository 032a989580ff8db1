"""The course of an attack as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.experiments.attack_curves import Watched
from gui.panels.curves.course import Course


def rows_of(course: Course) -> Iterator[Sequence[Any]]:
    """One row a step: the share broken with its interval, the quartiles, and each watched sample's margin and loss."""
    watched, whole = course.watched, course.whole
    if not len(watched) or whole is None:
        return
    names = [str(course.index[k]) if k < len(course.index) else f"#{k}" for k in range(watched.samples)]
    heads = [f"{metric} {name}" for metric in Watched.NAMES for name in names]
    quartiles = [f"{metric} {word}" for metric in Watched.NAMES for word in ("q25", "median", "q75")]
    yield ["step", "share_broken", "low", "high", *quartiles, *heads]
    at = {int(step): k for k, step in enumerate(whole.step)}
    for k, step in enumerate(watched.step):
        row = at.get(int(step))
        share = [float(v[row]) for v in (whole.share, whole.low, whole.high)] if row is not None else [""] * 3
        spread = [float(v) for metric in Watched.NAMES for v in watched.quartiles[metric][k]]
        each = [float(v) for metric in Watched.NAMES for v in watched.values[metric][k]]
        yield [int(step), *share, *spread, *each]
