"""A profile as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gui.panels.profile.reading import INIT, NOW, Reading


def rows_of(reading: Reading, groups: Sequence[str], *, init: bool) -> Iterator[Sequence[Any]]:
    """One row a point: group, net, tap, mean, interval and number of inputs; beside it the null. Names first."""
    if reading.frame is None:
        return
    yield ["quantity", "view", "group", "net", "tap", "mean", "low", "high", "n", *reading.beside.columns()]
    nets = [(NOW, "now"), *([(INIT, "init")] if init else [])]
    for name in groups:
        for net, word in nets:
            mean, low, high = reading.values(net, name)
            beside = reading.beside.cells(name, reading.place, mean)
            for k in range(len(reading.places)):
                found = [reading.quantity, reading.selection.view, name, word, reading.tap(k)]
                yield [*found, *(float(v[k]) for v in (mean, low, high)), reading.count(name), *beside[k]]
