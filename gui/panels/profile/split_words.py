"""What is said of the parts of layers, each part by itself and all of them as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments.groups import GROUPS
from gui.plots.groups import short
from gui.plots.says import signed

if TYPE_CHECKING:
    from engine.events import Frame

TRAINED, INITIAL = 0, 1
NAMES = {"linear": "linear map W", "bias": "bias b", "activation": "activation σ"}
LABELS = {group.name: group.label for group in GROUPS}


def caption(frame: Frame) -> str:
    """What stands below the plot: the speed limit, what the bars are, and what to mind."""
    resamples = int(frame.info.get("bootstrap", 0))
    bars = f"bars are means with 95% bootstrap over inputs ({resamples:,} resamples)"
    return " · ".join(filter(None, (speed_limit(frame), bars, str(frame.info.get("note", "")))))


def speed_limit(frame: Frame) -> str:
    """The speed limit over all layers: the one that comes nearest to it."""
    limit, largest = frame.arrays["limit"][TRAINED], frame.arrays["largest"][TRAINED]
    bound = np.isfinite(limit) & np.isfinite(largest) & (limit > 0)
    if not bound.any():
        return "Theorem |Δη| ≤ ln κ: every linear map here has a kernel, so none has a limit"
    share = np.where(bound, largest / np.where(bound, limit, 1.0), -1.0)
    at = int(share.argmax())
    text = f"Theorem |Δη| ≤ ln κ: largest {largest[at]:.2f} of {limit[at]:.2f} ({frame.info['layers'][at]})"
    free = int((~bound).sum())
    return text + (f"; {free} with a kernel" if free else "")


def limit_of(frame: Frame, layer: int) -> str:
    """How near the linear map of a layer comes to its speed limit."""
    limit, largest = (float(frame.arrays[name][TRAINED, layer]) for name in ("limit", "largest"))
    if math.isnan(largest):
        return "speed limit: no pair measured"
    if not math.isfinite(limit):
        return f"largest |Δη| of W {largest:.2f}; no limit: the map has a kernel"
    return f"largest |Δη| of W {largest:.2f} of ln κ = {limit:.2f}"


def describe(frame: Frame, layer: int, part: int, groups: Sequence[str]) -> str:
    """What the readout says of a part of a layer, for some groups of pairs."""
    lines = [f"{frame.info['layers'][layer]}: {NAMES[frame.info['parts'][part]]}"]
    for group in groups:
        g = list(frame.info["groups"]).index(group)
        mean, low, high = (float(v) for v in frame.arrays["boost"][TRAINED, layer, part, g])
        head = short(group, LABELS.get(group, group))
        if math.isnan(mean):
            lines.append(f"{head}: not measured")
            continue
        before = float(frame.arrays["boost"][INITIAL, layer, part, g, 0])
        said = f"{head}: {signed(mean)} [{signed(low)}, {signed(high)}]"
        lines.append(said + ("" if math.isnan(before) else f", at initialisation {signed(before)}"))
    if frame.info["parts"][part] == "linear":
        gap = float(frame.arrays["gap"][TRAINED, layer])
        if math.isfinite(gap):
            lines.append(f"null: gap(n) = {signed(gap, 4)}")
        lines.append(limit_of(frame, layer))
    return "\n".join(lines)


def rows_of(
    frame: Frame, nets: Sequence[int], layers: Sequence[str], parts: Sequence[int], groups: Sequence[str]
) -> Iterator[Sequence[Any]]:
    """The bars of some nets, layers, parts and groups, one row each, with the linear maps' null and speed limit."""
    yield ["net", "layer", "part", "group", "boost", "low", "high", "gap", "largest", "ln_kappa"]
    for net in nets:
        for layer, name in enumerate(layers):
            for part in parts:
                for group in groups:
                    found = frame.arrays["boost"][net, layer, part, list(frame.info["groups"]).index(group)]
                    if not math.isfinite(found[0]):
                        continue
                    linear = frame.info["parts"][part] == "linear"
                    more = (float(frame.arrays[key][net, layer]) for key in ("gap", "largest", "limit"))
                    yield [
                        frame.info["nets"][net],
                        name,
                        frame.info["parts"][part],
                        group,
                        *(float(v) for v in found),
                        *(value if linear and math.isfinite(value) else "" for value in more),
                    ]
