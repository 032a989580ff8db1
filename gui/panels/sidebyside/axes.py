"""Plots at the same place of panels of one class share a range."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from gui.plots.linked import LinkedPlots
from gui.plots.plot import Plot


class SharedAxes(QObject):
    """The links between the plots of several panels."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._links: list[LinkedPlots] = []

    def share(self, panels: Sequence[QWidget]) -> None:
        """Link the plots of these panels, and no others; none leaves each by what it draws. Links that are right stay."""
        each = [plots_of(panel) for panel in panels]
        wanted = []
        for place in dict.fromkeys(place for plots in each for place in plots):
            together = [plots[place] for plots in each if place in plots]
            if len(together) > 1:
                wanted.append(together)
        for links in [links for links in self._links if links.plots not in wanted]:
            self._links.remove(links)
            links.dissolve()
            links.deleteLater()
        there = [links.plots for links in self._links]
        self._links += [LinkedPlots(together, self) for together in wanted if together not in there]


def plots_of(panel: QWidget) -> dict[tuple[str, str, int], Plot]:
    """The plots of a panel by kind, name and which of those of that name: the same place in panels of one class."""
    found: dict[tuple[str, str, int], Plot] = {}
    for plot in panel.findChildren(Plot):
        name = type(plot).__name__, plot.accessibleName()
        number = sum(place[:2] == name for place in found)
        found[*name, number] = plot
    return found
