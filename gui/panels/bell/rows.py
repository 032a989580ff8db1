"""The Bell test as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from engine.experiments.bell_views import CLASSICAL

if TYPE_CHECKING:
    from engine.events import Frame


def rows_of(frame: Frame) -> Iterator[Sequence[Any]]:
    """Every pair's E at every layer, then S at every layer, the disjoint trials and what dropping rows does."""
    yield ["part", "tap", "x", "value", "error", "reference"]
    for k, tap in enumerate(frame.info["taps"]):
        for pair in range(frame.arrays["E"].shape[1]):
            numbers = [float(frame.arrays[n][k, pair]) for n in ("theta", "E", "E_error", "sawtooth")]
            yield ["E(theta), reference sawtooth", tap["name"], *numbers]
    for row in frame.info["layers"]:
        if "S" in row:
            yield ["S, reference algebraic score", row["tap"], "", row["S"], row["error"], row["algebraic"]]
            for each in row["dropping"]:
                yield ["rows dropped, reference bound", row["tap"], each["least"], each["S"], "", each["bound"]]
    for trial, S in enumerate(frame.arrays["disjoint"].tolist()):
        yield ["four disjoint samples", "", trial, S, "", CLASSICAL]
