"""The person at the screen: clicks buttons, types into fields, presses keys, waits until something can be seen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from engine.lab import Lab
from engine.runtime import Cancelled, Failed, Finished
from engine.session import Session
from engine.specs import ExperimentSpec, MlpSpec, PgdSpec, ProbeSpec, TrainingSpec
from gui.forms.form import SpecForm
from gui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
PATIENCE = 120_000  # ms; the machine may be busy with other things

TINY = ExperimentSpec(
    title="Tiny",
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=2, learning_rate=0.01),
    attack=PgdSpec(eps=0.3, alpha=0.1, steps=4, samples=16),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=5),
)
LONG = TINY.model_copy(update={"training": TINY.training.model_copy(update={"epochs": 5000})})
"""Trains until it is stopped."""


class Person:
    """Works with one window, and with nothing that cannot be seen or pressed in it."""

    def __init__(self, window: MainWindow, qtbot: Any) -> None:
        self.window = window
        self.qtbot = qtbot
        self.asked: list[str] = []
        self.saves_to = ""  # what a file dialog gives; "" is a press on Cancel
        self.opens = ""
        self.when_unsaved = "discard"
        self._gone = False
        documents = window.documents
        documents.ask_save = self._answer("save", lambda: self.saves_to)
        documents.ask_open = self._answer("open", lambda: self.opens)
        documents.ask_unsaved = self._answer("unsaved", lambda: self.when_unsaved)

    def _answer(self, what: str, answer: Callable[[], str]) -> Callable[..., str]:
        def ask(*_: object) -> str:
            self.asked.append(what)
            return answer()

        return ask

    # --- coming and going ------------------------------------------------------------------------------------

    def sit_down(self, start: bool = True) -> None:
        """The window comes on screen; then the engine is started and made ready."""
        self.window.resize(1440, 900)
        self.window.show()
        self.qtbot.waitExposed(self.window)
        self.come_back()
        self.wait(lambda: self.window.placement.arranged)
        if start:
            self.window.start()
            # torch is loaded here, which takes long beside other tests that load it
            self.wait(lambda: self.window.status.text("device").startswith("CPU"), 2 * PATIENCE)

    def come_back(self) -> None:
        """Make the window the active one again, as a window manager does when a list or a dialog closes."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    def close(self) -> bool:
        """Close the window; False where it stays."""
        return self.window.close()

    def leave(self) -> None:
        """Close the window whatever is unsaved, and let it be deleted."""
        if self._gone:
            return
        self._gone = True
        self.when_unsaved = "discard"
        if self.window.isVisible():
            assert self.window.close()
        assert not self.window.lab.engine.alive
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    # --- looking ---------------------------------------------------------------------------------------------

    def wait(self, until: Callable[[], Any], timeout: int = PATIENCE) -> None:
        self.qtbot.waitUntil(lambda: bool(until()), timeout=timeout)

    def wait_for_job(self) -> None:
        """Until nothing runs or waits any more, and all that it said is there."""
        self.wait(lambda: not self.window.jobs.all)

    def wait_for_files(self) -> None:
        """Until what was asked of the disk is done."""
        self.wait(lambda: not self.window.background.busy)

    def run(self, experiment: str) -> None:
        """Press a step's big button and wait until it is done."""
        self.step(experiment)
        self.act()
        self.wait_for_job()
        assert not self.notices(), self.notices()

    def notices(self) -> list[str]:
        return [notice.text for notice in self.window.notices.notices]

    def drawn(self) -> dict[str, list[str]]:
        """The numbers in every panel, as its CSV export gives them."""
        self.window.rotation.draw_all()
        return {p.key: [str(list(row)) for row in p.csv_rows()] for p in self.window.panels if not p.is_empty}

    def recorded(self) -> list[tuple[Any, ...]]:
        """The moments on the time slider."""
        return [(i.run, i.phase, i.step, i.topics) for i in self.window.transport.timeline.moments]

    # --- doing -----------------------------------------------------------------------------------------------

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        self.wait(lambda: widget.isVisible() and widget.isEnabled())  # a form may be laid out only now
        self.qtbot.mouseClick(widget, LEFT, pos=at or widget.rect().center())

    def press(self, keys: str, on: QWidget | None = None) -> None:
        QTest.keySequence(on or self.window, QKeySequence(keys))

    def step(self, key: str) -> None:
        """Choose a step on the rail."""
        self.click(self.window.rail.button(key))

    def act(self) -> None:
        """Press the big button of the step shown."""
        self.click(self.window.step_forms[self.window.rail.current].action_button)

    def transport(self, name: str) -> None:
        """Press run, pause, step or stop."""
        self.click(self.window.transport.buttons[name])

    def form(self, part: str) -> SpecForm:
        return next(f for step in self.window.step_forms.values() for f in step.forms if f.part == part)

    def open(self, path: Path) -> None:
        """Open a file by the key and the dialog."""
        self.opens = str(path)
        self.press("Ctrl+O")
        self.wait_for_files()

    def type(self, part: str, field: str, text: str) -> QWidget:
        """Put a text into a field of the form shown, in place of what is there."""
        widget = self.form(part).field(field)
        self.click(widget)
        self.press("Ctrl+A", widget)
        self.qtbot.keyClicks(widget, text)
        return widget

    def choose(self, combo: Any, value: str) -> None:
        """Open a list and click on one of its lines."""
        combo.showPopup()
        view = combo.view()
        index = combo.model().index(combo.findData(value), 0)
        view.scrollTo(index)
        self.qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(index).center())
        self.wait(lambda: not view.isVisible())
        self.come_back()

    def slide_to(self, position: int) -> None:
        """Drag the handle of the time slider from where it is to a moment, by its position."""
        line = self.window.transport.timeline
        start, end = (QPoint(round(line._x(p)), line.height() // 2) for p in (line.value(), position))
        QTest.mousePress(line, LEFT, pos=start)
        QTest.mouseMove(line, (start + end) / 2)
        QTest.mouseMove(line, end)
        QTest.mouseRelease(line, LEFT, pos=end)


def run_headless(path: Path, spec: ExperimentSpec, experiment: str) -> Path:
    """Run an experiment without a window and save its session."""
    session = Session.create(path.parent / "copies", spec)
    lab = Lab(session)
    lab.start()
    lab.run(experiment, spec)
    assert lab.engine.alive
    end, clock = None, threading.Event()
    while end is None:
        clock.wait(0.005)
        end = next((e for e in lab.mailbox.drain().lifecycle if isinstance(e, Finished | Cancelled | Failed)), None)
    assert lab.close()
    assert isinstance(end, Finished), end
    session.save(path)
    session.close()
    return path
