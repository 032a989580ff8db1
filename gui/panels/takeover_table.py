"""The numbers of the takeover panel as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from engine.experiments.takeover_views import paired

if TYPE_CHECKING:
    from engine.events import Frame


def takeover_rows(frame: Frame | None, falsifier: Frame | None) -> Iterator[Sequence[Any]]:
    """Along the attack, then in the end, with every control: mean C, interval and inputs at every tap; names first."""
    if frame is None and falsifier is None:
        return
    yield ["part", "what", "inputs", "step", "tap", "C", "low", "high", "n", "paired", "paired_low", "paired_high"]
    if frame is not None:
        for which in ("target", "true"):
            for moment, step in enumerate(frame.arrays["step"].tolist()):
                for k, tap in enumerate(frame.info["taps"]):
                    numbers = [float(frame.arrays[f"{which}_{end}"][moment, k]) for end in ("mean", "low", "high")]
                    yield [
                        "attack",
                        f"{which} class",
                        "all",
                        step,
                        tap["name"],
                        *numbers,
                        frame.info["inputs"],
                        "",
                        "",
                        "",
                    ]
    for part, source in (("takeover", frame), ("falsifier", falsifier)):
        for inputs in ("all", "success"):
            if source is None or f"{inputs}_mean" not in source.arrays:
                continue
            for row, name in enumerate(source.info["names"]):
                for k, tap in enumerate(source.info["taps"]):
                    numbers = [float(source.arrays[f"{inputs}_{end}"][row, k]) for end in ("mean", "low", "high")]
                    n = int(source.arrays[f"{inputs}_count"][row]) if f"{inputs}_count" in source.arrays else ""
                    more = paired(source, name, k, inputs)  # type: ignore[arg-type]  # "all" or "success"
                    less = ["", "", ""] if more is None else [more.mean, more.low, more.high]
                    yield [part, name, inputs, "", tap["name"], *numbers, n, *less]
