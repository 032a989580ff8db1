"""Transfer as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gui.panels.related.rows import statistics_rows
from gui.panels.related.transfer_numbers import CORRECTED, SIMILARITIES, TRANSFER, Transfers


def rows_of(numbers: Transfers) -> Iterator[Sequence[Any]]:
    """The statistics, then one row an ordered pair of networks, with all attacks and all similarities."""
    frame = numbers.frame
    if frame is None:
        return
    yield from statistics_rows(frame)
    yield []
    columns = {name: np.asarray(frame.arrays[name]) for name in ("counted", *SIMILARITIES) if name in frame.arrays}
    for name in (TRANSFER, "transfer_low", "transfer_high", CORRECTED):
        if name in frame.arrays:
            found = np.asarray(frame.arrays[name])
            each = found if found.ndim == 3 else found[None]
            for attack, matrix in zip(numbers.attacks, each, strict=True):
                columns[name if attack is numbers.attacks[0] else f"{name} {attack['name']}"] = matrix
    first = [TRANSFER, *(name for name in columns if name != TRANSFER)]
    yield ["source", "source_name", "target", "target_name", *first]
    for row, source in enumerate(numbers.names):
        for column, target in enumerate(numbers.names):
            values = [columns[name][row, column].item() for name in first]
            plain = ["" if isinstance(v, float) and not np.isfinite(v) else v for v in values]
            yield [row, source, column, target, *plain]
