"""How long a job still takes, from its own pace; no widget."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW = 10.0  # seconds of the past that the pace is taken from


class TimeLeft:
    """Watches a count of done units. The pace is that of the last ten seconds, and a pause does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total = 0
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, done: int, total: int) -> None:
        """Tell how many of how many units are done. A smaller count or another total begins anew."""
        if total != self._total or (self._seen and done < self._seen[-1][1]):
            self.reset()
        self._total = total
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:
            self._seen.popleft()

    def reset(self) -> None:
        """Forget the pace, as after a pause."""
        self._seen.clear()

    @property
    def rate(self) -> float | None:
        """Units a second, or None while it is too early to say."""
        if len(self._seen) < 2:
            return None
        (t0, n0), (t1, n1) = self._seen[0], self._seen[-1]
        return (n1 - n0) / (t1 - t0) if t1 - t0 > 0.2 and n1 > n0 else None

    @property
    def seconds(self) -> float | None:
        """Seconds left, or None while it is too early to say."""
        rate = self.rate
        return (self._total - self._seen[-1][1]) / rate if rate else None


def clock_text(seconds: float) -> str:
    """Seconds as a person reads a time left: 0:04, 12:30, 3:05:00."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
