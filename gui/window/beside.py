"""What other panels ask to have put side by side, and the way to see it there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot

from gui.columns import Columns
from gui.panels.sidebyside.panel import DIFFERENCES, SideBySidePanel
from gui.sidebyside import Source
from gui.window.navigation import Navigation


class Beside(QObject):
    """Hands sources to the columns and leads there."""

    def __init__(self, columns: Columns, panel: SideBySidePanel, navigation: Navigation, parent: QObject) -> None:
        super().__init__(parent)
        self._columns, self._panel, self._navigation = columns, panel, navigation

    def compare(self, sources: Sequence[Source]) -> None:
        """Show these side by side: runs, session files, points of a sweep; with none, what is there already."""
        if sources:
            self._columns.compare(sources)
        self._navigation.show_side_by_side()

    @Slot(object)
    def compare_runs(self, runs: Sequence[int]) -> None:
        """Runs of the session in the window."""
        self.compare(self._columns.runs(runs))

    @Slot(object)
    def compare_points(self, points: Sequence[Source]) -> None:
        """Of points a sweep keeps numbers and networks, and no pictures: their numbers come first."""
        self.compare(points)
        self._panel.show_page(DIFFERENCES)
