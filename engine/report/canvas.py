"""An empty figure and its axes, in the style of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(width: float = 6.4, height: float = 3.6) -> Figure:
    """An empty figure in the report's style, never registered with pyplot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"font.size": 9, "svg.fonttype": "none"}):
        return Figure(figsize=(width, height), layout="constrained")


def plain(axes: Axes) -> Axes:
    """Only the left and the lower edge, and a quiet grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e8ecef", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
