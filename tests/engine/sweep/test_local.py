"""The processes of this machine compute, die and end as they should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import psutil
import pytest

from engine.errors import TrainingError
from engine.sweep.local import LocalProcesses, WorkerDied, workers

ROOT = Path(__file__).resolve().parents[3]


class Odd(Exception):
    """It cannot be made again from what it is pickled as."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def square(number: int) -> int:
    return number * number


def where(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def die(code: int) -> None:
    os._exit(code)


def killed(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raising(what: str) -> None:
    raise TrainingError(what)


def odd(_: int) -> None:
    raise Odd(1, 2)


def unreadable(_: int) -> Callable[[], int]:
    return lambda: 1


def variables(name: str) -> tuple[str | None, bool]:
    return os.environ.get(name), "torch" in sys.modules


def sleeping(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalProcesses]:
    with LocalProcesses(2) as made:
        yield made


def test_calls_are_computed_in_other_processes(pool: LocalProcesses) -> None:
    assert list(pool.map(square, range(20))) == [number**2 for number in range(20)]
    found: set[int] = set()
    _wait_for(lambda: len(found.update(pool.map(where, range(10))) or found) == 2)  # the other may start late
    assert found == set(pool.pids) and os.getpid() not in found
    assert pool.submit(variables, "OMP_NUM_THREADS").result() == ("1", False)


def test_errors_come_back_as_they_are(pool: LocalProcesses) -> None:
    with pytest.raises(TrainingError, match="no number"):
        pool.submit(raising, "no number").result()
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        pool.submit(odd, 0).result()
    with pytest.raises(Exception, match="lambda"):
        pool.submit(unreadable, 0).result()
    with pytest.raises(Exception, match="lambda"):
        pool.submit(lambda: 1)


def test_a_process_that_dies_loses_its_own_call_alone(pool: LocalProcesses) -> None:
    beside = pool.submit(sleeping, 0.5)
    with pytest.raises(WorkerDied, match="exit code 7"):
        pool.submit(die, 7).result()
    with pytest.raises(WorkerDied, match=r"SIGKILL, perhaps for lack of memory"):
        pool.submit(killed, 0).result()
    assert beside.result() == 0.5
    assert list(pool.map(square, range(5))) == [0, 1, 4, 9, 16]
    # a process is replaced when there is a call for it: quick ones may all be taken by the other
    _wait_for(lambda: list(pool.map(sleeping, [0.1, 0.1])) == [0.1, 0.1] and len(pool.pids) == 2)


def test_a_call_that_waits_can_be_cancelled(pool: LocalProcesses) -> None:
    running = [pool.submit(sleeping, 0.3) for _ in range(2)]
    waiting = pool.submit(square, 3)
    assert waiting.cancel()
    assert [each.result() for each in running] == [0.3, 0.3]


def test_ending_it_ends_its_processes_at_once() -> None:
    with LocalProcesses(2) as pool:
        futures: list[Future[float]] = [pool.submit(sleeping, 60.0) for _ in range(4)]
        _wait_for(lambda: len(pool.pids) == 2 and futures[0].running())
        processes = [psutil.Process(pid) for pid in pool.pids]
        began = time.monotonic()
    assert time.monotonic() - began < 30, "their calls would take a minute"
    assert psutil.wait_procs(processes, timeout=30)[1] == []
    assert all(future.done() for future in futures)
    assert isinstance(futures[0].exception(), WorkerDied) and futures[3].cancelled()
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(square, 1)
    assert not any(thread.is_alive() for thread in pool._threads)


def test_without_haste_it_ends_when_all_is_done() -> None:
    pool = LocalProcesses(1)
    futures = [pool.submit(square, number) for number in range(3)]
    pool.shutdown()
    assert [future.result() for future in futures] == [0, 1, 4]
    assert pool.pids == []


PARENT = """
import sys, time
from engine.sweep.local import LocalProcesses
from tests.engine.sweep.test_local import sleeping, where
if __name__ == "__main__":
    pool = LocalProcesses(2)
    list(pool.map(where, range(8)))
    futures = [pool.submit(sleeping, 600.0) for _ in range(2)]
    {then}
"""

# The line that a test waits for before it does something to the parent.
SAY = "print(*pool.pids, flush=True)"


def _parent(then: str, folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    script = folder / "parent.py"
    script.write_text(PARENT.format(then=then))
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    return parent, [int(pid) for pid in parent.stdout.readline().split()]


def test_processes_end_when_their_program_is_killed(tmp_path: Path) -> None:
    parent, processes = _parent(f"{SAY}; time.sleep(600)", tmp_path)
    assert len(processes) == 2
    parent.kill()
    _wait_for(lambda: not any(_lives(pid) for pid in processes))
    parent.communicate()


def test_a_program_that_ends_without_closing_takes_its_processes_with_it(tmp_path: Path) -> None:
    parent, processes = _parent(SAY, tmp_path)
    _, error = parent.communicate(timeout=240)
    _wait_for(lambda: not any(_lives(pid) for pid in processes))
    assert (parent.returncode, error) == (0, "")


def test_ctrl_c_in_a_terminal_ends_the_program_and_its_processes_say_nothing(tmp_path: Path) -> None:
    # Said inside the try: the interrupt may come as soon as the line is read.
    then = f"""
    try:
        {SAY}
        time.sleep(600)
    except KeyboardInterrupt:
        pool.shutdown(cancel_futures=True)
        print("interrupted", flush=True)
    """
    parent, processes = _parent(then, tmp_path)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does, to all of them
    output, error = parent.communicate(timeout=240)
    assert (output, error, parent.returncode) == ("interrupted\n", "", 0)
    _wait_for(lambda: not any(_lives(pid) for pid in processes))


def test_there_are_as_many_as_cores_and_memory_allow() -> None:
    gib = 2**30
    assert workers(memory=64 * gib, cores=8) == 8
    assert workers(memory=2 * gib, cores=8) == 3
    assert workers(memory=0, cores=8) == 1
    assert 1 <= workers() <= (os.cpu_count() or 1)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
