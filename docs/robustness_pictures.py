"""Take the pictures of docs/robustness.md: curves and norms of the ready example and of other trainings, and a gradient that is hidden.

``python -m docs.robustness_pictures [NAME ...]`` writes docs/pictures/robustness/NAME.png, all if none is named. Seeds are fixed.
Five networks are trained on the way; it takes a few minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from docs.theory_pictures import panels, take
from engine.events import Artifact, Frame
from engine.experiments import open_experiment
from engine.experiments.bench import Bench
from engine.experiments.groups import OKABE_ITO
from engine.experiments.other_seed import other_seed
from engine.experiments.robustness.curves import ATTACKS, NOISE, robust
from engine.experiments.robustness.look import question_of
from engine.experiments.robustness.signs import Sign, looking_for_signs
from engine.experiments.robustness.trying import Source, Tried, begun, trying
from engine.experiments.train import trained
from engine.generators import drain
from engine.paths import RESOURCES
from engine.report.robustness import ATTACKS as COLOURS
from engine.report.robustness import draw_attacks, draw_networks, draw_norms
from engine.spec_files import apply_overrides, load_spec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "pictures" / "robustness"
EXAMPLE = RESOURCES / "examples" / "digits-takeover.toml"
SETTINGS = ("robustness.hardened=true", "hardening.smoothing=false", "hardening.noise=false")
LEVELS = 4  # grey levels that the network with a hidden gradient rounds its inputs to, less one


class Rounded(nn.Module):
    """The trained network behind rounded inputs: their gradient is zero everywhere."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner((x * LEVELS).round() / LEVELS)
        return found


@cache
def looked() -> tuple[Frame, dict[str, Artifact]]:
    """The finished look at the example and at its other trainings, and what it has kept."""
    spec = apply_overrides(load_spec(EXAMPLE), list(SETTINGS))
    kept: dict[str, Artifact] = {}
    frame: Frame | None = None
    for event in open_experiment("robustness", spec, {}):
        if isinstance(event, Artifact):
            kept[event.name] = event
        elif isinstance(event, Frame) and event.topic == "robustness":
            frame = event
    assert frame is not None
    return frame, kept


@cache
def hidden() -> tuple[np.ndarray, tuple[str, ...], Tried, list[Sign]]:
    """Budgets, attacks, what they came to on the rounding network, and its signs."""
    spec = load_spec(EXAMPLE)
    bench = Bench(spec, looked()[1])
    question = drain(question_of(bench))
    model = Rounded(drain(trained(bench)))
    tried = drain(begun(question, model))
    drain(trying(question, model, Source(drain(other_seed(bench))), tried))
    return question.eps, question.attacks, tried, drain(looking_for_signs(question, model, tried))


def curves() -> Figure:
    """Every attack on the standard network, and the worst case of every training."""
    frame, _ = looked()
    figure, (left, right) = panels(2, 3.9)
    draw_attacks(left, frame, 0)
    draw_networks(right, frame)
    for axes in (left, right):
        _legend(axes)
    left.set_title("standard training")
    right.set_title("worst case over all attacks")
    return figure


def norms() -> Figure:
    """The norms that break samples, and the network that hides its gradient."""
    frame, _ = looked()
    eps, attacks, tried, _ = hidden()
    figure, (left, right) = panels(2, 3.7)
    draw_norms(left, frame)
    left.legend(frameon=False, fontsize=7, loc="lower right")
    found: Any = robust(tried.broken_at, len(eps))
    for a, name in enumerate(attacks):
        colour, style = OKABE_ITO[COLOURS[name]], ":" if name == NOISE else "-"
        right.plot(eps, found.share[a], style, color=colour, linewidth=1.1, label=ATTACKS[name])
        right.fill_between(eps, found.low[a], found.high[a], color=colour, alpha=0.12, linewidth=0)
    right.set(xlabel="eps, L∞ (input units)", ylabel="robust accuracy (share)", ylim=(-0.02, 1.02))
    right.set_title(f"the same network behind inputs rounded to {LEVELS + 1} levels")
    _legend(right)
    return figure


def _legend(axes: Axes) -> None:
    """Above the curves, where nothing is drawn."""
    axes.set_ylim(-0.02, 1.34)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.legend(frameon=False, fontsize=7, ncols=3, loc="upper center")


PICTURES: dict[str, Callable[[], Figure]] = {"curves": curves, "norms": norms}


def main(names: list[str]) -> None:
    """Write the pictures, and say the numbers of the page."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or list(PICTURES):
        began = perf_counter()
        picture = take(PICTURES[name])
        (FOLDER / f"{name}.png").write_bytes(picture)
        sys.stdout.write(f"{name}: {len(picture) / 1000:.1f} kB, {perf_counter() - began:.1f} s\n")
    frame, _ = looked()
    for k, network in enumerate(frame.info["networks"]):
        worst = ", ".join(f"{v:.1%}" for v in frame.arrays["worst"][k])
        median = "{:.3f} [{:.3f}, {:.3f}]".format(*frame.arrays["median"][k, 0])
        raised = [sign["title"] for sign in frame.info["signs"][k] if sign["raised"]]
        sys.stdout.write(f"{network['label']}: worst case {worst}; median norm {median}; signs {raised}\n")
    for sign in hidden()[3]:
        sys.stdout.write(f"rounded: {sign.name}: {sign.raised}, {sign.said}. {sign.reason}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
