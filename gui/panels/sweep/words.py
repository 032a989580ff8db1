"""The words, colours and figures of the points of a sweep. No widgets here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gui.theme import Theme

STATUSES = ("finished", "running", "failed", "cancelled", "waiting")


def status_colour(status: str, theme: Theme) -> str:
    """The colour of a status' dot."""
    colours = {
        "finished": theme.palette["green"],
        "running": theme.palette["sky"],
        "failed": theme.palette["vermillion"],
        "cancelled": theme.muted,
    }
    return colours.get(status, theme.line_strong)


def is_hollow(status: str) -> bool:
    """Whether the dot is a ring: nothing came of the point, and nothing is wrong with it."""
    return status in ("cancelled", "waiting")


def cell(value: Any) -> str:
    """A value in a table."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        if value == int(value) and abs(value) < 1e6:
            return str(int(value))
        return f"{value:.4g}".replace("-", "−")
    return str(value)


def counts_text(counts: Mapping[str, int], theme: Theme) -> str:
    """ "● finished 12  ● failed 1  ○ waiting 35" as rich text; a status without a point is left out."""
    parts = []
    for status in STATUSES:
        if counts.get(status):
            mark = "○" if is_hollow(status) else "●"
            colour = theme.muted if is_hollow(status) else status_colour(status, theme)
            parts.append(f'<span style="color:{colour}">{mark}</span> {counts[status]:,} {status}')
    return " &nbsp; ".join(parts)


def plain_counts(counts: Mapping[str, int]) -> str:
    """The same for a screen reader."""
    return ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts.get(status))
