"""Curves with their intervals over layers, steps or sizes; the readout says all of them at the place pointed at."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import Slot

from gui.plots.axes import NameAxis, PlainAxis, ScaleAxis, log_label
from gui.plots.band import BandCurve
from gui.plots.plot import Plot, Range, padded, pen
from gui.plots.points import Level
from gui.theme import Theme

Values = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]
"""Mean, lower and upper end of its interval."""


@dataclass(frozen=True)
class Curve:
    """One curve of a plot. ``colour`` is a name of the theme's palette; a ``wide`` one shows beside another on top of it."""

    key: str
    label: str
    colour: str
    dash: bool = False
    wide: bool = False


class WholeAxis(PlainAxis):
    """Layers and steps are whole numbers."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        found = super().tickValues(minVal, maxVal, size)
        return [(max(1.0, step), [v for v in values if abs(v - round(v)) < 1e-9]) for step, values in found]


class Curves(Plot):
    """Curves by key over one axis, linear or logarithmic upwards."""

    def __init__(
        self, theme: Theme, name: str, curves: Sequence[Curve], *, log: bool = False, named: bool = False
    ) -> None:
        """``log`` makes the vertical axis logarithmic; ``named`` gives the places along the other names."""
        self._log = log
        self._names = NameAxis("bottom") if named else None
        super().__init__(theme, {"left": ScaleAxis("left", log=log), "bottom": self._names or WholeAxis("bottom")})
        self.setAccessibleName(name)
        self.set_grid(False, True)
        self.curves = {curve.key: curve for curve in curves}
        self.drawn = {key: BandCurve(self, theme.text, dash=curve.dash) for key, curve in self.curves.items()}
        for height, (key, curve) in enumerate(self.drawn.items()):
            curve.line.setZValue(2 + 0.1 * height)  # in their order, the dashed ones on top of what they run along
            self._colour(key)
        self.head: Callable[[float], str] = lambda x: f"layer {x:.0f}"  # the first line of the readout
        self._levels: list[Level] = []
        self._x = np.empty(0)
        self._least = 1e-300
        self._values: dict[str, Values] = {}
        self._hidden: set[str] = set()
        self._pointed: int | None = None
        self.hovered.connect(self._on_hover)
        self.left.connect(self._on_left)
        self.moved.connect(self._on_keys)

    # --- drawing -----------------------------------------------------------------------------------------------

    def add_level(self, text: str = "", *, at: float = 0.03) -> Level:
        """A dashed line across, drawn once it is given a value by :meth:`draw`."""
        level = Level(self, 0.0, text, dash=True, at=at)
        level.line.hide()
        self._levels.append(level)
        level.set_colour(self.theme.muted)
        return level

    def draw(
        self,
        x: np.ndarray,
        values: Mapping[str, Values],
        across: Range,
        *,
        up: Range | None = None,
        least: float = 0.0,
        levels: Mapping[Level, float] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        """Show ``values`` over ``x`` in the range ``across``; ``up`` is the range upwards, in the values' own unit.

        On a logarithmic axis nothing is drawn below ``least``. ``levels`` are the values of dashed lines, NaN for none.
        """
        self._x, self._values, self._least = x, dict(values), max(least, 1e-300)
        if self._names is not None:
            self._names.set_names(names)
        for key, curve in self.drawn.items():
            mean, low, high = self._values.get(key, (np.full(len(x), math.nan), None, None))
            nothing = np.full(len(x), math.nan)
            ends = (nothing, nothing) if low is None or high is None else (self._lift(low), self._lift(high))
            curve.set_data(x, self._lift(mean), *ends)
        for level, value in (levels or {}).items():
            level.line.setVisible(math.isfinite(value))
            if math.isfinite(value):
                level.line.setPos(float(self._lift(np.array([value]))[0]))
        self._show()
        self.set_home(across, self._range(up, levels or {}))
        if not len(x):
            self.leave()
        elif self._pointed is not None and self.readout.isVisible():
            self._point(min(self._pointed, len(x) - 1))

    def _lift(self, values: np.ndarray) -> np.ndarray:
        """Where values stand on the axis."""
        values = np.asarray(values, float)
        if not self._log:
            return values
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(values), np.log10(np.fmax(values, self._least)), math.nan)

    def _range(self, up: Range | None, levels: Mapping[Level, float]) -> Range:
        if up is not None:
            low, high = self._lift(np.array(up))
            return padded(float(low), float(high), 0.04)
        # of a logarithmic axis an interval may go down to nothing, and would leave no room for the curves
        parts = [(mean, high) if self._log else (mean, low, high) for mean, low, high in self._values.values()]
        found = [
            np.array(list(levels.values()), float),
            *(each for three in parts for each in three if each is not None),
        ]
        ends = self._lift(np.concatenate(found))
        ends = ends[np.isfinite(ends)]
        return padded(float(ends.min()), float(ends.max()), 0.08) if len(ends) else (0.0, 1.0)

    def set_hidden(self, keys: Collection[str]) -> None:
        """Leave these curves out."""
        self._hidden = set(keys)
        self._show()

    def _show(self) -> None:
        for key, curve in self.drawn.items():
            curve.set_visible(key not in self._hidden and key in self._values)

    def forget(self) -> None:
        """Draw nothing."""
        self.draw(np.empty(0), {}, (0.0, 1.0), levels=dict.fromkeys(self._levels, math.nan))

    # --- pointer and keys --------------------------------------------------------------------------------------

    def describe(self, k: int) -> str:
        """What the readout says of the place at position ``k``."""
        lines = [self.head(float(self._x[k]))]
        for key, (mean, low, high) in self._values.items():
            if key in self._hidden or not math.isfinite(mean[k]):
                continue
            said = f"{self.curves[key].label}: {figure(mean[k])}"
            if low is not None and high is not None and math.isfinite(low[k]) and math.isfinite(high[k]):
                said += f" [{figure(low[k])}, {figure(high[k])}]"
            lines.append(said)
        return "\n".join(lines)

    def _point(self, k: int) -> None:
        self._pointed = k
        found = [
            float(self._lift(mean)[k])
            for key, (mean, _, _) in self._values.items()
            if key not in self._hidden and math.isfinite(mean[k])
        ]
        (_, _), (low, high) = self.getViewBox().viewRange()
        self.readout.say(self.describe(k), self.at(float(self._x[k]), found[0] if found else (low + high) / 2))

    @Slot(float, float)
    def _on_hover(self, x: float, _: float) -> None:
        if len(self._x):
            self._point(int(np.abs(self._x - x).argmin()))

    @Slot()
    def _on_left(self) -> None:
        self._pointed = None

    @Slot(int, int)
    def _on_keys(self, across: int, _: int) -> None:
        if len(self._x):
            at = len(self._x) - 1 if self._pointed is None else self._pointed + across
            self._point(min(len(self._x) - 1, max(0, at)))

    # --- look and export ---------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "drawn"):
            for key in self.drawn:
                self._colour(key)
            for level in self._levels:
                level.set_colour(theme.muted)

    def _colour(self, key: str) -> None:
        curve = self.curves[key]
        colour = self.theme.palette[curve.colour]
        self.drawn[key].set_colour(colour, fill=0.2)
        if curve.wide:
            self.drawn[key].line.setPen(pen(colour, 2.8, alpha=0.75))
        elif curve.dash:
            self.drawn[key].line.setPen(pen(colour, 1.4, dash=True))

    def rows(self, series: str) -> list[list[Any]]:
        """The numbers drawn, as rows: series, quantity, curve, place, value and the ends of its interval."""
        found = []
        for key, parts in self._values.items():
            for k, x in enumerate(self._x):
                numbers = ["" if each is None or not math.isfinite(each[k]) else float(each[k]) for each in parts]
                found.append([series, self.accessibleName(), self.curves[key].label, float(x), *numbers])
        return found


HEAD = ["series", "quantity", "curve", "place", "value", "low", "high"]
"""Column names of :meth:`Curves.rows`."""


def figure(value: float) -> str:
    """A number in a readout: 0.507, 7.3·10⁻⁹, 64.0, "undefined" for NaN."""
    if not math.isfinite(value):
        return "undefined"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return ("0" if value == 0 else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}").replace("-", "−")
    return ("−" if value < 0 else "") + log_label(math.log10(abs(float(f"{value:.1e}"))))


def least_of(values: np.ndarray) -> float:
    """The smallest of the values above 0; 1 where there is none."""
    known = values[np.isfinite(values) & (values > 0)]
    return float(known.min()) if len(known) else 1.0


def with_interval(arrays: Mapping[str, np.ndarray], name: str, at: int) -> Values:
    """A quantity of one series with the ends of its interval, where the frame has them."""
    low, high = (arrays.get(f"{name}_{end}") for end in ("low", "high"))
    return (
        np.asarray(arrays[name][at], float),
        None if low is None else np.asarray(low[at], float),
        None if high is None else np.asarray(high[at], float),
    )
