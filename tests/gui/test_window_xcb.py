"""The real window on a real X server: the story is run, and what stood empty before shows something after."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from engine.spec_files import dump_spec

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("training", "gallery", "matrix", "profile", "spacetime")

STORY = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication
from gui.app import open_window
from gui.settings import Settings

app = QApplication([])
assert app.platformName() == "xcb", app.platformName()
window = open_window(Settings(), Path(sys.argv[1]))
window.resize(1280, 800)
window.show()

def picture(name):
    window.notices.dismiss("welcome")
    for key in sys.argv[3:]:
        window.docks.show_panel(key)
    while window.rotation.draw_one():
        pass
    for _ in range(3):
        app.processEvents()
    # from the server, as a person sees it, and not drawn anew into an image
    image = window.screen().grabWindow(window.winId()).toImage()
    assert image.save(f"{sys.argv[2]}/{name}.png"), "no picture"
    panels = {key: window.docks.panel(key) for key in sys.argv[3:]}
    corners = {key: panel.mapTo(window, QPoint(0, 0)) for key, panel in panels.items()}
    return {key: [corners[key].x(), corners[key].y(), panel.width(), panel.height()] for key, panel in panels.items()}

def begin():
    picture("before")
    window.runner.run_all()

def end():
    said = {
        "places": picture("after"),
        "notices": [notice.text for notice in window.notices.notices],
        "status": [run.status for run in window.lab.session.runs()],
    }
    print(json.dumps(said))
    window.documents.ask_unsaved = lambda *_: "discard"
    window.close()

window.engine_news.ready.connect(begin)
window.jobs.ended.connect(lambda *_: QTimer.singleShot(0, end))
window.start()
app.exec()
"""


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen of its own, on a display that is free."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed: the window on a real X server was not tested")
    read, write = os.pipe()
    command = [program, "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:  # the server finds a free number and says it when it is ready
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.kill()
        server.wait()


def pixels(image: QImage, place: QRect) -> list[int]:
    """Every other pixel of a part of a picture."""
    columns, rows = range(place.left(), place.right(), 2), range(place.top(), place.bottom(), 2)
    return [image.pixel(x, y) for x in columns for y in rows]


@pytest.mark.xcb
def test_the_story_on_a_real_x_server_fills_every_panel(display, tmp_path, home):
    from person import TINY

    spec = tmp_path / "tiny.toml"
    spec.write_text(dump_spec(TINY), encoding="utf-8")
    environment = os.environ | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STORY, str(spec), str(tmp_path), *SHOWN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    if "libxcb" in done.stderr and "Could not load the Qt platform plugin" in done.stderr:
        pytest.skip(f"Qt's xcb platform misses a system library: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["notices"] == []
    assert said["status"] == ["finished"]
    before, after = (QImage(str(tmp_path / f"{name}.png")) for name in ("before", "after"))
    assert (after.width(), after.height()) == (before.width(), before.height()) == (1280, 800)
    for key, place in said["places"].items():
        empty, full = pixels(before, QRect(*place)), pixels(after, QRect(*place))
        drawn = sum(a != b for a, b in zip(empty, full, strict=True)) / len(full)
        assert drawn > 0.05, f"the panel {key} looks as it did when it was empty"
        # letters have some hundred shades of grey of their own
        assert len(set(full)) > 1.25 * len(set(empty)), f"the panel {key} shows only {len(set(full))} colours"
