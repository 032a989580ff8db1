"""The attacks of a session as figures and as a table: robustness, norms, a decision map, a class matrix."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import numpy as np

from engine.experiments.attack_results import (
    NORMS,
    AttackRun,
    bins,
    budgets,
    robustness,
    summary,
    together,
    worst_case,
)
from engine.experiments.attack_session import read_attacks
from engine.experiments.groups import OKABE_ITO
from engine.experiments.rates import Interval, share
from engine.report.canvas import new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("blue", "vermillion", "green", "orange", "purple", "sky")  # of attacks, the latest first
CLASSES = ("sky", "vermillion", "green", "purple", "orange", "blue", "yellow", "grey", "violet", "ink")


def latest(session: Session) -> list[AttackRun]:
    """The attacks on the network that was attacked last, latest first, and no more than can be told apart."""
    _, runs = read_attacks(session)
    same = [run for run in reversed(runs) if run.network == runs[-1].network]
    return same[: len(COLOURS)]


def results(session: Session) -> Figure | None:
    """Robustness of the network attacked last against each attack, and the norms of the perturbations found."""
    runs = latest(session)
    if not runs:
        return None
    norm = runs[0].norm
    figure = new_figure(7.0, 3.4)
    left, right = (plain(axes) for axes in figure.subplots(1, 2))
    colours = [OKABE_ITO[name] for name in COLOURS]
    edges = bins([run.norms[norm][run.found] for run in runs if norm in run.norms])
    curves = {run.run: robustness(run, norm) for run in runs if run.minimal and norm in run.norms}
    ends = [float(curve.eps[-1]) for curve in curves.values()]
    at = {run.run: reach(run) for run in runs if not run.minimal and run.norm == norm}
    ends += at.values()
    top = (max(ends, default=1.0) or 1.0) * 1.05
    for run, colour in zip(runs, colours, strict=False):
        label = f"{run.label} (n = {len(run)})"
        curve = curves.get(run.run)
        if curve is not None:
            x = np.append(curve.eps, top)
            held, low, high = (np.append(v, v[-1]) for v in (curve.share, curve.low, curve.high))
            left.step(x, held, where="post", color=colour, linewidth=1.2, label=label)
            left.fill_between(x, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        elif run.run in at:
            held_at = share(int(run.failed.sum()), len(run))
            whisker = [[held_at.value - held_at.low], [held_at.high - held_at.value]]
            left.errorbar(
                [at[run.run]], [held_at.value], yerr=whisker, fmt="o", color=colour, markersize=4, label=label
            )
            if run.random is not None:
                moved = share(int((~run.random & ~run.invalid).sum()), len(run))
                left.plot([at[run.run]], [moved.value], "o", color=colour, markersize=4, markerfacecolor="white")
        else:  # what it made small or kept within is another norm
            left.plot([], [], color=colour, linewidth=1.2, label=f"{label}, right only")
        if norm in run.norms:
            right.hist(run.norms[norm][run.found], edges.tolist(), histtype="step", color=colour, linewidth=1.2)
    left.axhline(float(runs[0].clean.mean()), color="#666666", linestyle="--", linewidth=0.9, label="clean accuracy")
    unit = "values changed" if norm == "L0" else "input units"
    left.set(xlabel=f"ε, {NORMS[norm]} ({unit})", ylabel="share not broken", ylim=(-0.02, 1.02), xlim=(0, top))
    right.set(xlabel=f"‖x_adv − x‖, {NORMS[norm]} ({unit})", ylabel="samples broken")
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    return figure


def reach(run: AttackRun) -> float:
    """How far an attack of a fixed budget went at most in its own norm: ε, or the most values that pixels or a patch changed."""
    if run.eps is not None:
        return run.eps
    sizes = run.norms.get(run.norm, np.empty(0))
    return float(np.nanmax(sizes, initial=0.0))


def decision_map(session: Session) -> Figure | None:
    """The latest decision map: regions, the edge of the true class, the ball and the three points."""
    frame = session.frame("decision_map")
    if frame is None:
        return None
    arrays, info = frame.arrays, frame.info
    figure = new_figure(5.2, 4.4)
    axes = figure.subplots()
    low_a, high_a, low_b, high_b = (float(v) for v in arrays["extent"])
    axes.imshow(_regions(arrays["prediction"], arrays["margin"]), origin="lower", extent=(low_a, high_a, low_b, high_b))
    a, b = (np.linspace(low, high, len(arrays["margin"])) for low, high in ((low_a, high_a), (low_b, high_b)))
    if float(arrays["margin"].min()) < 0 < float(arrays["margin"].max()):
        axes.contour(a, b, arrays["margin"], levels=[0.0], colors="#111111", linewidths=1.2)
    for name, style in (("ball", "--"), ("box", ":")):
        if name in arrays:
            axes.plot(*arrays[name].T, color="#111111", linestyle=style, linewidth=1.0)
    third = f"sample {info['third_index']}" if info["third_index"] >= 0 else "random direction"
    for k, (marker, name) in enumerate((("o", "x"), ("D", "x_adv"), ("s", third))):
        axes.plot(*arrays["points"][k], marker, color="#111111", markeredgecolor="white", markersize=6, label=name)
    seen = [int(k) for k in np.unique(arrays["prediction"]) if k >= 0]
    for k in seen:
        axes.plot([], [], "s", color=_class_colour(k), label=f"seen as {info['classes'][k]}")
    across, up = info.get("axes") or ("x_adv", third)
    axes.set(
        xlim=(low_a, high_a), ylim=(low_b, high_b), xlabel=f"to {across} (L2, input units)", ylabel=f"to {up} (L2)"
    )
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def class_matrix(session: Session) -> Figure | None:
    """The latest class matrix: share of samples of each class driven to each other, with the counts."""
    frame = session.frame("class_matrix")
    if frame is None:
        return None
    success, count = (frame.arrays[name].astype(float) for name in ("success", "count"))
    shares = np.where(count > 0, success / np.maximum(count, 1), np.nan)
    classes = [str(name) for name in frame.info["classes"]]
    figure = new_figure(5.0, 4.2)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
    if len(classes) <= 20:
        for row, column in np.argwhere(count > 0):
            colour = "#111111" if shares[row, column] > 0.55 else "#f5f5f5"
            text = f"{int(success[row, column])}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(classes)), classes, fontsize=7)
    axes.set_yticks(range(len(classes)), classes, fontsize=7)
    axes.tick_params(length=0)
    axes.set(xlabel="target class", ylabel="true class")
    figure.colorbar(image, ax=axes, label="share driven to the target", shrink=0.85)
    return figure


def table(session: Session) -> str:
    """Every attack of the session with its intervals, as HTML, and the worst case over all of them; "" where none was made."""
    _, runs = read_attacks(session)
    if not runs:
        return ""
    head = "".join(
        f"<th>{name}"
        for name in (
            "attack",
            "samples",
            "robust accuracy",
            "success",
            "budget or median norm",
            "8-bit",
            "forwards",
            "gradients",
        )
    )
    rows = "".join(_row(run) for run in runs)
    return (
        "<h2>Attacks</h2><p>Shares with 95% Wilson intervals, of attacks for the smallest norm the median with a 95% bootstrap interval (samples "
        "not broken count as infinite); 8-bit is the share of the successes that survive rounding to 256 levels; forwards and gradients are means a "
        f"sample, with its share of what a universal perturbation or a patch was fitted by. An attack without a budget has no robust accuracy.</p><table><tr>{head}{rows}</table>{_worst(runs)}"
    )


def _row(run: AttackRun) -> str:
    found = summary(run)
    robust = _percent(found.robust) if run.bounds_accuracy else "–"
    cells = [
        f"{found.n:,}" + (f" ({found.invalid:,} without an answer)" if found.invalid else ""),
        robust,
        _percent(found.success),
        _size(found.median) if run.minimal else html.escape(run.budget) or "–",
        _percent(found.survives),
        f"{found.forwards:,.1f}",
        f"{found.gradients:,.1f}",
    ]
    return f"<tr><td>{html.escape(run.label)}" + "".join(f"<td class=n>{cell}" for cell in cells)


def _worst(runs: list[AttackRun]) -> str:
    """The worst cases over the attacks on the samples attacked last."""
    group = together(runs[-1], runs)
    lines = []
    for norm, eps in budgets(group):
        worst = worst_case(runs[-1], group, norm, eps)
        lines.append(
            f"{NORMS[norm]} ≤ {eps:g}: robust accuracy {_percent(worst.robust)} of {worst.n:,} samples over "
            f"{len(worst.runs)} attack{'s' if len(worst.runs) > 1 else ''} (runs {', '.join(map(str, worst.runs))})"
        )
    return f"<p>Worst case over all attacks on the same network and samples: {'; '.join(lines)}.</p>" if lines else ""


def _percent(found: Interval) -> str:
    return "–" if math.isnan(found.value) else f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _size(found: Interval) -> str:
    if math.isnan(found.value):
        return "–"
    low, middle, high = (f"{v:.3g}" if math.isfinite(v) else "∞" for v in (found.low, found.value, found.high))
    return f"{middle} [{low}, {high}]"


def _class_colour(k: int) -> str:
    return OKABE_ITO[CLASSES[k % len(CLASSES)]]


def _regions(prediction: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Pixels [G, G, 3] in [0, 1]: the colour of the class seen, paler near the edge of the true class."""
    colours = np.array([[int(_class_colour(k)[c : c + 2], 16) / 255 for c in (1, 3, 5)] for k in range(len(CLASSES))])
    away = np.abs(np.nan_to_num(margin.astype(float)))
    scale = float(np.quantile(away, 0.9)) or 1.0
    strength = 0.22 + 0.58 * np.sqrt(np.clip(away / scale, 0, 1))
    pixels: np.ndarray = 1 + strength[..., None] * (colours[prediction % len(CLASSES)] - 1)
    pixels[prediction < 0] = 0.5
    return pixels
