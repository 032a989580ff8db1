"""Layers on an axis: which taps stand there, what they are called where there is little room, and where a chosen one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.experiments.views import layer_taps
from gui.plots.controls import Segmented
from gui.theme import Theme

MARKS = {"activation": "σ", "block": "+"}
Taps = Sequence[Mapping[str, Any]]


def places_of(taps: Taps, choice: str) -> list[int]:
    """Positions of the taps drawn: what comes out of each layer, or "all"."""
    return layer_taps(taps) if choice == "layers" else list(range(len(taps)))


def brief(tap: Mapping[str, Any], choice: str) -> str:
    """A tap's name where there is little room: the layer's number, or W3 and σ3 for its linear map and its activation, +3 for the sum of a residual block."""
    if tap["kind"] in ("input", "logits"):
        return "in" if tap["kind"] == "input" else "out"
    head = "" if choice == "layers" else MARKS.get(tap["kind"], "W")
    return f"{head}{tap['layer']}"


def names_of(taps: Taps, places: Sequence[int], choice: str) -> tuple[list[str], list[str]]:
    """Long and short names of the places."""
    return [str(taps[p]["name"]) for p in places], [brief(taps[p], choice) for p in places]


def place_of(taps: Taps, places: Sequence[int], name: str | None) -> int | None:
    """Where a chosen tap stands; a tap that is not drawn is stood for by its layer. None where there is no such tap."""
    chosen = next((tap for tap in taps if tap["name"] == name), None)
    if chosen is None:
        return None
    exact = (k for k, p in enumerate(places) if taps[p]["name"] == name)
    near = (k for k, p in enumerate(places) if taps[p]["layer"] == chosen["layer"])
    return next(exact, next(near, None))


def penultimate(taps: Taps, places: Sequence[int]) -> int:
    """The deepest place before the logits: at the logits most is a tautology."""
    inner = [k for k, p in enumerate(places) if taps[p]["kind"] != "logits"]
    return inner[-1] if inner else len(places) - 1


def taps_choice(theme: Theme) -> Segmented:
    """Layers only, or every tap."""
    return Segmented(
        theme,
        "Taps",
        [
            ("layers", "layers", "Only what comes out of each layer"),
            ("all", "every tap", "The linear map (W) and the activation (σ) of every layer"),
        ],
    )
