"""One style for the pictures of all attacks: three digits, the margins of all samples, and what the attack is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from docs.attack_course import Course
from engine.experiments.groups import OKABE_ITO
from engine.report.canvas import new_figure, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHOSEN = tuple(OKABE_ITO[name] for name in ("blue", "vermillion", "green"))
QUIET, INK = "#b8c2cc", "#333333"
NORMS = {"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"}
SHARE = "share of samples broken"

Draw: TypeAlias = "Callable[[Axes, Course], None]"


def figure_of(course: Course, title: str, along: str, draw: Draw) -> Figure:
    """The picture, 900 by 260 pixels at 100 a inch; ``draw`` fills the part at the right."""
    from matplotlib import rc_context

    with rc_context({"font.size": 8.5, "axes.titlesize": 8.5, "axes.linewidth": 0.7, "axes.edgecolor": "#8a949e"}):
        figure = new_figure(9.0, 2.6)
        figure.suptitle(title, fontsize=9.5, x=0.008, ha="left", color=INK)
        left, right = figure.subfigures(1, 2, width_ratios=(2.55, 6.45))
        chosen = three(course)
        samples(left, course, chosen)
        margins, about = right.subplots(1, 2)
        draw_margins(margins, course, chosen, along)
        draw(about, course)
    return figure


def three(course: Course) -> list[int]:
    """An early, a middling and a late success of different classes; failures where there are too few."""
    first = np.where(course.success.any(0), course.success.argmax(0), len(course.at))
    if course.spec.minimal:
        first = course.result.smallest.numpy()
    order = np.argsort(first, kind="stable")
    won = course.result.success.numpy()[order]
    broken = np.concatenate([order[won], order[~won]])[: max(3, int(won.sum()))]
    found: list[int] = []
    for share in (0.15, 0.5, 0.85):
        middle = share * (len(broken) - 1)
        nearest = sorted(range(len(broken)), key=lambda k, middle=middle: (abs(k - middle), k))
        classes = {int(course.clean[k]) for k in found}
        fresh = [int(broken[k]) for k in nearest if int(course.clean[broken[k]]) not in classes]
        found.append((fresh or [int(broken[k]) for k in nearest if int(broken[k]) not in found])[0])
    return found


# --- the digits --------------------------------------------------------------------------------------------------------


def samples(figure: Any, course: Course, chosen: list[int]) -> None:
    """Each chosen sample before and after, and the difference between the two."""
    grid = figure.subplots(3, len(chosen))
    x, x_adv = course.x[chosen, 0].numpy(), course.result.x_adv[chosen, 0].numpy()
    delta = x_adv - x
    scale = float(np.abs(delta).max()) or 1.0
    for column, (k, colour) in enumerate(zip(chosen, CHOSEN, strict=True)):
        for row, (picture, map_, low, high) in enumerate(
            (
                (x[column], "gray", 0.0, 1.0),
                (x_adv[column], "gray", 0.0, 1.0),
                (delta[column], "RdBu_r", -scale, scale),
            )
        ):
            axes = grid[row, column]
            axes.imshow(picture, cmap=map_, vmin=low, vmax=high, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=colour, linewidth=1.4)
        seen = int(course.result.prediction[k])
        grid[0, column].set_title(f"{int(course.clean[k])} → {seen}", color=colour, pad=2.5)
    for row, text in enumerate(("x", "x_adv", f"±{scale:.2g}")):
        grid[row, 0].set_ylabel(text, rotation=0, ha="right", va="center", labelpad=4)


# --- the curves --------------------------------------------------------------------------------------------------------


def draw_margins(axes: Axes, course: Course, chosen: list[int], along: str) -> None:
    """Every sample's margin, the chosen ones in colour, with a dot at the first success."""
    plain(axes)
    axes.plot(course.at, course.margin, color=QUIET, linewidth=0.5, alpha=0.6)
    axes.axhline(0, color=INK, linestyle="--", linewidth=0.8)
    for k, colour in zip(chosen, CHOSEN, strict=True):
        axes.plot(course.at, course.margin[:, k], color=colour, linewidth=1.5)
        if course.success[:, k].any():
            first = int(course.success[:, k].argmax())
            axes.plot(
                course.at[first], course.margin[first, k], "o", color=colour, markersize=5, markeredgecolor="white"
            )
    low, high = np.percentile(course.margin, (1, 99))
    room = 0.08 * (high - low)
    axes.set_ylim(low - room, high + room)
    axes.set(xlabel=along, title="margin, below 0: broken")
    counted(axes)
    marked(axes, course)


def shares(axes: Axes, course: Course, along: str = "") -> None:
    """The share broken so far."""
    plain(axes)
    axes.plot(course.at, course.success.mean(1), color=CHOSEN[0], linewidth=1.5, drawstyle="steps-post")
    axes.set(ylim=(-0.03, 1.03), xlabel=along, title=SHARE)
    counted(axes)
    marked(axes, course)


def before_after(axes: Axes, course: Course) -> None:
    """How the margins are spread at the first and at the last iterate."""
    plain(axes)
    first, last = course.margin[0], course.margin[-1]
    bins = np.linspace(min(first.min(), last.min()), max(first.max(), last.max()), 25)
    axes.hist(first, bins, color=QUIET, label="before")
    axes.hist(last, bins, color=CHOSEN[0], alpha=0.7, label="after")
    axes.axvline(0, color=INK, linestyle="--", linewidth=0.8)
    axes.set(xlabel="margin", title="samples")
    axes.legend(frameon=False)


def members(axes: Axes, course: Course) -> None:
    """How many samples have withstood each member of an ensemble and those before it."""
    plain(axes)
    ends = [*(int(np.searchsorted(course.at, at)) - 1 for at, _ in course.parts[1:]), len(course.at) - 1]
    left = [course.success.shape[1], *(int((~course.success[end]).sum()) for end in ends)]
    bars = axes.bar(
        ["clean", *(name.replace("-", "-\n") for _, name in course.parts)],
        left,
        color=[QUIET, *[CHOSEN[0]] * len(ends)],
    )
    axes.bar_label(bars, padding=1, fontsize=8)
    axes.grid(visible=False)
    axes.set(ylim=(0, 1.12 * left[0]), title="samples not broken after")
    axes.tick_params(axis="x", labelsize=8, length=0)


def transfer(axes: Axes, course: Course) -> None:
    """The share fooled, of the network that is attacked and of the other one, at each step."""
    plain(axes)
    axes.plot(course.at, (course.margin < 0).mean(1), color=CHOSEN[0], linewidth=1.5, label="attacked network")
    axes.plot(course.at, course.extra.mean(1), color=CHOSEN[1], linewidth=1.5, label="another network")
    axes.set(ylim=(-0.03, 1.03), xlabel="step", title="share of samples that fool")
    axes.legend(frameon=False, loc="upper left")


def robustness(axes: Axes, course: Course) -> None:
    """The share not broken within each size of the perturbation."""
    plain(axes)
    size = np.sort(course.result.smallest.numpy())
    known = size[np.isfinite(size)]
    left = 1 - np.arange(len(known) + 1) / len(size)
    axes.step(np.r_[0.0, known], left, where="post", color=CHOSEN[0], linewidth=1.5)
    axes.set(ylim=(-0.03, 1.03), xlabel=f"ε ({NORMS[course.spec.norm]})", title="share not broken within ε")


def distances(axes: Axes, course: Course) -> None:
    """Median and quartiles of the nearest success so far, of all samples."""
    from matplotlib.ticker import LogLocator, NullFormatter

    plain(axes)
    low, middle, high = np.quantile(course.smallest, (0.25, 0.5, 0.75), axis=1, method="lower")
    known = np.isfinite(middle)
    axes.plot(course.at[known], middle[known], color=CHOSEN[0], linewidth=1.5)
    axes.fill_between(course.at[known], low[known], high[known], color=CHOSEN[0], alpha=0.2, linewidth=0)
    axes.set(yscale="log", xlabel="looks at the model", title=f"smallest {NORMS[course.spec.norm]} so far, quartiles")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:.2g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def perturbation(axes: Axes, course: Course) -> None:
    """What is put on all samples, and how many of them it breaks after each epoch."""
    axes.set_axis_off()
    picture, curve = axes.inset_axes((-0.02, 0.0, 0.42, 0.95)), axes.inset_axes((0.56, 0.0, 0.44, 1.0))
    picture.set(xticks=[], yticks=[], title="on every sample")
    curve.plot(course.at, course.success.mean(1), color=CHOSEN[0], linewidth=1.5)
    plain(curve).set(ylim=(-0.03, 1.03), xlabel="epoch", title="share broken")
    delta = (course.result.x_adv - course.x)[:, 0].numpy()
    if course.spec.method == "universal":
        most = np.abs(delta).argmax(0)  # the box cuts it short for some samples, hardly ever for all
        shared = np.take_along_axis(delta, most[None], 0)[0]
        scale = float(np.abs(shared).max())
        picture.imshow(shared, cmap="RdBu_r", vmin=-scale, vmax=scale, interpolation="nearest")
        return
    changed = np.abs(delta) > 0
    sample = int(changed.sum((1, 2)).argmax())
    rows, columns = (np.flatnonzero(changed[sample].any(axis)) for axis in (1, 0))
    patch = course.result.x_adv[sample, 0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].numpy()
    picture.imshow(patch, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def means(axes: Axes, course: Course, labels: tuple[str, ...], title: str) -> None:
    """The mean over samples of what was asked for at each step, with the middle half of the samples."""
    plain(axes)
    values = course.extra.reshape(len(course.at), -1, len(labels))
    for number, (label, colour) in enumerate(zip(labels, CHOSEN, strict=False)):
        low, high = np.quantile(values[:, :, number], (0.25, 0.75), axis=1)
        axes.plot(course.at, values[:, :, number].mean(1), color=colour, linewidth=1.5, label=label)
        axes.fill_between(course.at, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set(xlabel="step", title=title)
    if len(labels) > 1:
        axes.legend(frameon=False)


def marked(axes: Axes, course: Course) -> None:
    """Hairlines where restarts and members of an ensemble begin."""
    for at, _ in course.parts[1:]:
        axes.axvline(at, color=OKABE_ITO["orange"], linewidth=0.8)


def counted(axes: Axes) -> None:
    """Whole numbers below."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
