"""The claims on fleets of networks, which rest on rank correlations: transfer and vulnerability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.events import Frame
from engine.experiments.claims.judging import UNMEASURED, Frames, Number, Unmeasured, Verdict, Word, judged, number

LEVEL = 0.05
FEWEST = 12
"""Networks from which on claims over networks are judged: fewer cannot hold them, and if nothing is found in fewer that says nothing."""


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation as it was tested, NaN for what is missing."""

    label: str
    rho: float = math.nan
    p: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: float = math.nan
    """Units that it counts."""

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


def tested(frame: Frame, name: str) -> RankCorrelation:
    for found in frame.info["statistics"]:
        if found["name"] == name:
            rho, p, low, high = (number(found[each]) for each in ("rho", "p", "low", "high"))
            return RankCorrelation(found["label"], rho, p, low, high, number(found.get("n")))
    return RankCorrelation(name)


def counted(frame: Frame, tests: Sequence[RankCorrelation]) -> int:
    """Networks that each of some tests over networks counts: one whose features are dead has no number in some."""
    return min([len(frame.info["networks"]), *(int(test.n) for test in tests if test.measured and test.n == test.n)])


def significant(tested: RankCorrelation, sign: int = 1, level: float = LEVEL) -> bool:
    """Whether a rank correlation of this sign is beyond chance; undecided where it wasn't measured."""
    if not tested.measured:
        raise Unmeasured(UNMEASURED)
    return tested.beyond(sign, level)


def holm(tests: Sequence[RankCorrelation]) -> list[float]:
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


def transfer(frames: Frames) -> Verdict:
    """Holds only over enough networks, and where the gradients' cosine, which is to explain it, is at work itself.

    Judged is the attack that comes first, PGD unless it was left out; whether the others would be judged alike is said.
    """
    frame = frames["transferability"]
    first, *others = frame.info.get("attacks") or [{"name": "pgd", "label": "PGD"}]
    tests = _of_transfer(frame, "")
    networks = counted(frame, tests)

    def decide() -> tuple[Word, str]:
        word, sentence = _transfers(tests, networks)
        agreeing = {
            each["label"]: _word_of(_of_transfer(frame, f"{each['name']}: "), networks) == word
            for each in others
            if each["name"] != "noise"
        }
        return word, f"{sentence} {_said_of(first['label'], agreeing)}"

    numbers = tuple(test.number for test in tests if test.measured)
    of_others = (tested(frame, f"{each['name']}: cka") for each in others if each["name"] != "noise")
    numbers += tuple(test.number for test in of_others if test.measured)
    return judged(numbers, "the input gradients' cosine, and a test that permutes networks", decide)


def _of_transfer(frame: Frame, prefix: str) -> list[RankCorrelation]:
    names = ("cka", "cka | gradient_cosine", "gradient_cosine", "gradient_cosine | cka")
    return [tested(frame, prefix + name) for name in names]


def _word_of(tests: Sequence[RankCorrelation], networks: int) -> Word:
    try:
        return _transfers(tests, networks)[0]
    except Unmeasured:
        return "undecided"


def _said_of(first: str, agreeing: dict[str, bool]) -> str:
    """Which attack was judged, and how the others would be."""
    alike = [name for name, agrees in agreeing.items() if agrees]
    differ = [name for name, agrees in agreeing.items() if not agrees]
    said = f"Transfer is that of {first}"
    if alike:
        said += f"; {' and '.join(alike)} would be judged alike"
    if differ:
        said += f"; {' and '.join(differ)} would not be"
        said += " judged alike" if not alike else ""
    return f"{said}."


def _transfers(tests: Sequence[RankCorrelation], networks: int) -> tuple[Word, str]:
    """The verdict of one attack; raises Unmeasured."""
    over = f"Over {networks} networks"
    raw, rest, *_ = holm(tests[:2])
    if not significant(tests[0], level=raw):
        if networks < FEWEST:  # they would hardly show it if it were so
            raise Unmeasured(f"{networks} networks are too few to tell: take {FEWEST} or more.")
        return "not supported", f"{over}, like features do not go with transfer beyond chance."
    if not significant(tests[1], level=rest):
        return "holds in part", (
            f"{over}, those whose features are alike pass attacks on; beyond what like input gradients explain nothing is shown."
        )
    alike = f"{over}, those whose features are alike pass attacks on"
    if networks < FEWEST:
        return "holds in part", (
            f"{alike}, also given like gradients; but these are too few networks to tell: take {FEWEST} or more."
        )
    if not significant(tests[2]):
        return "holds in part", (
            f"{alike}; but like gradients, which are to explain it, do not go with transfer themselves here, so that nothing is "
            "taken away by giving them."
        )
    return (
        "holds",
        f"{alike}, beyond what like gradients explain. A correlation: that it is the cause is not tested.",
    )


LEVELS = {
    "networks": ("network rate", "network rate | accuracy, layers"),
    "inputs": ("input boost", "input boost | margin, input_distance"),
}
"""Of vulnerability: each level's correlation, and what is left of it given what else may explain it."""


def vulnerable(frames: Frames) -> Verdict:
    """Vulnerable is who has a small norm: the claim is of negative correlations. Over few networks, that level is not judged."""
    frame = frames["vulnerability"]
    tests = [tested(frame, name) for names in LEVELS.values() for name in names]
    networks = counted(frame, tests[: len(LEVELS["networks"])])
    levels = holm(tests)
    survives: dict[str, bool | None] = {}  # None: not measured, or over too few networks
    alone = []  # levels of which only the raw correlation is there
    for k, level in enumerate(LEVELS):
        (raw, rest), (at, rest_at) = tests[2 * k : 2 * k + 2], levels[2 * k : 2 * k + 2]
        raw_beyond = raw.beyond(-1, at) if raw.measured else None
        # without the raw correlation the level fails, whatever is left of it
        rest_beyond = rest.beyond(-1, rest_at) if rest.measured else None
        failed = raw_beyond is False or rest_beyond is False
        few = level == "networks" and networks < FEWEST
        survives[level] = None if few else False if failed else True if raw_beyond and rest_beyond else None
        if not few and raw_beyond and rest_beyond is False:
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
                f"is not judged: {networks} are too few, take {FEWEST} or more"
                if other == "networks" and networks < FEWEST
                else "could not be measured"
                if survives[other] is None
                else "does not, or not once what else explains it is given"
            )
            return "holds in part", f"Over {level}, what contracts more is broken sooner; over {other} it {rest}."
        if None in survives.values():
            few = survives["networks"] is None and networks < FEWEST
            raise Unmeasured(f"{networks} networks are too few to tell: take {FEWEST} or more." if few else UNMEASURED)
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
    return judged(tuple(tested.number for tested in tests if tested.measured), control, decide)
