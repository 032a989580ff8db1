"""Take the pictures of docs/noise.md: linear networks on noise, and reconciliation, from the lab's own looks at its ready examples.

``python -m docs.noise_pictures [NAME ...]`` writes docs/pictures/noise/NAME.png, all if none is named. Seeds are fixed. It takes
some three minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.stats import t as student

from docs.theory_pictures import BLUE, INK, panels, take
from engine.events import Artifact, Frame
from engine.experiments import open_experiment
from engine.generators import drain
from engine.paths import RESOURCES
from engine.reconcile.boost_law import boost_law
from engine.reconcile.likelihood import Likelihood
from engine.reconcile.max_likelihood import flow_from, most_likely, shared_axis
from engine.report import noise, reconcile
from engine.spec_files import load_spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "pictures" / "noise"
ROWS = 64  # of a layer, and features of a sample
RATIOS = (1, 2, 4, 16, 64, 256)
NETWORKS, LAYERS, SAMPLES, UNSEEN = 8, 8, 32, 200


@cache
def frames(example: str, *looks: str) -> dict[str, Frame]:
    """The last frame of each topic that the looks at a ready example show."""
    spec = load_spec(RESOURCES / "examples" / f"{example}.toml")
    kept: dict[str, Artifact] = {}
    found: dict[str, Frame] = {}
    for look in looks:
        for event in open_experiment(look, spec, kept):
            if isinstance(event, Artifact):
                kept[event.name] = event
            elif isinstance(event, Frame):
                found[event.topic] = event
    return found


def noise_frames() -> dict[str, Frame]:
    """Of uniform noise."""
    return frames("noise-max-likelihood", "max_likelihood")


def lock_frames() -> dict[str, Frame]:
    """Of the digits."""
    return frames("digits-reconcile", "reconciliation", "price")


def measured_boost(ratio: int, seed: int) -> float:
    """Mean over layers of the median rapidity that unseen uniform samples gain in one network drawn anew."""
    rng = np.random.default_rng(seed)
    train, unseen = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in _samples(rng))
    y = np.ones(SAMPLES)
    axis = shared_axis(train, y)
    assert axis is not None
    known, others = flow_from(train, axis), flow_from(unseen, axis)
    before = float(np.median(others.log_tan))
    for _ in range(LAYERS):
        rows = most_likely(
            known.x, y, candidates=ratio * ROWS, rows=ROWS, likelihood=Likelihood("probit", 0.3), rng=rng
        )
        weight = drain(rows)
        known, others = known.through(weight), others.through(weight)
    return (before - float(np.median(others.log_tan))) / LAYERS


def _samples(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.random((SAMPLES, ROWS)), rng.random((UNSEEN, ROWS))


def boosts() -> Figure:
    """The rapidity that a layer gives against N/n: the law, and networks drawn anew with Student's interval over them."""
    figure, (axes,) = panels(1)
    fine = np.geomspace(1, 1024, 200)
    axes.plot(fine, [boost_law(ratio)[1] for ratio in fine], "--", color=INK, linewidth=1.2, label="law ½ ln M₂(n/N)")
    found = np.array([[measured_boost(ratio, seed) for seed in range(NETWORKS)] for ratio in RATIOS])
    reach = student.ppf(0.975, NETWORKS - 1) * found.std(1, ddof=1) / np.sqrt(NETWORKS)
    axes.plot(
        np.repeat(RATIOS, NETWORKS), found.ravel(), ".", color=BLUE, alpha=0.35, markersize=4, label="one network"
    )
    axes.errorbar(RATIOS, found.mean(1), reach, fmt="o", color=BLUE, markersize=4, label=f"mean of {NETWORKS}, 95%")
    axes.set(xscale="log", xlabel="candidates for each row kept, N/n", ylabel="rapidity gained a layer")
    axes.set_xticks(RATIOS, [str(ratio) for ratio in RATIOS])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "likelihood": lambda: noise.max_likelihood_figure(noise_frames()["max_likelihood"]),
    "boosts": boosts,
    "descent": lambda: noise.noise_descent_figure(noise_frames()["noise_descent"]),
    "lock": lambda: reconcile.reconciliation_figure(lock_frames()["reconciliation"]),
    "angle": lambda: reconcile.curve_figure(lock_frames()["reconciliation_curve"]),
    "price": lambda: reconcile.price_figure(lock_frames()["price"]),
}


def main(names: list[str]) -> None:
    """Write the pictures."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or list(PICTURES):
        began = perf_counter()
        picture = take(PICTURES[name])
        (FOLDER / f"{name}.png").write_bytes(picture)
        sys.stdout.write(f"{name}: {len(picture) / 1000:.1f} kB, {perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
