"""How long something takes, told in seconds of a machine that has nothing else to do.

Tests run on slow machines and beside other programs. What is told here is therefore the time of the processor and not
of the clock on the wall, the best of several tries, and less what a piece of known work takes longer than it should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter, thread_time

import numpy as np

KNOWN = 0.006
"""Seconds that :func:`_known_work` takes where the limits in these tests were set, alone on one core."""
TRIES = 5

Clock = Callable[[], float]


def least(what: Callable[[], object], limit: float, *, clock: Clock = thread_time, tries: int = TRIES) -> float:
    """Seconds that a call takes, the least of several; no more are made once one is under the limit.

    ``clock`` is ``perf_counter`` where waiting for other threads is part of it.
    """
    best = np.inf
    for _ in range(tries):
        began = clock()
        what()
        best = min(best, (clock() - began) / slowness(clock))
        if best < limit:
            break
    return float(best)


def longest_breath(make: Callable[[], Iterable[object]], limit: float, *, tries: int = 3) -> float:
    """The most seconds that a generator computes between two yields, which is how long a job cannot be cancelled."""
    best = np.inf
    for _ in range(tries):
        longest, began = 0.0, thread_time()
        for _ in make():
            longest, began = max(longest, thread_time() - began), thread_time()
        longest = max(longest, thread_time() - began)
        best = min(best, longest / slowness())
        if best < limit:
            break
    return float(best)


def slowness(clock: Clock = thread_time) -> float:
    """How many times as long as it should known work takes just now; at least 1."""
    took = []
    for _ in range(6):
        began = clock()
        _known_work()
        took.append(clock() - began)
    return max(1.0, float(np.mean(took[1:])) / KNOWN)


def _known_work() -> None:
    """Some Python and some arithmetic on arrays."""
    total = 0
    for number in range(40_000):
        total += number & 7
    x = np.full((100, 100), 1.0)
    for _ in range(20):
        x = np.tanh(x @ x / 100)


__all__ = ["least", "longest_breath", "perf_counter", "slowness"]
