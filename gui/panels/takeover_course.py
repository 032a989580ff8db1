"""The left of the takeover panel: the course of the attack, as a map of layers and steps or as curves at one layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QStackedWidget

from engine.experiments.takeover_views import Crossing, crossings, first_takeover
from gui.plots.band import BandCurve
from gui.plots.plot import Plot, padded, pen
from gui.plots.says import signed
from gui.plots.steps import StepMap
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame


class AttackCourse(QStackedWidget):
    """C with the target class and with the true class along the attack. ``chosen(place)`` is a click on a layer.

    Nothing can be drawn before :meth:`making` has come to its end.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._frame: Frame | None = None
        self._places: list[int] = []
        self._place = 0
        self._columns: list[int] = []  # of the moments, those drawn: the last of each step
        self.crossings: list[Crossing] = []

    def making(self) -> Iterator[None]:
        """Make the plots, with a yield between them."""
        self.map = StepMap(self.theme)
        self.map.setAccessibleName("C with target class less C with true class, layers against attack steps")
        self.map.hovered.connect(self._on_map_hover)
        self.map.clicked.connect(self._on_map_click)
        yield
        self.curves = Plot(self.theme)
        self.curves.setAccessibleName("Correlation along the attack at the chosen layer")
        self.curves.set_grid(False, True)
        self.curves.hovered.connect(self._on_curves_hover)
        self._target, self._true = BandCurve(self.curves, "#000000"), BandCurve(self.curves, "#000000")
        self._moment = pg.InfiniteLine(angle=90)
        self.curves.addItem(self._moment, ignoreBounds=True)
        self.addWidget(self.map)
        self.addWidget(self.curves)

    @property
    def plot(self) -> Plot:
        """The plot that is shown."""
        return self.map if self.currentWidget() is self.map else self.curves

    def clear(self) -> None:
        """Draw nothing."""
        self._frame = None
        self.map.clear_values()
        self._target.set_visible(False)
        self._true.set_visible(False)

    def draw(
        self,
        frame: Frame,
        places: Sequence[int],
        place: int,
        names: tuple[list[str], list[str]],
        *,
        as_map: bool,
    ) -> str:
        """Draw a frame at these taps, as a map or at one place as curves; gives what is drawn, in words."""
        self._frame, self._places, self._place = frame, list(places), place
        step = frame.arrays["step"]
        # the end is measured once more at the last step
        self._columns = [k for k in range(len(step)) if k + 1 == len(step) or step[k + 1] != step[k]]
        self.crossings = crossings(frame, self._places)
        self.setCurrentWidget(self.map if as_map else self.curves)
        if as_map:
            self._draw_map(frame, names)
            return "C(target) − C(true class) by attack step"
        self._draw_curves(frame)
        name = frame.info["taps"][self._places[place]]["name"]
        return f"C at {name} by attack step: target (orange), true class (purple)"

    def _draw_map(self, frame: Frame, names: tuple[list[str], list[str]]) -> None:
        step = frame.arrays["step"]
        first = first_takeover(self.crossings, frame)
        difference = (frame.arrays["target_mean"] - frame.arrays["true_mean"])[self._columns][:, self._places].T
        self.map.set_values(difference, (names[1], names[1]), [str(int(step[k])) for k in self._columns])
        self.map.set_border([None if c.moment is None else self._column(c.moment) for c in self.crossings])
        if first is None or first.moment is None:
            self.map.mark(None)
        else:
            tap = frame.info["taps"][first.tap]["name"]
            text = f"{tap}, step {int(step[first.moment])}"
            self.map.mark(self._places.index(first.tap), self._column(first.moment), text)
        self.map.mark_row(self._place)

    def _draw_curves(self, frame: Frame) -> None:
        step = frame.arrays["step"]
        x = step[self._columns].astype(float)
        ends: list[float] = [0.0]
        for which, curve in (("target", self._target), ("true", self._true)):
            parts = [
                frame.arrays[f"{which}_{end}"][self._columns, self._places[self._place]]
                for end in ("mean", "low", "high")
            ]
            curve.set_data(x, *parts)
            curve.set_visible(True)
            ends += [v for part in parts for v in part[np.isfinite(part)].tolist()]
        moment = self.crossings[self._place].moment
        self._moment.setVisible(moment is not None)
        if moment is not None:
            self._moment.setPos(float(step[moment]))
        self.curves.set_home((-0.02 * max(1.0, x[-1]), max(1.0, x[-1]) * 1.02), padded(min(ends), max(ends), 0.05))

    def _column(self, moment: int) -> int:
        """The column of a moment; the end, measured once more, has that of its step."""
        return next(k for k, m in enumerate(self._columns) if m >= moment)

    # --- pointer -----------------------------------------------------------------------------------------------

    def describe(self, place: int, column: int) -> str:
        """What the readout says of a layer at a moment of the attack."""
        frame = self._frame
        if frame is None:
            return ""
        moment, tap = self._columns[column], self._places[place]
        lines = [f"{frame.info['taps'][tap]['name']}, step {int(frame.arrays['step'][moment])}"]
        for which, word in (("target", "target class"), ("true", "true class")):
            mean, low, high = (float(frame.arrays[f"{which}_{end}"][moment, tap]) for end in ("mean", "low", "high"))
            lines.append(f"C with {word} {signed(mean)} [{signed(low)}, {signed(high)}]")
        crossing = self.crossings[place].moment
        lines.append(
            "the true class stays nearer to the end"
            if crossing is None
            else f"the target class is nearer from step {int(frame.arrays['step'][crossing])} on"
        )
        return "\n".join(lines)

    @Slot(float, float)
    def _on_map_hover(self, x: float, y: float) -> None:
        cell = self.map.cell(x, y)
        if cell is None or self._frame is None:
            self.map.leave()
        else:
            self.map.readout.say(self.describe(*cell), self.map.at(cell[1], cell[0]))

    @Slot(float, float)
    def _on_map_click(self, x: float, y: float) -> None:
        cell = self.map.cell(x, y)
        if cell is not None:
            self.chosen.emit(cell[0])

    @Slot(float, float)
    def _on_curves_hover(self, x: float, y: float) -> None:
        frame = self._frame
        if frame is not None:
            steps = frame.arrays["step"][self._columns]
            column = int(np.argmin(np.abs(steps - x)))
            self.curves.readout.say(self.describe(self._place, column), self.curves.at(float(steps[column]), y))

    # --- look --------------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Recolour both plots and what is on them."""
        self.theme = theme
        self.map.set_theme(theme)
        self.curves.set_theme(theme)
        self._target.set_colour(theme.group_colour("adv_target"))
        self._true.set_colour(theme.group_colour("adv_true"))
        self._moment.setPen(pen(theme.text, dash=True))
