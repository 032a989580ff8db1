"""What is known of an attack: the watched samples at each step, and how far it has come with all samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.experiments.attack_curves import SAMPLES, STEPS, Progressed, Watched, progressed

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session.table import Table

TABLES = (STEPS, SAMPLES)


class Course:
    """The tables of an attack and the names of its watched samples; each may come before the others."""

    def __init__(self) -> None:
        self.watched = Watched()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.watched.clear()
        self.whole: Progressed | None = None
        """All samples together."""
        self.index = np.empty(0, dtype=np.int64)
        """Test index of each watched sample."""
        self.labels: list[str] = []
        """The class of each watched sample."""

    def take(self, name: str, table: Table) -> None:
        """One of :data:`TABLES`, new or grown."""
        if name == SAMPLES:
            self.watched.update(table)
        elif name == STEPS:
            self.whole = progressed(table)

    def name_samples(self, frame: Frame) -> bool:
        """Take the names of the watched samples from a frame of the gallery. False where they are known already."""
        index = frame.arrays["index"]
        classes, y = frame.info["classes"], frame.arrays["y"]
        labels = [str(classes[k]) if 0 <= k < len(classes) else "?" for k in y.tolist()]
        if np.array_equal(index, self.index) and labels == self.labels:
            return False
        self.index, self.labels = index, labels
        return True

    @property
    def is_empty(self) -> bool:
        """Nothing has come yet."""
        return not len(self.watched) and self.whole is None

    @property
    def steps(self) -> int:
        """How many of the watched samples' rows are steps: the last is not where it is the best points found."""
        count, best = len(self.watched), self.whole.best if self.whole is not None else None
        return count - 1 if best is not None and count and self.watched.step[count - 1] == best else count

    @property
    def broken(self) -> np.ndarray:
        """bool [M]: which watched samples have been broken at any step so far."""
        return self.watched.first_broken >= 0

    @property
    def across(self) -> tuple[float, float]:
        """The range of steps to draw."""
        count = self.steps
        ends = [float(self.watched.step[count - 1])] if count else []
        if self.whole is not None and self.whole.steps:
            ends.append(float(self.whole.step[self.whole.steps - 1]))
        last = max(ends, default=1.0)
        # a little further than it has come, so that a growing attack does not move the axis at every step
        return -0.01 * last, max(1.0, math.ceil(last * 1.03))

    def position(self, sample: int | None) -> int | None:
        """Where a sample stands among those watched, by its test index; None where it is not watched."""
        found = np.flatnonzero(self.index == sample) if sample is not None else ()
        return int(found[0]) if len(found) and found[0] < self.watched.samples else None

    def nearest(self, metric: str, x: float, y: float) -> tuple[int, int] | None:
        """The step nearest to ``x`` and, there, the watched sample nearest to ``y``, both by position."""
        place = _closest(self.watched.step[: self.steps], x)
        if place is None or not self.watched.samples:
            return None
        away = np.abs(self.watched.values[metric][place] - y)
        return (place, int(np.nanargmin(away))) if np.isfinite(away).any() else None

    def nearest_step(self, x: float) -> int | None:
        """The step of all samples nearest to ``x``, by position."""
        return _closest(self.whole.step[: self.whole.steps], x) if self.whole is not None else None

    def beside(self, metric: str, place: int, sample: int, up: int) -> int:
        """The sample whose line lies so many lines above that of ``sample`` at a step, as far as there are any."""
        last = self.watched.samples - 1
        order = np.argsort(self.watched.values[metric][place], kind="stable")
        rank = int(np.flatnonzero(order == min(sample, last))[0])
        return int(order[min(last, max(0, rank + up))])


def _closest(values: np.ndarray, x: float) -> int | None:
    """Position of the ascending value nearest to ``x``; None if there is none."""
    if not len(values):
        return None
    right = int(np.searchsorted(values, x))
    near = [k for k in (right - 1, right) if 0 <= k < len(values)]
    return min(near, key=lambda k: abs(values[k] - x))
