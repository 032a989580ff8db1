"""Does the window stay fluid while a network trains at full speed, and what does it cost the training?

Each round is two fresh processes: the training experiment without a window, and the same with the real window
(offscreen, every panel on screen). The interval between ticks of a 33 ms timer is measured in the second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from statistics import median

from benchmarks.measure import Result, percentile

ROUNDS = 3


def run() -> Iterator[Result]:
    """Yield the figures."""
    ratios, ticks, busy = [], [], []
    for _ in range(ROUNDS):
        bare, windowed = _in_process("bare"), _in_process("windowed")
        ratios.append(windowed["steps_per_second"] / bare["steps_per_second"])
        ticks += windowed["ticks"]
        busy += windowed["busy"]
    spread = f"{ROUNDS} pairs, {min(ratios):.3f} to {max(ratios):.3f}"
    yield Result("training speed with the window / without", median(ratios), 0.85, at_most=False, detail=spread)
    yield Result(
        "interval of the 33 ms timer, p99", percentile(ticks, 0.99), 40.0, unit=" ms", detail=f"{len(ticks)} ticks"
    )
    yield Result("interval of the 33 ms timer, worst", max(ticks), unit=" ms")
    yield Result("work on the GUI thread in one tick, p99", percentile(busy, 0.99), 50.0, unit=" ms")


def _in_process(mode: str) -> dict:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "RAPIDITY_LAB_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.window", mode], env=environment, stdout=subprocess.PIPE, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def _bare() -> dict:
    """The engine at work on the same experiment, recording it, with nobody looking."""
    import time

    from benchmarks.measure import mnist_like
    from engine.lab import Lab
    from engine.paths import working_copies
    from engine.runtime import EngineReady, Finished
    from engine.session import Session

    spec = mnist_like()
    lab = Lab(Session.create(working_copies(), spec))
    lab.start()
    clock = _Clock()
    ready = ended = False
    while not ended:
        time.sleep(0.1)
        more = True
        while more:
            delivery = lab.mailbox.drain()
            more = delivery.more
            clock.see(delivery)
            if not ready and any(isinstance(event, EngineReady) for event in delivery.lifecycle):
                ready = True
                lab.run("train", spec)
            ended = ended or any(isinstance(event, Finished) for event in delivery.lifecycle)
    lab.close()
    lab.session.close()
    return {"steps_per_second": clock.rate()}


def _windowed() -> dict:
    from time import perf_counter

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from benchmarks.measure import mnist_like
    from engine.runtime import EngineReady, Finished
    from gui.app import open_window, prepare
    from gui.settings import Settings

    app = QApplication([])
    prepare()
    window = open_window(Settings(), None)
    window.editor.replace(mnist_like(), "benchmark")
    window.resize(1440, 900)
    window.show()
    clock = _Clock()
    ticks: list[float] = []
    busy: list[float] = []
    last = [0.0]
    tick = window._on_tick
    began = [0.0]

    def on_delivery(delivery) -> None:
        clock.see(delivery)
        for event in delivery.lifecycle:
            if isinstance(event, EngineReady):
                QTimer.singleShot(0, window, lambda: window.run_step("train"))
            elif isinstance(event, Finished):
                window.documents.ask_unsaved = lambda *_: "discard"
                QTimer.singleShot(0, window, window.close)

    def before() -> None:
        now = perf_counter()
        began[0] = now
        if clock.training and last[0]:
            ticks.append((now - last[0]) * 1000)
        last[0] = now if clock.training else 0.0

    def after() -> None:
        if clock.training:
            busy.append((perf_counter() - began[0]) * 1000)

    # around what the bridge does at each tick
    drain, window.bridge.tick = window.bridge.tick, None
    window.bridge._timer.timeout.disconnect()
    window.bridge._timer.timeout.connect(lambda: (before(), drain(), after()))
    assert tick is not None
    window.bridge.delivered.connect(on_delivery)
    QTimer.singleShot(0, window, window.start)
    app.exec()
    return {"steps_per_second": clock.rate(), "ticks": ticks, "busy": busy}


class _Clock:
    """Steps a second between the first and the last step record seen."""

    def __init__(self) -> None:
        self.first: tuple[float, int] | None = None
        self.last: tuple[float, int] | None = None
        self.training = False

    def see(self, delivery) -> None:
        from time import perf_counter

        steps = [record.row["step"] for record in delivery.records if record.table == "steps"]
        if steps:
            self.last = perf_counter(), steps[-1]
            self.first = self.first or self.last
        self.training = bool(steps) or (self.training and not delivery.lifecycle)

    def rate(self) -> float:
        assert self.first is not None and self.last is not None
        return (self.last[1] - self.first[1]) / (self.last[0] - self.first[0])


if __name__ == "__main__":
    print(json.dumps({"bare": _bare, "windowed": _windowed}[sys.argv[1]]()))
