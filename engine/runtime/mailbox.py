"""Where the engine leaves what it says and the window fetches it, at its own rate.

Semantics first:

- Frames are latest-wins by topic, progress is latest-wins: what the window did not fetch in time is overwritten.
- Records and artifacts are append-only: each is delivered exactly once, in order, whatever the window's rate.
- Lifecycle announcements are never coalesced, and delivered exactly once, in order.
- A delivery holds the events of one job at most. Whoever applies its events first, then its announcements, and goes
  on while ``more`` is true, sees each job's Started before its events and its ending after them.
- After ``disconnect(job)`` nothing of that job is delivered but its ``Cancelled`` (and ``RecorderFailed``, which
  tells a loss in the session rather than a result).
- There is no back-pressure: a window that never fetches lets records pile up. Frames and progress never do.

The lock is held for a few dictionary operations; nothing is copied, and nothing large is freed, under it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.events import Artifact, Event, Frame, Progress, Record, Scalar
from engine.runtime.lifecycle import Cancelled, Ending, EngineFailed, EngineReady, Lifecycle, RecorderFailed, Started
from engine.runtime.rate import Rate


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was fetched: apply the events (of ``job``) first, then ``lifecycle``; fetch again while ``more``."""

    job: int | None = None
    frames: dict[str, Frame] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    progress: Progress | None = None
    lifecycle: list[Lifecycle] = field(default_factory=list)
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.frames or self.records or self.artifacts or self.progress or self.lifecycle)

    def rows_by_table(self) -> dict[str, list[Mapping[str, Scalar]]]:
        """The rows of the records, grouped by table, in order: what ``Table.extend`` takes."""
        grouped: dict[str, list[Mapping[str, Scalar]]] = {}
        for record in self.records:
            grouped.setdefault(record.table, []).append(record.row)
        return grouped


@dataclass(frozen=True, slots=True)
class Statistics:
    """A snapshot of how the mailbox is doing, for the status bar and for debugging."""

    steps_per_second: float
    """Progress events posted a second, over the last two seconds. One Progress is one step of the experiment."""
    events_posted: int
    """Events accepted since the mailbox was made, of all jobs."""
    events_refused: int
    """Events of disconnected jobs that were refused or dropped undelivered."""
    frames_overwritten: int
    """Frames that a newer one of their topic replaced before the window fetched them."""
    records_waiting: int
    """Records not fetched yet. A number that keeps growing means that the window does not fetch."""
    deliveries: int
    """Non-empty deliveries made."""


class _Parcel:
    """What the next delivery will hold: the events of one job, then announcements."""

    __slots__ = ("artifacts", "frames", "job", "lifecycle", "progress", "records", "sealed")

    def __init__(self) -> None:
        self.job: int | None = None
        self.frames: dict[str, Frame] = {}
        self.records: list[Record] = []
        self.artifacts: list[Artifact] = []
        self.progress: Progress | None = None
        self.lifecycle: list[Lifecycle] = []
        self.sealed = False  # a Started was announced: the events it announces belong into the next parcel

    def to_delivery(self, more: bool) -> Delivery:
        return Delivery(self.job, self.frames, self.records, self.artifacts, self.progress, self.lifecycle, more)

    def without(self, job: int) -> tuple[_Parcel, int, bool]:
        """This parcel with nothing of ``job`` left, the events dropped, and whether its ending was among them."""
        kept = _Parcel()
        kept.sealed = self.sealed
        dropped = 0
        if self.job == job:
            dropped = len(self.frames) + len(self.records) + len(self.artifacts) + (self.progress is not None)
        else:
            kept.job, kept.frames, kept.records = self.job, self.frames, self.records
            kept.artifacts, kept.progress = self.artifacts, self.progress
        ended = False
        for each in self.lifecycle:
            if _job_of(each) != job or isinstance(each, RecorderFailed):
                kept.lifecycle.append(each)
            elif isinstance(each, Ending):
                ended = True
        return kept, dropped, ended


def _job_of(lifecycle: Lifecycle) -> int | None:
    return None if isinstance(lifecycle, EngineReady | EngineFailed) else lifecycle.job


class Mailbox:
    """One for each engine. Posting and draining are safe from any threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parcels: deque[_Parcel] = deque()  # oldest first; usually none or one
        self._disconnected: set[int] = set()
        self._rate = Rate()
        self._posted = self._refused = self._overwritten = self._deliveries = 0

    def post(self, job: int, event: Event) -> bool:
        """Leave an event of a job. False when the job is disconnected, and the event was refused."""
        overwritten: Frame | None = None  # freed after the lock is let go
        with self._lock:
            if job in self._disconnected:
                self._refused += 1
                return False
            self._posted += 1
            parcel = self._open_for(job)
            if isinstance(event, Record):
                parcel.records.append(event)
            elif isinstance(event, Progress):
                parcel.progress = event
                self._rate.tick()
            elif isinstance(event, Frame):
                overwritten = parcel.frames.get(event.topic)
                parcel.frames[event.topic] = event
                self._overwritten += overwritten is not None
            else:
                parcel.artifacts.append(event)
        return True

    def announce(self, lifecycle: Lifecycle) -> bool:
        """Leave an announcement. False when it was refused, its job being disconnected."""
        with self._lock:
            refused = _job_of(lifecycle) in self._disconnected
            if refused and not isinstance(lifecycle, Cancelled | RecorderFailed):
                return False
            if not self._parcels or self._parcels[-1].sealed:
                self._parcels.append(_Parcel())
            self._parcels[-1].lifecycle.append(lifecycle)
            self._parcels[-1].sealed = isinstance(lifecycle, Started)
            return True

    def disconnect(self, job: int) -> None:
        """Drop what of the job was not delivered, and refuse what comes later.

        A job whose ending was announced but not delivered yet ends as ``Cancelled`` instead. Returns with nothing
        of the job left to be delivered but that.
        """
        old: deque[_Parcel] = deque()
        with self._lock:
            self._disconnected.add(job)
            old, self._parcels = self._parcels, deque()
            ended = False
            for parcel in old:
                kept, dropped, its_end = parcel.without(job)
                self._refused += dropped
                ended = ended or its_end
                if kept.job is not None or kept.lifecycle:
                    self._parcels.append(kept)
            if ended:
                if not self._parcels:
                    self._parcels.append(_Parcel())
                self._parcels[-1].lifecycle.append(Cancelled(job))
        old.clear()  # large arrays are freed here, outside the lock

    def drain(self) -> Delivery:
        """Fetch the oldest waiting events of one job, and the announcements that came with and after them."""
        with self._lock:
            if not self._parcels:
                return Delivery()
            parcel = self._parcels.popleft()
            self._deliveries += 1
            return parcel.to_delivery(more=bool(self._parcels))

    def statistics(self) -> Statistics:
        with self._lock:
            return Statistics(
                steps_per_second=self._rate.per_second(),
                events_posted=self._posted,
                events_refused=self._refused,
                frames_overwritten=self._overwritten,
                records_waiting=sum(len(parcel.records) for parcel in self._parcels),
                deliveries=self._deliveries,
            )

    def _open_for(self, job: int) -> _Parcel:
        """The parcel that takes this job's events; the lock is held."""
        if not self._parcels or self._parcels[-1].sealed or self._parcels[-1].job not in (None, job):
            self._parcels.append(_Parcel())
        parcel = self._parcels[-1]
        parcel.job = job
        return parcel
