"""Reconciliation as figures: the lock's four cases, success over layers and angles, and what entangling first would cost."""

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

KINDS = (
    ("vermillion", "fooling noise"),
    ("grey", "raw noise"),
    ("blue", "clean test image"),
    ("purple", "wrong-class lock"),
)
ORDERED = ("sky", "orange", "green", "vermillion", "blue", "purple", "ink", "violet")
LEVELS = 3
"""Of the brightest pixel of a message."""


def reconciliation(session: Session) -> Figure | None:
    """What was fed to the lock and what came out, and the share recovered at every layer beside the binomial law."""
    frame = session.frame("reconciliation")
    return None if frame is None or not frame.info["done"] else reconciliation_figure(frame)


def reconciliation_figure(frame: Frame) -> Figure:
    """Above, input and output of the four cases; below, layers on the left and added noise on the right."""
    figure = new_figure(7.6, 4.6)
    rows = figure.add_gridspec(2, 1, height_ratios=(1, 3))
    above, below = (figure.add_subfigure(rows[row]) for row in range(2))
    grid = above.subplots(1, 9)
    _picture(grid[0], frame.arrays["message"], LEVELS)
    grid[0].set_xlabel("message", fontsize=7)
    for k, case in enumerate(frame.info["cases"]):
        taken, given = grid[1 + 2 * k], grid[2 + 2 * k]
        if frame.info["is_image"]:
            _picture(taken, np.moveaxis(frame.arrays["case_input"][k], 0, -1), 1)
        else:
            taken.axis("off")
        seen = (
            f"seen as {frame.info['classes'][case['seen']]}, {case['confidence']:.0%}" if case["seen"] >= 0 else "none"
        )
        taken.set_xlabel(f"{case['name']}\n{seen}", fontsize=7)
        if case["recovered"]:
            _picture(given, frame.arrays["case_image"][k], LEVELS)
            given.set_xlabel("recovered", fontsize=7)
        else:
            _picture(given, np.full((8, 8), np.nan), LEVELS)
            given.text(3.5, 3.5, "locked", ha="center", va="center", fontsize=7, color="#5a6673")
    layers, norms = (plain(axes) for axes in below.subplots(1, 2))
    _layers(layers, frame)
    _norms(norms, frame)
    below.legend(*layers.get_legend_handles_labels(), loc="outside lower center", frameon=False, ncols=4, fontsize=8)
    return figure


def _picture(axes: Axes, image: np.ndarray, brightest: float) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=brightest, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _layers(axes: Axes, frame: Frame) -> None:
    names = [tap["name"] for tap in frame.info["taps"]]
    x = np.arange(len(names))
    for k, (colour, label) in enumerate(KINDS):
        share, low, high = (frame.arrays[name][k] for name in ("recovered", "recovered_low", "recovered_high"))
        at = x + 0.12 * (k - 1.5)
        reach = np.stack([share - low, high - share]).clip(0)
        axes.errorbar(at, share, reach, fmt="o", color=OKABE_ITO[colour], markersize=3.5, elinewidth=0.8, label=label)
        axes.plot(at, frame.arrays["predicted"][k], "_", color="#222222", markersize=6)
    axes.set_xticks(x, names, rotation=30, ha="right", fontsize=7)
    axes.set(ylabel="share recovered (dash: binomial law)", ylim=(-0.04, 1.04))


def _norms(axes: Axes, frame: Frame) -> None:
    for k, (colour, _) in enumerate(KINDS[:3]):
        x = frame.arrays["robust_norm"]
        share, low, high = (frame.arrays[name][k] for name in ("robust_share", "robust_low", "robust_high"))
        axes.plot(x, share, color=OKABE_ITO[colour], linewidth=1.3)
        axes.fill_between(x, low, high, color=OKABE_ITO[colour], alpha=0.2, linewidth=0)
        axes.plot(x, frame.arrays["robust_predicted"][k], "--", color=OKABE_ITO[colour], linewidth=0.9)
    axes.set(
        xlabel="L2 norm of added noise", ylabel=f"share recovered, {frame.info['chosen']['layer']}", ylim=(-0.04, 1.04)
    )


def curve(session: Session) -> Figure | None:
    """Success against the angle for each repetition, the binomial law, and Shannon's limit."""
    frame = session.frame("reconciliation_curve")
    return None if frame is None else curve_figure(frame)


def curve_figure(frame: Frame) -> Figure:
    """Points with their intervals on their law."""
    figure = new_figure(6.4, 3.4)
    axes = plain(figure.subplots())
    for row, repetition in enumerate(frame.arrays["repetitions"]):
        colour = OKABE_ITO[ORDERED[row % len(ORDERED)]]
        share, low, high = (frame.arrays[name][row] for name in ("measured", "low", "high"))
        reach = np.stack([share - low, high - share]).clip(0)
        axes.errorbar(frame.arrays["angle"], share, reach, fmt="o", color=colour, markersize=3, elinewidth=0.7)
        axes.plot(
            frame.arrays["fine_angle"],
            frame.arrays["law"][row],
            color=colour,
            linewidth=1.2,
            label=f"law, r = {int(repetition)}",
        )
        axes.axvline(frame.arrays["shannon"][row], color=colour, linestyle=":", linewidth=0.9)
    axes.set(xlabel="angle between features (degrees)", ylabel="share recovered", ylim=(-0.04, 1.04))
    axes.plot([], [], ":", color="#222222", linewidth=0.9, label="Shannon's limit of its rate")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, ncols=4, fontsize=8)
    return figure


def price(session: Session) -> Figure | None:
    """Genuine and impostor readings, and how many hashes are left, against the MaxLikelihood layers before hashing."""
    frame = session.frame("price")
    return None if frame is None or not frame.info["done"] else price_figure(frame)


def price_figure(frame: Frame) -> Figure:
    """One column a kind of identities that was measured."""
    measured = [s for s in range(len(frame.info["series"])) if np.isfinite(frame.arrays["genuine"][s]).any()]
    figure = new_figure(7.6, 3.4)
    layer = frame.arrays["depth"]
    for column, axes in zip(measured, np.atleast_1d(figure.subplots(1, len(measured), sharey=True)), strict=True):
        plain(axes)
        for name, colour in (("genuine", "blue"), ("impostor", "vermillion")):
            share, low, high = (frame.arrays[each][column] for each in (name, f"{name}_low", f"{name}_high"))
            axes.plot(layer, share, color=OKABE_ITO[colour], linewidth=1.3, label=f"{name} accepted")
            axes.fill_between(layer, low, high, color=OKABE_ITO[colour], alpha=0.2, linewidth=0)
            limit = frame.arrays[f"limit_{name}"][column]
            if np.isfinite(limit):
                axes.axhline(limit, color=OKABE_ITO[colour], linestyle=":", linewidth=0.9)
        left = frame.arrays["distinct"][column] / frame.info["counts"][column]
        axes.plot(layer, left, "--", color="#222222", linewidth=1.1, label="distinct hashes / identities")
        axes.set(
            xlabel="MaxLikelihood layers before hashing", title=str(frame.info["series"][column]), ylim=(-0.04, 1.04)
        )
        axes.title.set_fontsize(9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, ncols=3, fontsize=8)
    return figure
