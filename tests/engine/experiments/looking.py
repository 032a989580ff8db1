"""What the tests of closer looks share: running one, and reading its last frame and its rows."""

from __future__ import annotations

from collections.abc import Mapping

import pace

from engine.events import Artifact, Event, Frame, Record
from engine.experiments import open_experiment
from engine.specs import ExperimentSpec


def looked(name: str, spec: ExperimentSpec, given: Mapping[str, Artifact] | None = None) -> list[Event]:
    return [event for event in open_experiment(name, spec, given or {}) if event is not None]


def last(events: list[Event], topic: str) -> Frame:
    return [event for event in events if isinstance(event, Frame) and event.topic == topic][-1]


def rows(events: list[Event], table: str) -> list[dict[str, object]]:
    return [dict(event.row) for event in events if isinstance(event, Record) and event.table == table]


def kept(events: list[Event]) -> dict[str, Artifact]:
    return {event.name: event for event in events if isinstance(event, Artifact)}


def longest_breath(name: str, spec: ExperimentSpec, given: Mapping[str, Artifact], limit: float = 0.2) -> float:
    """The longest that a job cannot be cancelled, in seconds of a machine that does nothing else."""
    return pace.longest_breath(lambda: open_experiment(name, spec, given), limit)
