"""Save is all or nothing: whatever goes wrong, the file that was there stays whole."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from session_helpers import SPEC, filled, frame

from engine.errors import SessionError
from engine.events import Frame, Record
from engine.session import Session, TargetChanged, saving
from engine.session.database import Database


def test_a_saved_file_is_one_plain_file(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    with filled(tmp_path / "work") as session:
        target = session.save(folder / "a.rapidity")
        session.save()
        assert list(folder.iterdir()) == [target]
    header = target.read_bytes()[:100]
    assert header.startswith(b"SQLite format 3\0")
    assert header[18:20] == b"\1\1"  # not WAL
    assert header[68:72] == b"RapL"
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_save_as_makes_the_new_file_the_sessions_own(tmp_path: Path) -> None:
    with filled(tmp_path / "work") as session:
        session.save(tmp_path / "a.rapidity")
        first = (tmp_path / "a.rapidity").read_bytes()
        session.begin_run("y", SPEC)
        session.save(str(tmp_path / "b.rapidity"))
        assert session.path == tmp_path / "b.rapidity"
    assert (tmp_path / "a.rapidity").read_bytes() == first
    with Session.open(tmp_path / "b.rapidity", tmp_path / "work") as session:
        assert len(session.runs()) == 2


def test_a_session_without_a_file_asks_for_a_name(tmp_path: Path) -> None:
    with filled(tmp_path) as session, pytest.raises(SessionError, match="Choose a name"):
        session.save()


def test_saving_while_a_run_is_recorded_takes_all_that_was_put(tmp_path: Path) -> None:
    target = tmp_path / "a.rapidity"
    with Session.create(tmp_path / "work", SPEC) as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        for i in range(100):
            recorder.put(Record("t", {"i": i}))
        session.save(target)
        with Session.open(target, tmp_path / "work") as other:
            assert len(other.table(1, "t")) == 100
        stop = threading.Event()

        def go_on() -> None:
            i = 100
            while not stop.is_set():
                recorder.put(Record("t", {"i": i}))
                recorder.put(Frame("f", "train", i, {"x": np.zeros(10_000)}))
                i += 1

        worker = threading.Thread(target=go_on)
        worker.start()
        for _ in range(3):
            session.save()
            with Session.open(target, tmp_path / "work") as other:
                found = other.table(1, "t").column("i")
                assert found.tolist() == list(range(len(found)))
        stop.set()
        worker.join()
        recorder.close("finished")
        assert session.dirty


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.rapidity", tmp_path / "link.rapidity"
    with filled(tmp_path / "work") as session:
        session.save(real)
        real.chmod(0o640)
        link.symlink_to(real)
        before = real.stat().st_ino
        session.save(link)
        assert link.is_symlink()
        assert real.stat().st_ino != before
        assert real.stat().st_mode & 0o777 == 0o640


# --- failures ------------------------------------------------------------------------------------------------


def fail_with(error: BaseException) -> Any:
    def raiser(*_: object, **__: object) -> None:
        raise error

    return raiser


def sqlite_error(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


FAILURES = {
    "the disk fills up while copying": (Database, "copy_into", sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"), "disk is full. Free some space"),
    "the disk fails while copying": (Database, "copy_into", sqlite_error(sqlite3.SQLITE_IOERR, "disk I/O error"), "disk I/O error. The disk may be full, failing or taken away"),
    "the disk fills up while syncing": (os, "fsync", OSError(errno.ENOSPC, "No space left on device"), "disk is full. Free some space"),
    "the disk fails while syncing": (os, "fsync", OSError(errno.EIO, "Input/output error"), "Input/output error"),
    "the copy does not read back": (saving, "_check_copy", sqlite3.DatabaseError("the written copy does not read back"), "does not read back"),
    "the file cannot be replaced": (Path, "replace", PermissionError(errno.EACCES, "Permission denied"), "writing there is not allowed"),
    "the folder is read-only": (os, "open", OSError(errno.EROFS, "Read-only file system"), "writing there is not allowed. Choose another folder"),
    "the folder goes away": (os, "open", FileNotFoundError(errno.ENOENT, "No such file or directory"), "the folder is gone"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("replacing", [True, False])
def test_a_failed_save_leaves_the_old_file_whole_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, replacing: bool
) -> None:
    owner, name, error, sentence = FAILURES[case]
    folder = tmp_path / "saved"
    folder.mkdir()
    target = folder / "a.rapidity"
    with filled(tmp_path / "work") as session:
        if replacing:
            session.save(target)
        before = target.read_bytes() if replacing else None
        session.begin_run("more", SPEC)
        with monkeypatch.context() as broken:
            broken.setattr(owner, name, fail_with(error))
            with pytest.raises(SessionError) as caught:
                session.save(target)
        message = str(caught.value)
        assert message.startswith(f"{target} was not saved: ")
        assert sentence in message
        assert message.endswith("work is still in the open session.")
        assert ("The file that was there is whole" in message) == replacing
        assert list(folder.iterdir()) == ([target] if replacing else [])
        assert (target.read_bytes() if replacing else None) == before
        assert session.dirty
        assert session.path == (target if replacing else None)
        # and when the trouble is over, it saves
        session.save(target)
        assert not session.dirty


def test_an_interrupted_save_leaves_nothing_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    with filled(tmp_path / "work") as session:
        monkeypatch.setattr(os, "fsync", fail_with(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            session.save(folder / "a.rapidity")
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def sync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    with filled(tmp_path / "work") as session:
        session.save(tmp_path / "a.rapidity")
        assert not session.dirty
    assert len(calls) == 2


def test_targets_that_cannot_be_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(tmp_path / "work") as session:
        with pytest.raises(SessionError, match="is a folder"):
            session.save(tmp_path)
        with pytest.raises(SessionError, match=r"is gone\. Choose another folder"):
            session.save(tmp_path / "none" / "a.rapidity")
        with pytest.raises(SessionError, match="own working copy"):
            session.save(session.working_copy)
        target = session.save(tmp_path / "a.rapidity")
        before = target.read_bytes()
        target.chmod(0o444)
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write what is read-only
        with pytest.raises(SessionError, match=r"is read-only\. Save under another name"):
            session.save()
        assert target.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
def test_a_real_write_error_half_way_leaves_the_old_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.rapidity"
    with filled(tmp_path / "work") as session:
        session.save(target)
    before = target.read_bytes()
    code = f"""
import pathlib, resource, sys
import numpy as np
from engine.errors import SessionError
from engine.events import Frame
from engine.session import Session
session = Session.open({str(target)!r}, pathlib.Path({str(tmp_path / "work")!r}))
recorder = session.recorder(session.begin_run("x", session.spec))
recorder.put(Frame("big", "train", 0, {{"x": np.zeros(10**6)}}))
recorder.close("finished")
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    session.save()
except SessionError as error:
    print(error)
    print(session.dirty, session.frame("big").arrays["x"].shape)
session.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "was not saved" in done.stdout
    assert "The file that was there is whole" in done.stdout
    assert "True (1000000,)" in done.stdout
    assert target.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"a.rapidity", "work"}
    assert list((tmp_path / "work").iterdir()) == []


# --- two programs, one file ----------------------------------------------------------------------------------


def test_a_file_changed_by_someone_else_is_not_replaced_unasked(tmp_path: Path) -> None:
    target = tmp_path / "a.rapidity"
    with filled(tmp_path / "work") as mine:
        mine.save(target)
        with Session.open(target, tmp_path / "work") as theirs:
            theirs.begin_run("theirs", SPEC)
            time.sleep(0.01)
            theirs.save()
            after_theirs = target.read_bytes()
            mine.begin_run("mine", SPEC)
            with pytest.raises(TargetChanged, match="was changed by another program"):
                mine.save()
            assert target.read_bytes() == after_theirs
            mine.save(tmp_path / "b.rapidity")
            with pytest.raises(SessionError):
                Session.open(tmp_path / "c.rapidity", tmp_path / "work")
            mine.save(target)  # under another name first, then over theirs: asked for, as in "save as"
            with pytest.raises(TargetChanged):
                theirs.save(target)
            theirs.save(force=True)
            theirs.save()
    with Session.open(target, tmp_path / "work") as session:
        assert session.runs()[-1].experiment == "theirs"


def test_a_file_that_was_deleted_is_simply_written_again(tmp_path: Path) -> None:
    with filled(tmp_path / "work") as session:
        target = session.save(tmp_path / "a.rapidity")
        target.unlink()
        session.save()
        assert target.is_file()


def test_a_failed_recorder_does_not_keep_the_rest_from_being_saved(tmp_path: Path) -> None:
    with filled(tmp_path / "work") as session:
        recorder = session.recorder(session.begin_run("x", SPEC))
        with session._database.setup() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        recorder.put(Frame("big", "train", 0, {"x": np.zeros(10**6)}))
        session.save(tmp_path / "a.rapidity")
        with pytest.raises(SessionError, match="disk is full"):
            recorder.put(frame(1))
        recorder.close("failed", "disk full")
    with Session.open(tmp_path / "a.rapidity", tmp_path / "work") as session:
        assert len(session.table(1, "steps")) == 10
