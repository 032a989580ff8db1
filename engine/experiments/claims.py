"""The claims of the paper's versions, each with the experiment that tests it here and a verdict read off what was measured.

A verdict needs its runs: without them there is none. It says holds, holds in part or not supported, with the numbers, their
intervals and the control that decides. The claims are those of the abstracts of Y. Lai, X. Dong, Z. Jin, "On the Computational
Entanglement of Distant Features in Adversarial Machine Learning" (arXiv 2309.15669, v1 to v7, 2023-24); how they are tested is
ours. NumPy only, so that a window may use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from engine.events import Frame
from engine.experiments.groups import GROUP_POSITION, QUANTITIES

Word = Literal["holds", "holds in part", "not supported", "undecided"]
Frames = Mapping[str, Frame]

CLASS = {"same": "one class", "different": "different classes"}
PERFECT = 0.99
"""Correlation from which on it may be called perfect."""


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
    """The verdict of a claim from the frames at hand by topic, None while a run that it needs is missing."""
    if claim.judge is None or any(not _done(frames.get(name)) for name in claim.tested_by):
        return None
    found = claim.judge(frames)
    if any(math.isnan(number.value) for number in found.numbers) or not found.numbers:
        why = "A number that the verdict needs could not be measured: no success, no live feature, or too few networks."
        return Verdict("undecided", why, found.numbers, found.control)
    return found


def missing(claim: Claim, frames: Frames) -> tuple[str, ...]:
    """The experiments that are still to be run for a verdict."""
    return tuple(name for name in claim.tested_by if not _done(frames.get(name)))


def _done(frame: Frame | None) -> bool:
    return frame is not None and bool(frame.info.get("done", True))


# --- reading the frames ------------------------------------------------------------------------------------------


def _row(frame: Frame, name: str, tap: int, which: str = "success") -> Number:
    """Of a takeover or falsifier frame: a control's C at a tap."""
    at = list(frame.info["names"]).index(name), tap
    label = f"{frame.info['labels'][at[0]]}, {frame.info['taps'][tap]['name']}"
    return Number(label, *(float(frame.arrays[f"{which}_{end}"][at]) for end in ("mean", "low", "high")))


def _deepest(frame: Frame) -> int:
    """The last tap before the logits: at the logits themselves the correlation with the target only restates success."""
    return max(0, len(frame.info["taps"]) - 2)


def _null(frames: Frames, group: str, tap: int) -> tuple[Number, Number]:
    """Centred C of a group of clean pairs at a tap: as trained (over networks), and its null with the band of one network."""
    quantity = [q.name for q in QUANTITIES].index("C")
    at = 0, quantity, GROUP_POSITION[group], tap
    trained = frames["repeats"].arrays
    null = frames["null"].arrays
    name = frames["null"].info["taps"][tap]["name"]
    return (
        Number(
            f"pairs of {CLASS[group]}, trained, {name}", *(float(trained[end][at]) for end in ("mean", "low", "high"))
        ),
        Number(
            f"pairs of {CLASS[group]}, untrained (null), {name}",
            *(float(null[end][at]) for end in ("mean", "low", "high")),
        ),
    )


# --- the judgements ----------------------------------------------------------------------------------------------


def _entangled(frames: Frames) -> Verdict:
    tap = _deepest(frames["null"])
    same, same_null = _null(frames, "same", tap)
    apart, apart_null = _null(frames, "different", tap)
    above, below = same.low > same_null.high, apart.high < apart_null.low
    word: Word = "holds" if above and below else "holds in part" if above or below else "not supported"
    sentence = {
        "holds": "Training correlates inputs of one class and sets classes apart, each beyond any untrained network.",
        "holds in part": "Training moves only one of the two kinds of pairs beyond untrained networks.",
        "not supported": "What training does to pairs lies within what untrained networks do.",
    }[word]
    return Verdict(word, sentence, (same, same_null, apart, apart_null), "networks of the same architecture, untrained")


def _bell(frames: Frames) -> Verdict:
    layers = [row for row in frames["bell"].info["layers"] if "S" in row]
    control = "the CHSH protocol with no row discarded"
    if not layers:
        return Verdict("undecided", "", (), control)
    largest = max(layers, key=lambda row: abs(row["S"]))
    cosines = max(layers, key=lambda row: row["algebraic"])
    s, error = float(largest["S"]), float(largest["error"])
    numbers = (
        Number(f"largest S, {largest['tap']}", s, s - 1.96 * error, min(2.0, s + 1.96 * error)),
        Number(f"algebraic score of cosines, {cosines['tap']} (no Bell quantity)", float(cosines["algebraic"])),
    )
    sentence = (
        "No layer exceeds 2, and none can: with every row kept, |S| ≤ 2 is a theorem. Only cosines, disjoint samples or "
        "dropped rows exceed it."
    )
    return Verdict("not supported", sentence, numbers, control)


def _adversarial(frames: Frames) -> Verdict:
    takeover, falsifier = frames["takeover"], frames["falsifier"]
    tap = _deepest(takeover)
    adversarial = _row(takeover, "adversarial", tap)
    controls = [_row(takeover, name, tap) for name in ("random", "initial", "other")]
    beyond = all(adversarial.low > control.high for control in controls)
    without = replace(
        _row(falsifier, "adversarial", _deepest(falsifier)),
        label="x_adv in a network of random labels, last hidden layer",
    )
    fooled = float(falsifier.info["success"])
    numbers = (
        adversarial,
        *controls,
        without,
        Number("success against the network of random labels", fooled),
    )
    needed = fooled < 0.5 or without.low > 0.5 * adversarial.value
    if beyond and needed:
        word: Word = "holds"
        sentence = "x_adv takes on the target class beyond every control, and where it does not, attacks fail."
    elif beyond:
        word = "holds in part"
        sentence = (
            "x_adv takes on the target class beyond every control. But a network of random labels is fooled as well "
            f"({fooled:.0%}) while its hidden features come little nearer to any class: success does not need it."
        )
    else:
        word = "not supported"
        sentence = "A control comes as near to the target class as x_adv does."
    return Verdict(word, sentence, numbers, "the falsifier: a network that learnt random labels")


def _perfect(frames: Frames) -> Verdict:
    takeover = frames["takeover"]
    tap = _deepest(takeover)
    adversarial, ceiling = _row(takeover, "adversarial", tap), _row(takeover, "members", tap)
    if adversarial.low >= PERFECT:
        word: Word = "holds"
        sentence = "Successes are as good as parallel to the target class."
    elif adversarial.high >= ceiling.low:
        word = "holds in part"
        sentence = "x_adv comes as near to the target class as its own members do, which is not perfect correlation."
    else:
        word = "not supported"
        sentence = (
            "Far from perfect: x_adv stays below the correlation that members of the class have among themselves. Only deep "
            "linear networks end at ±1, and at which is a coin flip that the first angle biases (theorem)."
        )
    return Verdict(word, sentence, (adversarial, ceiling), "the ceiling: members of the class among themselves")


def _statistic(frame: Frame, name: str) -> Number | None:
    for found in frame.info["statistics"]:
        if found["name"] == name and found["rho"] is not None and math.isfinite(found["rho"]):
            low, high = (math.nan if found[end] is None else float(found[end]) for end in ("low", "high"))
            return Number(f"{found['label']} (p = {found['p']:.2g})", float(found["rho"]), low, high)
    return None


def _significant(frame: Frame, name: str, sign: int = 1) -> bool:
    """Whether a rank correlation of this sign is beyond chance."""
    return any(
        found["name"] == name and found["p"] is not None and found["p"] < 0.05 and found["rho"] * sign > 0
        for found in frame.info["statistics"]
    )


def _transfer(frames: Frames) -> Verdict:
    frame = frames["transferability"]
    alike, specific = _significant(frame, "cka"), _significant(frame, "cka | gradient_cosine")
    names = ("cka", "cka | gradient_cosine", "gradient_cosine", "gradient_cosine | cka")
    numbers = tuple(n for name in names if (n := _statistic(frame, name)))
    if alike and specific:
        word: Word = "holds"
        sentence = "Networks whose features are alike pass attacks on, beyond what like gradients explain."
    elif alike:
        word = "holds in part"
        sentence = "Networks whose features are alike pass attacks on; like input gradients explain it as well."
    else:
        word = "not supported"
        sentence = "Like features do not go with transfer here beyond chance."
    return Verdict(word, sentence, numbers, "the input gradients' cosine, and a test that permutes networks")


def _vulnerable(frames: Frames) -> Verdict:
    """Vulnerable is who has a small norm: the claim is of negative correlations."""
    frame = frames["vulnerability"]
    over = ("network rate", "network rate | accuracy, layers")
    within = ("input boost", "input boost | margin, input_distance")
    numbers = tuple(n for name in (*over, *within) if (n := _statistic(frame, name)))
    plain, partial, inputs, inputs_partial = (_significant(frame, name, sign=-1) for name in (*over, *within))
    if plain and partial and inputs and inputs_partial:
        word: Word = "holds"
        sentence = (
            "What contracts more is broken sooner, over networks and inputs, whatever else goes with contraction."
        )
    elif plain or inputs:
        word = "holds in part"
        sentence = "Contraction goes with vulnerability, but not at every level, or not once what else explains it is taken away."
    else:
        word = "not supported"
        sentence = (
            "Contraction does not go with vulnerability here beyond chance, neither over networks nor over inputs."
        )
    control = "depth and accuracy over networks; margin and distance of the input within a network"
    return Verdict(word, sentence, numbers, control)


LATER = "Its experiment is not part of the lab yet."

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "entangled",
        "v1-v3",
        "Distant feature samples become entangled as data passes through a network.",
        ("repeats", "null"),
        "Correlation of pairs in networks trained from several seeds, against untrained networks of the same architecture.",
        _entangled,
    ),
    Claim(
        "bell",
        "v1-v3",
        "This strongly resembles entanglement correlation.",
        ("bell",),
        "The CHSH protocol on sign readouts at every layer, no row discarded.",
        _bell,
    ),
    Claim(
        "relativity",
        "v1-v3",
        "Model complexity relates to special relativity: time dilation and length contraction.",
        (),
        "Needs many networks of many widths and depths. " + LATER,
    ),
    Claim(
        "adversarial",
        "v1-v3",
        "Entanglement explains adversarial examples.",
        ("takeover", "falsifier"),
        "Takeover: C of x_adv with the target class against four controls, and a network of random labels as falsifier.",
        _adversarial,
    ),
    Claim(
        "transfer",
        "v1-v3",
        "It explains their transferability.",
        ("transferability",),
        "Transfer between networks against the similarity of their features, with tests that permute networks.",
        _transfer,
    ),
    Claim(
        "vulnerable",
        "v1-v3, as we read it",
        "Networks and inputs whose features contract more are the more vulnerable.",
        ("vulnerability",),
        "Smallest perturbation against contraction, over networks and within each, with partial rank correlations.",
        _vulnerable,
    ),
    Claim(
        "perfect",
        "v4",
        "Entangled pairs reach perfect correlation or anti-correlation whatever their separation.",
        ("takeover",),
        "C of successful x_adv with the target class at the last hidden layer, against the members' own.",
        _perfect,
    ),
    Claim(
        "noise",
        "v5-v7",
        "Overparameterised linear networks fit random noise with zero loss, on unseen samples too.",
        (),
        LATER,
    ),
    Claim(
        "shared point",
        "v5-v7",
        "Spacetime diagrams show length contraction: all samples converge to a shared normalised point.",
        (),
        LATER,
    ),
    Claim(
        "readable",
        "v7",
        "A worst-case adversarial example can be turned into an output that is recognisable and robust.",
        (),
        LATER,
    ),
)
