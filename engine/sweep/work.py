"""The work on one point: a task goes out to a process, near or far, and an outcome comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one point: its row (and weights), or why it has none. All plain, and picklable."""

    index: int
    row: Mapping[str, float | int | str | None] = field(default_factory=dict)
    weights: bytes | None = None
    """Its trained network, as safetensors."""
    error: str = ""
    """Why the point failed, in a sentence; empty where it did not."""
    is_bug: bool = False
    traceback: str = ""
    seconds: float = 0.0
    stopped: bool = False
    """It was told to stop, and did: the point is neither finished nor failed."""
