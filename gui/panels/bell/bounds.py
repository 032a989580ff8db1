"""The lines at 2, which no network exceeds, and at 2√2, which quantum pairs reach."""

from __future__ import annotations

from engine.experiments.bell_views import CLASSICAL, TSIRELSON
from gui.plots.plot import Plot
from gui.plots.points import Level
from gui.theme import Theme


class Bounds:
    """Both bounds of S on a plot, with their names; ``upright`` where S lies across."""

    def __init__(self, plot: Plot, *, named: bool = False, upright: bool = False) -> None:
        """``named`` says what the bounds are, where there is room for it."""
        near, far = ("2 (theorem)", "2√2 (quantum)") if named else ("2", "2√2")
        at = 0.94 if upright else 0.03
        self.classical = Level(plot, CLASSICAL, near, upright=upright, at=at)
        self.quantum = Level(plot, TSIRELSON, far, dash=True, upright=upright, at=at)

    def set_theme(self, theme: Theme) -> None:
        self.classical.set_colour(theme.palette["blue"])
        self.quantum.set_colour(theme.muted)
