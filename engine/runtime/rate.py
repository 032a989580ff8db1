"""How many things happen a second, over a moving window, at the cost of one addition each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Rate:
    """Events per second over the last ``window`` seconds, counted in ``buckets`` equal slices.

    Not safe for threads by itself: its owner holds a lock.
    """

    def __init__(self, window: float = 2.0, buckets: int = 20, clock: Callable[[], float] = time.monotonic) -> None:
        self._slice = window / buckets
        self._buckets = buckets
        self._clock = clock
        self._counts: deque[list[int]] = deque()  # [slice number, count], oldest first
        self._first: float | None = None

    def tick(self) -> None:
        now = self._clock()
        number = int(now / self._slice)
        if self._first is None:
            self._first = now
        if self._counts and self._counts[-1][0] == number:
            self._counts[-1][1] += 1
        else:
            self._counts.append([number, 1])
            self._forget(number)

    def per_second(self) -> float:
        """The rate; over the time since the first event while that is shorter than the window."""
        now = self._clock()
        number = int(now / self._slice)
        self._forget(number)
        if self._first is None or not self._counts:
            self._first = None  # a pause as long as the window starts the count anew
            return 0.0
        covered = now - max(self._first, (number - self._buckets + 1) * self._slice)
        return sum(count for _, count in self._counts) / max(covered, self._slice)

    def _forget(self, number: int) -> None:
        while self._counts and self._counts[0][0] <= number - self._buckets:
            self._counts.popleft()
