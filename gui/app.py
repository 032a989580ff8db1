"""Starting the window: it is on screen before torch is loaded, and stays fluid while the engine works."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from engine.cli import ready_example
from engine.errors import UserError
from engine.lab import Lab
from engine.paths import RESOURCES, working_copies
from engine.session import Session
from engine.spec_files import load_spec
from gui.documents import SWEEP_SUFFIX
from gui.main_window import MainWindow
from gui.settings import Settings

SWITCH_INTERVAL = 0.0005  # seconds; at Python's 5 ms the window would wait for the engine ten times a frame
COLLECT_MS = 2000


def main(arguments: list[str]) -> int:
    """Open the window, on a session or experiment file if one is named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python main.py", description="Rapidity Lab")
    parser.add_argument("file", nargs="?", help="a session (.rapidity), a sweep (.sweep) or an experiment (.toml)")
    options = parser.parse_args(arguments)

    app = QApplication(sys.argv[:1])
    app.setApplicationName("Rapidity Lab")
    app.setApplicationVersion("0.1")
    app.setWindowIcon(QIcon(str(RESOURCES / "icons" / "app.svg")))
    prepare()
    # without this Ctrl-C in the terminal would leave the window open
    signal.signal(signal.SIGINT, lambda *_: app.closeAllWindows())

    window = open_window(Settings(), Path(options.file) if options.file else None)
    sys.excepthook = window.messages.show_exception
    window.show()
    # after the first paint, so that a person sees the window before the engine takes its share
    QTimer.singleShot(0, window, window.start)
    return app.exec()


def open_window(settings: Settings, file: Path | None) -> MainWindow:
    """The window on a file, or on the ready example; a file that cannot be opened is said in the window."""
    problem = ""
    session: Session | None = None
    try:
        if file is not None and file.suffix not in (".toml", SWEEP_SUFFIX):
            session = Session.open(file, working_copies())
            settings.add_recent(file)
        elif file is not None and file.suffix == ".toml":
            session = Session.create(working_copies(), load_spec(file))
    except UserError as error:
        problem = str(error)
    if session is None:
        session = Session.create(working_copies(), load_spec(ready_example()))
    window = MainWindow(Lab(session), settings)
    tidy_once_ready(window)
    if file is not None and file.suffix == SWEEP_SUFFIX:
        window.documents.open(file)
    if problem:
        window.documents.failed.emit(problem)
    return window


def prepare() -> None:
    """Let the window in quickly, and keep the collector from stalling it or from running in the engine's thread."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.disable()


def tidy_once_ready(window: MainWindow) -> None:
    """When torch is loaded beside the window, what is there stays, and from then on only what is new is collected.

    In the window's thread, since the collector could delete widgets in another; not before, since a collection that
    looks at all of torch holds the window up for a third of a second.
    """
    collector = QTimer(window, interval=COLLECT_MS)
    collector.timeout.connect(gc.collect)
    window.engine_news.ready.connect(gc.freeze)
    window.engine_news.ready.connect(collector.start)
