"""A scalar series that only grows: smoothed and thinned as it comes, so that a million steps draw like a thousand."""

from __future__ import annotations

import numpy as np

BLOCKS = 600  # about one block a pixel of a plot


class Series:
    """Values at ascending positions, with a running sum for smoothing. Rows are taken in once, when they are new."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._n = 0
        self._x = np.empty(0)
        self._y = np.empty(0)
        self._sum = np.zeros(1)  # of the finite values before each position
        self._finite = np.zeros(1)  # how many those are

    def __len__(self) -> int:
        return self._n

    @property
    def x(self) -> np.ndarray:
        return self._x[: self._n]

    @property
    def y(self) -> np.ndarray:
        return self._y[: self._n]

    def update(self, x: np.ndarray, y: np.ndarray) -> None:
        """The whole series as it is now; what was there before is recognised and not taken in again."""
        n = len(x)
        if n < self._n and self._is_prefix(x, y, n):
            self._n = n
            return
        if n < self._n or not self._is_prefix(x, y, self._n):
            self.clear()
        old = self._n
        if n > len(self._x):
            room = max(1024, 2 * n)
            self._x, self._y = _longer(self._x, room), _longer(self._y, room)
            self._sum, self._finite = _longer(self._sum, room + 1), _longer(self._finite, room + 1)
        self._x[old:n] = x[old:]
        self._y[old:n] = y[old:]
        finite = np.isfinite(self._y[old:n])
        self._sum[old + 1 : n + 1] = self._sum[old] + np.cumsum(np.where(finite, self._y[old:n], 0.0))
        self._finite[old + 1 : n + 1] = self._finite[old] + np.cumsum(finite)
        self._n = n

    def _is_prefix(self, x: np.ndarray, y: np.ndarray, n: int) -> bool:
        if n == 0:
            return True
        some = np.unique(np.linspace(0, n - 1, 8).astype(int))
        return bool(np.array_equal(x[some], self._x[some]) and np.array_equal(y[some], self._y[some], equal_nan=True))

    def window(self) -> int:
        """Length of the running mean: about a sixtieth of the series, a power of two so that it seldom changes."""
        return max(5, 2 ** int(np.log2(max(1, self._n / 60))))

    def smoothed(
        self, low: float = -np.inf, high: float = np.inf, blocks: int = BLOCKS
    ) -> tuple[np.ndarray, np.ndarray]:
        """The running mean of the last :meth:`window` values between two positions, at about ``blocks`` of them."""
        start, stop = self._between(low, high)
        if stop <= start:
            return np.empty(0), np.empty(0)
        stride = max(1, (stop - start) // blocks)
        # at multiples of the stride, so that the curve does not shimmer while the series grows
        places = np.arange(-(-start // stride) * stride, stop, stride)
        if not len(places) or places[-1] != stop - 1:
            places = np.append(places, stop - 1)
        return self._x[places], self._mean(places)

    def envelope(
        self, low: float = -np.inf, high: float = np.inf, blocks: int = BLOCKS
    ) -> tuple[np.ndarray, np.ndarray]:
        """The series between two positions; where it is long, the least and the greatest value of each block."""
        start, stop = self._between(low, high)
        n = stop - start
        if n <= 2 * blocks:
            return self._x[start:stop], self._y[start:stop]
        size = -(-n // blocks)
        # blocks begin at multiples of their size, for the same reason
        first = start - start % size
        edges = np.arange(first, stop, size)
        edges[0] = start
        least = np.fmin.reduceat(self._y[start:stop], edges - start)
        most = np.fmax.reduceat(self._y[start:stop], edges - start)
        x = np.repeat(self._x[edges], 2)
        y = np.empty(2 * len(edges))
        y[0::2], y[1::2] = least, most
        return x, y

    def at(self, x: float) -> int | None:
        """Position of the value nearest to ``x``; None if there is none."""
        if not self._n:
            return None
        right = int(np.searchsorted(self.x, x))
        near = [k for k in (right - 1, right) if 0 <= k < self._n]
        return min(near, key=lambda k: abs(self._x[k] - x))

    def smooth_at(self, position: int) -> float:
        """The running mean at a position."""
        return float(self._mean(np.array([position]))[0])

    def _mean(self, places: np.ndarray) -> np.ndarray:
        ends = places + 1
        begins = np.maximum(0, ends - self.window())
        count = self._finite[ends] - self._finite[begins]
        return np.where(count > 0, (self._sum[ends] - self._sum[begins]) / np.maximum(count, 1), np.nan)

    def _between(self, low: float, high: float) -> tuple[int, int]:
        start = max(0, int(np.searchsorted(self.x, low)) - 1)
        stop = min(self._n, int(np.searchsorted(self.x, high, side="right")) + 1)
        return start, stop


def _longer(values: np.ndarray, length: int) -> np.ndarray:
    grown = np.empty(length)
    grown[: len(values)] = values
    return grown
