"""The axis below the parts of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtGui import QFont, QFontMetricsF

from gui.plots.axes import Axis

ROOM = 0.87  # that the parts of a layer share; layers are 1 apart


class PartAxis(Axis):
    """Two rows of names: the sign of each part below its bars, and below that the layer's name where it has room."""

    def __init__(self, orientation: str) -> None:
        self._layers: tuple[str, ...] = ()
        self._signs: tuple[tuple[tuple[float, str], ...], ...] = ()
        self._texts: dict[float, str] = {}
        super().__init__(orientation)

    def set_parts(self, layers: Sequence[str], signs: Sequence[Sequence[tuple[float, str]]]) -> None:
        """The layers at 0, 1, …, and the offset and sign of each part that a layer has."""
        fresh = tuple(layers), tuple(tuple(each) for each in signs)
        if fresh != (self._layers, self._signs):
            self._layers, self._signs = fresh
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self._layers or maxVal <= minVal:
            return []
        room = size / (maxVal - minVal)
        metrics = QFontMetricsF(self.style["tickFont"] or QFont())
        names = list(self._layers)
        if max(metrics.horizontalAdvance(name) for name in names) + 6 > room:
            names = [name.rpartition(" ")[2] if name != "logits" else "out" for name in names]
        step = max(1, math.ceil((max(metrics.horizontalAdvance(name) for name in names) + 6) / room))
        parts = max(len(each) for each in self._signs)
        named = parts > 1 and room * ROOM / parts > 9
        self._texts = {}
        for layer, name in enumerate(names):
            signs = self._signs[layer] if named else ()
            for offset, sign in signs:
                self._texts[layer + offset] = f"{sign}\n "
            if (len(names) - 1 - layer) % step == 0:
                top = next((sign for offset, sign in signs if abs(offset) < 1e-9), " ")
                self._texts[float(layer)] = f"{top}\n{name}" if named else name
        return [(1.0, [place for place in sorted(self._texts) if minVal <= place <= maxVal])]

    def setTickFont(self, font: QFont | None) -> None:
        super().setTickFont(font)
        # pyqtgraph leaves room for one line only
        self.setHeight(2 * QFontMetricsF(font or QFont()).lineSpacing() + 8)

    def tickStrings(self, values: Any, _scale: float, _spacing: float) -> list[str]:
        return [self._texts.get(float(value), "") for value in values]
