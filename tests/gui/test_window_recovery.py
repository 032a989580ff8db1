"""After the program was killed: what it had recorded is offered, and can be gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from person import LONG

from engine.spec_files import dump_spec

ROOT = Path(__file__).resolve().parents[2]

KILLED = """
import sys
from PySide6.QtWidgets import QApplication
from pathlib import Path
from gui.app import open_window
from gui.settings import Settings

app = QApplication([])
window = open_window(Settings(), Path(sys.argv[1]))
window.show()
window.start()
window.runner.run_step("train")

def tell():
    if any(instant.phase == "train" for instant in window.stage.instants):
        print(len(window.lab.session.table(1, "steps")), flush=True)

window.stage.instants_changed.connect(tell)
app.exec()
"""


RECORDED = """
import sys, time
from engine.paths import working_copies
from engine.session import Session
from engine.spec_files import load_spec

session = Session.create(working_copies(), load_spec(sys.argv[1]))
print(session.begin_run("train", session.spec), flush=True)
time.sleep(600)
"""


def kill_when_it_speaks(code: str, folder: Path) -> int:
    """Run a program on the long experiment, kill it when it says a number, and give the number."""
    spec = folder / "long.toml"
    spec.write_text(dump_spec(LONG.model_copy(update={"title": "Cut short"})))
    command = [sys.executable, "-c", code, str(spec)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    return int(line)


def test_what_a_window_recorded_before_it_was_killed_is_offered_and_recovered(open_lab, tmp_path):
    rows = kill_when_it_speaks(KILLED, tmp_path)
    person = open_lab()
    window = person.window
    (notice,) = window.notices.notices
    assert "Cut short" in notice.text
    assert "ended unexpectedly" in notice.text
    person.click(notice.buttons["Recover"])
    person.wait_for_files()
    assert person.asked == []
    assert window.editor.spec.title == "Cut short"
    (run,) = window.lab.session.runs()
    assert (run.experiment, run.status) == ("train", "interrupted")
    assert len(window.stage.table("steps")) >= rows > 0
    assert {"training", "profile", "matrix"} <= set(person.drawn())
    assert window.isWindowModified(), "it is still not saved"
    person.slide_to(1)
    assert not window.stage.live
    person.when_unsaved = "discard"
    assert person.close()
    person.leave()
    # what was recovered and then discarded is not offered again
    assert open_lab().notices() == []


def test_work_that_is_discarded_is_gone(open_lab, tmp_path, home):
    kill_when_it_speaks(RECORDED, tmp_path)
    person = open_lab()
    person.click(person.window.notices.notices[0].buttons["Discard"])
    person.wait_for_files()
    assert person.close()
    person.leave()
    assert list((home / "sessions").iterdir()) == []


def test_a_session_that_another_window_has_open_is_not_offered(open_lab):
    first = open_lab()
    first.run("data")
    second = open_lab()
    assert second.notices() == []
