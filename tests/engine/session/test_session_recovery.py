"""A crash loses nothing committed, and only the dead are recovered."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pace
import pytest
from session_helpers import SPEC, filled, frame

from engine.errors import SessionError
from engine.session import Session, TargetChanged, discard, recoverable
from engine.specs import ExperimentSpec

CRASHING = """
import pathlib, sys, time
import numpy as np
from engine.events import Artifact, Frame, Record
from engine.session import Session
from engine.specs import ExperimentSpec
session = Session.create(pathlib.Path(sys.argv[1]), ExperimentSpec(title="Doomed"))
recorder = session.recorder(session.begin_run("train", session.spec))
recorder.put(Artifact("weights", "k", {"w": np.ones(3)}))
i = 0
while True:
    recorder.put(Record("t", {"i": i, "at": time.time()}))
    if i % 20 == 0:
        recorder.put(Frame("f", "train", i, {"x": np.full(1000, i)}))
        print(session.working_copy, flush=True)
    i += 1
    time.sleep(0.002)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not there")
def test_a_killed_program_leaves_all_but_its_last_moment_to_be_recovered(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CRASHING, str(tmp_path)], stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        doomed.stdout.readline()
        assert recoverable(tmp_path) == []  # it lives
        with pytest.raises(SessionError, match="open in another window"):
            Session.recover(next(tmp_path.glob("*/work.rapidity")))
        discard(next(tmp_path.glob("*/work.rapidity")))  # the living are left alone
        time.sleep(1.2)
        slowness = pace.slowness(pace.perf_counter)
        killed = time.time()
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.wait()
    (found,) = recoverable(tmp_path)
    assert (found.title, found.saved_as, found.unsaved, found.runs) == ("Doomed", None, True, 1)
    slowness = max(slowness, pace.slowness(pace.perf_counter))
    assert killed - slowness < found.modified <= killed + 1
    assert len(recoverable(tmp_path)) == 1  # looking takes nothing
    with Session.recover(found.path) as session:
        assert session.dirty
        assert session.path is None
        (run,) = session.runs()
        assert run.status == "interrupted"
        assert run.finished is not None
        assert run.finished >= run.started
        table = session.table(run.id, "t")
        assert table.column("i").tolist() == list(range(len(table)))
        assert table.column("at")[-1] > killed - 0.6 * slowness
        latest = session.frame("f")
        assert latest is not None
        assert (latest.arrays["x"] == latest.step).all()
        assert session.has_artifact("weights", "k")
        # and goes on
        recorder = session.recorder(again := session.begin_run("train", session.spec))
        recorder.put(frame(0))
        recorder.close("finished")
        assert recoverable(tmp_path) == []
        session.save(tmp_path / "a.rapidity")
    assert recoverable(tmp_path) == []
    with Session.open(tmp_path / "a.rapidity", tmp_path) as session:
        assert [each.status for each in session.runs()] == ["interrupted", "finished"]
        assert session.instants(again)


def test_what_is_left_on_purpose_is_offered_the_latest_first(tmp_path: Path) -> None:
    for title in ("first", "second"):
        session = Session.create(tmp_path, ExperimentSpec(title="?"))
        session.set_spec(ExperimentSpec(title=title))
        session.close(discard=False)
        time.sleep(0.02)
    assert [(each.title, each.unsaved) for each in recoverable(tmp_path)] == [("second", True), ("first", True)]
    discard(recoverable(tmp_path)[0].path)
    assert [each.title for each in recoverable(tmp_path)] == ["first"]


def test_a_copy_tells_where_it_was_saved_and_whether_it_has_more(tmp_path: Path) -> None:
    work, target = tmp_path / "work", tmp_path / "a.rapidity"
    session = filled(work)
    session.save(target)
    session.close(discard=False)
    (found,) = recoverable(work)
    assert (found.saved_as, found.unsaved) == (target, False)
    session = Session.recover(found.path)
    assert (session.path, session.dirty) == (target, False)
    session.begin_run("more", SPEC)
    session.close(discard=False)
    (found,) = recoverable(work)
    assert (found.saved_as, found.unsaved, found.runs) == (target, True, 2)
    with Session.recover(found.path) as session:
        assert session.dirty
        session.save()
        assert not session.dirty
    with Session.open(target, work) as session:
        assert len(session.runs()) == 2
        session.close(discard=False)
    (found,) = recoverable(work)
    assert (found.saved_as, found.unsaved) == (target, False)


def test_a_recovered_copy_does_not_replace_a_file_that_changed_since(tmp_path: Path) -> None:
    work, target = tmp_path / "work", tmp_path / "a.rapidity"
    session = filled(work)
    session.save(target)
    session.begin_run("lost", SPEC)
    session.close(discard=False)
    with Session.open(target, work) as other:
        other.begin_run("newer", SPEC)
        time.sleep(0.01)
        other.save()
    with Session.recover(recoverable(work)[0].path) as session:
        with pytest.raises(TargetChanged):
            session.save()
        session.save(force=True)


def test_two_may_not_recover_the_same_copy(tmp_path: Path) -> None:
    filled(tmp_path).close(discard=False)
    (found,) = recoverable(tmp_path)
    with Session.recover(found.path), pytest.raises(SessionError, match="open in another window"):
        Session.recover(found.path)
    with pytest.raises(SessionError, match="recovered or discarded before"):
        Session.recover(found.path)


def test_living_sessions_of_this_process_are_not_offered_from_any_thread(tmp_path: Path) -> None:
    offers: list[object] = []
    with filled(tmp_path):
        assert recoverable(tmp_path) == []
        looker = threading.Thread(target=lambda: offers.append(recoverable(tmp_path)))
        looker.start()
        looker.join()
        assert offers == [[]]


def test_unreadable_copies_are_left_and_not_offered(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("rubbish", b"x" * 5000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "work.rapidity").write_bytes(content)
    assert recoverable(tmp_path) == []
    with pytest.raises(SessionError, match="damaged"):
        Session.recover(tmp_path / "rubbish" / "work.rapidity")
    assert (tmp_path / "rubbish" / "work.rapidity").read_bytes() == b"x" * 5000
    assert recoverable(tmp_path / "none") == []


def test_discard_touches_nothing_but_working_copies(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    discard(tmp_path / "precious.txt")
    discard(tmp_path / "none" / "work.rapidity")
    assert (tmp_path / "precious.txt").exists()


def test_a_lost_note_loses_only_the_name(tmp_path: Path) -> None:
    session = filled(tmp_path / "work")
    session.save(tmp_path / "a.rapidity")
    session.close(discard=False)
    (found,) = recoverable(tmp_path / "work")
    (found.path.parent / "saved.json").write_text("{")
    (found,) = recoverable(tmp_path / "work")
    assert (found.saved_as, found.unsaved) == (None, True)
    with Session.recover(found.path) as session:
        assert session.path is None
        assert len(session.table(1, "steps")) == 10


def test_a_session_whose_folder_was_deleted_still_closes(tmp_path: Path) -> None:
    session = filled(tmp_path)
    shutil.rmtree(session.working_copy.parent)
    session.close()
    assert list(tmp_path.iterdir()) == []
