"""What a session holds, as it is listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.errors import SessionError
from engine.events import Phase
from engine.session.recorder import Status
from engine.specs import ExperimentSpec


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment that was started."""

    id: int
    experiment: str
    spec: Mapping[str, Any]
    """The spec as plain JSON, as it was when the run began."""
    status: Status
    started: float
    """Seconds since the epoch."""
    finished: float | None
    """Seconds since the epoch; None while it runs."""
    error: str
    """Why it failed, else empty."""

    def read_spec(self) -> ExperimentSpec:
        """The spec as an object.

        Raises:
            SessionError: it was made by another version, and does not fit this one.
        """
        try:
            return ExperimentSpec.model_validate(self.spec)
        except ValidationError as error:
            raise SessionError(f"The spec of run {self.id} does not fit this version of the program.") from error


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment of a run that can be replayed: the frames of one phase and step."""

    id: int
    """Grows with time, over all runs."""
    run: int
    phase: Phase
    step: int
    topics: tuple[str, ...]
    """The topics of its frames, sorted."""
    time: float
    """When its first frame was recorded, seconds since the epoch."""
