"""The claims on features: entangled by training, like entanglement correlation, behind adversarial examples, perfect."""

from __future__ import annotations

import math
from dataclasses import replace

from engine.events import Frame
from engine.experiments.claims.judging import (
    ONE_NETWORK,
    UNFIT,
    UNMEASURED,
    Frames,
    Number,
    Unmeasured,
    Verdict,
    Word,
    above,
    apart,
    given,
    judged,
    number,
)
from engine.experiments.groups import GROUP_POSITION, QUANTITIES
from engine.experiments.takeover_views import CONTROLS, paired

CLASS = {"same": "one class", "different": "different classes"}
PERFECT = 0.99
"""Correlation from which on it may be called perfect."""
MEMORISED = 0.95
"""Accuracy on random labels below which a network hasn't learnt them by heart, and falsifies nothing."""
WEAK = 0.1
"""Share of successful attacks below which there is nothing to explain."""
FOOLED = 0.5
"""Share of successful attacks from which on a network counts as fooled."""


def row(frame: Frame, name: str, tap: int, which: str = "success") -> Number:
    """Of a takeover or falsifier frame: a control's C at a tap. One input alone has no interval."""
    at = list(frame.info["names"]).index(name), tap
    label = f"{frame.info['labels'][at[0]]}, {frame.info['taps'][tap]['name']}"
    mean, low, high = (float(frame.arrays[f"{which}_{end}"][at]) for end in ("mean", "low", "high"))
    counts = frame.arrays.get(f"{which}_count")
    alone = counts is not None and int(counts[at[0]]) < 2
    return Number(label, mean, math.nan, math.nan) if alone else Number(label, mean, low, high)


def difference(frame: Frame, name: str, tap: int) -> Number | None:
    """What x_adv has more than a control on the same successes, at a tap; None where that was not measured."""
    found = paired(frame, name, tap, "success")
    if found is None:
        return None
    return Number(f"{found.label}, paired, {frame.info['taps'][tap]['name']}", found.mean, found.low, found.high)


def taps(*frames: Frame) -> tuple[str, ...]:
    """Names of the taps, which the frames must share."""
    named = {tuple(tap["name"] for tap in frame.info["taps"]) for frame in frames}
    if len(named) != 1:
        raise Unmeasured(UNFIT)
    return named.pop()


def deepest(*frames: Frame) -> int:
    """The last tap before the logits: at the logits themselves the correlation with the target only restates success."""
    return max(0, len(taps(*frames)) - 2)


def null(frames: Frames, group: str, tap: int) -> tuple[Number, Number]:
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


MOVED = {1: "more", -1: "less", 0: "no more and no less"}


def entangled(frames: Frames) -> Verdict:
    """Two-sided: whichever way training moves the pairs. At most in part, since what is seen is the structure of classes."""
    tap = deepest(frames["null"], frames["repeats"])
    same, same_null = null(frames, "same", tap)
    distant, distant_null = null(frames, "different", tap)

    def decide() -> tuple[Word, str]:
        distance, together = apart(distant, distant_null), apart(same, same_null)
        if not distance and not together:
            return "not supported", "What training does to pairs lies within what untrained networks do."
        return "holds in part", (
            f"Against untrained networks, training correlates pairs of different classes (the distant ones) {MOVED[distance]}, "
            f"pairs of one class {MOVED[together]}. What this shows is class structure, which is what is trained: it is not "
            "entanglement of distant inputs as such."
        )

    control = "networks of the same architecture, untrained"
    return judged((same, same_null, distant, distant_null), control, decide)


def bell(frames: Frames) -> Verdict:
    # the input is the same for both wings and says nothing of a network
    layers = [row for row in frames["bell"].info["layers"] if "S" in row and row["tap"] != "input"]
    control = "the CHSH protocol with no row discarded"
    if not layers:
        return Verdict("undecided", UNMEASURED, (), control)
    largest = max(layers, key=lambda row: abs(row["S"]))
    cosines = max(layers, key=lambda row: row["algebraic"])
    s, error = float(largest["S"]), float(largest["error"])
    numbers = (
        Number(f"largest S behind the input, {largest['tap']}", s, s - 1.96 * error, min(2.0, s + 1.96 * error)),
        Number(f"algebraic score of cosines, {cosines['tap']} (no Bell quantity)", float(cosines["algebraic"])),
    )

    def decide() -> tuple[Word, str]:
        if abs(given(s)) > 2 + 1e-9:
            raise Unmeasured("S beyond 2 with every row kept cannot be: the run is faulty.")
        return "not supported", (
            "No layer exceeds 2, and none can: with every row kept, |S| ≤ 2 is a theorem. Only cosines, disjoint samples or "
            "dropped rows exceed it."
        )

    return judged(numbers, control, decide)


def adversarial(frames: Frames) -> Verdict:
    takeover, falsifier = frames["takeover"], frames["falsifier"]
    tap = deepest(takeover, falsifier)
    adversarial = row(takeover, "adversarial", tap)
    controls = [row(takeover, name, tap) for name in CONTROLS]
    differences = [difference(takeover, name, tap) for name in CONTROLS]
    without = replace(
        row(falsifier, "adversarial", tap),
        label="x_adv in a network of random labels, last hidden layer",
    )
    fooled, memorised = (number(falsifier.info.get(name)) for name in ("success", "memorised"))
    members = None
    if "members" in falsifier.info["names"]:
        label = "members of its random classes among themselves, last hidden layer"
        members = replace(row(falsifier, "members", tap), label=label)
    numbers = (
        adversarial,
        *controls,
        *(each for each in differences if each is not None),
        without,
        *(() if members is None else (members,)),
        Number("success against the network of random labels", fooled),
        Number("random labels that it learnt by heart (share)", memorised),
    )

    def decide() -> tuple[Word, str]:
        if given(number(takeover.info.get("success"))) < WEAK:
            raise Unmeasured(
                "The attack hardly ever succeeds on this network, so there is nothing to explain: take a stronger one."
            )
        beaten = [  # every control must be measured; on the same inputs where it can be
            above(adversarial, control) if more is None else more.low > 0
            for control, more in zip(controls, differences, strict=True)
        ]
        if not all(beaten):
            return "not supported", f"A control comes as near to the target class as x_adv does. {ONE_NETWORK}"
        if given(memorised) < MEMORISED:
            raise Unmeasured(
                f"The random labels were not learnt by heart ({memorised:.0%}): attacks on this network falsify nothing. "
                "Train longer, or let it learn fewer."
            )
        beyond = "Where it succeeds, x_adv takes on the target class beyond every control"
        if given(fooled) < FOOLED:
            if given(number(takeover.info.get("success"))) < FOOLED:
                raise Unmeasured(
                    "The attack mostly fails here as it does against random labels, which tells the two apart in nothing: "
                    "take a stronger one."
                )
            return "holds", (
                f"{beyond}; where classes mean nothing, in a network of random labels, attacks mostly fail ({fooled:.0%} "
                f"succeed). {ONE_NETWORK}"
            )
        if not above(adversarial, without):
            return "not supported", (
                f"{beyond}. But a network of random labels, whose classes mean nothing, is fooled as well ({fooled:.0%}) and shows "
                f"the same correlation within the intervals: not supported as an explanation. {ONE_NETWORK}"
            )
        if members is not None and not above(members, without):
            return "holds in part", (
                f"{beyond}. A network of random labels is fooled as well ({fooled:.0%}), and there too x_adv comes as near to its "
                f"class as the members do ({without.value:.2f} beside {members.value:.2f}): takeover goes with success even where "
                f"classes mean nothing. That it causes success, nothing here shows. {ONE_NETWORK}"
            )
        return "holds in part", (
            f"{beyond}. But a network of random labels is fooled as well ({fooled:.0%}) while its hidden features come less "
            f"near to any class: success does not need it. {ONE_NETWORK}"
        )

    return judged(numbers, "the falsifier: a network that learnt random labels", decide)


def perfect(frames: Frames) -> Verdict:
    takeover = frames["takeover"]
    tap = deepest(takeover)
    adversarial, ceiling = row(takeover, "adversarial", tap), row(takeover, "members", tap)
    members = f"at {ceiling.value:.2f}" if math.isfinite(ceiling.value) else "not measured"
    rest = (
        f"The ceiling, members of the class among themselves, is {members}. Anti-correlation, and whether it depends on the "
        f"pairs' separation, are not tested by this. {ONE_NETWORK}"
    )

    def decide() -> tuple[Word, str]:
        if min(given(end) for end in (adversarial.low, adversarial.value, adversarial.high)) >= PERFECT:
            return "holds", f"Successes are as good as parallel to the target class. {rest}"
        return "not supported", (
            f"Not perfect: C of x_adv with its target class is {adversarial.value:.2f}, not shown to be {PERFECT} or more. Untrained "
            "deep linear networks do end at +1 or −1, deep ReLU and ordered tanh and erf networks at +1 (theorem); this "
            f"trained one is not seen to. {rest}"
        )

    return judged((adversarial, ceiling), "the whole interval at 0.99 or above; the ceiling beside it", decide)
