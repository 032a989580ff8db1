"""Plots one above the other whose left axes are equally wide, so that what lies at one x stands in one line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QFontMetricsF

from gui.plots.plot import Plot


def align_left(plots: Sequence[Plot], least: float) -> None:
    """Make the left axes as wide as the longest of their numbers needs beside the name; ``least`` is in pixels."""
    theme = plots[0].theme
    metrics = QFontMetricsF(theme.font(theme.small))
    axes = [plot.getPlotItem().getAxis("left") for plot in plots]
    wide = float(least)
    for plot, axis in zip(plots, axes, strict=True):
        for spacing, ticks in axis.tickValues(*plot.getViewBox().viewRange()[1], max(1.0, axis.size().height())):
            texts = axis.tickStrings(ticks, 1.0, spacing)
            wide = max([wide, *(metrics.horizontalAdvance(text) + metrics.height() + 12 for text in texts)])
    if wide != axes[0].width():
        for axis in axes:
            axis.setWidth(wide)
