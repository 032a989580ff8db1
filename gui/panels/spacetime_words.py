"""What the spacetime diagram says: its notes, the numbers of a pair in words, and its lines as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments import spacetime, views
from gui.plots.says import signed

if TYPE_CHECKING:
    from engine.events import Frame
    from gui.selection import View

NOTE = "Layer index as time is an analogy; the cone itself is a theorem"
ADDS = "adds up over layers (theorem); layer index as time is an analogy"
NOTES = {
    "cone": NOTE,
    "rapidity": "η = artanh C, a measurement; layer index as time is an analogy",
    "R": f"(R) Δη = η_l − η_0 {ADDS}",
    "D": f"(D) χ = ln(d_0 / d_l) {ADDS}",
    "E": "(E) Analogy: γ = d_0 / d_l read as length contraction. Each point is relative to the input: do not sum",
}
SIDES = {  # what lies on the left and on the right
    "R": ("← towards opposite", "towards parallel →"),
    "D": ("← expansion", "contraction →"),
    "E": ("← expansion (frames swapped)", "contraction →"),
}
AXES = {
    "cone": "X = Σ C",
    "rapidity": "rapidity η",
    "R": "Δη from the input (R)",
    "D": "χ from the input (D)",
    "E": "η_E from the input (E): do not sum",
}


def as_spacetime(eta: np.ndarray, taps: Sequence[Any], layer: int) -> str:
    """Time dilation, proper depth and the boost from the input in all three conventions, of one pair at a layer."""
    rate = float(spacetime.proper_rate(eta, taps)[layer])
    depth = float(spacetime.proper_depth(eta, taps)[layer])
    boost = {c.key: float(spacetime.boosts(c.key, eta, taps)[layer]) for c in spacetime.CONVENTIONS}
    swapped = "frames swapped, " if boost["E"] < 0 else ""
    return (
        f"dτ/dl = sin θ {rate:.3f} · τ {depth:.2f} of {layer}\n"
        f"R {signed(boost['R'])} · D {signed(boost['D'])} · E {signed(boost['E'])} ({swapped}do not sum)"
    )


def line_rows(frame: Frame, view: View, lines: Sequence[int] | np.ndarray) -> Iterator[Sequence[Any]]:
    """Lines of a frame of pairs, one row a layer of a pair; b is -1 for a training sample; names first."""
    keys = [convention.key for convention in spacetime.CONVENTIONS]
    yield [
        *("view", "group", "a", "b", "layer", "X", "rapidity", "C", "sin_theta", "proper_depth"),
        *(f"boost_{key}" for key in keys),
    ]
    taps = frame.info["taps"]
    groups = frame.info["groups"]
    all_of_them = frame.arrays["eta"][views.VIEWS.index(view)]
    for line in lines:
        head = [view, groups[int(frame.arrays["group"][line])]["name"]]
        head += [int(frame.arrays["a"][line]), int(frame.arrays["b"][line])]
        eta = all_of_them[line]
        x = views.world_lines(eta, taps)[0]
        at = spacetime.rapidities(eta, taps)
        c = views.readings(at)["C"]
        columns = [x, at, c, spacetime.proper_rate(eta, taps), spacetime.proper_depth(eta, taps)]
        columns += [spacetime.boosts(key, eta, taps) for key in keys]
        for layer in range(len(x)):
            yield [*head, layer, *(float(column[layer]) for column in columns)]
