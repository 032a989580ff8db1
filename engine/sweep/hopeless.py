"""Failed points that no second try can help: their settings are none that an experiment can have."""

from __future__ import annotations

from engine.errors import SpecError
from engine.sweep.store import SweepStore

LOOKED_AT = 200
"""Reasons of failed points of which one point is looked at; of more it is not known."""


def hope_and_none(store: SweepStore) -> tuple[bool, bool]:
    """Whether some failed points may succeed when they are tried again, and whether others never will.

    Points that failed for the same reason are taken to be alike.
    """
    examples = store.failed_in_each_way(LOOKED_AT + 1)
    possible = [_can_be(store, index) for index in examples[:LOOKED_AT]]
    return any(possible) or len(examples) > LOOKED_AT, not all(possible)


def _can_be(store: SweepStore, index: int) -> bool:
    try:
        store.points.spec(index)
    except SpecError:
        return False
    return True
