"""Take the pictures of docs/theory.md: laws drawn by the lab's own theory, and what its networks do beside them.

``python -m docs.theory_pictures [NAME ...]`` writes docs/pictures/theory/NAME.png, all if none is named. Seeds are fixed. A dozen
small networks are drawn or trained on the way; it takes about two minutes.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import torch

from docs.theory_networks import Seen, drawn, looked
from engine.experiments.bell_views import CLASSICAL, TSIRELSON, classical, cosine
from engine.experiments.groups import OKABE_ITO
from engine.geometry import bell, readings
from engine.geometry.ceiling import ceiling
from engine.geometry.nulls import mean_field, relu
from engine.geometry.nulls.gaussian_chain import gap, gaussian_chain
from engine.geometry.transitions import doppler_boost, einstein_boost, gram_boost
from engine.report import entanglement
from engine.report.canvas import in_style, new_figure, plain
from engine.specs import LinearSpec, MlpSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "pictures" / "theory"
COLOURS = 256  # of a picture file that holds no map of colours
WIDTH = 9.0  # inches, at 100 pixels each
BLUE, VERMILLION, GREEN, ORANGE = (OKABE_ITO[name] for name in ("blue", "vermillion", "green", "orange"))
INK, QUIET = "#222222", "#9aa5b1"
STYLE = {
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#8a949e",
    "legend.fontsize": 8,
}
NETWORKS = 1000  # linear ones drawn anew; ReLU networks are fewer
START = math.acos(0.3)  # angle of the pair that is sent through them


def panels(count: int, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    """A figure and its axes side by side."""
    figure = new_figure(WIDTH, height)
    return figure, [plain(axes) for axes in np.atleast_1d(figure.subplots(1, count))]


# --- A: pairs ----------------------------------------------------------------------------------------------------------


def rapidity() -> Figure:
    """Rapidity of an angle with its ceilings, and one contraction in three conventions."""
    figure, (left, middle, right) = panels(3)
    theta = np.concatenate([np.geomspace(1e-9, 0.1, 200), np.linspace(0.1, math.pi / 2, 100)])
    eta = -np.log(np.tan(theta / 2))
    left.plot(theta, eta, color=BLUE, linewidth=1.5)
    left.axhline(
        ceiling("float32"), color=VERMILLION, linestyle="--", linewidth=1.0, label="ceiling of float32 features"
    )
    left.set(xscale="log", xlabel="angle θ (rad)", ylabel="rapidity η", title="η = −ln tan(θ/2)")
    left.legend(frameon=False)
    start = -math.log(math.tan(math.pi / 4 - 0.15))
    after = np.linspace(-1.5, 4, 200)
    for boost, label, style in (
        (gram_boost, "R: change of η", "-"),
        (doppler_boost, "D: ln(d₀/d)", "--"),
        (einstein_boost, "E: acosh(d₀/d), frames swapped", ":"),
    ):
        middle.plot(
            after, boost(start, after).rapidity, style, color=BLUE if style == "-" else INK, linewidth=1.3, label=label
        )
    middle.axvline(start, color=QUIET, linewidth=0.8)
    middle.set(
        xlabel="η after the layer",
        ylabel="rapidity of the change",
        ylim=(-2, 6.5),
        title=f"a pair that had η = {start:.2f}",
    )
    middle.legend(frameon=False, loc="upper left")
    draws = drawn(MlpSpec(depth=20, width=64, init="he", normalise="none", bias=False), START, 30, "activation")
    x = np.cumsum(np.tanh(np.concatenate([np.zeros((30, 1)), draws[:, 1:]], 1)), 1)
    depth = np.arange(x.shape[1])
    right.plot(x.T, depth, color=BLUE, linewidth=0.6, alpha=0.6)
    right.plot([-20, 0, 20], [20, 0, 20], "--", color=INK, linewidth=1.0)
    right.set(xlabel="X = C₁ + … + C_l", ylabel="layer l", title="world lines stay in the cone")
    return figure


# --- B: nulls ----------------------------------------------------------------------------------------------------------


def chain() -> Figure:
    """The exact chain and its laws, and linear networks drawn anew."""
    width, depth = 16, 64
    law = gaussian_chain([math.atanh(0.3)], [width] * depth)
    eta = drawn(
        LinearSpec(depth=depth, width=width, init="lecun", normalise="none", bias=False), START, NETWORKS, "linear"
    )
    x = np.arange(depth + 1)
    figure, (angle, gamma, pole) = panels(3)
    for axes, values, exact in (
        (angle, readings.angle(eta), law.angle[0]),
        (gamma, readings.ln_gamma(eta), law.ln_gamma[0]),
    ):
        mean, error = values.mean(0), 1.96 * values.std(0, ddof=1) / math.sqrt(NETWORKS)
        axes.plot(x, values[:12].T, color=QUIET, linewidth=0.5, alpha=0.7)
        axes.fill_between(x, mean - error, mean + error, color=BLUE, alpha=0.25, linewidth=0)
        axes.plot(x, mean, color=BLUE, linewidth=1.3, label=f"{NETWORKS} networks, mean ± 95%")
        axes.plot(x, exact, "--", color=INK, linewidth=1.2, label="exact")
        axes.set(xlabel="layer", ylim=(0, None))
        axes.legend(frameon=False, loc="upper left")
    angle.set(title="law 1: E θ is conserved", ylabel="θ (rad)", ylim=(0, math.pi + 0.9))
    gamma.set(title=f"law 2: E ln γ grows by gap({width}) = {float(gap(width)):.4f}", ylabel="ln γ", ylim=(0, 8))
    for row in eta[:60]:
        pole.plot(x, row, color=VERMILLION if row[-1] > 0 else BLUE, linewidth=0.5, alpha=0.7)
    pole.plot(x, law.low[0], "--", color=INK, linewidth=1.0, label="exact 95% band")
    pole.plot(x, law.high[0], "--", color=INK, linewidth=1.0)
    share = (eta[:, -1] > 0).mean()
    pole.set(
        xlabel="layer",
        ylabel="η",
        title=f"C > 0 in {share:.1%} of them; exact {law.positive[0, -1]:.1%}",
        ylim=(-8, 11),
    )
    pole.legend(frameon=False, loc="upper left")
    return figure


def relu_recursion() -> Figure:
    """The arc-cosine recursion beside ReLU networks of two widths."""
    depth = 40
    exact = relu.recursion(0.0, depth)
    x = np.arange(depth + 1)
    figure, axes = panels(2)
    for width, networks, colour in ((32, 150, VERMILLION), (512, 40, BLUE)):
        spec = MlpSpec(depth=depth, width=width, init="he", normalise="none", bias=False)
        eta = drawn(spec, math.pi / 2, networks, "activation")
        for each, values in zip(axes, (np.tanh(eta), eta), strict=True):
            low, middle, high = np.quantile(values, (0.025, 0.5, 0.975), axis=0)
            each.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            each.plot(
                x, middle, color=colour, linewidth=1.2, label=f"width {width}: median and 95% of {networks} networks"
            )
    for each, values, label in zip(axes, (np.tanh(exact), exact), ("C", "η"), strict=True):
        each.plot(x, values, "--", color=INK, linewidth=1.3, label="infinite width (recursion)")
        each.set(xlabel="layer (after its ReLU)", ylabel=label)
    axes[0].set(title="C = 1 is the only place to end", ylim=(-0.05, 1.02))
    axes[1].set(title=f"η grows as ln l; from l ~ width on by {relu.finite_width_slope(32):.3f} a layer (width 32)")
    axes[1].title.set_fontsize(8)
    axes[0].legend(frameon=False, loc="lower right")
    return figure


def phases() -> Figure:
    """Where tanh networks end, over sigma_w."""
    figure, (left, right) = panels(2)
    sigmas = np.linspace(0.8, 3.5, 55)
    for sigma_b, colour in ((0.05, BLUE), (0.3, VERMILLION), (0.6, GREEN)):
        found = [mean_field.phase("tanh", sigma, sigma_b) for sigma in sigmas]
        left.plot(sigmas, [each.c for each in found], color=colour, linewidth=1.5, label=f"σ_b = {sigma_b:g}")
    left.set(xlabel="σ_w", ylabel="c* that all pairs end at", title="ordered: c* = 1; chaotic: c* < 1", ylim=(0, 1.04))
    left.legend(frameon=False)
    depth = 25
    for sigma_w, sigma_b, colour, name in (
        (0.9, 0.5, BLUE, "ordered"),
        (1.3, 0.195, GREEN, "near critical"),
        (2.5, 0.3, VERMILLION, "chaotic"),
    ):
        q = mean_field.fixed_variance("tanh", sigma_w, sigma_b)
        for start in (0.0, 0.6, 0.95):
            found = mean_field.trajectory("tanh", sigma_w, sigma_b, depth, q1=q, q2=q, c=start)
            label = f"{name}: σ_w = {sigma_w:g}, σ_b = {sigma_b:g}" if start == 0 else None
            right.plot([pair.c for pair in found], color=colour, linewidth=1.3, label=label)
    right.set(xlabel="layer", ylabel="c before the activation", title="pairs from three starts", ylim=(-0.02, 1.45))
    right.legend(frameon=False, loc="upper right")
    return figure


# --- C: signs ----------------------------------------------------------------------------------------------------------


def sawtooth() -> Figure:
    """Signs of random hyperplanes at many angles."""
    rng = np.random.default_rng(1)
    rows = 400
    theta = np.linspace(0.06, math.pi - 0.06, 33)
    told = []
    for angle in theta:
        normal = rng.normal(size=(rows, 2))
        other = normal @ np.array([math.cos(angle), math.sin(angle)])
        told.append(bell.agreement(bell.signs(normal[:, 0]), bell.signs(other)))
    figure, (left, right) = panels(2)
    line = np.linspace(0, math.pi, 200)
    left.errorbar(
        theta,
        [t.E for t in told],
        [1.96 * t.E_error for t in told],
        fmt="o",
        color=BLUE,
        markersize=3,
        elinewidth=0.8,
        label=f"{rows} hyperplanes, 95%",
    )
    left.plot(line, classical(line), color=INK, linewidth=1.1, label="sawtooth 1 − 2θ/π")
    left.plot(line, cosine(line), "--", color=QUIET, linewidth=1.1, label="cosine: not reachable by local signs")
    left.set(xlabel="angle θ between two features (rad)", ylabel="E, mean product of signs")
    left.legend(frameon=False)
    right.errorbar(
        theta,
        [t.theta for t in told],
        [1.96 * t.theta_error for t in told],
        fmt="o",
        color=BLUE,
        markersize=3,
        elinewidth=0.8,
    )
    right.plot(line, line, color=INK, linewidth=1.1)
    right.set(xlabel="angle θ (rad)", ylabel="angle told by signs, π(1 − p)")
    return figure


def chsh() -> Figure:
    """S of the protocol, and of each mistake."""
    rng = np.random.default_rng(1)
    vectors = [np.array([math.cos(t), math.sin(t)]) for t in (0.0, math.pi / 2, math.pi / 4, -math.pi / 4)]
    figure, (left, middle, right) = panels(3)
    trials = []
    for _ in range(2000):
        normal = rng.normal(size=(400, 2))
        trials.append(bell.disjoint_chsh(*(bell.signs(normal @ v) for v in vectors)).S)
    above = np.mean(np.array(trials) > CLASSICAL)
    left.hist(trials, np.arange(1.37, 2.7, 0.04).tolist(), color=QUIET)
    left.axvline(CLASSICAL, color=INK, linewidth=1.3)
    left.set(
        xlabel="S from four samples of 100 rows", ylabel="trials", title=f"disjoint samples: above 2 in {above:.0%}"
    )
    turn = np.linspace(0, math.pi / 2, 100)
    score = [bell.algebraic_score(*(np.array([math.cos(a), math.sin(a)]) for a in (0.0, 2 * t, t, -t))) for t in turn]
    line = [
        2 * float(classical(t)) + float(classical(t)) - float(classical(min(3 * t, 2 * math.pi - 3 * t))) for t in turn
    ]
    middle.plot(turn, score, "--", color=VERMILLION, linewidth=1.3, label="cosines (algebraic score)")
    middle.plot(turn, line, color=BLUE, linewidth=1.5, label="signs, every row kept")
    middle.axhline(CLASSICAL, color=INK, linewidth=1.0)
    middle.axhline(TSIRELSON, color=QUIET, linestyle=":", linewidth=1.0)
    middle.set(
        xlabel="angle between neighbouring settings (rad)", ylabel="S", title="cosines reach 2√2, signs stop at 2"
    )
    middle.legend(frameon=False, loc="lower left")
    normal = rng.normal(size=(40_000, 2))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    readings_ = tuple(normal @ v for v in vectors)
    least = np.linspace(0, 0.6, 25)
    dropped = [bell.post_selected_chsh(readings_, t) for t in least]  # type: ignore[arg-type]
    efficiency = [each.efficiency for each in dropped]
    right.plot(
        efficiency,
        [each.S for each in dropped],
        "o-",
        color=VERMILLION,
        markersize=3,
        linewidth=1.2,
        label="unsure rows dropped",
    )
    right.plot(
        efficiency,
        [bell.kept_as_zero(readings_, t) for t in least],
        "o-",
        color=BLUE,
        markersize=3,
        linewidth=1.2,
        label="kept as 0",
    )  # type: ignore[arg-type]
    span = np.linspace(min(efficiency), 1, 100)
    right.plot(
        span,
        [bell.loophole_bound(e) for e in span],
        "--",
        color=INK,
        linewidth=1.0,
        label="bound min(4, 4/efficiency − 2)",
    )
    right.axhline(CLASSICAL, color=INK, linewidth=1.0)
    right.set(xlabel="efficiency: share of rows kept", ylabel="S", title="the detection loophole", ylim=(0.8, 4.2))
    right.invert_xaxis()
    right.legend(frameon=False, loc="lower left")
    return figure


# --- E, F: the lab's example -------------------------------------------------------------------------------------------

THEORY: dict[str, Callable[[], Figure]] = {
    "rapidity": rapidity,
    "chain": chain,
    "relu": relu_recursion,
    "phases": phases,
    "sawtooth": sawtooth,
    "chsh": chsh,
}
MEASURED: dict[str, Callable[[Seen], Figure]] = {
    "null": lambda seen: entanglement.null_figure(seen.frames["null"], seen.frames["repeats"]),
    "layers": lambda seen: entanglement.layers_figure(seen.frames["layers"]),
    "structure": lambda seen: entanglement.structure_figure(seen.tables["structure"]),
    "takeover": lambda seen: entanglement.takeover_figure(seen.frames["takeover"], seen.frames["falsifier"]),
}
PICTURES = (*THEORY, *MEASURED)


def take(draw: Callable[[], Figure]) -> bytes:
    """A picture as a PNG file."""
    from matplotlib import rc_context
    from PIL import Image

    with in_style(), rc_context(STYLE):
        figure = draw()
        figure.set_size_inches(WIDTH, figure.get_size_inches()[1])
        file, packed = io.BytesIO(), io.BytesIO()
        figure.savefig(file, format="png", dpi=100, facecolor="white")
    picture = Image.open(file).convert("RGB")
    if not any(axes.images for axes in figure.axes):
        picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(packed, "png", optimize=True)
    return packed.getvalue()


def main(names: list[str]) -> None:
    """Write the pictures."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    chosen = names or list(PICTURES)
    seen = looked() if set(chosen) & set(MEASURED) else None
    for name in chosen:
        began = perf_counter()
        if name in THEORY:
            picture = take(THEORY[name])
        else:
            assert seen is not None
            picture = take(lambda draw=MEASURED[name], seen=seen: draw(seen))  # type: ignore[misc]
        (FOLDER / f"{name}.png").write_bytes(picture)
        sys.stdout.write(f"{name}: {len(picture) / 1000:.1f} kB, {perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
