"""The claims of the paper's versions, each with the experiment that tests it here and a verdict read off what was measured.

A verdict needs its runs, of the same settings: without them there is none. It says holds, holds in part, not supported, or
undecided where a number that it compares could not be measured; with the numbers, their intervals and the control that
decides. The claims are those of the abstracts of Y. Lai, X. Dong, Z. Jin, "On the Computational
Entanglement of Distant Features in Adversarial Machine Learning" (arXiv 2309.15669, v1 to v7, 2023-24); how they are tested is
ours. NumPy only, so that a window may use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.events import Frame
from engine.experiments.groups import GROUP_POSITION, QUANTITIES

Word = Literal["holds", "holds in part", "not supported", "undecided"]
Frames = Mapping[str, Frame]
"""By topic, the newest last."""

CLASS = {"same": "one class", "different": "different classes"}
PERFECT = 0.99
"""Correlation from which on it may be called perfect."""
MEMORISED = 0.95
"""Accuracy on random labels below which a network hasn't learnt them by heart, and falsifies nothing."""
WEAK = 0.1
"""Share of successful attacks below which there is nothing to explain."""
FOOLED = 0.5
"""Share of successful attacks from which on a network counts as fooled."""
LEVEL = 0.05

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


# --- comparing ---------------------------------------------------------------------------------------------------


def _given(value: float) -> float:
    """The number, which must be there."""
    if not math.isfinite(value):
        raise Unmeasured(UNMEASURED)
    return value


def _above(one: Number, other: Number) -> bool:
    """Whether a number's interval lies wholly above another's; undecided where an end is missing."""
    ends = [_given(end) for number in (one, other) for end in (number.value, number.low, number.high)]
    return ends[1] > ends[5]


def _apart(one: Number, other: Number) -> int:
    """1 where a number's interval lies wholly above another's, -1 wholly below, 0 where they meet."""
    return int(_above(one, other)) - int(_above(other, one))


def _judged(numbers: tuple[Number, ...], control: str, decide: Callable[[], tuple[Word, str]]) -> Verdict:
    """What is decided of the numbers; undecided, with the numbers that there are, where one is missing."""
    try:
        word, sentence = decide()
    except Unmeasured as why:
        word, sentence = "undecided", str(why)
    return Verdict(word, sentence, numbers, control)


# --- reading the frames ------------------------------------------------------------------------------------------


def _row(frame: Frame, name: str, tap: int, which: str = "success") -> Number:
    """Of a takeover or falsifier frame: a control's C at a tap. One input alone has no interval."""
    at = list(frame.info["names"]).index(name), tap
    label = f"{frame.info['labels'][at[0]]}, {frame.info['taps'][tap]['name']}"
    mean, low, high = (float(frame.arrays[f"{which}_{end}"][at]) for end in ("mean", "low", "high"))
    counts = frame.arrays.get(f"{which}_count")
    alone = counts is not None and int(counts[at[0]]) < 2
    return Number(label, mean, math.nan, math.nan) if alone else Number(label, mean, low, high)


def _taps(*frames: Frame) -> tuple[str, ...]:
    """Names of the taps, which the frames must share."""
    named = {tuple(tap["name"] for tap in frame.info["taps"]) for frame in frames}
    if len(named) != 1:
        raise Unmeasured(UNFIT)
    return named.pop()


def _deepest(*frames: Frame) -> int:
    """The last tap before the logits: at the logits themselves the correlation with the target only restates success."""
    return max(0, len(_taps(*frames)) - 2)


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

MOVED = {1: "more", -1: "less", 0: "no more and no less"}


def _entangled(frames: Frames) -> Verdict:
    """Two-sided: whichever way training moves the pairs. At most in part, since what is seen is the structure of classes."""
    tap = _deepest(frames["null"], frames["repeats"])
    same, same_null = _null(frames, "same", tap)
    distant, distant_null = _null(frames, "different", tap)

    def decide() -> tuple[Word, str]:
        apart, together = _apart(distant, distant_null), _apart(same, same_null)
        if not apart and not together:
            return "not supported", "What training does to pairs lies within what untrained networks do."
        return "holds in part", (
            f"Against untrained networks, training correlates pairs of different classes (the distant ones) {MOVED[apart]}, "
            f"pairs of one class {MOVED[together]}. What this shows is class structure, which is what is trained: it is not "
            "entanglement of distant inputs as such."
        )

    control = "networks of the same architecture, untrained"
    return _judged((same, same_null, distant, distant_null), control, decide)


def _bell(frames: Frames) -> Verdict:
    # the input is the same for both wings and says nothing of a network
    layers = [row for row in frames["bell"].info["layers"] if "S" in row and row["tap"] != "input"]
    control = "the CHSH protocol with no row discarded"
    if not layers:
        return Verdict("undecided", UNMEASURED, (), control)
    largest = max(layers, key=lambda row: abs(row["S"]))
    cosines = max(layers, key=lambda row: row["algebraic"])
    s, error = float(largest["S"]), float(largest["error"])
    numbers = (
        Number(f"largest S, {largest['tap']}", s, s - 1.96 * error, min(2.0, s + 1.96 * error)),
        Number(f"algebraic score of cosines, {cosines['tap']} (no Bell quantity)", float(cosines["algebraic"])),
    )

    def decide() -> tuple[Word, str]:
        if abs(_given(s)) > 2 + 1e-9:
            raise Unmeasured("S beyond 2 with every row kept cannot be: the run is faulty.")
        return "not supported", (
            "No layer exceeds 2, and none can: with every row kept, |S| ≤ 2 is a theorem. Only cosines, disjoint samples or "
            "dropped rows exceed it."
        )

    return _judged(numbers, control, decide)


def _adversarial(frames: Frames) -> Verdict:
    takeover, falsifier = frames["takeover"], frames["falsifier"]
    tap = _deepest(takeover, falsifier)
    adversarial = _row(takeover, "adversarial", tap)
    controls = [_row(takeover, name, tap) for name in ("random", "initial", "other")]
    without = replace(
        _row(falsifier, "adversarial", tap),
        label="x_adv in a network of random labels, last hidden layer",
    )
    fooled, memorised = (_number(falsifier.info.get(name)) for name in ("success", "memorised"))
    members = None
    if "members" in falsifier.info["names"]:
        label = "members of its random classes among themselves, last hidden layer"
        members = replace(_row(falsifier, "members", tap), label=label)
    numbers = (
        adversarial,
        *controls,
        without,
        *(() if members is None else (members,)),
        Number("success against the network of random labels", fooled),
        Number("random labels that it learnt by heart (share)", memorised),
    )

    def decide() -> tuple[Word, str]:
        if _given(_number(takeover.info.get("success"))) < WEAK:
            raise Unmeasured(
                "The attack hardly ever succeeds on this network, so there is nothing to explain: take a stronger one."
            )
        beaten = [_above(adversarial, control) for control in controls]  # every control must be measured
        if not all(beaten):
            return "not supported", f"A control comes as near to the target class as x_adv does. {ONE_NETWORK}"
        if _given(memorised) < MEMORISED:
            raise Unmeasured(
                f"The random labels were not learnt by heart ({memorised:.0%}): attacks on this network falsify nothing. "
                "Train longer, or let it learn fewer."
            )
        beyond = "Where it succeeds, x_adv takes on the target class beyond every control"
        if _given(fooled) < FOOLED:
            if _given(_number(takeover.info.get("success"))) < FOOLED:
                raise Unmeasured(
                    "The attack mostly fails here as it does against random labels, which tells the two apart in nothing: "
                    "take a stronger one."
                )
            return "holds", (
                f"{beyond}; where classes mean nothing, in a network of random labels, attacks mostly fail ({fooled:.0%} "
                f"succeed). {ONE_NETWORK}"
            )
        if members is not None and not _above(members, without):
            return "holds in part", (
                f"{beyond}. A network of random labels is fooled as well ({fooled:.0%}), and there too x_adv comes as near to its "
                f"class as the members do ({without.value:.2f} beside {members.value:.2f}): takeover goes with success even where "
                f"classes mean nothing. That it causes success, nothing here shows. {ONE_NETWORK}"
            )
        if _above(adversarial, without):
            return "holds in part", (
                f"{beyond}. But a network of random labels is fooled as well ({fooled:.0%}) while its hidden features come less "
                f"near to any class: success does not need it. {ONE_NETWORK}"
            )
        return "not supported", (
            f"{beyond}. But a network of random labels, whose classes mean nothing, is fooled as well ({fooled:.0%}) and shows "
            f"the same correlation within the intervals: not supported as an explanation. {ONE_NETWORK}"
        )

    return _judged(numbers, "the falsifier: a network that learnt random labels", decide)


def _perfect(frames: Frames) -> Verdict:
    takeover = frames["takeover"]
    tap = _deepest(takeover)
    adversarial, ceiling = _row(takeover, "adversarial", tap), _row(takeover, "members", tap)
    members = f"at {ceiling.value:.2f}" if math.isfinite(ceiling.value) else "not measured"
    rest = (
        f"The ceiling, members of the class among themselves, is {members}. Anti-correlation, and whether it depends on the "
        f"pairs' separation, are not tested by this. {ONE_NETWORK}"
    )

    def decide() -> tuple[Word, str]:
        if min(_given(end) for end in (adversarial.low, adversarial.value, adversarial.high)) >= PERFECT:
            return "holds", f"Successes are as good as parallel to the target class. {rest}"
        return "not supported", (
            f"Not perfect: C of x_adv with its target class is {adversarial.value:.2f}, not shown to be {PERFECT} or more. Untrained "
            "deep linear networks do end at +1 or −1, deep ReLU and ordered tanh and erf networks at +1 (theorem); this "
            f"trained one is not seen to. {rest}"
        )

    return _judged((adversarial, ceiling), "the whole interval at 0.99 or above; the ceiling beside it", decide)


# --- rank correlations -------------------------------------------------------------------------------------------


def _number(value: object) -> float:
    """NaN for what is no number."""
    return float(value) if isinstance(value, int | float) else math.nan


@dataclass(frozen=True)
class _Tested:
    """A rank correlation as it was tested, NaN for what is missing."""

    label: str
    rho: float = math.nan
    p: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def measured(self) -> bool:
        return math.isfinite(self.rho) and math.isfinite(self.p)

    @property
    def number(self) -> Number:
        return Number(f"{self.label} (p = {self.p:.2g})", self.rho, self.low, self.high)

    def beyond(self, sign: int, level: float = LEVEL) -> bool:
        """Whether it is of this sign beyond chance: p below the level, and no end of an interval at 0 or past it."""
        ends = [end for end in (self.low, self.high) if math.isfinite(end)]
        return self.measured and self.p < level and all(value * sign > 0 for value in (self.rho, *ends))


def _tested(frame: Frame, name: str) -> _Tested:
    for found in frame.info["statistics"]:
        if found["name"] == name:
            return _Tested(found["label"], *(_number(found[each]) for each in ("rho", "p", "low", "high")))
    return _Tested(name)


def _significant(tested: _Tested, sign: int = 1, level: float = LEVEL) -> bool:
    """Whether a rank correlation of this sign is beyond chance; undecided where it wasn't measured."""
    if not tested.measured:
        raise Unmeasured(UNMEASURED)
    return tested.beyond(sign, level)


def _holm(tests: Sequence[_Tested]) -> list[float]:
    """Each test's level after Holm (1979), so that the chance of any false find among those measured stays at 5%.

    A test behind one that failed has level 0.
    """
    order = sorted((t.p, k) for k, t in enumerate(tests) if t.measured)
    levels, passed = [0.0] * len(tests), True
    for rank, (p, k) in enumerate(order):
        level = LEVEL / (len(order) - rank)
        levels[k] = level if passed else 0.0
        passed = passed and p < level
    return levels


def _transfer(frames: Frames) -> Verdict:
    frame = frames["transferability"]
    names = ("cka", "cka | gradient_cosine", "gradient_cosine", "gradient_cosine | cka")
    tests = [_tested(frame, name) for name in names]

    def decide() -> tuple[Word, str]:
        if not _significant(tests[0]):
            return "not supported", "Like features do not go with transfer here beyond chance."
        if not _significant(tests[1]):
            return "holds in part", (
                "Networks whose features are alike pass attacks on; beyond what like input gradients explain nothing is shown."
            )
        return "holds", "Networks whose features are alike pass attacks on, beyond what like gradients explain."

    numbers = tuple(tested.number for tested in tests if tested.measured)
    return _judged(numbers, "the input gradients' cosine, and a test that permutes networks", decide)


LEVELS = {
    "networks": ("network rate", "network rate | accuracy, layers"),
    "inputs": ("input boost", "input boost | margin, input_distance"),
}
"""Of vulnerability: each level's correlation, and what is left of it given what else may explain it."""


def _vulnerable(frames: Frames) -> Verdict:
    """Vulnerable is who has a small norm: the claim is of negative correlations."""
    frame = frames["vulnerability"]
    tests = [_tested(frame, name) for names in LEVELS.values() for name in names]
    levels = _holm(tests)
    survives: dict[str, bool | None] = {}  # None: not measured
    alone = []  # levels of which only the raw correlation is there
    for number, level in enumerate(LEVELS):
        (raw, rest), (at, rest_at) = tests[2 * number : 2 * number + 2], levels[2 * number : 2 * number + 2]
        raw_beyond = raw.beyond(-1, at) if raw.measured else None
        # without the raw correlation the level fails, whatever is left of it
        rest_beyond = rest.beyond(-1, rest_at) if rest.measured else None
        failed = raw_beyond is False or rest_beyond is False
        survives[level] = False if failed else True if raw_beyond and rest_beyond else None
        if raw_beyond and rest_beyond is False:
            alone.append(level)

    def decide() -> tuple[Word, str]:
        if all(survives.values()):
            return "holds", (
                "What contracts more is broken sooner, over networks and inputs, also given depth and accuracy, margin and distance."
            )
        if any(survives.values()):
            (level,) = [name for name, survived in survives.items() if survived]
            (other,) = [name for name in survives if name != level]
            rest = (
                "could not be measured"
                if survives[other] is None
                else "does not, or not once what else explains it is given"
            )
            return "holds in part", f"Over {level}, what contracts more is broken sooner; over {other} it {rest}."
        if None in survives.values():
            raise Unmeasured(UNMEASURED)
        if alone:
            return "not supported", (
                f"Over {' and '.join(alone)}, contraction goes with vulnerability, but not beyond chance once what else explains it "
                "(depth and accuracy; margin and distance) is given."
            )
        return "not supported", (
            "What contracts more is not broken sooner here beyond chance, neither over networks nor over inputs."
        )

    control = (
        "depth and accuracy over networks; margin and distance of the input within a network; Holm over the four tests"
    )
    return _judged(tuple(tested.number for tested in tests if tested.measured), control, decide)


LATER = "Its experiment is not part of the lab yet."

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "entangled",
        "v1-v3",
        "Distant feature samples become entangled as data passes through a network.",
        ("repeats", "null"),
        "Correlation of pairs in networks trained from several seeds, against the band of untrained networks, in either direction.",
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
        "C of successful x_adv with the target class at the last hidden layer: its whole interval must be at 0.99 or above.",
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
