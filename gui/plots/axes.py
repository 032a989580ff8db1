"""Axes whose labels never overlap: plain, logarithmic, and one that names the layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF

# Mantissas that a decade is labelled with, the most useful first; a label is kept only where it has room.
_MANTISSAS: tuple[tuple[float, ...], ...] = ((2.0, 5.0), (3.0,), (1.5, 4.0, 7.0), (2.5, 6.0, 8.0))
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Axis(pg.AxisItem):
    """An axis whose first and last labels are drawn although they reach past its ends; its name is cut with "…" where
    it is longer than the axis."""

    def labelString(self) -> str:
        if not self.labelText:
            return ""  # pyqtgraph would lay out an empty paragraph, several times while an axis is made
        upright = self.orientation in ("left", "right")
        room = self.size().height() if upright else self.size().width()
        if room <= 0 or self.label is None:
            return super().labelString()
        whole = self.labelText
        metrics = QFontMetricsF(self.label.font())
        self.labelText = metrics.elidedText(whole, Qt.TextElideMode.ElideRight, room)
        try:
            return super().labelString()
        finally:
            self.labelText = whole

    def _updateLabel(self) -> None:
        # pyqtgraph asks for this at each setting of a pen, a range or a text: laying the same text out anew is dear
        text = self.labelString()
        if text == self._drawn:
            self.picture = None
            self.update()
            return
        super()._updateLabel()
        self._drawn = text
        super().resizeEvent()  # a text of another length has its middle elsewhere

    def resizeEvent(self, ev: Any = None) -> None:
        if self.label is not None:
            text = self.labelString()
            if text != self._drawn:
                self._drawn = text
                self.label.setHtml(text)
        super().resizeEvent(ev)

    _drawn = ""  # the label as it was drawn last

    def boundingRect(self) -> QRectF:
        # pyqtgraph leaves this margin out as soon as there is a grid, and then drops the labels at the ends
        rect = super().boundingRect()
        if self.grid is False:
            return rect
        upright = self.orientation in ("left", "right")
        return rect.adjusted(0, -12, 0, 12) if upright else rect.adjusted(-30, 0, 30, 0)


class PlainAxis(Axis):
    """A linear axis with at most one level of ticks, all of them labelled, and a proper minus sign."""

    room = (30.0, 15.0)  # pixels between labels one above the other: comfortable, and just enough

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        minVal, maxVal = sorted((minVal, maxVal))
        roomy, tight = self.room if self.orientation in ("left", "right") else (56.0, 34.0)
        values = np.empty(0)
        step = math.nan
        # two labels at least, closer together if need be: one alone says no scale
        for room in (roomy, tight):
            step = nice_step((maxVal - minVal) / max(1.0, size / room))
            if not math.isfinite(step):
                return []
            values = np.arange(math.ceil(minVal / step), math.floor(maxVal / step) + 1) * step
            if len(values) > 1:
                break
        return [(step, values)]

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        places = max(0, -math.floor(math.log10(spacing * scale) + 1e-9)) if spacing > 0 else 0
        return [number(value * scale, places) for value in values]


class CappedAxis(PlainAxis):
    """A plain axis that names no value above a limit: what is drawn beyond it has none."""

    def __init__(self, orientation: str) -> None:
        self._limit = math.inf
        super().__init__(orientation)

    def set_limit(self, limit: float) -> None:
        """The largest value that is labelled."""
        if limit != self._limit:
            self._limit = limit
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        found = super().tickValues(minVal, maxVal, size)
        return [(step, [value for value in values if value <= self._limit]) for step, values in found]


class ScaleAxis(PlainAxis):
    """A plain axis, or over log10 values an axis that shows the values themselves, as ``log`` says."""

    def __init__(self, orientation: str, *, log: bool = False) -> None:
        self._log = log
        super().__init__(orientation)

    @property
    def log(self) -> bool:
        return self._log

    def set_log(self, log: bool) -> None:
        """Whether what is drawn is log10 of the values."""
        if log != self._log:
            self._log = log
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self._log:
            return super().tickValues(minVal, maxVal, size)
        minVal, maxVal = sorted((minVal, maxVal))
        room = 24.0 if self.orientation in ("left", "right") else 52.0
        return [(1.0, log_ticks(minVal, maxVal, size, room))]

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        return [log_label(value) for value in values] if self._log else super().tickStrings(values, scale, spacing)


class NameAxis(Axis):
    """An axis whose integer positions carry names. Where long names do not fit it takes short ones, then fewer."""

    def __init__(self, orientation: str = "bottom", **options: Any) -> None:
        super().__init__(orientation, **options)
        self._names: tuple[str, ...] = ()
        self._short: tuple[str, ...] = ()
        self._shown: tuple[str, ...] = ()

    def set_names(self, names: Sequence[str], short: Sequence[str] | None = None) -> None:
        """Name the positions 0, 1, …; ``short`` is used where ``names`` would overlap."""
        fresh = (tuple(names), tuple(short if short is not None else names))
        if fresh != (self._names, self._short):
            self._names, self._short = fresh
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        if not self._names or maxVal <= minVal:
            return []
        room = size / (maxVal - minVal)
        metrics = QFontMetricsF(self.style["tickFont"] or QFont())

        def stride(names: Sequence[str]) -> int:
            if self.orientation in ("left", "right"):
                return max(1, math.ceil((metrics.height() + 1) / max(room, 1e-9)))
            return max(1, math.ceil((max(metrics.horizontalAdvance(name) for name in names) + 8) / max(room, 1e-9)))

        self._shown = self._names if stride(self._names) <= 1 else self._short
        last = len(self._names) - 1
        step = stride(self._shown)
        first, final = max(0, math.ceil(minVal)), min(last, math.floor(maxVal))
        # counted from the end, because the last layer matters most
        places = [p for p in range(first, final + 1) if (last - p) % step == 0]
        if step > 1 and first == 0 and places and places[0] != 0 and places[0] >= step * 0.75:
            places.insert(0, 0)
        return [(1.0, places)]

    def tickStrings(self, values: Any, _scale: float, _spacing: float) -> list[str]:
        return [self._shown[int(value)] if 0 <= int(value) < len(self._shown) else "" for value in values]


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least ``rough``."""
    if not math.isfinite(rough) or rough <= 0:
        return math.nan
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * m for m in (1.0, 2.0, 5.0, 10.0) if power * m >= rough * (1 - 1e-9))


def number(value: float, places: int) -> str:
    """A tick's text: fixed places, a true minus sign, thousands kept short."""
    if abs(value) >= 1e6:
        text = f"{value:.3g}"
    elif abs(value) >= 10_000 and places == 0:
        text = f"{value / 1000:g}k"
    else:
        text = f"{value:.{min(places, 6)}f}"
    if float(text.rstrip("k")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def log_ticks(low: float, high: float, size: float, room: float) -> list[float]:
    """Positions (log10) of the labelled ticks between ``low`` and ``high``, at least ``room`` pixels apart."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or size <= 0:
        return []
    scale = size / (high - low)
    first, last = math.floor(low), math.ceil(high)
    stride = max(1, math.ceil(room / scale))
    levels = [[float(e) for e in range(first, last + 1) if e % stride == 0]]
    if stride == 1:
        levels += [[e + math.log10(m) for e in range(first, last + 1) for m in level] for level in _MANTISSAS]
        step = nice_step((10**high - 10**low) / max(1.0, size / (2 * room)))
        if high - low < 1 and math.isfinite(step):
            start = math.ceil(10**low / step)
            levels.append([math.log10(k * step) for k in range(max(1, start), math.floor(10**high / step) + 1)])
    kept: list[float] = []
    for level in levels:
        if len(kept) >= 6:
            break
        for place in level:
            if low <= place <= high and all(abs(place - other) * scale >= room for other in kept):
                kept.append(place)
    return sorted(kept)


def log_label(exponent: float) -> str:
    """What stands at a tick of a logarithmic axis: 0.02, 3, 10⁻⁵."""
    value = 10.0**exponent
    if 1e-3 <= value < 1e5:
        return f"{value:.3g}"
    power = math.floor(exponent + 1e-9)
    mantissa = value / 10.0**power
    head = "" if abs(mantissa - 1) < 1e-6 else f"{mantissa:.2g}·"
    return f"{head}10{str(power).translate(_SUPERSCRIPT)}"
