"""What a takeover frame says in numbers: where the target overtakes the true class, and what the controls decide.

Read-outs for panels and reports; imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.events import Frame

Inputs = Literal["all", "success"]
CONTROLS = ("random", "initial", "other")
"""What x_adv must exceed: each could show the same rise without a learnt takeover."""
CEILING = "members"


@dataclass(frozen=True)
class Crossing:
    """From ``moment`` on, to the end of the attack, the target class is nearer than the true class; None if never."""

    tap: int
    moment: int | None


@dataclass(frozen=True)
class Value:
    """A mean correlation C with its 95% interval, of one row of a frame."""

    name: str
    label: str
    mean: float
    low: float
    high: float

    @property
    def measured(self) -> bool:
        return bool(np.isfinite((self.mean, self.low, self.high)).all())


@dataclass(frozen=True)
class Verdict:
    """x_adv at one layer beside its controls. ``beaten`` and ``unbeaten`` are those with numbers, as :func:`verdict` tells them."""

    tap: str
    adversarial: Value
    beaten: tuple[Value, ...]
    unbeaten: tuple[Value, ...]
    ceiling: Value
    least: Value | None = None
    """The smallest of what x_adv has more than a control on the same inputs."""

    @property
    def against_ceiling(self) -> Literal["short of", "at", "beyond", "unknown"]:
        if not self.ceiling.measured:
            return "unknown"
        if self.adversarial.high < self.ceiling.low:
            return "short of"
        return "beyond" if self.adversarial.low > self.ceiling.high else "at"


def crossings(frame: Frame, taps: Sequence[int]) -> list[Crossing]:
    """For each tap, the first moment from which on C with the target exceeds C with the true class to the end."""
    ahead = frame.arrays["target_mean"] > frame.arrays["true_mean"]  # NaN is not ahead
    found = []
    for tap in taps:
        behind = np.flatnonzero(~ahead[:, tap])
        first = int(behind[-1]) + 1 if len(behind) else 0
        found.append(Crossing(tap, first if first < len(ahead) else None))
    return found


def first_takeover(found: Sequence[Crossing], frame: Frame) -> Crossing | None:
    """The earliest takeover before the logits, the deepest layer of these where several come together; None if none.

    The logits are left out: there it only repeats that the attack succeeded.
    """
    taps = frame.info["taps"]
    real = [c for c in found if c.moment is not None and taps[c.tap]["kind"] != "logits"]
    return min(real, key=lambda c: (c.moment, -c.tap), default=None)


def value(frame: Frame, name: str, tap: int, inputs: Inputs = "all") -> Value:
    """One row's mean and interval at a tap; NaN where it was not measured."""
    names = list(frame.info["names"])
    row = names.index(name)
    mean, low, high = (float(frame.arrays[f"{inputs}_{end}"][row, tap]) for end in ("mean", "low", "high"))
    return Value(name, str(frame.info["labels"][row]), mean, low, high)


def paired(frame: Frame, name: str, tap: int, inputs: Inputs = "all") -> Value | None:
    """What x_adv has more than a control on the same inputs, at a tap; None where that was not measured.

    Nor where one input alone was: it has no interval.
    """
    names = list(frame.info["names"])
    if name not in names or f"{inputs}_paired_mean" not in frame.arrays:
        return None
    row = names.index(name)
    counts = frame.arrays.get(f"{inputs}_count")
    if counts is not None and int(counts[row]) < 2:
        return None
    mean, low, high = (float(frame.arrays[f"{inputs}_paired_{end}"][row, tap]) for end in ("mean", "low", "high"))
    found = Value(name, f"x_adv less {frame.info['labels'][row]}", mean, low, high)
    return found if found.measured else None


def verdict(frame: Frame, tap: int, inputs: Inputs = "all") -> Verdict | None:
    """What the controls decide at a tap; None before they are measured, or where x_adv has no number there.

    A control is beaten where x_adv has more on the same inputs, with the whole interval of the difference above 0; where
    none was measured, where the intervals of x_adv and of the control do not meet.
    """
    if not frame.info["done"]:
        return None
    adversarial = value(frame, "adversarial", tap, inputs)
    if not adversarial.measured:
        return None
    controls = [each for name in CONTROLS if (each := value(frame, name, tap, inputs)).measured]
    differences = {more.name: more for name in CONTROLS if (more := paired(frame, name, tap, inputs)) is not None}

    def beats(control: Value) -> bool:
        more = differences.get(control.name)
        return adversarial.low > control.high if more is None else more.low > 0

    beaten = tuple(each for each in controls if beats(each))
    unbeaten = tuple(each for each in controls if not beats(each))
    least = min(differences.values(), key=lambda each: each.low, default=None)
    where = str(frame.info["taps"][tap]["name"])
    return Verdict(where, adversarial, beaten, unbeaten, value(frame, CEILING, tap, inputs), least)
