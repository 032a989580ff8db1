"""The longest time that the window's thread is away from its event loop, in seconds of a machine with nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time
from typing import Any

import pace
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

QUIET = 4
"""Rounds of the event loop, after all is done, in which what was painted comes to rest."""


class Elsewhere(QObject):
    """Does what a panel wants done in the background between two steps, where it is not measured."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def read(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """As a panel's ``read`` and ``work``."""
        self._jobs.append((work, done))

    def go_on(self) -> bool:
        """Do one; False where there was nothing to do."""
        if not self._jobs:
            return False
        work, done = self._jobs.pop(0)
        found = work()
        QTimer.singleShot(0, self, lambda: done(found))
        return True


def longest_step(done: Callable[[], bool], elsewhere: Elsewhere | None = None) -> float:
    """Seconds of the longest round of the event loop until ``done()``, and a few rounds more."""
    longest, quiet, rounds = 0.0, 0, 0
    while quiet < QUIET:
        waits = elsewhere is not None and elsewhere.go_on()
        began = thread_time()
        QApplication.processEvents()
        longest = max(longest, thread_time() - began)
        quiet = 0 if waits or not done() else quiet + 1
        rounds += 1
        assert rounds < 5000, "it never comes to its end"
    return longest


def least(measure: Callable[[], float], limit: float, tries: int = 4) -> float:
    """The least of several measurements, in seconds of an idle machine; no more are made once one is under the limit."""
    best = float("inf")
    for _ in range(tries):
        before = pace.slowness()
        took = measure()
        best = min(best, took / max(before, pace.slowness()))
        if best < limit:
            break
    return best
