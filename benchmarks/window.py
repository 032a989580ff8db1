"""Does the window stay fluid while a network trains at full speed, and what does it cost the training?

Each round is two fresh processes: the training experiment without a window, and the same with the real window
(offscreen, its panels on screen). In the second the window's own 33 ms timer is timed, from tick to tick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from benchmarks.measure import Result, middle, mnist_like, percentile
from engine.runtime import Delivery, EngineReady, Finished

ROUNDS = 5


def run() -> Iterator[Result]:
    """Yield the figures."""
    ratios: list[float] = []
    intervals: list[float] = []
    busy: list[float] = []
    for _ in range(ROUNDS):
        bare, windowed = _in_process("bare"), _in_process("windowed")
        ratios.append(windowed["steps_per_second"] / bare["steps_per_second"])
        intervals += windowed["intervals"]
        busy += windowed["busy"]
    ratio, spread = middle(ratios, "pairs")
    yield Result("training speed with the window / without", ratio, 0.85, at_most=False, detail=spread)
    ticks = f"{len(intervals)} ticks"
    yield Result("interval of the 33 ms timer, p99", percentile(intervals, 0.99), 40.0, unit=" ms", detail=ticks)
    yield Result("interval of the 33 ms timer, worst", max(intervals), unit=" ms", detail=ticks)
    yield Result("work of one tick in the window's thread, p99", percentile(busy, 0.99), unit=" ms", detail=ticks)


def _in_process(mode: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.window", mode],
            env={**os.environ, "RAPIDITY_LAB_HOME": home, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "qt.qpa.*=false"},
            stdout=subprocess.PIPE,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _bare() -> dict[str, Any]:
    """The engine at work on the same experiment, recording it, with nobody looking."""
    from engine.lab import Lab
    from engine.paths import working_copies
    from engine.session import Session

    spec = mnist_like()
    with Session.create(working_copies(), spec) as session:
        lab = Lab(session)
        clock = _Clock(start=lambda: lab.run("train", spec))
        lab.start()
        while not clock.finished:
            time.sleep(0.1)
            while clock.see(lab.mailbox.drain()):
                pass
        lab.close()
    return {"steps_per_second": clock.rate()}


def _windowed() -> dict[str, Any]:
    """The same with the window open."""
    from PySide6.QtCore import QTimer, Slot
    from PySide6.QtWidgets import QApplication

    from gui import main_window
    from gui.app import open_window, prepare
    from gui.bridge import Bridge
    from gui.settings import Settings

    ticks: list[tuple[float, float]] = []  # when each began and ended, while the network trained

    class TimedBridge(Bridge):
        @Slot()
        def tick(self) -> None:
            began = perf_counter()
            super().tick()
            if clock.training:
                ticks.append((began, perf_counter()))

    app = QApplication([])
    prepare()
    main_window.Bridge = TimedBridge
    window = open_window(Settings(), None)
    window.editor.replace(mnist_like(), "benchmark")
    window.documents.ask_unsaved = lambda *_: "discard"
    clock = _Clock(start=lambda: QTimer.singleShot(0, window, lambda: window.run_step("train")))

    def on_delivery(delivery: Delivery) -> None:
        clock.see(delivery)
        if clock.finished:
            QTimer.singleShot(0, window, window.close)

    window.bridge.delivered.connect(on_delivery)
    window.resize(1440, 900)
    window.show()
    QTimer.singleShot(0, window, window.start)
    app.exec()
    began = [tick[0] for tick in ticks]
    return {
        "steps_per_second": clock.rate(),
        "intervals": [1000 * (later - earlier) for earlier, later in zip(began, began[1:], strict=False)],
        "busy": [1000 * (ended - began) for began, ended in ticks],
    }


class _Clock:
    """Follows a training by what the engine says: begins it, and knows its steps a second from first to last."""

    def __init__(self, start: Callable[[], object]) -> None:
        self._start = start
        self._seen: list[tuple[float, float]] = []  # when, and at which step
        self.finished = False

    @property
    def training(self) -> bool:
        return bool(self._seen) and not self.finished

    def see(self, delivery: Delivery) -> bool:
        """Take a delivery; whether more is waiting."""
        steps = [record.row["step"] for record in delivery.records if record.table == "steps"]
        if steps:
            self._seen.append((perf_counter(), steps[-1]))
        for event in delivery.lifecycle:
            if isinstance(event, EngineReady):
                self._start()
            self.finished = self.finished or isinstance(event, Finished)
        return delivery.more

    def rate(self) -> float:
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began)


if __name__ == "__main__":
    print(json.dumps({"bare": _bare, "windowed": _windowed}[sys.argv[1]]()))
