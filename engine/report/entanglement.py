"""The geometry of a session as figures: takeover, nulls, the parts of every layer, Bell, sets of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.events import Frame
from engine.experiments.bell_views import CLASSICAL, TSIRELSON, classical, cosine
from engine.experiments.groups import GROUP_POSITION, GROUPS, OKABE_ITO, QUANTITIES, group_colours
from engine.experiments.views import layer_taps
from engine.report.canvas import logarithmic, new_figure, plain
from engine.session import Session, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONTROLS = {
    "adversarial": ("vermillion", "x_adv", "-"),
    "members": ("green", "members of the target class (ceiling)", "-"),
    "clean": ("blue", "x before the attack", "-"),
    "random": ("grey", "random perturbation, same norm", "-"),
    "initial": ("violet", "x_adv, same network at initialisation", "--"),
    "other": ("purple", "x_adv, network of another seed", "-"),
}
FALSIFIED = ("ink", "x_adv, network of random labels (falsifier)", ":")
CLEAN_PAIRS = ("same", "different")
C = [quantity.name for quantity in QUANTITIES].index("C")


def takeover(session: Session) -> Figure | None:
    """Which class x_adv resembles along the attack and across the layers, and in the end beside its controls."""
    frame = session.frame("takeover")
    if frame is None or not frame.info["done"]:
        return None
    return takeover_figure(frame, session.frame("falsifier"))


def takeover_figure(frame: Frame, falsified: Frame | None) -> Figure:
    """From a finished frame, and that of the falsifier where it was measured."""
    figure = new_figure(7.6, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    _along(left, frame)
    _controls(plain(right), frame, falsified)
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure


def _along(axes: Axes, frame: Frame) -> None:
    taps = frame.info["taps"]
    shown = layer_taps(taps)
    apart = (frame.arrays["target_mean"] - frame.arrays["true_mean"])[:, shown].T
    image = axes.imshow(apart, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", origin="lower", interpolation="nearest")
    steps = frame.arrays["step"].astype(int)
    every = max(1, len(steps) // 5)
    axes.set_xticks(range(0, len(steps), every), [str(step) for step in steps[::every]])
    axes.set_yticks(range(len(shown)), [taps[tap]["name"] for tap in shown], fontsize=8)
    axes.set(xlabel="step of the attack", title="C with target − C with true class")
    axes.title.set_fontsize(9)
    axes.figure.colorbar(image, ax=axes, shrink=0.85)


def _controls(axes: Axes, frame: Frame, falsified: Frame | None) -> None:
    taps = frame.info["taps"]
    shown = layer_taps(taps)
    x = np.arange(len(shown))
    names = list(frame.info["names"])
    for name, (colour, label, style) in CONTROLS.items():
        if name in names:
            _curve(axes, x, frame, names.index(name), shown, OKABE_ITO[colour], label, style)
    if falsified is not None and len(falsified.info["taps"]) == len(taps):
        row = list(falsified.info["names"]).index("adversarial")
        _curve(axes, x, falsified, row, shown, OKABE_ITO[FALSIFIED[0]], *FALSIFIED[1:])
    axes.axhline(0, color="#444444", linewidth=0.7)
    axes.set_xticks(x, [taps[tap]["name"] for tap in shown], rotation=30, ha="right", fontsize=8)
    axes.set(ylabel="C with the target class, centred", title="in the end, all attacked inputs", ylim=(None, 1.02))
    axes.title.set_fontsize(9)


def _curve(
    axes: Axes, x: np.ndarray, frame: Frame, row: int, shown: list[int], colour: str, label: str, style: str
) -> None:
    mean, low, high = (frame.arrays[f"all_{end}"][row, shown] for end in ("mean", "low", "high"))
    axes.plot(x, mean, style, color=colour, linewidth=1.3, label=label)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def null(session: Session) -> Figure | None:
    """Pairs of clean inputs in the trained network beside the band of networks that have learnt nothing."""
    frame = session.frame("null")
    if frame is None:
        return None
    measured = session.frame("repeats")
    return null_figure(frame, measured)


def null_figure(frame: Frame, repeats: Frame | None) -> Figure:
    """Left features centred, right as they are; with networks trained from several seeds where they were measured."""
    taps = frame.info["taps"]
    shown = layer_taps(taps)
    x = np.arange(len(shown))
    colours = group_colours()
    figure = new_figure(7.6, 3.6)
    for view, axes in enumerate(figure.subplots(1, 2)):
        plain(axes)
        for name in CLEAN_PAIRS:
            g, colour = GROUP_POSITION[name], colours[name]
            label = GROUPS[g].label
            at = view, C, g
            low, high, mean, theory = (frame.arrays[each][at][shown] for each in ("low", "high", "mean", "theory"))
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(x, mean, "--", color=colour, linewidth=1.2, label=f"{label}: untrained, with 95% band")
            if np.isfinite(theory).any():
                axes.plot(x, theory, ":", color="#222222", linewidth=1.4)
            if repeats is not None and len(repeats.info["taps"]) == len(taps):
                trained, below, above = (repeats.arrays[end][at][shown] for end in ("mean", "low", "high"))
                axes.plot(x, trained, color=colour, linewidth=1.4, label=f"{label}: trained")
                axes.fill_between(x, below, above, color=colour, alpha=0.35, linewidth=0)
        axes.set_xticks(x, [taps[tap]["name"] for tap in shown], rotation=30, ha="right", fontsize=8)
        axes.set(title=("features centred", "features as they are")[view], ylabel="correlation C" if view == 0 else "")
        axes.title.set_fontsize(9)
    handles, labels = axes.get_legend_handles_labels()
    if frame.info["theory"]:
        handles.append(axes.plot([], [], ":", color="#222222", linewidth=1.4)[0])
        labels.append(f"theory ({frame.info['theory']})")
    figure.legend(handles, labels, loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure


def layers(session: Session) -> Figure | None:
    """The boost that each part of each layer gives to pairs, trained and at initialisation."""
    frame = session.frame("layers")
    return None if frame is None else layers_figure(frame)


def layers_figure(frame: Frame) -> Figure:
    """Bars with intervals over inputs; hollow at initialisation. The map to the logits is left out."""
    boost, names = frame.arrays["boost"], frame.info["layers"]
    if len(names) > 1:  # the map to the logits is another matter: its boosts would dwarf the rest
        boost, names = boost[:, :-1], names[:-1]
    parts = frame.info["parts"]
    colours = group_colours()
    figure = new_figure(7.6, 3.4)
    x = np.arange(len(names))
    for part, axes in enumerate(figure.subplots(1, len(parts), sharey=True)):
        plain(axes)
        for g, group in enumerate(frame.info["groups"]):
            colour = colours[group]
            for net, (offset, face, error) in enumerate(((-0.1, colour, colour), (0.1, "white", "#777777"))):
                mean, low, high = boost[net, :, part, g].T
                at = x + 0.42 * (g - 0.5) + offset
                reach = np.stack([mean - low, high - mean])
                axes.bar(at, mean, 0.19, color=face, edgecolor=colour, linewidth=0.8)
                axes.errorbar(at, mean, reach, fmt="none", ecolor=error, elinewidth=0.7)
        axes.axhline(0, color="#444444", linewidth=0.7)
        axes.set_xticks(x, names, rotation=30, ha="right", fontsize=8)
        axes.set_title(parts[part], fontsize=9)
        if part == 0:
            axes.set_ylabel("boost Δη, features as they are")
    for group in frame.info["groups"]:
        axes.bar([0], [0], color=colours[group], label=GROUPS[GROUP_POSITION[group]].label)
    axes.bar([0], [0], color="white", edgecolor="#777777", label="hollow: at initialisation")
    figure.legend(loc="outside lower center", frameon=False, ncols=3, fontsize=8)
    return figure


def bell(session: Session) -> Figure | None:
    """Sign correlations of pairs beside the sawtooth, and S of every layer."""
    frame = session.frame("bell")
    return None if frame is None else bell_figure(frame)


def bell_figure(frame: Frame) -> Figure:
    """Left the signs of pairs of all layers, right S with its bound, and the cosines' sum that is no S."""
    figure = new_figure(7.6, 3.4)
    left, right = (plain(axes) for axes in figure.subplots(1, 2))
    theta = frame.arrays["theta"].ravel()
    told = frame.arrays["E"].ravel()
    line = np.linspace(0, np.pi, 200)
    left.plot(theta, told, ".", color=OKABE_ITO["blue"], markersize=3, alpha=0.5, label="signs of pairs, every layer")
    left.plot(line, classical(line), color="#222222", linewidth=1.0, label="sawtooth 1 − 2θ/π")
    left.plot(line, cosine(line), "--", color="#888888", linewidth=1.0, label="cosine")
    left.set(xlabel="angle θ (rad)", ylabel="E, mean product of signs")
    rows = [row for row in frame.info["layers"] if "S" in row]
    x = np.arange(len(rows))
    s = np.array([row["S"] for row in rows])
    reach = 1.96 * np.array([row["error"] for row in rows])
    error = np.stack([reach, np.minimum(reach, CLASSICAL - s)])  # what lies above the bound cannot be
    right.errorbar(x, s, error, fmt="o", color=OKABE_ITO["blue"], markersize=4, label="S")
    algebraic = [row["algebraic"] for row in rows]
    right.plot(x, algebraic, "x", color="#888888", markersize=5, label="algebraic score of cosines, no S")
    right.axhline(CLASSICAL, color="#222222", linewidth=1.0, label="bound 2 (theorem)")
    right.axhline(TSIRELSON, color="#888888", linestyle="--", linewidth=1.0, label="2√2")
    right.set_xticks(x, [row["tap"] for row in rows], rotation=30, ha="right", fontsize=8)
    right.set(ylabel="CHSH, no row discarded", ylim=(0, 3))
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=7)
    return figure


def structure(session: Session) -> Figure | None:
    """Effective rank and the signs of neural collapse, layer by layer."""
    table = session.latest_table("structure")
    return structure_figure(table) if len(table) else None


def structure_figure(table: Table) -> Figure:
    """From the rows of the look."""
    figure = new_figure(7.6, 3.2)
    left, right = (plain(axes) for axes in figure.subplots(1, 2))
    net = table.column("net")
    for name, style in (("trained", "-"), ("initial", "--")):
        own = net == name
        x, ticks = table.column("tap_index")[own], table.column("tap")[own]
        left.plot(x, table.column("effective_rank_centred")[own], style, color=OKABE_ITO["blue"], label=name)
        nc1 = table.column("nc1")[own]
        right.plot(x, nc1, style, color=OKABE_ITO["vermillion"], label=f"NC1, {name}")
        angles = table.column("nc2_angles")[own]
        right.plot(x, angles, style, color=OKABE_ITO["green"], label=f"NC2 angles, {name}")
    for axes in (left, right):
        axes.set_xticks(x, ticks, rotation=40, ha="right", fontsize=7)
        axes.legend(frameon=False, fontsize=7)
    left.set(ylabel="effective rank exp S, centred", ylim=(0, None))
    right.set(ylabel="0 at full collapse")
    logarithmic(right)
    return figure


def all_pairs(session: Session) -> Figure | None:
    """How all pairs of the test set scatter at the input, half way and before the logits."""
    frame = session.frame("all_pairs")
    if frame is None or not frame.info["done"]:
        return None
    taps = frame.info["taps"]
    outputs = layer_taps(taps)
    chosen = list(dict.fromkeys([outputs[0], outputs[len(outputs) // 2], outputs[-2 if len(outputs) > 2 else -1]]))
    histogram = frame.arrays["histogram"][0]  # centred
    edges = np.linspace(-1, 1, histogram.shape[-1] + 1)
    colours = group_colours()
    figure = new_figure(7.6, 2.9)
    for axes, tap in zip(np.atleast_1d(figure.subplots(1, len(chosen))), chosen, strict=True):
        plain(axes)
        for g, name in enumerate(frame.info["groups"]):
            count = int(histogram[tap, g].sum())
            density = histogram[tap, g] / max(1, count) / (edges[1] - edges[0])
            label = f"{GROUPS[GROUP_POSITION[name]].label} ({count:,})"
            axes.stairs(density, edges, color=colours[name], fill=True, alpha=0.45, label=label)
        axes.set(xlabel="C, centred", ylabel="density" if tap == chosen[0] else "", xlim=(-1, 1), yticks=[])
        axes.set_title(taps[tap]["name"], fontsize=9)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure
