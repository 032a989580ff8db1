"""What the takeover panel says in sentences: the verdict, where the target class overtakes, what the falsifier adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.experiments.takeover_views import Crossing, Inputs, Value, Verdict, first_takeover, value, verdict

if TYPE_CHECKING:
    from engine.events import Frame

IN_WORDS = {
    "random": "random perturbation",
    "initial": "network at initialisation",
    "other": "another seed's network",
}


def sentences(
    frame: Frame | None, falsifier: Frame | None, crossings: Sequence[Crossing], tap: int, inputs: Inputs
) -> list[str]:
    """The verdict at a layer, where the target class overtakes, and what the falsifier adds.

    ``tap`` is the layer's position in the taps of ``frame``, or of ``falsifier`` where there is no other.
    """
    parts = []
    drawn = frame or falsifier
    if frame is not None:
        found = verdict(frame, tap, inputs)
        if found is not None:
            parts.append(_verdict(found))
        elif frame.info["done"]:
            who = "No input was fooled" if inputs == "success" else "x_adv has no features that can be compared"
            parts.append(f"{who}: nothing to compare at {frame.info['taps'][tap]['name']}.")
        else:
            parts.append("The attack is under way; the controls follow.")
        parts.append(_takeover(frame, crossings))
    if falsifier is not None and drawn is not None:
        parts.append(_falsifier(falsifier, drawn.info["taps"][tap]["name"], inputs))
    return parts


def _takeover(frame: Frame, crossings: Sequence[Crossing]) -> str:
    first = first_takeover(crossings, frame)
    if first is None or first.moment is None:
        share = frame.info["success"]
        return (
            f"On average over all inputs no layer before the logits is taken over: the true class stays nearer "
            f"({share:.0%} fooled)."
        )
    tap, step = frame.info["taps"][first.tap]["name"], int(frame.arrays["step"][first.moment])
    before = [c for c in crossings if frame.info["taps"][c.tap]["kind"] != "logits"]
    taken = sum(c.moment is not None for c in before)
    return f"Takeover at layer {tap}, step {step}; in the end at {taken} of {len(before)} layers before the logits."


def _falsifier(frame: Frame, name: str, inputs: Inputs) -> str:
    tap = next((k for k, t in enumerate(frame.info["taps"]) if t["name"] == name), None)
    if tap is None:
        return ""
    found = value(frame, "adversarial", tap, inputs)
    own = value(frame, "members", tap, inputs) if "members" in frame.info["names"] else None
    ceiling = "" if own is None else f"; its own members have {_interval(own)}"
    return (
        f"Falsifier: in a network trained on random labels (it learnt {frame.info['memorised']:.1%} of "
        f"{frame.info['samples_memorised']:,}), {frame.info['success']:.0%} are fooled with C = {_interval(found)} at {name}"
        f"{ceiling}."
    )


def _number(found: float) -> str:
    return f"{found:.2f}".replace("-", "−") if math.isfinite(found) else "undefined"


def _interval(found: Value) -> str:
    return f"{_number(found.mean)} [{_number(found.low)}, {_number(found.high)}]" if found.measured else "undefined"


def _named(found: Sequence[Value]) -> str:
    return ", ".join(f"{IN_WORDS[each.name]} {_number(each.mean)}" for each in found)


def _verdict(found: Verdict) -> str:
    """The verdict at a layer as a sentence."""
    head = f"x_adv reaches {_interval(found.adversarial)} at {found.tap}: "
    if not found.unbeaten and found.beaten:
        most = max(found.beaten, key=lambda each: each.mean)
        middle = f"beyond every control (highest {_number(most.mean)}, {IN_WORDS[most.name]})"
    elif found.beaten:
        middle = f"beyond {_named(found.beaten)}, but not beyond {_named(found.unbeaten)}"
    else:
        middle = f"not beyond {_named(found.unbeaten)}" if found.unbeaten else "no control has numbers here"
    ceiling = _number(found.ceiling.mean)
    if found.least is not None and not found.unbeaten:
        middle += f", on the same inputs by {_interval(found.least)} or more"
    tail = {
        "short of": f", short of the ceiling ({ceiling})",
        "at": f", at the ceiling ({ceiling})",
        "beyond": f", above the members among themselves ({ceiling})",
        "unknown": "",
    }[found.against_ceiling]
    return f"{head}{middle}{tail}."
