"""Processes on this machine that compute points, one point each at a time.

An executor of the standard library's kind, but of whose processes each has its own pipe: when one dies, its own point
is lost and no other, and it is replaced before its next.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

import psutil

T = TypeVar("T")

WORKER_BYTES = 600 * 2**20
"""Memory that a process with torch, a data set and a small network takes."""
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_spawn = multiprocessing.get_context("spawn")


def workers(memory: int | None = None, cores: int | None = None) -> int:
    """How many processes this machine has room for: one a core, as far as ``memory`` (bytes that are free) goes."""
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if memory is None:
        memory = psutil.virtual_memory().available
    return max(1, min(cores, int(0.9 * memory) // WORKER_BYTES))


@dataclass(slots=True)
class _Job:
    future: Future[Any]
    call: bytes


class WorkerDied(BrokenExecutor):
    """The process that computed this ended before it was done."""


class LocalProcesses(Executor):
    """A number of processes that take calls in the order of their submission. They end with it, and with this program.

    A call whose process dies raises WorkerDied. Functions, arguments and results must be picklable.
    """

    def __init__(self, workers: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._processes: dict[int, SpawnProcess] = {}
        self._closed = self._killed = False
        # daemons: a sweep that nobody closed must not keep the program from ending
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), name=f"sweep worker {number}", daemon=True)
            for number in range(max(1, workers))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call a function in one of the processes.

        Raises:
            RuntimeError: the executor is shut down.
        """
        future: Future[T] = Future()
        call = pickle.dumps((fn, args, kwargs))
        with self._gate:
            if self._closed:
                raise RuntimeError("the processes are shut down")
            self._jobs.put(_Job(future, call))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and end the processes when all are done; with ``cancel_futures`` at once."""
        with self._gate:
            first, self._closed = not self._closed, True
            self._killed = self._killed or cancel_futures
            if cancel_futures:
                for process in self._processes.values():
                    process.kill()
        if cancel_futures:
            self._cancel_waiting()
        if first or cancel_futures:
            for _ in self._threads:
                self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        with self._gate:
            return [process.pid for process in self._processes.values() if process.pid is not None]

    def _cancel_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    job.future.cancel()
                    job.future.set_running_or_notify_cancel()

    def _serve(self, number: int) -> None:
        """Hand calls to one process, one after the other; runs in a thread of this program."""
        worker = self._start(number)
        while (job := self._jobs.get()) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            if worker is None:
                worker = self._start(number)
            try:
                if worker is None:
                    raise EOFError
                worker[1].send_bytes(job.call)
                done, answer = worker[1].recv()
            except (EOFError, OSError):
                job.future.set_exception(self._died(number, worker))
                worker = None
            except Exception as error:  # the answer cannot be read
                job.future.set_exception(error)
            else:
                job.future.set_result(answer) if done else job.future.set_exception(answer)
            del job
        self._end(number, worker)

    def _start(self, number: int) -> tuple[SpawnProcess, Connection] | None:
        """A new process, or None where it is too late for one or the system has none to give."""
        ours, theirs = _spawn.Pipe()
        process = _spawn.Process(target=_work, args=(theirs,), name=f"sweep-worker-{number}", daemon=True)
        with self._gate:
            if self._killed:
                return None
            try:
                with _ctrl_c_kept_away():
                    process.start()
            except OSError:
                ours.close()
                return None
            finally:
                theirs.close()
            self._processes[number] = process
        return process, ours

    def _died(self, number: int, worker: tuple[SpawnProcess, Connection] | None) -> WorkerDied:
        if worker is None:
            return WorkerDied("no process could be started for it")
        self._end(number, worker)
        code = worker[0].exitcode
        if code is not None and code < 0:
            known = {each.value: each.name for each in signal.Signals}
            name = known.get(-code, f"signal {-code}")
            lack = ", perhaps for lack of memory" if name == "SIGKILL" else ""
            return WorkerDied(f"its process was ended by {name}{lack}")
        return WorkerDied(f"its process ended with exit code {code}")

    def _end(self, number: int, worker: tuple[SpawnProcess, Connection] | None) -> None:
        if worker is None:
            return
        process, connection = worker
        connection.close()  # at which an idle process ends by itself
        process.join(2.0)
        if process.is_alive():
            process.kill()
            process.join()
        with self._gate:
            self._processes.pop(number, None)


# --- in the process -------------------------------------------------------------------------------------------


def _work(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asked
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, name="watchdog", daemon=True).start()
    while True:
        try:
            call = connection.recv_bytes()
        except (EOFError, OSError):
            return  # nobody asks any more
        try:
            function, args, kwargs = pickle.loads(call)  # noqa: S301  from the program that made this process
            answer = pickle.dumps((True, function(*args, **kwargs)))
        except BaseException as error:
            answer = _told(error)
        try:
            connection.send_bytes(answer)
        except OSError:
            return


def _told(error: BaseException) -> bytes:
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)  # noqa: S301  some errors cannot be made again
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return answer


def _end_with_parent() -> None:
    """End this process as soon as the program that made it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _ctrl_c_kept_away() -> Iterator[None]:
    """What is started here has Ctrl-C blocked from its first moment on, before it can ignore it itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
