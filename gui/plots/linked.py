"""Plots of the same thing from several sources: one range that covers them all, and one zoom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject

from gui.plots.plot import Plot


class LinkedPlots(QObject):
    """Gives plots a home that holds what each of them draws, and does to all what a person does to one.

    Ranges are mirrored in data units rather than by pyqtgraph's own links, which line views up by their pixels.
    """

    def __init__(self, plots: Sequence[Plot], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._plots = list(plots)
        self._busy = False
        self._calls = []
        for plot in self._plots:
            for signal, call in (
                (plot.home_changed, self.share),
                (plot.held, partial(self._on_held, plot)),
                (plot.homed, partial(self._on_homed, plot)),
            ):
                signal.connect(call)
                self._calls.append((signal, call))
        self.share()

    @property
    def plots(self) -> list[Plot]:
        """What is linked, from left to right."""
        return list(self._plots)

    def share(self) -> None:
        """Take the range that covers every plot's own as the home of all."""
        homes = [plot.own_home for plot in self._plots if plot.own_home is not None]
        if not homes:
            return
        x, y = ((min(h[axis][0] for h in homes), max(h[axis][1] for h in homes)) for axis in (0, 1))
        for plot in self._plots:
            if plot.own_home is not None:
                plot.set_common((x, y))

    def dissolve(self) -> None:
        """Let each go its own way."""
        for signal, call in self._calls:
            signal.disconnect(call)
        self._calls = []
        for plot in self._plots:
            plot.set_common(None)

    def _on_held(self, plot: Plot) -> None:
        if self._busy:
            return
        self._busy = True
        x, y = plot.getViewBox().viewRange()
        for other in self._plots:
            if other is not plot:
                other.show_range((x[0], x[1]), (y[0], y[1]))
                other.held.emit()  # so that a second plot of its panel stays with it
        self._busy = False

    def _on_homed(self, plot: Plot) -> None:
        if self._busy:
            return
        self._busy = True
        for other in self._plots:
            if other is not plot:
                other.home()
        self._busy = False
