"""Take the pictures of docs/complexity.md: the law of linear networks, the architecture untrained, and a fleet, by the lab's own look.

``python -m docs.complexity_pictures [NAME ...]`` writes docs/pictures/complexity/NAME.png, all if none is named. Seeds are fixed.
Twenty-four networks are trained on the way; it takes a minute or two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch

from docs.theory_pictures import panels, take
from engine.events import Frame
from engine.experiments import open_experiment
from engine.paths import RESOURCES
from engine.report.complexity import draw_collapse, draw_fleet, draw_law, draw_tests, draw_untrained
from engine.spec_files import apply_overrides, load_spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "pictures" / "complexity"
EXAMPLE = RESOURCES / "examples" / "digits-takeover.toml"
SETTINGS = ("controls.networks=24",)


@cache
def frame() -> Frame:
    """The finished look at the ready example with twice as many networks."""
    spec = apply_overrides(load_spec(EXAMPLE), list(SETTINGS))
    found = [event for event in open_experiment("complexity", spec, {}) if isinstance(event, Frame)]
    return next(each for each in reversed(found) if each.topic == "complexity")


def law(seen: Frame) -> Figure:
    """E ln gamma against depth, and E |eta| against proper depth."""
    figure, (left, right) = panels(2)
    draw_law(left, seen.info["law"])
    draw_collapse(right, seen.info["law"]["cells"])
    return figure


def networks(seen: Frame) -> Figure:
    """The architecture untrained, and the fleet."""
    figure, (left, right) = panels(2)
    draw_untrained(left, seen.info["untrained"])
    draw_fleet(right, seen)
    return figure


def tests(seen: Frame) -> Figure:
    """Every rank correlation with its interval."""
    figure, (axes,) = panels(1, 4.6)
    draw_tests(axes, seen.info["statistics"])
    return figure


PICTURES: dict[str, Callable[[Frame], Figure]] = {"law": law, "networks": networks, "tests": tests}


def main(names: list[str]) -> None:
    """Write the pictures."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or list(PICTURES):
        began = perf_counter()
        picture = take(lambda name=name: PICTURES[name](frame()))
        (FOLDER / f"{name}.png").write_bytes(picture)
        sys.stdout.write(f"{name}: {len(picture) / 1000:.1f} kB, {perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
