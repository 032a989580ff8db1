"""Does the window stay fluid while a network trains at full speed, and what does it cost the training?

Two processes train the same network, one with the real window (offscreen, its panels on screen), one with none. They
take turns: while one trains, the other is paused, so that whatever else the machine does meets both alike. In the
first the window's own 33 ms timer is timed, from tick to tick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import perf_counter
from typing import IO, Any, cast

from benchmarks.measure import Result, middle, mnist_like, percentile
from engine.lab import Lab
from engine.runtime import Delivery, EngineReady, Paused, Started
from engine.specs import ExperimentSpec

TURNS = 20
SECONDS = 1.5  # each turn


def run() -> Iterator[Result]:
    """Yield the figures."""
    with _child("bare") as bare, _child("windowed") as windowed:
        bare.hear(), windowed.hear()  # both have begun to train, and wait
        ratios = [windowed.turn()["rate"] / bare.turn()["rate"] for _ in range(TURNS)][1:]
        bare.end()
        timed = windowed.end()
    ratio, spread = middle(ratios, "pairs of turns")
    yield Result("training speed with the window / without", ratio, 0.85, at_most=False, detail=spread)
    intervals, busy = timed["intervals"], timed["busy"]
    ticks = f"{len(intervals)} ticks"
    yield Result("interval of the 33 ms timer, p99", percentile(intervals, 0.99), 40.0, unit=" ms", detail=ticks)
    yield Result("interval of the 33 ms timer, worst", max(intervals), unit=" ms", detail=ticks)
    yield Result("work of one tick in the window's thread, p99", percentile(busy, 0.99), unit=" ms", detail=ticks)


# --- the process that orders ------------------------------------------------------------------------------------


class _Child:
    """A process that trains when told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._orders, self._answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

    def turn(self) -> dict[str, Any]:
        """Let it train for a while."""
        self._say("go")
        time.sleep(SECONDS)
        self._say("stop")
        return self.hear()

    def end(self) -> dict[str, Any]:
        """Let it close; its last words."""
        self._orders.close()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """What it says next."""
        found: dict[str, Any] = json.loads(self._answers.readline())
        return found

    def _say(self, order: str) -> None:
        print(order, file=self._orders, flush=True)


@contextmanager
def _child(mode: str) -> Iterator[_Child]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "RAPIDITY_LAB_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-m", "benchmarks.window", mode]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield _Child(process)
            except BaseException:
                process.kill()
                raise


# --- the processes that train -----------------------------------------------------------------------------------


class _Turns:
    """Trains when told to on the standard input, and says on the standard output how fast that went."""

    def __init__(self, lab: Lab, start: Callable[[], object]) -> None:
        self._engine = lab.engine
        self._start = start
        self._job = 0
        self._steps = 0
        self._began = 0.0
        self._ended = 0.0
        self.training = False
        self.over = False
        Thread(target=self._obey, daemon=True).start()

    def see(self, delivery: Delivery) -> bool:
        """Take what the engine says; whether more is waiting."""
        steps = sum(record.table == "steps" for record in delivery.records)
        if steps and not self._began:
            self._engine.pause(self._job)
        self._steps += steps
        for event in delivery.lifecycle:
            if isinstance(event, EngineReady):
                self._start()
            elif isinstance(event, Started):
                self._job = event.job
            elif isinstance(event, Paused):
                self.say({"rate": self._steps / (self._ended - self._began)} if self._began else {})
                self._steps = 0
        return delivery.more

    def say(self, words: dict[str, Any]) -> None:
        """Answer."""
        print(json.dumps(words), flush=True)

    def _obey(self) -> None:
        for order in sys.stdin:
            if order.strip() == "go":
                self._began = perf_counter()
                self._engine.resume(self._job)
                self.training = True
            else:
                self.training = False
                self._engine.pause(self._job)
                self._ended = perf_counter()
        self.over = True


def _endless() -> ExperimentSpec:
    spec = mnist_like()
    return spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 1000})})


def _bare() -> None:
    """The engine at work, recording what it does, with nobody looking."""
    from engine.paths import working_copies
    from engine.session import Session

    spec = _endless()
    with Session.create(working_copies(), spec) as session:
        lab = Lab(session)
        turns = _Turns(lab, start=lambda: lab.run("train", spec))
        lab.start()
        while not turns.over:
            time.sleep(0.05)
            while turns.see(lab.mailbox.drain()):
                pass
        lab.close()
    turns.say({})


def _windowed() -> None:
    """The same with the window open."""
    from PySide6.QtCore import QTimer, Slot
    from PySide6.QtWidgets import QApplication

    from gui import main_window
    from gui.app import open_window, prepare
    from gui.bridge import Bridge
    from gui.settings import Settings

    intervals: list[float] = []  # ms between the beginnings of two ticks, while the network trains
    busy: list[float] = []  # ms from beginning to end of each

    class TimedBridge(Bridge):
        last = 0.0

        @Slot()
        def tick(self) -> None:
            began = perf_counter()
            if turns.training and self.last:
                intervals.append(1000 * (began - self.last))
            super().tick()
            if turns.training:
                busy.append(1000 * (perf_counter() - began))
            self.last = began if turns.training else 0.0
            if turns.over:
                self.stop()
                QTimer.singleShot(0, window, window.close)

    app = QApplication([])
    prepare()
    main_window.Bridge = TimedBridge
    window = open_window(Settings(), None)
    window.editor.replace(_endless(), "benchmark")
    window.documents.ask_unsaved = lambda *_: "discard"
    # the run begins with the next turn of the event loop, as if the button were clicked
    turns = _Turns(window.lab, start=lambda: QTimer.singleShot(0, window, lambda: window.runner.run_step("train")))
    window.bridge.delivered.connect(turns.see)
    window.resize(1440, 900)
    window.show()
    QTimer.singleShot(0, window, window.start)
    app.exec()
    turns.say({"intervals": intervals, "busy": busy})


if __name__ == "__main__":
    {"bare": _bare, "windowed": _windowed}[sys.argv[1]]()
