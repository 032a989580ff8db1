"""The statistics of a frame as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.events import Frame


def statistics_rows(frame: Frame) -> Iterable[Sequence[Any]]:
    """Every statistic of a frame, for CSV."""
    yield ["statistic", "label", "unit", "given", "rho", "low", "high", "least", "most", "p", "n", "wrong"]
    for found in frame.info["statistics"]:
        numbers = ["" if found[key] is None else found[key] for key in ("rho", "low", "high", "least", "most", "p")]
        yield [
            found["name"],
            found["label"],
            found["unit"],
            ", ".join(found["given"]),
            *numbers,
            found["n"],
            found["wrong"],
        ]
