"""Adversarial trainings beside the standard one: a column each, geometry by layer before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.events import Frame
from engine.experiments.groups import OKABE_ITO
from engine.experiments.views import layer_taps
from engine.report.canvas import new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Measurement. One column a training, all from the same initial weights with the same batches. Above, the mean centred correlation of x_adv with "
    "training members of its target class (orange; grey: of the clean input), the same target for every network; in the middle, the mean rapidity of "
    "pairs of clean inputs of one class (blue) and of different classes (yellow); below, the effective rank (green). Dashed, before training. 95% bands: "
    "bootstrap over inputs, for the rank a delete-a-group jackknife. One network a training. That the attack comes less far in a hardened network is in part "
    "what hardening means."
)
ROWS = (
    ("C with target", (("adv_target", "vermillion"), ("clean_target", "grey"))),
    ("rapidity η", (("same", "blue"), ("different", "orange"))),
    ("effective rank", (("rank", "green"),)),
)


def figure(session: Session) -> Figure | None:
    """Small multiples on shared axes; None where no comparison went to its end."""
    frame = session.frame("hardening")
    return hardening_figure(frame) if frame is not None and frame.info["done"] else None


def hardening_figure(frame: Frame) -> Figure:
    """From a finished frame."""
    labels, taps = frame.info["labels"], frame.info["taps"]
    shown = layer_taps(taps)
    made = new_figure(max(4.0, 1.35 * len(labels) + 0.8), 4.8)
    grid = made.subplots(len(ROWS), len(labels), sharex=True, sharey="row", squeeze=False)
    for row, (title, quantities) in enumerate(ROWS):
        for k, label in enumerate(labels):
            axes = plain(grid[row, k])
            for name, colour in quantities:
                _curves(axes, frame, list(frame.info["quantities"]).index(name), k, shown, OKABE_ITO[colour])
            axes.axhline(0, color="#444444", linewidth=0.5)
            axes.set_xticks([0, len(shown) - 1], ["input", "logits"], fontsize=7)
            axes.tick_params(labelsize=7)
            if row == 0:
                accuracy, robust = (float(frame.arrays["accuracy"][a, k]) for a in (0, 1))
                axes.set_title(f"{label}\n{accuracy:.1%} · {robust:.1%}", fontsize=8)
        grid[row, 0].set_ylabel(title, fontsize=8)
    made.supxlabel("layer; above each column its clean and robust accuracy", fontsize=8)
    return made


def _curves(axes: Axes, frame: Frame, quantity: int, training: int, shown: list[int], colour: str) -> None:
    """After training with its band; before it dashed, where that says something (not of the clean input)."""
    x = np.arange(len(shown))
    mean, low, high = (frame.arrays[end][:, quantity, training][:, shown] for end in ("mean", "low", "high"))
    axes.plot(x, mean[1], color=colour, linewidth=1.3)
    axes.fill_between(x, low[1], high[1], color=colour, alpha=0.25, linewidth=0)
    if frame.info["quantities"][quantity] != "clean_target":
        axes.plot(x, mean[0], color=colour, linewidth=0.9, linestyle="--")
