"""An axis for any column: numbers, their logarithms, or names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtGui import QFont, QFontMetricsF

from gui.plots.axes import ScaleAxis


class ColumnAxis(ScaleAxis):
    """A scale axis; with names its whole positions carry them, as many as there is room for."""

    def __init__(self, orientation: str) -> None:
        self._names: tuple[str, ...] = ()
        super().__init__(orientation)

    def lay(self, log: bool, names: Sequence[str]) -> None:
        """What stands on it."""
        self.set_log(log)
        if tuple(names) != self._names:
            self._names = tuple(names)
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self._names:
            return super().tickValues(minVal, maxVal, size)
        low, high = max(0, math.ceil(minVal)), min(len(self._names) - 1, math.floor(maxVal))
        metrics = QFontMetricsF(self.style["tickFont"] or QFont())
        upright = self.orientation in ("left", "right")
        wide = metrics.height() if upright else max(metrics.horizontalAdvance(name) for name in self._names) + 8
        step = max(1, math.ceil(wide / max(1e-9, size / max(1e-9, maxVal - minVal))))
        return [(1.0, list(range(low, high + 1, step)))]

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        if not self._names:
            return super().tickStrings(values, scale, spacing)
        return [self._names[int(value)] if 0 <= int(value) < len(self._names) else "" for value in values]
