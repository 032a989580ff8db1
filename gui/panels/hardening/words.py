"""What the panel of adversarial trainings says in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gui.panels.results.page import norm_name

if TYPE_CHECKING:
    from engine.events import Frame


def rows(frame: Frame) -> list[list[str]]:
    """One row of the table for each training."""
    found = []
    for k, label in enumerate(frame.info["labels"]):
        cells = [str(label)]
        for prefix, text in (("accuracy", share), ("accuracy_paired", difference)):
            for a in (0, 1):
                ends = (frame.arrays[f"{prefix}{end}"][a, k] for end in ("", "_low", "_high"))
                cells.append(text(*(float(v) for v in ends)))
        found.append([*cells, overfitting(frame.info["overfitted"][k])])
    return found


def share(value: float, low: float, high: float) -> str:
    """A share with its interval, in percent."""
    return f"{value:.1%} [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(value) else "–"


def difference(value: float, low: float, high: float) -> str:
    """A difference of shares with its interval, in percentage points."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] pp".replace("-", "−")


def overfitting(told: Mapping[str, Any] | None) -> str:
    """Whether a training overfitted catastrophically."""
    if told is None:
        return ""
    done = "" if told["restored"] is None else f", step {told['restored']:,} restored"
    return f"overfitted at step {told['step']:,} (PGD {told['pgd']:.0%}, one step {told['single_step']:.0%}){done}"


def ball(frame: Frame) -> str:
    """The norm and the budget that all were attacked with."""
    return f"{norm_name(frame.info['norm'])}, eps {frame.info['eps']:g}"


def says(frame: Frame, place: int, quantity: str) -> str:
    """The sentence below the plots: what the trainings have done at one layer."""
    info = frame.info
    q, tap = list(info["quantities"]).index(quantity), info["taps"][place]["name"]
    beyond = []
    for k, label in enumerate(info["labels"]):
        mean, low, high = (float(frame.arrays[f"paired_{end}"][q, k, place]) for end in ("mean", "low", "high"))
        if math.isfinite(mean):
            apart = "" if low > 0 or high < 0 else ", not apart from 0"
            beyond.append(f"{label} {signed(mean)} [{signed(low)}, {signed(high)}]{apart}")
    head = f"Measurement. {WHAT[quantity]} at {tap}, less standard training on the same inputs: "
    many = info["inputs"] if quantity.endswith("target") else info["probed"]
    tail = f"; {many:,} inputs, one network each."
    if not beyond:
        return f"Measurement. {WHAT[quantity]} at {tap}: standard training alone so far{tail}"
    return head + "; ".join(beyond) + tail


def signed(value: float) -> str:
    """Three digits with a sign."""
    return f"{value:+.2f}".replace("-", "−") if abs(value) < 10 else f"{value:+.1f}".replace("-", "−")


WHAT = {
    "adv_target": "Correlation of x_adv with its target class",
    "same": "Rapidity of pairs of one class",
    "rank": "Effective rank",
}
"""The quantity in words that each row of plots is named after."""
