"""The lock of a sweep: one holder at a time, and no file left when it is let go."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.errors import SweepError
from engine.sweep.claim import Claim
from engine.sweep.lock import Lock

HOLDER = """
import sys, time
from pathlib import Path
from engine.sweep.lock import Lock
assert Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_it_leaves_nothing_and_can_be_taken_again(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / ".a.lock"), Lock(tmp_path / ".a.lock")
    for _ in range(2):
        assert one.acquire()
        assert not other.acquire()
        one.release()
        assert not list(tmp_path.iterdir())
        assert other.acquire()
        other.release()
        assert not list(tmp_path.iterdir())


def test_of_many_that_race_for_it_one_holds_it_at_a_time(tmp_path: Path) -> None:
    inside, most, turns = 0, 0, []
    count = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        lock, done = Lock(tmp_path / ".a.lock"), 0
        while done < 100:
            if not lock.acquire():
                continue
            with count:
                inside += 1
                most = max(most, inside)
            time.sleep(0)  # another may come now
            with count:
                inside -= 1
            lock.release()
            done += 1
        turns.append(done)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (turns, most) == ([100] * 4, 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is held open cannot be deleted there")
def test_one_that_was_waited_for_on_a_removed_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder removes the file after the other has opened it and before the other has locked it."""
    from engine.sweep import lock as module

    path = tmp_path / ".a.lock"
    first, second, third = Lock(path), Lock(path), Lock(path)
    assert first.acquire()
    locking = module._try_lock

    def late(descriptor: int) -> bool:
        monkeypatch.setattr(module, "_try_lock", locking)
        first.release()
        assert third.acquire()  # and makes another file of that name
        return locking(descriptor)

    monkeypatch.setattr(module, "_try_lock", late)
    assert not second.acquire(), "it held a file that nobody finds"
    third.release()
    assert second.acquire()
    second.release()


def test_that_of_a_killed_program_is_free_and_goes_away_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / ".a.lock"
    program = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == b"held"
        assert not Lock(path).acquire()
    finally:
        program.send_signal(signal.SIGKILL) if sys.platform != "win32" else program.kill()
        program.wait()
        program.stdout.close()
    assert path.exists()
    lock = Lock(path)
    assert lock.acquire()
    lock.release()
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is held open cannot be deleted there")
def test_a_lock_file_that_is_deleted_by_hand_is_put_back_while_the_sweep_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.sweep"
    lock, claim, other = tmp_path / ".a.sweep.lock", Claim(path), Claim(path)
    with claim.held(to_run=True):
        lock.unlink()
        with claim.held():  # as each point does that is written
            assert lock.exists()
        with pytest.raises(SweepError, match="Another program runs"), other.held():
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is held open cannot be deleted there")
def test_who_lost_the_lock_to_another_by_a_deleted_file_writes_no_more_and_leaves_the_others_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.sweep"
    lock, claim, other = tmp_path / ".a.sweep.lock", Claim(path), Claim(path)
    with claim.held(to_run=True):
        lock.unlink()
        with other.held(), pytest.raises(SweepError, match="Another program runs"), claim.held():
            pass
    with other.held():
        assert lock.exists()
    with other.held(to_run=True), pytest.raises(SweepError, match="Another program runs"), claim.held():
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be moved there")
def test_who_holds_it_while_its_folder_is_moved_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    claim = Claim(folder / "a.sweep")
    with claim.held(to_run=True):
        folder.rename(tmp_path / "there")
        with claim.held():
            pass
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be moved there")
def test_who_holds_it_goes_on_where_its_folder_has_given_way_to_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    claim = Claim(folder / "a.sweep")
    with claim.held(to_run=True):
        folder.rename(tmp_path / "there")
        folder.touch()
        with claim.held():
            pass
    assert folder.is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="files are not told by their number there")
def test_a_disk_that_numbers_a_file_anew_at_each_look_is_no_endless_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.sweep.lock.os.path.samestat", lambda one, other: False)
    with pytest.raises(SweepError, match="cannot be written"), Claim(tmp_path / "a.sweep").held():
        pass
