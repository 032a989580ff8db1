"""The states of a claim, and its numbers and experiments in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.experiments.claims import Number
from gui.jobs import TITLES

HOLDS, PART, AGAINST = "holds", "holds in part", "not supported"
UNDECIDED = "undecided"
NOT_RUN, MEASURING, LATER = "not run", "being measured", "not yet testable here"
WAITING = "waits its turn"
DIFFER = "settings differ"
COLOURS = {HOLDS: "green", PART: "orange", AGAINST: "vermillion"}
"""Of the states that are a verdict."""
HEADER = (
    "Verdicts are read off the runs of this session's network, data and attack; each can change with them. "
    "Bars are 95% intervals, a hollow point has none."
)


def value_text(number: Number, places: int = 2) -> str:
    """A number with its interval, as "0.57 [0.54, 0.60]"."""

    def say(value: float) -> str:
        return f"{value:.{places}f}".replace("-", "−")

    if not math.isfinite(number.value):
        return "undefined"
    if not (math.isfinite(number.low) and math.isfinite(number.high)):
        return say(number.value)
    return f"{say(number.value)} [{say(number.low)}, {say(number.high)}]"


def named(experiments: Sequence[str]) -> str:
    """Experiments as a person knows them."""
    return " and ".join(TITLES.get(name, name) for name in experiments)
