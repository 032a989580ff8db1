"""The report's figures, drawn from a session without a display. One function a figure; each returns None if there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from engine.experiments.groups import GROUPS, group_colours
from engine.experiments.views import layer_taps, square, world_lines
from engine.report import attacks, complexity, entanglement, hardening, noise, reconcile, robustness
from engine.report.canvas import logarithmic, new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROFILE_GROUPS = {group.name: group.label for group in GROUPS}
SHOWN = ("target_members", "adv_target", "clean_target", "random_target")
BEFORE_ATTACK = ("same", "different")


def training(session: Session) -> Figure | None:
    """Loss of every step with its running mean, and accuracy of every epoch."""
    steps, epochs = session.latest_table("steps"), session.latest_table("epochs")
    if not len(steps):
        return None
    figure = new_figure(6.4, 3.0)
    left, right = (plain(axes) for axes in figure.subplots(1, 2))
    step, loss = steps.column("step"), steps.column("loss")
    left.plot(step, loss, color="#c4cdd5", linewidth=0.6, label="each step")
    window = max(1, len(loss) // 50)
    if window > 1:
        smooth = np.convolve(loss, np.ones(window) / window, mode="valid")
        left.plot(step[window - 1 :], smooth, color="#0072b2", linewidth=1.2, label=f"mean of {window}")
    left.set(xlabel="step", ylabel="training loss (cross-entropy)")
    logarithmic(left)
    left.legend(frameon=False)
    if len(epochs):
        epoch = epochs.column("epoch")
        right.plot(epoch, epochs.column("train_accuracy"), color="#0072b2", marker=".", label="training, running mean")
        right.plot(epoch, epochs.column("test_accuracy"), color="#d55e00", marker=".", label="test")
        if "robust_accuracy" in epochs.columns:
            robust, low, high = (epochs.column(f"robust_{end}") for end in ("accuracy", "low", "high"))
            known = np.isfinite(robust)
            right.plot(epoch[known], robust[known], color="#cc79a7", marker=".", label="test, under PGD")
            right.fill_between(epoch[known], low[known], high[known], color="#cc79a7", alpha=0.25, linewidth=0)
        right.set(xlabel="epoch", ylabel="accuracy")
        right.legend(frameon=False)
    return figure


def profile(session: Session, quantity: str = "C", view: int = 0) -> Figure | None:
    """Mean of a quantity for each group of pairs against the layer, 95% bands, initialisation dashed."""
    frame = session.frame("profile")
    if frame is None:
        return None
    taps = frame.info["taps"]
    outputs = layer_taps(taps)
    q = [item["name"] for item in frame.info["quantities"]].index(quantity)
    mean, low, high = (frame.arrays[name][:, view, q] for name in ("mean", "low", "high"))
    names = [group["name"] for group in frame.info["groups"]]
    shown = [g for g in SHOWN if np.isfinite(mean[0, names.index(g)]).any()] or list(BEFORE_ATTACK)
    figure = new_figure(6.8, 3.8)
    axes = plain(figure.subplots())
    colours = group_colours()
    x = np.arange(len(outputs))
    for name in shown:
        g = names.index(name)
        n = int(frame.arrays["count"][g])
        label = f"{frame.info['groups'][g]['label']}  (n = {n})"
        axes.plot(x, mean[0, g, outputs], color=colours[name], linewidth=1.4, label=label)
        axes.fill_between(x, low[0, g, outputs], high[0, g, outputs], color=colours[name], alpha=0.25, linewidth=0)
        axes.plot(x, mean[1, g, outputs], color=colours[name], linewidth=1.0, linestyle="--")
    axes.plot([], [], color="#666666", linestyle="--", linewidth=1.0, label="the same at initialisation")
    axes.set_xticks(x, [taps[t]["name"] for t in outputs], rotation=30, ha="right")
    axes.set(xlabel="layer output", ylabel=frame.info["quantities"][q]["label"])
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure


def matrices(session: Session) -> Figure | None:
    """Centred correlation matrices of the probe samples at the input, half way and before the logits."""
    frame = session.frame("matrix/clean")
    if frame is None:
        return None
    taps = frame.info["taps"]
    outputs = layer_taps(taps)
    chosen = [outputs[0], outputs[len(outputs) // 2], outputs[-2 if len(outputs) > 2 else -1]]
    figure = new_figure(7.0, 2.7)
    panels = figure.subplots(1, len(chosen))
    labels = frame.arrays["label"]
    edges = np.flatnonzero(np.diff(labels)) + 0.5
    centres = [float(np.flatnonzero(labels == k).mean()) for k in np.unique(labels)]
    for axes, tap in zip(panels, chosen, strict=True):
        image = axes.imshow(square(frame, tap, 0), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        for edge in edges:
            axes.axhline(edge, color="#00000022", linewidth=0.4)
            axes.axvline(edge, color="#00000022", linewidth=0.4)
        ticks = [frame.info["classes"][int(k)] for k in np.unique(labels)]
        axes.set_xticks(centres, ticks, fontsize=6)
        axes.set_yticks(centres, ticks, fontsize=6)
        axes.set_title(taps[tap]["name"], fontsize=9)
        axes.tick_params(length=0)
    figure.colorbar(image, ax=panels, label="correlation C, centred", shrink=0.85)
    return figure


def spacetime(session: Session) -> Figure | None:
    """World lines of pairs in the cone |X| <= l."""
    frame = session.frame("pairs")
    if frame is None:
        return None
    x, depth = world_lines(frame.arrays["eta"][0], frame.info["taps"])
    figure = new_figure(4.8, 4.2)
    axes = plain(figure.subplots())
    colours = group_colours()
    for g, group in enumerate(GROUPS):
        lines = x[frame.arrays["group"] == g]
        for k, line in enumerate(lines):
            label = group.label if k == 0 else None
            axes.plot(line, depth, color=colours[group.name], linewidth=0.7, alpha=0.8, label=label)
    top = depth[-1]
    axes.plot([-top, 0, top], [top, 0, top], color="#444444", linestyle="--", linewidth=0.9, label="light cone |C| = 1")
    axes.set(xlabel="X = C₁ + … + C_l", ylabel="depth (layer)")
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure


def gallery(session: Session) -> Figure | None:
    """Attacked samples: clean, perturbation, adversarial, with what the network thinks of each."""
    frame = session.frame("gallery")
    if frame is None or frame.arrays["x"].ndim != 4:
        return None
    n = min(8, len(frame.arrays["y"]))
    clean, adv = (np.moveaxis(frame.arrays[name][:n], 1, -1) for name in ("x", "x_adv"))
    delta = adv - clean
    scale = float(np.abs(delta).max()) or 1.0
    figure = new_figure(7.0, 3.1)
    grid = figure.subplots(3, n, squeeze=False)
    classes = frame.info["classes"]
    for k in range(n):
        for row, picture, options in (
            (0, clean[k], {"cmap": "gray", "vmin": 0, "vmax": 1}),
            (1, delta[k].mean(-1, keepdims=True), {"cmap": "RdBu_r", "vmin": -scale, "vmax": scale}),
            (2, adv[k], {"cmap": "gray", "vmin": 0, "vmax": 1}),
        ):
            axes = grid[row, k]
            axes.imshow(picture, interpolation="nearest", **options)
            axes.set_xticks([])
            axes.set_yticks([])
        clean_text = f"{classes[frame.arrays['clean_prediction'][k]]} · {frame.arrays['clean_confidence'][k]:.0%}"
        adv_text = f"{classes[frame.arrays['prediction'][k]]} · {frame.arrays['confidence'][k]:.0%}"
        grid[0, k].set_xlabel(clean_text, fontsize=8)
        colour = "#d55e00" if frame.arrays["success"][k] else "#444444"
        grid[2, k].set_xlabel(adv_text, fontsize=8, color=colour)
    for row, text in enumerate(("clean", f"perturbation\n(±{scale:.2g})", "adversarial")):
        grid[row, 0].set_ylabel(text, fontsize=8)
    return figure


FIGURES: dict[str, tuple[str, Callable[[Session], Figure | None]]] = {
    "training": ("Training", training),
    "gallery": ("Attacked samples", gallery),
    "attacks": ("Attack results", attacks.results),
    "decision_map": ("Decision map", attacks.decision_map),
    "class_matrix": ("Class matrix", attacks.class_matrix),
    "robustness": ("Robust accuracy against eps", robustness.figure),
    "profile": ("Entanglement profile", profile),
    "matrices": ("Correlation matrices", matrices),
    "spacetime": ("Spacetime diagram", spacetime),
    "takeover": ("Adversarial takeover", entanglement.takeover),
    "all_pairs": ("All pairs of the test set", entanglement.all_pairs),
    "null": ("Pairs beside their null", entanglement.null),
    "layers": ("The parts of every layer", entanglement.layers),
    "bell": ("Signs and the CHSH protocol", entanglement.bell),
    "structure": ("Sets of features", entanglement.structure),
    "complexity": ("Complexity and boost", complexity.complexity),
    "hardening": ("Adversarial training", hardening.figure),
    "max_likelihood": ("Noise and the MaxLikelihood network", noise.max_likelihood),
    "noise_descent": ("The same by gradient descent", noise.noise_descent),
    "reconciliation": ("Reconciliation", reconcile.reconciliation),
    "reconciliation_curve": ("Reconciliation against the angle", reconcile.curve),
    "price": ("The price of entangling first", reconcile.price),
}
