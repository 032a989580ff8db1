"""An empty figure and its axes, and the style in which the report's figures are drawn and saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "rapidity",
}  # text stays text, equal figures equal files


@contextmanager
def in_style() -> Iterator[None]:
    """Draw and save in here: matplotlib reads its settings at both. A person's own are as they were afterwards."""
    from matplotlib import style

    with style.context(["default", STYLE]):
        yield


def new_figure(width: float = 6.4, height: float = 3.6) -> Figure:
    """An empty figure, never registered with pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def logarithmic(axes: Axes) -> None:
    """A logarithmic height, where anything above 0 is drawn; call it when all is."""
    if any((np.asarray(line.get_ydata(), dtype=float) > 0).any() for line in axes.get_lines()):
        axes.set_yscale("log")


def plain(axes: Axes) -> Axes:
    """Only the left and the lower edge, and a quiet grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e8ecef", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
