"""Robust accuracy against eps and the norms that break samples, as a figure; points and signs of masked gradients as tables."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.events import Frame
from engine.experiments.groups import OKABE_ITO
from engine.experiments.robustness.curves import MINIMAL, NOISE, Band, cdf, from_norms
from engine.report.canvas import new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Measurement. Left, a curve an attack: the share of samples that are seen rightly and not broken within eps or less, 95% Wilson bands; thick, what "
    "nothing tried has broken; dashed, clean accuracy; dotted, random noise of that size. Of several networks only the worst cases are drawn. Right, of "
    "samples seen rightly, the share broken by a perturbation no larger than a norm, found by FMN; 95% band of the whole curve. Attacks bound robustness "
    "from above. One network a training."
)
ATTACKS = {
    "noise": "grey",
    "fgsm": "sky",
    "pgd": "blue",
    "apgd": "green",
    "minimal": "orange",
    "square": "purple",
    "transferred": "vermillion",
}
NETWORKS = ("blue", "vermillion", "green", "orange", "purple", "sky", "grey")
INK = "#222222"


def figure(session: Session) -> Figure | None:
    """Curves and norms; None where nothing went to its end."""
    frame = session.frame("robustness")
    return robustness_figure(frame) if frame is not None and frame.info["done"] else None


def robustness_figure(frame: Frame) -> Figure:
    """From a finished frame."""
    made = new_figure(7.0, 3.6)
    left, right = (plain(axes) for axes in made.subplots(1, 2))
    if len(frame.info["networks"]) == 1:
        draw_attacks(left, frame, 0)
    else:
        draw_networks(left, frame)
    draw_norms(right, frame)
    made.legend(*_legend(left, right), loc="outside lower center", frameon=False, ncols=4, fontsize=7.5)
    return made


def draw_attacks(axes: Axes, frame: Frame, network: int) -> None:
    """Every attack on one network, and the worst case."""
    arrays, eps = frame.arrays, frame.arrays["eps"]
    for a, attack in enumerate(frame.info["attacks"]):
        name, colour = attack["name"], OKABE_ITO[ATTACKS[attack["name"]]]
        x, found = eps, [arrays[end][network, a] for end in ("robust", "low", "high")]
        whole = name == MINIMAL
        if whole:
            x, band = from_norms(arrays["norm"][network])
            inside = x <= eps[-1]
            x, band = x[inside], Band(band.share[inside], band.low[inside], band.high[inside])
            x, found = np.append(x, eps[-1]), [np.append(v, v[-1]) for v in (band.share, band.low, band.high)]
        style = {
            "linestyle": ":" if name == NOISE else "-",
            "color": colour,
            "linewidth": 1.1,
            "label": attack["label"],
        }
        axes.plot(x, found[0], drawstyle="steps-post" if whole else "default", **style)
        axes.fill_between(x, found[1], found[2], step="post" if whole else None, color=colour, alpha=0.14, linewidth=0)
    axes.plot(eps, arrays["worst"][network], color=INK, linewidth=2.0, label="worst case")
    axes.axhline(float(arrays["clean"][network]), color="#666666", linestyle="--", linewidth=0.9)
    _name(axes, frame)


def draw_networks(axes: Axes, frame: Frame) -> None:
    """The worst case of every network."""
    arrays, eps = frame.arrays, frame.arrays["eps"]
    for k, network in enumerate(frame.info["networks"]):
        colour = OKABE_ITO[NETWORKS[k % len(NETWORKS)]]
        axes.plot(eps, arrays["worst"][k], color=colour, linewidth=1.4, label=network["label"])
        axes.fill_between(eps, arrays["worst_low"][k], arrays["worst_high"][k], color=colour, alpha=0.16, linewidth=0)
        axes.axhline(float(arrays["clean"][k]), color=colour, linestyle="--", linewidth=0.7)
    _name(axes, frame)


def draw_norms(axes: Axes, frame: Frame) -> None:
    """How large the smallest perturbations found are."""
    for k, network in enumerate(frame.info["networks"]):
        norms = np.asarray(frame.arrays["norm"][k], float)[np.asarray(frame.arrays["right"][k], bool)]
        if not len(norms) or np.isnan(norms).any():
            continue
        values, share, half = cdf(norms)
        if not len(values):
            continue
        x, y = np.append([0.0], values), np.append([0.0], share)
        colour = OKABE_ITO[NETWORKS[k % len(NETWORKS)]]
        axes.step(x, y, where="post", color=colour, linewidth=1.2, label=f"{network['label']}: norms")
        axes.fill_between(
            x, np.clip(y - half, 0, 1), np.clip(y + half, 0, 1), step="post", color=colour, alpha=0.16, linewidth=0
        )
        middle = float(frame.arrays["median"][k, 0, 0])
        if math.isfinite(middle):
            axes.axvline(middle, color=colour, linestyle=":", linewidth=0.9)
    axes.set(xlabel=f"‖x_adv − x‖{_sign(frame)} (input units)", ylabel="share broken", ylim=(-0.02, 1.02))


def _name(axes: Axes, frame: Frame) -> None:
    axes.set(xlabel=f"eps{_sign(frame)} (input units)", ylabel="robust accuracy (share)", ylim=(-0.02, 1.02))


def _sign(frame: Frame) -> str:
    return ", L∞" if frame.info["norm"] == "Linf" else ", L2"


def _legend(*all_axes: Axes) -> tuple[list[Any], list[Any]]:
    found = [axes.get_legend_handles_labels() for axes in all_axes]
    return [h for handles, _ in found for h in handles], [name for _, names in found for name in names]


def table(session: Session) -> str:
    """Robust accuracy of every attack at every budget, the gap of the worst case, and every sign; "" where nothing was measured."""
    frame = session.frame("robustness")
    if frame is None or not frame.info["done"]:
        return ""
    arrays = frame.arrays
    head = "".join(f"<th>{eps:.3g}" for eps in arrays["eps"])
    rows = ""
    for k, network in enumerate(frame.info["networks"]):
        label = html.escape(network["label"])
        for a, attack in enumerate(frame.info["attacks"]):
            rows += f"<tr><td>{label}<td>{html.escape(attack['label'])}" + _cells(
                arrays, ("robust", "low", "high"), (k, a)
            )
        rows += f"<tr><td>{label}<td><b>worst case</b>" + _cells(arrays, ("worst", "worst_low", "worst_high"), (k,))
        rows += f"<tr><td>{label}<td>less than the best attack by" + _cells(
            arrays, ("gap", "gap_low", "gap_high"), (k,)
        )
    signs = "".join(
        f"<tr><td>{html.escape(network['label'])}<td>{html.escape(sign['title'])}<td>{_raised(sign['raised'])}"
        f"<td>{html.escape(sign['reason'])}<br><small>{html.escape(sign['advice']) if sign['raised'] else ''}</small>"
        for network, found in zip(frame.info["networks"], frame.info["signs"], strict=True)
        for sign in found
    )
    return (
        f"<h2>Robust accuracy against eps</h2><p>In %, of {frame.info['samples']:,} samples, with 95% Wilson intervals; the gap of the worst case to the "
        "attack that leaves least, with Newcombe's 95% interval on the same samples.</p><div class=wide><table><tr><th>network<th>attack"
        f"{head}{rows}</table></div><h2>Signs of masked gradients</h2><p>One that is not raised is no proof of robustness.</p>"
        f"<table><tr><th>network<th>sign<th>raised<th>what was measured{signs}</table>"
    )


def _cells(arrays: Any, ends: tuple[str, str, str], at: tuple[int, ...]) -> str:
    value, low, high = (np.asarray(arrays[end], float)[at] * 100 for end in ends)
    return "".join(f"<td class=n>{v:.1f} [{a:.1f}, {b:.1f}]" for v, a, b in zip(value, low, high, strict=True))


def _raised(raised: bool | None) -> str:
    return "not looked for" if raised is None else "<b>yes</b>" if raised else "no"
