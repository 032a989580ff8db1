"""What the engine thread asks of a recorder; :class:`engine.session.Recorder` is one."""

from __future__ import annotations

from typing import Literal, Protocol

from engine.events import Event

RunEnd = Literal["finished", "cancelled", "failed", "interrupted"]


class RecorderLike(Protocol):
    """Writes down what one run says. Called from the engine thread only."""

    @property
    def run(self) -> int:
        """The run's number in the session."""
        ...

    def put(self, event: Event) -> None:
        """Take an event. Raising fails the job."""
        ...

    def close(self, status: RunEnd, error: str = "") -> None:
        """End the run. When this returns, everything put is written. Called once."""
        ...
