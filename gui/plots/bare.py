"""A plot item without what is never seen here: the options form with its menus, the title, the "A" button, axes nobody asked for.

pyqtgraph builds all of that for every plot, some seventy widgets that stay hidden, and takes longer for them than for
the rest of the plot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyqtgraph as pg
from PySide6.QtWidgets import QGraphicsGridLayout, QSizePolicy

PLACES = {"top": (1, 1), "bottom": (3, 1), "left": (2, 0), "right": (2, 2)}
"""(row, column) of each axis in the layout, as pyqtgraph has them: what is put beside a plot counts on them."""
VIEW = (2, 1)


class BarePlotItem(pg.PlotItem):
    """A view box with the axes that it is given, in pyqtgraph's own layout.

    It is a ``PlotItem`` to whoever draws on it, saves or exports it. What pyqtgraph keeps in the options form (logarithmic
    modes, downsampling, clipping, averages) is not there: curves are told so themselves.
    """

    def __init__(self, view: pg.ViewBox, axes: Mapping[str, pg.AxisItem]) -> None:
        pg.GraphicsWidget.__init__(self)  # not PlotItem's own: it is what builds the form
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.vb = view
        self.axes: dict[str, dict[str, Any]] = {}
        self.items: list[Any] = []
        self.curves: list[Any] = []
        self.dataItems: list[Any] = []
        self.legend = None
        self.layout = QGraphicsGridLayout()
        self.layout.setContentsMargins(1, 1, 1, 1)
        self.layout.setSpacing(0)
        self.setLayout(self.layout)
        self.layout.addItem(view, *VIEW)
        for side, axis in axes.items():
            axis.linkToView(view)
            axis.setZValue(0.5)  # above pictures, below what is drawn over the axes
            axis.setFlag(axis.GraphicsItemFlag.ItemNegativeZStacksBehindParent)
            self.axes[side] = {"item": axis, "pos": PLACES[side]}
            self.layout.addItem(axis, *PLACES[side])
        self.layout.setRowStretchFactor(VIEW[0], 100)  # all room to the view
        self.layout.setColumnStretchFactor(VIEW[1], 100)
        for mine, theirs in (
            (self.sigRangeChanged, view.sigRangeChanged),
            (self.sigXRangeChanged, view.sigXRangeChanged),
            (self.sigYRangeChanged, view.sigYRangeChanged),
            (self.sigRangeChangedManually, view.sigRangeChangedManually),
        ):
            theirs.connect(mine)

    # --- what is drawn -------------------------------------------------------------------------------------------

    def addItem(self, item: Any, *_: Any, ignoreBounds: bool = False) -> None:
        """Draw an item in the view; one that is drawn already stays as it is."""
        if item in self.items:
            return
        self.items.append(item)
        self.vb.addItem(item, ignoreBounds=ignoreBounds)
        if hasattr(item, "implements") and item.implements("plotData"):
            self.dataItems.append(item)
            self.curves.append(item)

    def removeItem(self, item: Any) -> None:
        """Draw an item no longer; nothing happens where it is not drawn."""
        if item not in self.items:
            return
        for kept in (self.items, self.curves, self.dataItems):
            if item in kept:
                kept.remove(item)
        self.vb.removeItem(item)

    def clear(self) -> None:
        """Draw nothing."""
        for item in list(self.items):
            self.removeItem(item)

    # --- what pyqtgraph asks for, and is not there ---------------------------------------------------------------

    def menuEnabled(self) -> bool:
        return False

    def getMenu(self) -> None:
        return None

    def getContextMenus(self, _event: Any) -> None:
        return None

    def updateButtons(self) -> None:
        """There is no button."""

    def hoverEvent(self, ev: Any) -> None:
        """Nothing appears when the pointer comes."""

    def resizeEvent(self, ev: Any) -> None:
        """No button has to move."""

    def close(self) -> None:
        """Let the view and the axes go."""
        for each in self.axes.values():
            each["item"].close()
        self.axes = {}
        if self.vb is not None and self.scene() is not None:
            self.scene().removeItem(self.vb)
        self.vb = None
