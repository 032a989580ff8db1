"""What every test of the window needs: no display, a dressed application, and nothing left behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import theme as themes
from gui.selection import Selection
from gui.theme import Theme


def pytest_configure(config: pytest.Config) -> None:
    # what the platform without a display cannot do says nothing about the program
    config.addinivalue_line("qt_log_ignore", "This plugin does not support")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Themes and sizes of text first: each goes through every widget alive, and windows leave some behind."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path.name != "test_window_looks.py")
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cyclic collection is off during a test of widgets, since in another thread it could delete them there.

    A window still shown or a thread still running after the test fails it, by name.
    """
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.disable()
    gc.collect()  # pytest held the window of the test before until now
    gc.freeze()  # what is there before a test is no test's rubbish, and takes long to look through
    threads = set(threading.enumerate())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    for widget in shown:
        widget.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.enable()
    gc.collect()
    until = time.monotonic() + 60  # one that is about to end may have to wait for its turn
    for thread in set(threading.enumerate()) - threads:
        thread.join(max(0.0, until - time.monotonic()))
    running = [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    assert not shown, f"windows still shown after the test: {[describe(widget) for widget in shown]}"
    assert not running, f"threads still running after the test: {running}"


class PatientBot(QtBot):
    """Waits long for what must happen, whatever a test says: only a broken program takes that long, a busy machine some."""

    LEAST = 120_000  # ms

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = LEAST) -> None:
        super().waitUntil(callback, timeout=max(timeout, self.LEAST))

    def waitSignal(self, signal, *, timeout: int = LEAST, raising: bool | None = None, **others):
        if raising is not False:  # who waits for nothing to happen says how long
            timeout = max(timeout, self.LEAST)
        return super().waitSignal(signal, timeout=timeout, raising=raising, **others)

    def waitSignals(self, signals, *, timeout: int = LEAST, raising: bool | None = None, **others):
        if raising is not False:
            timeout = max(timeout, self.LEAST)
        return super().waitSignals(signals, timeout=timeout, raising=raising, **others)

    def waitExposed(self, widget: QWidget, *, timeout: int = LEAST):
        return super().waitExposed(widget, timeout=max(timeout, self.LEAST))


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    return PatientBot(request)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Settings and working copies go to a folder of the test's own."""
    monkeypatch.setenv("RAPIDITY_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(params=["dark"])
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> Theme:
    """The theme, with the application dressed in it."""
    made = Theme.dark() if request.param == "dark" else Theme.light()
    if qapp.property("dressed") != made.name:
        themes.apply(qapp, made)
        qapp.setProperty("dressed", made.name)
    return made


@pytest.fixture
def selection(qapp: QApplication) -> Selection:
    return Selection()


INTERACTIVE = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTextEdit,
)


def interactive(root: QWidget) -> list[QWidget]:
    """Everything in a window that a person can work with, less what Qt makes for itself."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        inside = widget.parent()
        own = isinstance(inside, QComboBox | QAbstractSpinBox) or widget.objectName().startswith("qt_")
        if isinstance(widget, INTERACTIVE) and not own and not isinstance(widget, QScrollBar | QMenu):
            found.append(widget)
    return found


def unnamed(root: QWidget) -> list[str]:
    """What a screen reader could not name."""
    return [
        describe(widget)
        for widget in interactive(root)
        if not widget.accessibleName() and not (isinstance(widget, QAbstractButton) and widget.text())
    ]


def describe(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.toolTip() or widget.windowTitle()!r}"


# --- the whole window ------------------------------------------------------------------------------------------


@pytest.fixture
def open_lab(qtbot, qapp, tmp_path, monkeypatch):
    """Opens windows as ``python main.py [FILE]`` does, on a tiny fast experiment where no file is named.

    Gives the person at it. Every window is closed after the test, unsaved work thrown away; its threads must be gone.
    The program freezes what the collector knows once the engine is ready. Here that would keep each window for good.
    """
    monkeypatch.setattr(gc, "freeze", lambda: None)
    from person import TINY, Person

    from engine.spec_files import dump_spec
    from gui.app import open_window
    from gui.settings import Settings

    people: list[Person] = []

    def open_one(file=None, *, spec=TINY, start: bool = True, first_time: bool = False) -> Person:
        if file is None:
            file = tmp_path / "tiny.toml"
            file.write_text(dump_spec(spec), encoding="utf-8")
        settings = Settings()
        if not first_time and not settings.path.exists():
            settings.save()
        undress(qapp)
        person = Person(open_window(settings, file), qtbot)
        people.append(person)
        person.sit_down(start)
        return person

    yield open_one
    for person in people:
        person.leave()


def undress(app: QApplication) -> None:
    """A window is built three times as fast where no style sheet has to be matched with each widget as it comes."""
    app.setStyleSheet("")
    app.setProperty("dressed", None)


@pytest.fixture
def person(open_lab):
    """A person at a new window with the tiny experiment; the engine is ready."""
    return open_lab()


@pytest.fixture
def window(person):
    return person.window


@pytest.fixture(scope="session")
def story_file(tmp_path_factory):
    """A saved session in which the tiny experiment was run from the data to the measurement. Read it, or copy it."""
    from person import TINY, run_headless

    return run_headless(tmp_path_factory.mktemp("story") / "story.rapidity", TINY, "story")
