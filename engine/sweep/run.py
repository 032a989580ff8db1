"""Running a sweep: what waits is handed to an executor, what comes back is written down at once.

Results are committed where they arrive, in the callbacks of the executor's futures: a sweep that is paused, or whose
window hangs, loses nothing. The generator hands out work, tells how far it is, and stops what is to be stopped.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from pathlib import Path

from engine.errors import SpecError, SweepError
from engine.events import Event, Events, Frame, Progress
from engine.sweep.cost import duration
from engine.sweep.software import version
from engine.sweep.store import SweepStore
from engine.sweep.work import MEASURE, Outcome, Task, failure, run_point

RETRIES = 2
"""How often a point is tried again whose process died."""
STOPPED_WITHIN = 0.3
"""Seconds that closing waits for the points that run; what comes later is dropped."""
TELL_EVERY = 0.1
_TICK = 0.04
_AHEAD = 64


def sweep(store: SweepStore, executor: Executor, slots: int, *, measure: str = MEASURE) -> Events:
    """Compute all waiting points of a sweep with an executor that computes ``slots`` of them at a time.

    Yields Progress and Frame ("sweep", whose info has the counts and the revision), and None while nothing happens. A
    point that fails stops no other. Closing it stops what runs; those points wait again.

    Raises:
        SweepError: another program runs the sweep, its file cannot be written, or the executor takes no more work.
    """
    with store.claimed(to_run=True):
        run = _Run(store, executor, max(1, slots), measure)
        try:
            store.interrupted()
            yield from run.events()
        finally:
            run.close()


class _Run:
    def __init__(self, store: SweepStore, executor: Executor, slots: int, measure: str) -> None:
        self._store, self._executor, self._slots, self._measure = store, executor, slots, measure
        # files that tell workers to stop; there are none until something is to be stopped
        self._stops = store.path.with_name(f".{store.path.name}.stop")
        self._token = secrets.token_hex(4)
        shutil.rmtree(self._stops, ignore_errors=True)
        self._changed = threading.Event()
        # what follows is under the gate: callbacks come from the executor's threads
        self._gate = threading.RLock()
        self._flying: dict[Future[Outcome], int] = {}
        self._again: deque[int] = deque()
        self._lost: Counter[int] = Counter()
        self._error: BaseException | None = None
        self._closing = False
        self._late = 0
        self._seconds = 0.0
        self._done_here = 0
        # and this is the generator's own
        self._begun: set[int] = set()
        self._stopping: set[int] = set()
        self._ahead: deque[int] = deque()
        self._cursor = 0
        self._looked_back = 0.0
        self._revision = -1

    def events(self) -> Iterator[Event | None]:
        """Until every point is finished, failed or cancelled."""
        told, last = -1, 0.0
        while True:
            if self._error is not None:
                raise self._error
            self._stop_cancelled()
            is_all = self._fill()
            self._note_begun()
            if is_all and self._is_over():
                break
            revision, now = self._store.revision, time.monotonic()
            if revision != told and now - last >= TELL_EVERY:
                yield from self._news(revision)
                told, last = revision, now
            else:
                yield None
            if is_all or len(self._flying) >= 2 * self._slots:  # else there is more to hand out
                self._changed.wait(_TICK)
                self._changed.clear()
        yield from self._news(self._store.revision)

    def close(self) -> None:
        """Stop what runs; what does not stop soon is left to itself, and its outcome is dropped."""
        with self._gate:
            self._closing = True
            flying = dict(self._flying)
        for future, index in flying.items():
            self._stop(future, index)
        until = time.monotonic() + STOPPED_WITHIN
        while self._flying and time.monotonic() < until:
            self._changed.wait(0.02)
            self._changed.clear()
        with self._gate:
            self._late = len(self._flying)
            self._flying.clear()
        with contextlib.suppress(SweepError):  # a full disk was told of; the next run lets them wait
            self._store.interrupted()
        if not self._late:
            shutil.rmtree(self._stops, ignore_errors=True)

    def _is_over(self) -> bool:
        """Whether all that was handed out is back and written down, and nothing of it is to be tried again."""
        with self._gate:  # what is just coming back has left _flying already
            return not self._flying and not self._again and self._error is None

    # --- handing out ------------------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Submit what there is room for, but not for long; returns whether there is nothing more to submit."""
        until = time.monotonic() + _TICK
        while len(self._flying) < 2 * self._slots and time.monotonic() < until and self._error is None:
            index = self._next()
            if index is None:
                return True
            self._submit(index)
        return False

    def _next(self) -> int | None:
        """The next point to submit: those of dead processes first, then by number, then what was retried meanwhile."""
        with self._gate:
            if self._again:
                return self._again.popleft()
        if not self._ahead and not self._read_ahead() and self._more_behind():
            self._cursor = 0
            self._read_ahead()
        return self._ahead.popleft() if self._ahead else None

    def _read_ahead(self) -> bool:
        with self._gate:
            flying = set(self._flying.values())
        while not self._ahead and self._cursor < len(self._store.points):
            found = self._store.waiting(self._cursor, _AHEAD)
            self._cursor = found[-1] + 1 if found else len(self._store.points)
            self._ahead.extend(index for index in found if index not in flying)
        return bool(self._ahead)

    def _more_behind(self) -> bool:
        """Whether points wait that the cursor has passed; looked for now and then, since it takes a count."""
        now = time.monotonic()
        if self._flying and now - self._looked_back < 0.5:
            return False
        self._looked_back = now
        with self._gate:
            waiting = sum(status == "waiting" for status in self._store.statuses(self._flying.values()).values())
            return self._store.counts()["waiting"] > waiting + len(self._again)

    def _submit(self, index: int) -> None:
        with self._gate:
            if index in self._flying.values():  # of a process that died while more was read
                return
        if self._store.statuses([index])[index] != "waiting":
            return
        try:
            spec = self._store.points.spec(index)
        except SpecError as error:
            self._store.finish(Outcome(index, error=str(error)))
            return
        sweep = self._store.spec.sweep
        task = Task(
            index,
            spec.model_dump_json(),
            sweep.reach,
            sweep.geometry,
            sweep.keep_weights,
            version(),
            str(self._stop_file(index)),
            self._measure,
        )
        try:
            future = self._executor.submit(run_point, task)
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            raise SweepError(
                f"The workers take no more work: {text}. What is finished is kept; run the sweep again to go on."
            ) from error
        with self._gate:
            self._flying[future] = index
        self._begun.discard(index)
        self._stopping.discard(index)
        future.add_done_callback(self._done)

    def _note_begun(self) -> None:
        """Executors take work in its order: the first so many of what is out are what runs."""
        with self._gate:
            first = list(self._flying.items())[: self._slots]
        for future, index in first:
            if index not in self._begun:
                self._begun.add(index)
                with self._gate:
                    if future in self._flying and not self._store.start(index):
                        self._stop(future, index)

    def _stop_cancelled(self) -> None:
        revision = self._store.revision
        if revision == self._revision:
            return
        self._revision = revision
        with self._gate:
            flying = dict(self._flying)
        statuses = self._store.statuses(flying.values())
        for future, index in flying.items():
            if statuses[index] == "cancelled" and index not in self._stopping:
                self._stop(future, index)

    def _stop(self, future: Future[Outcome], index: int) -> None:
        self._stopping.add(index)
        if not future.cancel():
            with contextlib.suppress(OSError):
                self._stops.mkdir(exist_ok=True)
                self._stop_file(index).touch()

    def _stop_file(self, index: int) -> Path:
        return self._stops / f"{self._token}-{index}"

    # --- taking back ------------------------------------------------------------------------------------------

    def _done(self, future: Future[Outcome]) -> None:
        """A future is done; called in any thread, also in the one that submits or cancels it."""
        with self._gate:
            index = self._flying.pop(future, None)
            if index is None:
                self._dropped()
                return
            try:
                self._take(future, index)
            except BaseException as error:
                self._error = self._error or error
            if index in self._stopping:
                with contextlib.suppress(OSError):
                    self._stop_file(index).unlink(missing_ok=True)
        self._changed.set()

    def _take(self, future: Future[Outcome], index: int) -> None:
        try:
            outcome = future.result()
        except (BrokenExecutor, CancelledError) as error:
            if index not in self._stopping:
                self._lose(index, error)
        except Exception as error:
            if type(error).__name__ == "KilledWorker":  # how Dask calls it
                self._lose(index, error)
            elif not self._closing:
                self._store.finish(Outcome(index, **failure(error)))
        else:
            if not outcome.stopped and self._keep(outcome):
                self._seconds += outcome.seconds
                self._done_here += 1

    def _keep(self, outcome: Outcome) -> bool:
        """Write down what came of a point; one whose numbers no file can hold fails, and stops no other."""
        try:
            return self._store.finish(outcome)
        except SweepError:
            raise  # the disk is full or gone
        except Exception as error:
            return self._store.finish(Outcome(outcome.index, seconds=outcome.seconds, **failure(error)))

    def _lose(self, index: int, error: BaseException) -> None:
        """The worker of a point is gone: try the point again, some times."""
        self._lost[index] += 1
        if self._lost[index] <= RETRIES:
            self._store.interrupted([index])
            self._again.append(index)
            return
        why = " ".join(str(error).split()) or type(error).__name__
        self._store.finish(
            Outcome(
                index,
                error=f"The worker of this point was lost {self._lost[index]} times; the last time, {why}. "
                "It may need more memory than there is: use a smaller model or fewer workers, and retry it.",
            )
        )

    def _dropped(self) -> None:
        """One that did not stop in time is done; the last of them tidies up."""
        self._late -= 1
        if self._late <= 0:
            shutil.rmtree(self._stops, ignore_errors=True)

    # --- telling ----------------------------------------------------------------------------------------------

    def _news(self, revision: int) -> Iterator[Event]:
        counts = self._store.counts()
        total = len(self._store.points)
        left = counts["waiting"] + counts["running"]
        text = f"{counts['finished']:,} of {total:,} points"
        for status in ("failed", "cancelled"):
            text += f", {counts[status]:,} {status}" if counts[status] else ""
        if left and self._done_here:
            seconds = (counts["waiting"] + counts["running"] / 2) * self._seconds / self._done_here / self._slots
            text += f", about {duration(seconds)} left"
        yield Progress(total - left, total, text)
        yield Frame("sweep", "measure", total - left, {}, {"counts": counts, "revision": revision}, keep=False)
