"""What stands for the diagram itself, whatever pairs are drawn: the cone, the ceiling of float32, names of the sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from engine.experiments import spacetime
from gui.panels.spacetime_words import AXES, SIDES
from gui.plots.axes import PlainAxis
from gui.plots.plot import Plot, pen
from gui.theme import Theme


class DiagramMarks:
    """Draws them on a plot and sets its range."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.cone = pg.PlotCurveItem(antialias=True)
        self._axis = pg.PlotCurveItem(antialias=True)
        self.cone_text = pg.TextItem("light cone\n|C| = 1", anchor=(1, 1))
        self.sides = [pg.TextItem("", anchor=(0, 0)), pg.TextItem("", anchor=(1, 0))]
        self.ceilings = [pg.InfiniteLine(pos=sign * spacetime.CEILING, angle=90) for sign in (-1, 1)]
        self.ceiling_text = pg.TextItem("float32's\nceiling", anchor=(1, 0))
        for item, z in (
            (self._axis, 0),
            (self.cone, 0.5),
            (self.cone_text, 1),
            (self.ceiling_text, 1),
            *((item, 1) for item in self.sides),
            *((line, 0.7) for line in self.ceilings),
        ):
            item.setZValue(z)
            plot.addItem(item, ignoreBounds=True)

    def draw(self, diagram: str, top: float, widest: float) -> None:
        """The marks of a diagram of ``top`` layers whose lines reach ``widest``, and the range that shows all."""
        cone, rapidity = diagram == "cone", diagram == "rapidity"
        sides = SIDES.get(diagram)
        if cone:
            wide = top
        else:
            wide = max(0.25, widest)
            if rapidity and wide > spacetime.CEILING / 2:
                wide = max(wide, spacetime.CEILING)
        self.cone.setData([-top, 0, top], [top, 0, top])
        self._axis.setData([0, 0], [0, top])
        self.cone_text.setPos(top * 1.02, 0.0)
        for item in (self.cone, self.cone_text):
            item.setVisible(cone)
        for line in self.ceilings:
            line.setVisible(rapidity)
        self.ceiling_text.setVisible(rapidity)
        self.ceiling_text.setPos(spacetime.CEILING, top * 1.04)
        head = top * (1.04 if cone or rapidity else 1.13)  # room for the names of the sides
        for item, text, x in zip(self.sides, sides or ("", ""), (-wide * 1.04, wide * 1.04), strict=True):
            item.setText(text)
            item.setVisible(sides is not None)
            item.setPos(x, head)
        self._plot.set_axis_text("bottom", AXES[diagram])
        self._plot.set_home((-wide * 1.04, wide * 1.04), (-top * 0.03, head))

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.cone.setPen(pen(theme.muted, 1, dash=True))
        self._axis.setPen(pen(theme.grid))
        for line in self.ceilings:
            line.setPen(pen(theme.warning, 1, dash=True))
        for text, colour in (
            (self.cone_text, theme.muted),
            (self.ceiling_text, theme.warning),
            *((side, theme.muted) for side in self.sides),
        ):
            text.setColor(colour)
            text.setFont(theme.font(theme.small))


class DepthAxis(PlainAxis):
    """Layers are whole numbers, and there is none beyond the last."""

    _last = 1
    room = (18.0, 15.0)

    def set_last(self, last: int) -> None:
        if last != self._last:
            self._last = last
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Any]]:
        found = super().tickValues(minVal, maxVal, size)
        if not found:
            return found
        step, values = found[0]
        step = max(1.0, step)
        places = np.arange(np.ceil(values[0] / step) * step if len(values) else 0, self._last + 0.5, step)
        return [(step, places[(places >= 0) & (places <= self._last)])]
