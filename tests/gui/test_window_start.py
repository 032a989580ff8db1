"""The start: the window is on screen before torch is, and the program ends as it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

UP_FIRST = """
import sys
from PySide6.QtWidgets import QApplication
import gui.app
from gui.settings import Settings

app = QApplication([])
window = gui.app.open_window(Settings(), None)
window.show()
app.processEvents()
assert window.isVisible() and not window.grab().isNull()
assert "torch" not in sys.modules, "torch was loaded before the window was up"
assert window.status.text("device") == ""
window.start()
assert window.status.text("device") == "loading engine…"
window.engine_news.ready.connect(app.quit)
app.exec()
assert "torch" in sys.modules
assert window.close()
"""

WHOLE_PROGRAM = """
import gc, sys, threading
from PySide6.QtCore import QTimer
import gui.app
import gui.main_window

start = gui.main_window.MainWindow.start

def watched(window):
    start(window)
    def ready():
        assert gc.get_freeze_count() > 10_000, "what is loaded is not looked at by the collector again"
        assert sys.getswitchinterval() < 0.001
        assert not gc.isenabled()
        print("ready", window.editor.spec.title, flush=True)
        WHAT_THEN
    window.engine_news.ready.connect(ready)

gui.main_window.MainWindow.start = watched
code = gui.app.main(sys.argv[1:])
assert [t.name for t in threading.enumerate()] == ["MainThread"], threading.enumerate()
sys.exit(code)
"""


def environment() -> dict[str, str]:
    return os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=240, check=False)


def test_the_window_is_up_before_torch_is_imported():
    done = run(UP_FIRST)
    assert done.returncode == 0, done.stderr


def test_the_program_opens_a_file_and_ends_when_its_window_is_closed(story_file, home):
    done = run(WHOLE_PROGRAM.replace("WHAT_THEN", "QTimer.singleShot(0, window.close)"), str(story_file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["ready Tiny"]
    assert (home / "settings.json").is_file()
    assert list((home / "sessions").iterdir()) == []


def test_ctrl_c_in_the_terminal_closes_the_window(home):
    code = WHOLE_PROGRAM.replace("WHAT_THEN", "pass")
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline().startswith("ready")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=240)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    assert "Traceback" not in said
