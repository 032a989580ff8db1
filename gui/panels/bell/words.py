"""What the Bell test says: its mistakes, its legend, its verdict, and its numbers one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.experiments.bell_views import LEAST_EFFICIENCY, is_loophole, share_above
from gui.plots.chips import Entry
from gui.plots.says import signed
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

WIDE = 1.96  # standard errors to each side of a 95% interval
DISJOINT, COSINES, DROPPING = "disjoint", "cosines", "dropping"
MISTAKES = (
    (
        DISJOINT,
        "disjoint samples",
        "Mistake: each of the four correlations from other rows: then S is no average of ±2",
    ),
    (
        COSINES,
        "cosines",
        "Mistake: cosines instead of signs. A cosine is computed with both vectors in hand: an algebraic score, not Bell",
    ),
    (DROPPING, "drop unsure rows", "Mistake: keep only rows whose readings are large: the detection loophole"),
)
NAMING = (
    "Mind the name: a pair with C = ±1, “entangled” in the paper's word, has zero Schmidt entanglement; C = 0 has the most, "
    "1 bit (theorem)."
)


def dropped(frame: Frame, place: int) -> list[dict[str, float]]:
    """What dropping rows makes of S at a layer; where it was not measured, of the pair."""
    return list(frame.info["layers"][place].get("dropping") or frame.info["pair"]["dropping"])


def title_left(frame: Frame, place: int) -> str:
    """What stands above the plot of angles."""
    pairs = int(np.isfinite(frame.arrays["E"][place]).sum())
    return f"E(θ) at {frame.info['taps'][place]['name']}: {pairs:,} pairs, 95% intervals"


def title_right(mistake: str, tap: str) -> str:
    """What stands above the plot beside it."""
    return {
        "": "S of the CHSH protocol at every layer, 95% intervals",
        COSINES: "Mistake: cosines instead of signs (algebraic score, not Bell)",
        DISJOINT: "Mistake: four disjoint samples",
        DROPPING: f"Mistake: drop unsure rows, at {tap}",
    }[mistake]


def legend(mistake: str, tap: str, theme: Theme) -> list[Entry]:
    """The curves drawn, with a mistake switched on or with none."""
    entries = [
        Entry("measured", f"signs at {tap}", theme.palette["vermillion"], "Measured, with 95% intervals", "bar"),
        Entry("classical", "classical: 1 − 2θ/π", theme.palette["blue"], "Theorem: local signs give this line"),
        Entry(
            "cosine",
            "quantum, cos θ: not reachable by local signs",
            theme.muted,
            "What entangled quantum pairs would give; no signs read off each vector by itself can",
            "dash",
        ),
    ]
    if mistake == DROPPING:
        entries += [
            Entry("kept", "S of rows kept", theme.palette["vermillion"], "Rows with a small reading are discarded"),
            Entry("bound", "4/efficiency − 2", theme.muted, "The most that discarding can do (theorem)", "dash"),
            Entry("as_zero", "unsure kept as 0", theme.palette["green"], "No row discarded: never above 2"),
        ]
    if mistake == COSINES:
        score = "2·√(ρ₁² + ρ₂²), of the two largest canonical correlations"
        entries.append(Entry("score", "algebraic score", theme.palette["orange"], score, "dash"))
    return entries


# --- the verdict ---------------------------------------------------------------------------------------------------


def verdict(frame: Frame, place: int, mistake: str) -> str:
    """What was found, and what is wrong with it where a mistake is switched on."""
    match mistake:
        case "":
            return _protocol(frame)
        case "disjoint":
            return _of_disjoint_samples(frame)
        case "cosines":
            return _of_cosines(frame, place)
        case _:
            return _of_dropping(dropped(frame, place))


def _protocol(frame: Frame) -> str:
    known = [row for row in frame.info["layers"] if "S" in row]
    if not known:
        return "No layer has features that vary: nothing to test."
    most = max(known, key=lambda row: abs(row["S"]))
    return (
        f"Theorem, and so measured: |S| ≤ 2 at every layer; the largest is {signed(most['S'], 2)} (SE {most['error']:.2f}) "
        f"at {most['tap']}, with every row kept."
    )


def _of_disjoint_samples(frame: Frame) -> str:
    trials = frame.arrays["disjoint"]
    return (
        f"Mistake: {share_above(trials):.0%} of {len(trials):,} trials exceed 2, up to {np.nanmax(np.abs(trials)):.2f}, by "
        f"chance alone: four correlations from four samples of {frame.info['disjoint_rows']:,} rows need not "
        f"obey the bound. No violation."
    )


def _of_cosines(frame: Frame, place: int) -> str:
    here, pair = frame.info["layers"][place], frame.info["pair"]
    at = (
        f"{here['algebraic']:.2f} at {here['tap']}, where signs give {here['S']:.2f}"
        if "algebraic" in here
        else f"not measured at {here['tap']}"
    )
    return (
        f"Mistake: the algebraic score is {at}; at Tsirelson's angles it is {pair['cosines']:.4f} = 2√2 where signs give "
        f"{pair['protocol']['S']:.2f}. A cosine is no average of local ±1 outcomes: not Bell."
    )


def _of_dropping(rows: list[dict[str, float]]) -> str:
    worst = max(rows, key=lambda row: row["S"])
    if not is_loophole(worst):
        return "Mistake: dropping unsure rows does not exceed 2 here."
    enough = worst["efficiency"] > LEAST_EFFICIENCY
    return (
        f"Mistake, detection loophole: S = {worst['S']:.2f} once rows below {worst['least']:g} σ are dropped, at efficiency "
        f"{worst['efficiency']:.1%} (bound 4/eff − 2 = {worst['bound']:.2f}). To exclude 2√2 it needs more than "
        f"{LEAST_EFFICIENCY:.1%}{'' if enough else ', and has less'}; with unsure rows kept as 0, S = {worst['as_zero']:.2f}."
    )


def notes(frame: Frame, place: int) -> str:
    """Of what both plots are."""
    here = frame.info["layers"][place]
    used = f"{here['samples']:,} test samples" if "samples" in here else "no samples with features that vary"
    dead = f", {here['dead']:,} dead left out" if here.get("dead") else ""
    return (
        f"Left: {frame.info['rows']:,} random hyperplanes a pair · right: {used}{dead}, efficiency 100% except in the last "
        f"mistake"
    )


# --- readouts ------------------------------------------------------------------------------------------------------


def of_pair(frame: Frame, place: int, k: int) -> str:
    """What the readout says of a pair at a layer."""
    theta, E = np.degrees(frame.arrays["theta"][place])[k], frame.arrays["E"][place, k]
    error, line = frame.arrays["E_error"][place, k], frame.arrays["sawtooth"][place, k]
    told = math.degrees(float(frame.arrays["theta_told"][place, k]))
    spread = WIDE * math.degrees(float(frame.arrays["theta_told_error"][place, k]))
    return (
        f"θ = {theta:.1f}°, as signs tell it {told:.1f}° ± {spread:.1f}°\n"
        f"E {signed(float(E))} ± {WIDE * error:.3f}\n"
        f"classical {signed(float(line))} · cosine {signed(math.cos(math.radians(theta)))}"
    )


def of_layer(row: dict[str, Any], mistake: str) -> str:
    """What the readout says of the protocol at a layer."""
    if "S" not in row:
        return f"{row['tap']}: not measured, its features do not vary"
    lines = [
        f"{row['tap']}: S {signed(row['S'])} ± {WIDE * row['error']:.3f}",
        f"{row['samples']:,} samples, none discarded",
    ]
    if mistake == COSINES:
        lines.append(f"algebraic score {row['algebraic']:.3f} (ρ {row['rho1']:.3f}, {row['rho2']:.3f})")
    return "\n".join(lines)


def of_threshold(row: dict[str, float]) -> str:
    """What the readout says of a threshold below which rows are dropped."""
    flag = "\ndetection loophole" if is_loophole(row) else ""
    return (
        f"below {row['least']:g} σ dropped: {row['efficiency']:.1%} kept\n"
        f"S {row['S']:.3f}, bound {row['bound']:.3f}\nunsure kept as 0: S {row['as_zero']:.3f}{flag}"
    )
