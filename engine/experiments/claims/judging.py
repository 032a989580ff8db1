"""What a claim, a number and a verdict are, and how numbers with intervals are compared. NumPy only, so that a window may use it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.events import Frame
from engine.experiments.rates import wilson

Word = Literal["holds", "holds in part", "not supported", "undecided"]
Frames = Mapping[str, Frame]
"""By topic, the newest last."""

UNMEASURED = "A number that the verdict needs could not be measured: no success, no live feature, or too few networks."
UNFIT = "These runs do not fit each other, or are not complete: run them again."
ONE_NETWORK = "Seen in this one network; intervals are over inputs."


class Unmeasured(Exception):
    """A number that a judgement compares isn't there; with what to say of it."""


@dataclass(frozen=True)
class Number:
    """What was measured: a value with its 95% interval (NaN where there is none)."""

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Verdict:
    """What the runs say of a claim."""

    word: Word
    sentence: str
    numbers: tuple[Number, ...]
    control: str
    """What decides."""


@dataclass(frozen=True)
class Claim:
    """A claim, and how it is tested here."""

    key: str
    versions: str
    text: str
    tested_by: tuple[str, ...]
    """Experiments, in the order in which they are to be run; () = not testable here yet."""
    how: str
    """In words; for what cannot be tested yet, why."""
    judge: Callable[[Frames], Verdict] | None = None


def verdict(claim: Claim, frames: Frames) -> Verdict | None:
    """The verdict of a claim from the frames at hand, None while a run that it needs is missing or of other settings.

    Frames that do not fit, of another version say, are undecided; they never raise.
    """
    if claim.judge is None or missing(claim, frames):
        return None
    try:
        return claim.judge(frames)
    except Unmeasured as why:
        return Verdict("undecided", str(why), (), "")
    except (LookupError, ValueError, TypeError, AttributeError):
        return Verdict("undecided", UNFIT, (), "")


def missing(claim: Claim, frames: Frames) -> tuple[str, ...]:
    """The experiments that are still to be run for a verdict, or to be run again since others are of newer settings."""
    old = stale(claim, frames)
    return tuple(name for name in claim.tested_by if name in old or not _done(frames.get(name)))


def stale(claim: Claim, frames: Frames) -> tuple[str, ...]:
    """Experiments that were run with other settings (data, model, training, attack) than the newest of the claim's runs.

    A run says its settings in its frame's ``info["key"]``; one that doesn't is taken to agree.
    """
    keys = {name: frame.info["key"] for name, frame in frames.items() if name in claim.tested_by and _keyed(frame)}
    if not keys:
        return ()
    newest = list(keys.values())[-1]
    return tuple(name for name in claim.tested_by if name in keys and keys[name] != newest)


def _done(frame: Frame | None) -> bool:
    return frame is not None and bool(frame.info.get("done", True))


def _keyed(frame: Frame | None) -> bool:
    return frame is not None and frame.info.get("key") is not None


def given(value: float) -> float:
    """The number, which must be there."""
    if not math.isfinite(value):
        raise Unmeasured(UNMEASURED)
    return value


def above(one: Number, other: Number) -> bool:
    """Whether a number's interval lies wholly above another's; undecided where an end is missing."""
    ends = [given(end) for number in (one, other) for end in (number.value, number.low, number.high)]
    return ends[1] > ends[5]


def apart(one: Number, other: Number) -> int:
    """1 where a number's interval lies wholly above another's, -1 wholly below, 0 where they meet."""
    return int(above(one, other)) - int(above(other, one))


def judged(numbers: tuple[Number, ...], control: str, decide: Callable[[], tuple[Word, str]]) -> Verdict:
    """What is decided of the numbers; undecided, with the numbers that there are, where one is missing."""
    try:
        word, sentence = decide()
    except Unmeasured as why:
        word, sentence = "undecided", str(why)
    return Verdict(word, sentence, numbers, control)


def number(value: object) -> float:
    """NaN for what is no number."""
    return float(value) if isinstance(value, int | float) else math.nan


def share(label: str, value: float, n: object) -> Number:
    """A share of n inputs with its Wilson interval; NaN for what isn't there."""
    count = number(n)
    if not math.isfinite(value):
        return Number(label, math.nan)
    low, high = wilson(value * count, count)
    return Number(label, value, float(low), float(high))
