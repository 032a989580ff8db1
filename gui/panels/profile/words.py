"""What a profile says: of its quantity, of all its curves, and of one group at one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gui.panels.profile.reading import INIT, NOW, Reading
from gui.plots.says import signed


def with_unit(quantity: dict[str, Any]) -> str:
    """A quantity as an axis and a list call it."""
    return f"{quantity['label']} ({quantity['unit']})" if quantity.get("unit") else str(quantity["label"])


def subtitle(reading: Reading) -> str:
    """What is drawn, in a line."""
    what = "excess over the null" if reading.excess else "layer by layer"
    return f"{reading.quantity_info()['label']}, {reading.selection.view}, {what}"


def caption(reading: Reading, groups: Sequence[str]) -> str:
    """What means and bands are of."""
    assert reading.frame is not None
    counts = sorted({reading.count(name) for name in groups})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}" if counts else "0"
    resamples = int(reading.frame.info.get("bootstrap", 0))
    said = f"Mean and 95% bootstrap over inputs · n = {n} · {resamples:,} resamples"
    null = reading.beside.null
    known = "" if null is None else str(null.info.get("sentence", ""))
    return f"{said} · Null: {known}" if known else said


def describe(reading: Reading, place: int, group: str, *, init: bool) -> str:
    """What the readout says of a group at a place on the axis, with ``init`` also of it before training."""
    quantity = reading.quantity_info()
    unit = f" {quantity['unit']}" if quantity.get("unit") else ""
    lines = [reading.labels()[group]]
    nets = [(NOW, reading.tap(place)), *([(INIT, "at initialisation")] if init else [])]
    for net, head in nets:
        mean, low, high = (float(v[place]) for v in reading.values(net, group))
        if math.isnan(mean):
            lines.append(f"{head}: not measured")
        else:
            lines.append(f"{head}: {signed(mean)}{unit} [{signed(low)}, {signed(high)}]")
    lines += reading.beside.lines(group, reading.place, place, reading.values(NOW, group), unit)
    lines.append(f"n = {reading.count(group):,} inputs{_left_out(reading, place, group)}")
    return "\n".join(lines)


def _left_out(reading: Reading, place: int, group: str) -> str:
    """How many pairs or inputs have no part in the mean here, where there are any."""
    frame = reading.frame
    if frame is None or "saturated" not in frame.arrays:
        return ""
    at = (NOW, reading.selection.view_index, reading.group_place(group), reading.places[place])
    parts = []
    if reading.quantity in ("rapidity", "ln_gamma") and frame.arrays["saturated"][at]:
        parts.append(f"{int(frame.arrays['saturated'][at]):,} saturated pairs left out")
    if frame.arrays["dead"][at]:
        parts.append(f"{int(frame.arrays['dead'][at]):,} dead left out")
    return "".join(f" · {part}" for part in parts)
