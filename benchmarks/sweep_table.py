"""The table of a sweep of ten thousand points: how soon it is there, how it scrolls, and what it keeps in memory.

The file is made first, with known numbers in every row. A process of its own then opens it in the real panel, offscreen,
reads it by the window's own controller, and scrolls through all of it, in jumps and by the wheel. Steps are
the thread's own time, so that other programs do not count; the memory is that of the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from benchmarks.measure import Result, percentile

SMALL, LARGE = 100, 10_000
STEPS = 150
NOTCH = 63  # pixels of a notch of a mouse wheel: three rows
FRAME_MS = 1000 / 60


def run() -> Iterator[Result]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = {points: _child(_made(Path(folder), points)) for points in (SMALL, LARGE)}
    small, large = found[SMALL], found[LARGE]
    of = f"{LARGE:,} points"
    yield Result("a table is opened and its first rows are seen", large["opened"], 1.0, unit=" s", detail=of)
    notches, jumps = large["notches"], large["steps"]
    yield Result(
        "a notch of the wheel and its painting, median", percentile(notches, 0.5), FRAME_MS, unit=" ms", detail=of
    )
    yield Result("a notch of the wheel and its painting, p99", percentile(notches, 0.99), 50.0, unit=" ms")
    yield Result("a jump that paints every row anew, p99", percentile(jumps, 0.99), 50.0, unit=" ms")
    yield Result("longest stay in the window's thread, sorting and filtering", large["longest"], 50.0, unit=" ms")
    yield Result("rows kept in memory", large["loaded"], 2000.0, detail="of all that were scrolled through")
    grown = large["memory"] - small["memory"]
    yield Result(
        "memory more than with a hundred points", grown, 20.0, unit=" MiB", detail=f"{small['memory']:.0f} MiB with 100"
    )


def _made(folder: Path, points: int) -> Path:
    """A sweep file in which every point is finished."""
    from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
    from engine.sweep.columns import COLUMNS
    from engine.sweep.rows import put_row
    from engine.sweep.store import SweepStore

    axes = (
        AxisSpec(field="model.width", values=tuple(range(1, points // 10 + 1))),
        AxisSpec(field="seed", values=tuple(range(10))),
    )
    path = folder / f"{points}.sweep"
    with SweepStore.create(path, ExperimentSpec(sweep=SweepSpec(axes=axes))) as store:
        names = [column.name for column in COLUMNS]
        with store.claimed(), store._database.write() as connection:
            for index in range(points):
                row = {name: (index * 7919 + 31 * k) % 1009 / 1009 for k, name in enumerate(names)}
                connection.execute("INSERT INTO points (id, status, attempts) VALUES (?, 'finished', 1)", (index,))
                put_row(connection, index, {**store.points.values(index), **row})
    return path


def _child(path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sweep_table", str(path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- the process that is measured -----------------------------------------------------------------------------


def _measure(path: Path) -> dict[str, Any]:
    import psutil
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QApplication

    from gui.app import prepare
    from gui.panels.sweep.panel import SweepPanel
    from gui.selection import Selection
    from gui.sweeps import Sweeps
    from gui.theme import Theme, apply

    app = QApplication([])
    theme = Theme.dark()
    apply(app, theme)
    prepare()
    sweeps, panel = Sweeps(), SweepPanel(Selection(), theme)
    panel.read = sweeps.read
    sweeps.opened.connect(panel.set_store)
    sweeps.state_changed.connect(panel.set_state)
    panel.set_theme(theme)
    panel.resize(1000, 700)
    panel.show()
    model, table = panel.model, panel.table

    longest = 0.0

    def settle() -> None:
        """Let the window live until everything it asked for is there."""
        nonlocal longest
        while True:
            began = thread_time()
            app.processEvents()
            longest = max(longest, thread_time() - began)
            if not sweeps.busy and sweeps.state == "idle":
                table.viewport().repaint()
                if not sweeps.busy:
                    return

    began = perf_counter()
    sweeps.open(path)
    while model.row(0) is None:
        app.processEvents()
        table.viewport().update()
    opened = perf_counter() - began
    settle()

    bar = table.verticalScrollBar()
    steps = []
    for k in range(STEPS):
        began = thread_time()
        bar.setValue(bar.maximum() * k // (STEPS - 1))
        table.viewport().repaint()
        steps.append((thread_time() - began) * 1000)
        app.processEvents()
    settle()
    bar.setValue(0)
    settle()
    notches = []
    for _ in range(STEPS):
        began = thread_time()
        bar.setValue(bar.value() + NOTCH)
        app.processEvents()
        notches.append((thread_time() - began) * 1000)
    settle()
    memory = psutil.Process().memory_info().rss / 2**20
    loaded = model.loaded
    longest = 0.0
    for column in range(min(8, model.columnCount())):
        table.horizontalHeader().setSortIndicator(column, Qt.SortOrder.DescendingOrder)
        settle()
    model.set_status("finished")
    settle()
    panel.set_store(None)
    panel.hide()
    sweeps.close()
    return {
        "opened": opened,
        "steps": steps,
        "notches": notches,
        "longest": longest * 1000,
        "loaded": loaded,
        "memory": memory,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
