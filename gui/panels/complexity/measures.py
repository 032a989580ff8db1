"""What the small plots draw: a few measures of networks, at the end, at initialisation and in theory, against a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sweep.curves import NO_LIMITS, Curve, Groups, curves, groups, places
from gui.panels.complexity.networks import Laid, Networks, laid

END, INITIAL, THEORY = "end", "initial", "theory"
KINDS = (
    (END, "at the end", "line", "After training: mean over networks, its 95% interval as a band"),
    (INITIAL, "at initialisation", "diamond", "Before training: mean over networks, a hollow mark at each value"),
    (
        THEORY,
        "theory",
        "dash",
        "The law of networks that have learnt nothing, where there is one: theorem for linear ones",
    ),
)


@dataclass(frozen=True)
class Measure:
    """One of the small plots."""

    key: str
    title: str
    unit: str
    columns: dict[str, str]  # which column is at the end, at initialisation, in theory
    limits: tuple[float, float] = NO_LIMITS  # the least and the largest that it can be


MEASURES = (
    Measure("rapidity", "rapidity, last hidden layer", "η", {END: "rapidity", INITIAL: "initial_rapidity", THEORY: "theory_rapidity"}),
    Measure("change", "Δ ln γ, input to last hidden layer", "Δ ln γ", {END: "change", INITIAL: "initial_change", THEORY: "theory_change"}),
    Measure("rank", "effective rank, last hidden layer", "rank", {END: "rank", INITIAL: "initial_rank"}, (1.0, np.inf)),
    Measure("clean", "clean accuracy", "accuracy", {END: "test_accuracy"}, (0.0, 1.0)),
    Measure("robust", "robust accuracy", "accuracy", {END: "robust_accuracy"}, (0.0, 1.0)),
)  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """What is drawn: for each measure and kind one curve a group."""

    networks: Networks
    x: str
    by: str
    across: Laid
    split: Groups
    curves: dict[tuple[str, str], list[Curve]]


def drawing(networks: Networks, x: str, by: str) -> Drawing:
    """Work out every curve; for any thread."""
    across = laid(networks, x)
    raw = across.values if across.names else networks.arrays[x]
    where = places(raw, log=across.log)
    split = groups(networks.arrays[by] if by else None, networks.n)
    found = {
        (measure.key, kind): curves(where, networks.arrays[column], split, measure.limits, networks.of(column))
        for measure in MEASURES
        for kind, column in measure.columns.items()
        if column in networks.arrays and networks.arrays[column].dtype != object
    }
    return Drawing(networks, x, by, across, split, found)
