"""Points that are looked at and not pressed: a click on one is a click on the plot."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg


class Dots(pg.ScatterPlotItem):
    """A scatter plot that lets clicks through; a plain one keeps them to itself."""

    def mouseClickEvent(self, ev: Any) -> None:
        ev.ignore()
