"""Linear networks on noise as figures: the MaxLikelihood network (a reconstruction), and gradient descent beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.events import Frame
from engine.experiments.groups import OKABE_ITO
from engine.report.canvas import new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION, GREEN = (OKABE_ITO[name] for name in ("blue", "vermillion", "green"))
LOSSES = (
    ("train_loss", BLUE, "training samples"),
    ("unseen_loss", VERMILLION, "unseen samples"),
    ("blind_loss", GREEN, "unseen, sign-blind"),
)
WIDTHS = (1.2, 2.4, 1.0)
"""Of the lines of these losses: where the last two are equal both are seen."""
FLOOR = 1e-32
"""The least that a logarithmic axis shows of a loss."""
AS_THEY_ARE, CENTRED = 0, 1


def max_likelihood(session: Session) -> Figure | None:
    """World lines, losses and boosts of the MaxLikelihood network, layer by layer."""
    frame = session.frame("max_likelihood")
    return None if frame is None or not frame.info["done"] else max_likelihood_figure(frame)


def max_likelihood_figure(frame: Frame) -> Figure:
    """From a finished frame: samples as they are, and dotted the control with their mean subtracted."""
    figure = new_figure(7.6, 3.9)
    lines, losses, boosts = (plain(axes) for axes in figure.subplots(1, 3))
    _world_lines(lines, frame)
    for series, style in ((AS_THEY_ARE, "-"), (CENTRED, ":")):
        _losses(losses, np.arange(frame.arrays["train_loss"].shape[1]), frame, series, style)
    losses.set(xlabel="layer", ylabel="loss (1 − C) / 2", yscale="log", title="dotted: mean subtracted")
    _boosts(boosts, frame)
    for axes in (lines, losses, boosts):
        axes.title.set_fontsize(9)
    handles, labels = [], []
    for axes in (lines, losses, boosts):
        shown, said = axes.get_legend_handles_labels()
        handles += shown
        labels += said
    figure.legend(handles, labels, loc="outside lower center", frameon=False, ncols=3, fontsize=7.5)
    return figure


def _world_lines(axes: Axes, frame: Frame) -> None:
    depth = frame.arrays["unseen_C"].shape[1] - 1
    layer = np.arange(depth + 1)
    for series, colour, label in (
        (CENTRED, OKABE_ITO["grey"], "unseen, mean subtracted"),
        (AS_THEY_ARE, VERMILLION, "unseen, as they are"),
    ):
        seen = frame.arrays["unseen_C"][series].copy()
        seen[0] = 0.0  # X begins at 0 whatever the input's own C
        x = np.cumsum(seen, axis=0)
        for k, line in enumerate(x.T):
            axes.plot(line, layer, color=colour, linewidth=0.6, alpha=0.6, label=label if k == 0 else None)
    axes.plot([-depth, 0, depth], [depth, 0, depth], "--", color="#444444", linewidth=0.9)
    axes.set(xlabel="X = C₁ + … + C_l with the shared point", ylabel="layer", title="world lines in their cone")


def _losses(axes: Axes, x: np.ndarray, frame: Frame, at: int, style: str) -> None:
    """Each loss with its band, no lower than the axis shows."""
    for (name, colour, label), width in zip(LOSSES, WIDTHS, strict=True):
        mean, low, high = (frame.arrays[each][at] for each in (name, f"{name}_low", f"{name}_high"))
        shown = label if style == "-" else None
        axes.plot(x, np.maximum(mean, FLOOR), style, color=colour, linewidth=width, label=shown)
        axes.fill_between(x, np.maximum(low, FLOOR), np.maximum(high, FLOOR), color=colour, alpha=0.18, linewidth=0)


def _boosts(axes: Axes, frame: Frame) -> None:
    layer = np.arange(frame.arrays["boost"].shape[1])
    for series, colour in ((AS_THEY_ARE, BLUE), (CENTRED, OKABE_ITO["grey"])):
        boost, low, high = (frame.arrays[name][series] for name in ("boost", "boost_low", "boost_high"))
        axes.plot(layer, boost, ".-", color=colour, linewidth=1.0, label=f"boost, {frame.info['series'][series]}")
        axes.fill_between(layer, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.axhline(frame.info["law"], color="#222222", linestyle="--", linewidth=1.0, label="law ½ ln M₂(n/N)")
    axes.set(
        xlabel="layer",
        ylabel="rapidity gained",
        title=f"boost by layer, N/n = {frame.info['candidates'] / frame.info['rows']:g}",
    )


def noise_descent(session: Session) -> Figure | None:
    """Loss and accuracy of a deep linear network trained on the same noise by gradient descent."""
    frame = session.frame("noise_descent")
    return None if frame is None or not frame.info["done"] else noise_descent_figure(frame)


def noise_descent_figure(frame: Frame) -> Figure:
    """One column a task: the shared target, and random labels as its control."""
    figure = new_figure(7.6, 3.2)
    for task, axes in enumerate(figure.subplots(1, len(frame.info["tasks"]), sharey=True)):
        plain(axes)
        _losses(axes, frame.arrays["step"], frame, task, "-")
        right = ", ".join(
            f"{label} {frame.arrays[name][task, -1]:.0%}"
            for name, label in (("train_accuracy", "training"), ("unseen_accuracy", "unseen"))
        )
        axes.set(xlabel="step", yscale="log", title=f"{frame.info['tasks'][task]}\nright sign in the end: {right}")
        axes.title.set_fontsize(9)
        if task == 0:
            axes.set_ylabel("loss (1 − C) / 2")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, ncols=3, fontsize=8)
    return figure
