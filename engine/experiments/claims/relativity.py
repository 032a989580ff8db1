"""The claim that model complexity relates to special relativity: what of it is a theorem, what is measured, what is a name."""

from __future__ import annotations

from collections.abc import Sequence

from engine.experiments.claims.judging import Frames, Number, Unmeasured, Verdict, Word, given, judged, number
from engine.experiments.claims.relations import FEWEST, RankCorrelation, counted, holm, significant, tested

FAULTY = 1e-4
"""Chance of the largest |z| below which the run is to be doubted, since the law is a theorem."""
RAW = ("change ~ parameters", "change ~ depth")
BEYOND_DEPTH = ("change ~ parameters | depth",)
BEYOND_START = ("added ~ parameters", "added ~ depth")
CONTROL = ("initial_change ~ parameters", "initial_change ~ depth")
"""The same networks before training: told beside, and no test of the claim."""
ANALOGY = (
    "That the Gram matrix of a pair is a Minkowski vector, and the law of ln γ in untrained linear networks, are theorems; that depth is "
    "time and that lengths contract are names: no clock runs in a network."
)


def relativity(frames: Frames) -> Verdict:
    """Whether complexity goes with the boost of trained networks, beyond depth and beyond initialisation.

    Three things are kept apart.

    A theorem: the Gram matrix of a pair is a Minkowski vector, and in untrained linear networks E ln gamma grows by gap(n) with each
    layer of width n, whatever is measured. The run checks the law on networks drawn anew; where the largest |z| of all cells has a chance
    below :data:`FAULTY`, the run is faulty and nothing is decided.

    A measurement, which can fail: over twelve or more trained networks, boost (the gain of ln gamma from the input to the last hidden
    layer) rises with parameters or depth; with parameters also given depth; and what training adds to the same network's boost before
    training rises with parameters or depth as well. For each test a two-sided p by permutation at Holm's level over the five, rho above
    0, and an interval that leaves 0 out. All three: in part. Otherwise not supported, since what is left is what depth alone does, or
    what untrained networks of these shapes do.

    The direction is fixed beforehand. The claim is of contraction, gamma above 1, and of complexity: so the more complex network must have
    the more boost. The law of untrained linear networks says the same of depth (each layer adds a gap above 0), and the contrary of width (the
    gap falls as 1 / (2n - 3)): boost that falls with parameters at equal depth is that law at work. It is told, and is no support.

    An analogy, which nothing here can make more of: time dilation and length contraction. Therefore never more than in part.
    """
    frame = frames["complexity"]
    largest = frame.info["law"]["largest"]
    tests = [tested(frame, name) for name in (*RAW, *BEYOND_DEPTH, *BEYOND_START)]
    networks = counted(frame, tests)
    control = [tested(frame, name) for name in CONTROL]
    chance = number(largest["p"])
    law = Number(f"law of linear networks: largest |z| of {largest['cells']} (p = {chance:.2g})", number(largest["z"]))

    def decide() -> tuple[Word, str]:
        if given(chance) < FAULTY:
            raise Unmeasured(
                "Untrained linear networks are not seen to obey their law, which is a theorem: the run is faulty."
            )
        if networks < FEWEST:
            raise Unmeasured(f"{networks} networks are too few to tell: take {FEWEST} or more.")
        levels = holm(tests)
        found = [significant(test, 1, level) for test, level in zip(tests, levels, strict=True)]
        raw, depth, start = any(found[:2]), found[2], any(found[3:])
        over = f"Over {networks} trained networks"
        against = _said_against(tests, levels)
        if not raw:
            return (
                "not supported",
                f"{over}, boost does not rise with parameters or depth beyond chance. {against}{ANALOGY}",
            )
        if depth and start:
            return "holds in part", (
                f"{over}, boost rises with complexity, also given depth, and so does what training adds to the untrained network. "
                f"{against}{ANALOGY}"
            )
        missing = [
            text
            for there, text in (
                (depth, "beyond what depth alone does"),
                (start, "beyond what the same networks do before training"),
            )
            if not there
        ]
        return (
            "not supported",
            f"{over}, boost rises with complexity, but not {' nor '.join(missing)}. {against}{ANALOGY}",
        )

    numbers = (law, *(test.number for test in (*tests, *control) if test.measured))
    decides = "depth given; the same networks before training; Holm over the five tests, boost must rise"
    return judged(numbers, decides, decide)


def _said_against(tests: Sequence[RankCorrelation], levels: Sequence[float]) -> str:
    """Tests that are beyond chance in the direction that the claim is not of."""
    found = [test.label for test, level in zip(tests, levels, strict=True) if test.beyond(-1, level)]
    return f"Beyond chance, but falling where the claim would have it rise: {'; '.join(found)}. " if found else ""
