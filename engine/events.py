"""What an experiment says while it runs: four kinds of event, all picklable, none of which knows torch or Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Arrays = Mapping[str, np.ndarray]
Scalar = float | int | str | None
Phase = Literal["data", "init", "train", "attack", "measure", "map", "matrix"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One unit of work is done; a single step of a paused job ends here."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a scalar series. No row is ever lost or coalesced."""

    table: str
    row: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of the state at one moment. Live, only the latest of a topic is drawn; kept ones can be replayed.

    ``phase`` and ``step`` say which moment: frames of one run with equal phase and step belong together.
    ``info`` holds what is not an array (names, captions) and must be plain JSON.
    """

    topic: str
    phase: Phase
    step: int
    arrays: Arrays
    info: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Artifact:
    """A result to keep, found again by its name and the key of the spec parts it depends on."""

    name: str
    key: str
    arrays: Arrays
    info: Mapping[str, Any] = field(default_factory=dict)


Event = Progress | Record | Frame | Artifact
Events = Iterator[Event | None]
"""What an experiment yields. None is a breath: nothing is said, but the job can be paused or cancelled there."""
