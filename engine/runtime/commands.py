"""What the engine thread is told. All picklable, so that a process could take the thread's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.events import Artifact
from engine.specs import ExperimentSpec


@dataclass(frozen=True, slots=True)
class Start:
    """Run an experiment when its turn comes. ``given`` holds results of earlier runs that it may build on."""

    job: int
    experiment: str
    spec: ExperimentSpec
    given: Mapping[str, Artifact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop pulling before the next pull."""

    job: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Pull again."""

    job: int


@dataclass(frozen=True, slots=True)
class Step:
    """Pull until the next Progress event, then stay paused."""

    job: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Close the job, or take it out of the queue."""

    job: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Close everything and end the engine thread."""


Command = Start | Pause | Resume | Step | Cancel | Shutdown
