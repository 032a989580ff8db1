"""Complexity as a figure and as tables: the law of linear networks, the architecture untrained, the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.events import Frame
from engine.experiments.groups import OKABE_ITO
from engine.report.canvas import new_figure, plain
from engine.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Above left, theorem: E ln γ of an orthogonal pair behind linear layers is the sum of their gaps (dashed); points, networks drawn anew, with 95% "
    "intervals over them. In the title the largest |z| of all cells with its chance. Above right, E |η| is a function of the proper depth s = Σ 1/(n − 3/2) "
    "alone, up to 1/n²: points of all widths fall on the curve of the widest (exact). Below left, measurement: the experiment's own architecture before any "
    "training, beside the null law of infinite width where there is one (dashed). Below right, measurement: boost of the fleet's networks, trained (filled) and "
    "before training (hollow). One unit is one network. That boosts are relativity is an analogy."
)
COLOURS = [OKABE_ITO[name] for name in ("blue", "green", "orange", "vermillion", "purple", "sky")]
MARKS = "os^Dv*"


def complexity(session: Session) -> Figure | None:
    """Of a finished run."""
    frame = session.frame("complexity")
    return None if frame is None or not frame.info.get("done") else complexity_figure(frame)


def complexity_figure(frame: Frame) -> Figure:
    """From a finished frame: the law, its collapse, the architecture untrained, the fleet."""
    figure = new_figure(7.6, 6.2)
    law, collapse, untrained, fleet = (plain(axes) for axes in figure.subplots(2, 2).flat)
    draw_law(law, frame.info["law"])
    draw_collapse(collapse, frame.info["law"]["cells"])
    draw_untrained(untrained, frame.info["untrained"])
    draw_fleet(fleet, frame)
    return figure


def draw_law(axes: Axes, law: dict[str, Any]) -> None:
    """E ln gamma against depth, a line of the law for each width."""
    for colour, mark, (width, cells) in zip(COLOURS, MARKS, _by_width(law["cells"]), strict=False):
        depth = [cell["depth"] for cell in cells]
        axes.plot(depth, [cell["law"] for cell in cells], "--", color=colour, linewidth=1.0)
        reach = [1.96 * cell["error"] for cell in cells]
        values = [cell["ln_gamma"] for cell in cells]
        axes.errorbar(
            depth, values, reach, fmt=mark, color=colour, markersize=3.5, linewidth=1.0, label=f"width {width}"
        )
    most = law["largest"]
    title = f"E ln γ = Σ gap(n)\nlargest |z| of {most['cells']}: {most['z']:.2f}, p = {most['p']:.2g}"
    axes.set(xlabel="depth (layers)", ylabel="E ln γ", xscale="log", yscale="log", title=title)
    _ticks(axes)
    axes.legend(frameon=False, fontsize=7)


def draw_collapse(axes: Axes, cells: list[dict[str, Any]]) -> None:
    """E |eta| against proper depth."""
    ordered = sorted(cells, key=lambda cell: cell["proper_depth"])
    s = [cell["proper_depth"] for cell in ordered]
    curve = [cell["size_law"] - cell["collapse"] for cell in ordered]
    widest = max(cell["width"] for cell in cells)
    axes.plot([0, *s], [0, *curve], "--", color=OKABE_ITO["ink"], linewidth=1.0, label=f"exact, width {widest}")
    for colour, mark, (_, found) in zip(COLOURS, MARKS, _by_width(cells), strict=False):
        axes.errorbar(
            [cell["proper_depth"] for cell in found],
            [cell["size"] for cell in found],
            [1.96 * cell["size_error"] for cell in found],
            fmt=mark,
            color=colour,
            markersize=3.5,
            linewidth=1.0,
        )
    off = max(abs(cell["collapse"]) for cell in cells)
    axes.set(
        xlabel="proper depth s = Σ 1/(n − 3/2)",
        ylabel="E |η|",
        title=f"one curve for all widths\nexact, within {off:.3f}",
    )
    axes.legend(frameon=False, fontsize=7)


def draw_untrained(axes: Axes, cells: list[dict[str, Any]]) -> None:
    """Boost of the architecture untrained against depth, one line a width, with its null law."""
    measured = [cell for cell in cells if cell["change"] is not None]
    for colour, mark, (width, found) in zip(COLOURS, MARKS, _by_width(measured), strict=False):
        depth = [cell["depth"] for cell in found]
        known = [(cell["depth"], cell["law"]) for cell in found if cell["law"] is not None]
        if known:
            axes.plot(*zip(*known, strict=True), "--", color=colour, linewidth=1.0)
        axes.errorbar(
            depth,
            [cell["change"] for cell in found],
            [1.96 * cell["error"] for cell in found],
            fmt=f"{mark}-",
            color=colour,
            markersize=3.5,
            linewidth=0.7,
            label=f"width {width}",
        )
    kinds = {cell["kind"] for cell in measured} - {""}
    law = f"dashed: {kinds.pop()} law" if kinds else "no law is known"
    axes.set(xlabel="depth", ylabel="boost (gain of ln γ)", title=f"this architecture, untrained\n{law}")
    axes.legend(frameon=False, fontsize=7)


def draw_fleet(axes: Axes, frame: Frame) -> None:
    """Boost of each network against its parameters, trained and before training."""
    arrays = frame.arrays
    depths = arrays["depth"]
    for colour, mark, depth in zip(COLOURS, MARKS, np.unique(depths), strict=False):
        chosen = depths == depth
        axes.plot(
            arrays["parameters"][chosen],
            arrays["initial_change"][chosen],
            mark,
            color=colour,
            markersize=4,
            markerfacecolor="none",
            linewidth=0,
        )
        axes.plot(
            arrays["parameters"][chosen],
            arrays["change"][chosen],
            mark,
            color=colour,
            markersize=4,
            label=f"depth {depth:g}",
        )
    told = {each["name"]: each for each in frame.info["statistics"]}.get("change ~ parameters")
    said = ""
    if told is not None and told["rho"] is not None:
        interval = (
            "" if told["low"] is None else f" [{told['low']:+.2f}, {told['high']:+.2f}]"
        )  # few networks have none
        said = f"\nρ = {told['rho']:+.2f}{interval}, p = {told['p']:.2g}"
    axes.set(
        xscale="log", xlabel="parameters", ylabel="boost (gain of ln γ)", title=f"{len(depths)} trained networks{said}"
    )
    _ticks(axes, y=False)
    axes.legend(frameon=False, fontsize=7)


def draw_tests(axes: Axes, statistics: list[dict[str, Any]]) -> None:
    """Rank correlations with their 95% intervals, one below the other; filled where p after Holm is below 0.05."""
    shown = [each for each in statistics if each["rho"] is not None]
    for k, each in enumerate(reversed(shown)):
        holds = each["holm"] is not None and each["holm"] < 0.05
        colour = OKABE_ITO["vermillion" if holds else "blue"]
        if each["low"] is not None:
            axes.plot([each["low"], each["high"]], [k, k], color=colour, linewidth=1.2)
        axes.plot(each["rho"], k, "o", color=colour, markersize=4, markerfacecolor=colour if holds else "white")
    axes.axvline(0, color=OKABE_ITO["grey"], linewidth=0.8)
    axes.set_yticks(range(len(shown)), [each["label"] for each in reversed(shown)], fontsize=7)
    axes.set(xlim=(-1, 1), xlabel="Spearman's ρ over networks, 95% bootstrap interval")


def _ticks(axes: Axes, y: bool = True) -> None:
    """1, 2, 5, 10, ... in plain figures on logarithmic axes: a decade or two leaves powers of ten alone too bare."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis) if y else (axes.xaxis,):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())


def _by_width(cells: list[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    widths = sorted({cell["width"] for cell in cells})
    return [(width, [cell for cell in cells if cell["width"] == width]) for width in widths]
