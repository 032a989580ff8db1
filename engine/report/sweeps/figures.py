"""The figures of a sweep: accuracy and geometry along each axis, and how one goes with the other over networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.report.canvas import in_style, new_figure, plain
from engine.report.html import write_drawn
from engine.report.sweeps.summary import fields, network_numbers
from engine.sweep import curves
from engine.sweep.axes import field_named
from engine.sweep.columns import BY_NAME
from engine.sweep.networks import one_each
from engine.sweep.statistics import relate
from engine.sweep.store import SweepStore

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

GEOMETRY = ("initial_change", "change", "initial_rapidity", "rapidity", "initial_rank", "rank")
ACCURACY = ("train_accuracy", "test_accuracy", "robust_accuracy", "attack_success")
THEORY = {
    "initial_change": "theory_change",
    "change": "theory_change",
    "initial_rapidity": "theory_rapidity",
    "rapidity": "theory_rapidity",
}
"""What theory says of a column; of trained networks, what it says of them before they were trained."""
PAIRS = (
    ("change", "robust_accuracy"),
    ("change", "attack_success"),
    ("change", "test_accuracy"),
    ("rank", "robust_accuracy"),
    ("parameters", "robust_accuracy"),
    ("parameters", "change"),
    ("rapidity_same", "test_accuracy"),
    ("parameters", "test_accuracy"),
    ("theory_change", "initial_change"),
    ("proper_depth", "initial_change"),
)
"""Columns whose relation over networks is told, where a sweep has them."""
SCATTERS = 6
MOST_AXES = 3
SHARES = {"train_accuracy", "test_accuracy", "robust_accuracy", "attack_success"}
RANKS = {"initial_rank", "rank"}
# Okabe and Ito's categories
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
GREY = "#666666"
LOGARITHMIC = 8.0  # the largest value over the least, from which on an axis of a figure is logarithmic
TICKS = 8  # values of an axis up to which each has a tick of its own
PERMUTATIONS = 500


def write_sweep_figures(store: SweepStore, folder: Path) -> list[Path]:
    """Write ``figures/*.svg`` and ``*.png`` to ``folder``; returns the files. Raises ReportError where one cannot be written."""
    with in_style():
        drawn = write_drawn(folder / "figures", ((name, draw(store)) for name, (_, _, draw) in FIGURES.items()))
    return [folder / "figures" / f"{name}.{end}" for name in drawn for end in ("svg", "png")]


def geometry(store: SweepStore) -> Figure | None:
    """Geometry along each axis."""
    return _multiples(store, GEOMETRY)


def accuracy(store: SweepStore) -> Figure | None:
    """Accuracy along each axis."""
    return _multiples(store, ACCURACY)


def scatter(store: SweepStore) -> Figure | None:
    """One network a point: geometry against accuracy, with its rank correlation."""
    chosen = pairs(store)[:SCATTERS]
    if not chosen:
        return None
    columns = store.column(*{name for pair in chosen for name in pair}, *store.points.fields)
    across = min(3, len(chosen))
    rows = -(-len(chosen) // across)
    figure = new_figure(2.5 * across + 0.4, 2.4 * rows + 0.2)
    grid = figure.subplots(rows, across, squeeze=False)
    for axes, (x, y) in zip(grid.flat, chosen, strict=False):
        _scatter(plain(axes), one_each(columns, network_numbers(store, columns, x, y)), x, y)
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    return figure


def pairs(store: SweepStore) -> list[tuple[str, str]]:
    """The pairs of columns of :data:`PAIRS` that a sweep has, and that vary."""
    there = {column.name for column in store.columns()}
    held = [pair for pair in PAIRS if set(pair) <= there]
    columns = store.column(*{name for pair in held for name in pair})
    return [pair for pair in held if all(curves.distinct(columns[name]) > 1 for name in pair)]


FIGURES: dict[str, tuple[str, str, Callable[[SweepStore], Figure | None]]] = {
    "accuracy": (
        "Accuracy along each axis",
        "Measurement. Mean over networks with Student's 95% interval over networks, where there are several at one place; networks that differ in "
        "other axes than those drawn are taken together.",
        accuracy,
    ),
    "geometry": (
        "Geometry along each axis",
        "Measurement; dashed, theory of networks that have learnt nothing: exact for linear networks, in the limit of infinite width for others. "
        "Pairs of probe samples as they are, not centred: uncentred features after a ReLU look alike whatever they show. Mean over networks "
        "with Student's 95% interval over networks: pairs of one network are not independent.",
        geometry,
    ),
    "scatter": (
        "One quantity against another, over networks",
        "Measurement. Each point is a network; of one that was attacked or measured in several ways it is the mean, and so it is of one that was trained in several ways where both quantities are known before that. Spearman's ρ with its 95% bootstrap interval over networks, and p by permutation of networks; "
        "networks along an axis differ in many ways at once, and what goes together need not be a cause.",
        scatter,
    ),
}
"""Title, caption and drawing by name."""


def _multiples(store: SweepStore, rows: Sequence[str]) -> Figure | None:
    """A row for each quantity that the sweep has, a column for each axis."""
    there = {column.name for column in store.columns()}
    shown = [name for name in rows if name in there]
    if not shown:
        return None
    names = [*shown, *{THEORY[name] for name in shown if THEORY.get(name) in there}, *store.points.fields]
    columns = store.column(*names)
    across = [field for field in fields(store) if curves.distinct(columns[field]) > 1][:MOST_AXES]
    shown = [name for name in shown if curves.distinct(columns[name])]
    if not across or not shown:
        return None
    figure = new_figure(2.7 * len(across) + 0.5, 1.75 * len(shown) + 0.9)
    grid = figure.subplots(len(shown), len(across), squeeze=False, sharex="col", sharey="row")
    for k, field in enumerate(across):
        where, ticks = _places(columns[field])
        split, by = _split(columns, across, field)
        for j, name in enumerate(shown):
            axes = plain(grid[j, k])
            _curves(axes, where, columns, name, split, network_numbers(store, columns, name))
            if j == len(shown) - 1:
                axes.set_xlabel(_label(field))
            if k == 0:
                axes.set_ylabel(_label(name), fontsize=8)
            if name in SHARES:
                axes.set_ylim(top=1.02)
            if ticks:
                axes.set_xticks(range(len(ticks)), ticks, rotation=30, ha="right")
            else:
                _scale(axes, where.x)
        if by:
            _legend(grid[0, k], split, by)
    if any(line.get_linestyle() == "--" for axes in grid.flat for line in axes.get_lines()):
        grid[0, 0].plot([], [], color=GREY, linestyle="--", linewidth=1.0)
        line = grid[0, 0].get_lines()[-1]
        figure.legend([line], ["theory of untrained networks"], loc="outside lower center", frameon=False, fontsize=8)
    return figure


def _curves(
    axes: Axes,
    where: curves.Places,
    columns: dict[str, np.ndarray],
    name: str,
    split: curves.Groups,
    of: np.ndarray,
) -> None:
    theory = columns.get(THEORY.get(name, ""))
    several = len(split.labels) > 1
    for k, (label, found) in enumerate(
        zip(split.labels, curves.curves(where, columns[name], split, _limits(name), of), strict=True)
    ):
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(found.x, found.mean, color=colour, linewidth=1.2, marker=".", markersize=4, label=label)
        axes.fill_between(found.x, found.low, found.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(*found.few, color=colour, linestyle="", marker="o", markersize=3, markerfacecolor="none")
        if theory is not None:
            law = curves.curve(where, theory, split.of == k, of=of)
            axes.plot(law.x, law.mean, color=colour if several else GREY, linewidth=1.0, linestyle="--")


def _limits(name: str) -> tuple[float, float]:
    """The least and the largest that a quantity can be: bands end there."""
    if name in SHARES:
        return 0.0, 1.0
    return (1.0, math.inf) if name in RANKS else curves.NO_LIMITS


def _places(values: np.ndarray) -> tuple[curves.Places, Sequence[str]]:
    """Where networks stand along an axis, and the names of its values where they are texts."""
    if values.dtype == object:
        numbers, names = curves.codes(values)
        return curves.places(numbers), names
    return curves.places(values, log=_spread(values) >= LOGARITHMIC), ()


def _scale(axes: Axes, values: np.ndarray) -> None:
    """Logarithmic where the values are far apart, with a tick at each where they are few."""
    from matplotlib.ticker import NullLocator

    if _spread(values) >= LOGARITHMIC:
        axes.set_xscale("log")
    if len(values) <= TICKS:
        axes.set_xticks(values, [f"{value:.4g}" for value in values])
        axes.xaxis.set_minor_locator(NullLocator())


def _split(columns: dict[str, np.ndarray], across: Sequence[str], field: str) -> tuple[curves.Groups, str]:
    """The networks by the values of another axis, of the one that has fewest; and which that is."""
    others = [name for name in across if name != field]
    if not others:
        return curves.groups(None, len(columns["id"])), ""
    by = min(others, key=lambda name: curves.distinct(columns[name]))
    return curves.groups(columns[by], len(columns["id"])), by


def _legend(axes: Axes, split: curves.Groups, by: str) -> None:
    if len(split.labels) > 1:
        handles = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
        title = _label(by)
        axes.legend(handles, split.labels, title=title, title_fontsize=7, fontsize=6, frameon=False, loc="best")


def _scatter(axes: Axes, columns: dict[str, np.ndarray], x: str, y: str) -> None:
    axes.scatter(columns[x], columns[y], s=10, color=COLOURS[0], alpha=0.7, linewidths=0)
    axes.set(xlabel=_label(x), ylabel=_label(y))
    wide = [_spread(columns[name]) >= LOGARITHMIC for name in (x, y)]
    if wide[0]:
        axes.set_xscale("log")
        _few_ticks(axes.xaxis)
    if wide[1] and y not in SHARES:
        axes.set_yscale("log")
        _few_ticks(axes.yaxis)
    if (x, y) == ("theory_change", "initial_change"):
        ends = np.linspace(np.nanmin(columns[x]), np.nanmax(columns[x]), 100)
        axes.plot(ends, ends, color=GREY, linestyle="--", linewidth=1.0)
    found = relate(columns, x, y, permutations=PERMUTATIONS)
    if math.isfinite(found.rho):
        interval = f" [{found.low:+.2f}, {found.high:+.2f}]" if math.isfinite(found.low) else ""
        axes.set_title(f"ρ = {found.rho:+.2f}{interval}\np = {found.p:.2g}, n = {found.n}", fontsize=7)


def _few_ticks(axis: Axis) -> None:
    """On a logarithmic axis texts at powers of ten and few between: those of every tick lie over each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value < 1e6 else f"{value:.0e}"))


def _spread(values: np.ndarray) -> float:
    """The largest value over the least; 0 where they are not all above 0."""
    known = values[np.isfinite(values)]
    return float(known.max() / known.min()) if len(known) and known.min() > 0 else 0.0


def _label(name: str) -> str:
    column = BY_NAME.get(name)
    if column is not None:
        label, unit = column.label, column.unit
    else:
        known = field_named(name)
        label, unit = known.label, known.unit
    return f"{label} ({unit})" if unit else label
