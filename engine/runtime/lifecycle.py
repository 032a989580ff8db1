"""What happens to the engine and its jobs. Never coalesced, never lost, all picklable.

Each submitted job is ``Queued`` once and ends once: ``Finished``, ``Cancelled`` or ``Failed``. Between the two comes
``Started``, unless the job was cancelled in the queue or failed before its experiment could begin.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine is warm; ``description`` says on what it computes, ``seconds`` how long the warming took."""

    description: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """The engine could not be warmed. It still takes jobs, which then tell their own errors."""

    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The job was accepted and waits for its turn."""

    job: int
    experiment: str


@dataclass(frozen=True, slots=True)
class Started:
    """The job's turn came; ``run`` is its number in the session, or None when it is not recorded."""

    job: int
    experiment: str
    run: int | None


@dataclass(frozen=True, slots=True)
class Paused:
    """The job is at rest: no pull is under way, and none will come before Resume or Step."""

    job: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The job runs again."""

    job: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The experiment ran to its end, and everything it said is recorded."""

    job: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job was closed before its end, by a person or because the engine was closed."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended with an error.

    ``message`` is one sentence. With ``is_user_error`` it is fit to be shown as it is; otherwise it is a bug, and
    ``traceback`` is what a person sends to the authors.
    """

    job: int
    message: str
    traceback: str
    is_user_error: bool


@dataclass(frozen=True, slots=True)
class RecorderFailed:
    """What the job said could not be written down. Precedes its Failed, or its Cancelled: a loss is always told."""

    job: int
    message: str


Lifecycle = (
    EngineReady | EngineFailed | Queued | Started | Paused | Resumed | Finished | Cancelled | Failed | RecorderFailed
)
Ending = Finished | Cancelled | Failed
