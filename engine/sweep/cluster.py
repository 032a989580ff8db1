"""Workers on other machines: a Dask scheduler as the executor of a sweep. Dask is loaded only when one is asked for.

A worker that dies costs nothing but time: the scheduler hands its points to another. A point that is not wanted any more
is left within a tenth of a second on machines far away too, where no stop file of this one can be seen.
"""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from engine.errors import SweepError
from engine.sweep.software import PROGRAM, compared, here, version
from engine.sweep.work import LOOK_EVERY, Outcome, Task

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
_QUIET = ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado", "tornado.application")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to a scheduler."""

    executor: Executor
    slots: int
    """Points that its workers compute at a time, when it was connected to."""
    close: Callable[[], None]
    """End the connection; what its workers still compute for it is left. May be called again."""
    notes: tuple[str, ...] = ()
    """What of its workers' software differs from this program's and does no harm."""


def connect(address: str) -> Cluster:
    """Connect to a Dask scheduler, at an address such as ``tcp://10.0.0.5:8786``; takes 5 seconds or so at most.

    Raises:
        SweepError: Dask is not installed, nobody answers, there are no workers, or they cannot compute points of this
            version.
    """
    try:
        from distributed import Client
    except ImportError:
        raise SweepError(
            "Workers on other machines need the package Dask distributed, which is not installed here. Install it "
            "with pip install 'rapidity-lab[cluster]', or leave the scheduler out to compute on this machine."
        ) from None
    _silence()
    _knock(address)
    client = _client(Client, address)

    def close() -> None:
        client.close(timeout=CLOSE_SECONDS)

    try:
        slots, notes = _slots(client, address)
    except BaseException:
        close()
        raise
    return Cluster(_DaskExecutor(client), slots, close, notes)


def _client(make: Callable[..., Any], address: str) -> Any:
    """Dask's client, made beside: it would wait for ever for an answer of what listens but is no scheduler."""
    made: SimpleQueue[Any] = SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # versions are looked at later, in sentences
                client = make(address, timeout=CONNECT_SECONDS / 2, set_as_default=False)
        except BaseException as error:
            made.put(error)
            return
        if given_up.is_set():
            client.close(timeout=CLOSE_SECONDS)
        made.put(client)

    threading.Thread(target=ask, name="asking the scheduler", daemon=True).start()
    try:
        found = made.get(timeout=CONNECT_SECONDS)
    except Empty:
        given_up.set()
        raise _nobody(address, TimeoutError("what listens there does not answer as a scheduler")) from None
    if isinstance(found, BaseException):
        raise _nobody(address, found) from found
    return found


def _knock(address: str) -> None:
    """Whether anybody listens there at all: Dask itself would go on trying for long where nobody does."""
    protocol, _, place = address.strip().rpartition("://")
    host, _, port = place.rpartition(":")
    if not place or (protocol in ("", "tcp", "tls") and not (host and port.isdigit())):
        raise _nobody(address, ValueError("that is no address"))
    if protocol not in ("", "tcp", "tls"):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS / 2).close()
    except (OSError, OverflowError) as error:
        raise _nobody(address, error) from error


def _nobody(address: str, error: BaseException) -> SweepError:
    return SweepError(
        f"No Dask scheduler answers at {address!r} ({_first_line(error)}). Start one with dask scheduler, and give its "
        "address as it prints it: tcp://HOST:8786."
    )


class _DaskExecutor(Executor):
    """Dask's own executor, of whose tasks each can be stopped on its worker."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._client.status != "running":
            raise RuntimeError("the scheduler is gone")
        future: Future[Any] = self._executor.submit(on_worker, fn, *args, own=dict(here()), **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        del cancel_futures  # what is not done when the connection ends is cancelled by the scheduler
        self._executor.shutdown(wait=wait)


def on_worker(fn: Callable[[Task], Outcome], task: Task, own: Mapping[str, str]) -> Outcome:
    """Compute a point on a worker; it stops when the scheduler has taken it back.

    ``own`` is the software of who asks: a worker may have come after the others were asked for theirs.
    """
    refused = compared(
        _own_address(), {**here(), PROGRAM: own[PROGRAM]}, own
    ).refused  # fn itself asks for the program's
    if refused:
        return Outcome(task.index, error=refused)
    with tempfile.TemporaryDirectory(prefix="rapidity-") as folder:
        stop = Path(folder) / "stop"
        with _watching(stop, Path(task.stop_file)):
            return fn(replace(task, stop_file=str(stop)))


def version_there() -> str:
    """The version of Rapidity Lab on a worker."""
    return version()


def software_there() -> dict[str, str]:
    """The versions of what computes on a worker."""
    return dict(here())


def _own_address() -> str:
    from distributed import get_worker

    try:
        return str(get_worker().address)
    except ValueError:  # in no worker
        return "here"


@contextmanager
def _watching(stop: Path, asked: Path) -> Iterator[None]:
    """Make the file ``stop`` when the task of this thread is cancelled, or when the file ``asked`` is there."""
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except ValueError:  # in no worker
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY):
            found = worker.state.tasks.get(key)
            if found is None or found.state in ("cancelled", "released", "forgotten") or asked.exists():
                stop.touch()
                return

    watcher = threading.Thread(target=watch, name="stop watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _slots(client: Any, address: str) -> tuple[int, tuple[str, ...]]:
    """How many points its workers compute at a time, and what is to be noted of them; SweepError where they cannot."""
    threads = client.scheduler_info(n_workers=-1)["workers"]
    if not threads:
        raise SweepError(
            f"The scheduler at {address} has no workers. Start some with dask worker {address} --nthreads 1 --nworkers 4 "
            "on machines that have Rapidity Lab installed."
        )
    # the version first, by itself: an older program knows of no other question
    for worker, found in _asked(client, version_there):
        if found != version():
            raise SweepError(
                f"The worker {worker} has Rapidity Lab {found}, and this program is {version()}. Install the same version "
                "where it runs, and start it again."
            )
    notes = []
    for worker, found in _asked(client, software_there):
        said = compared(worker, found, here())
        if said.refused:
            raise SweepError(said.refused)
        notes += [said.note] if said.note else []
    return max(1, sum(int(worker["nthreads"]) for worker in threads.values())), tuple(notes)


def _asked(client: Any, question: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """What each worker answers."""
    for worker, found in client.run(question, on_error="return").items():
        if isinstance(found, BaseException):
            raise SweepError(
                f"The worker {worker} cannot compute points: {_first_line(found)}. Install Rapidity Lab "
                f"{version()} where it runs, and start it again."
            )
        yield worker, found


def _silence() -> None:
    """What Dask says of lost workers and of connections is told by the points; its own log is not for a terminal."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
