"""What the moments of a session are called, and the bands they fall into."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from gui.jobs import job_title


class Moment(Protocol):
    """What the slider needs of a recorded instant, as ``engine.session.Instant`` has it."""

    @property
    def id(self) -> int: ...
    @property
    def run(self) -> int: ...
    @property
    def phase(self) -> str: ...
    @property
    def step(self) -> int: ...


PHASE_NAMES = {
    "data": "data",
    "init": "initialisation",
    "train": "training",
    "attack": "attack",
    "measure": "measurement",
    "map": "decision map",
    "matrix": "class matrix",
}
ATTACKED = ("attack", "measure", "map", "matrix")  # phases that have to do with one attack
LOOKS = {
    topic: topic
    for topic in (
        "takeover", "falsifier", "null", "layers", "repeats", "bell", "structure", "all_pairs", "vulnerability",
        "transferability", "complexity", "max_likelihood", "reconciliation", "price",
        "hardening",
    )
} | {"noise_descent": "max_likelihood", "reconciliation_curve": "reconciliation"}  # fmt: skip
"""The closer look that each topic is of. What only looks have measured is no final measurement of an attack."""


@dataclass(frozen=True)
class Band:
    """Neighbouring moments of one phase of one run: positions first to last, and the phase's last step."""

    phase: str
    first: int
    last: int
    last_step: int
    name: str = ""
    """The attack of its run, where that is known and the phase has to do with it."""
    best: bool = False
    """The last moment is an attack's result, the best points found, and no step."""
    look: str = ""
    """The closer look whose moments these are, by its title."""


def bands(moments: Sequence[Moment], names: Mapping[int, str] | None = None, ended: Collection[int] = ()) -> list[Band]:
    """The moments in bands of equal run and phase, in order.

    ``names`` are those of the runs' attacks; ``ended`` are the runs that went to their end.
    """
    found: list[Band] = []
    position = 0
    groups = [(key, list(group)) for key, group in groupby(moments, key=lambda m: (m.run, m.phase))]
    for place, ((run, phase), members) in enumerate(groups):
        went_on = place + 1 < len(groups) and groups[place + 1][0][0] == run
        best = phase == "attack" and len(members) > 1 and (went_on or run in ended)
        steps = members[:-1] if best else members
        name = (names or {}).get(run, "") if phase in ATTACKED else ""
        last = position + len(members) - 1
        last_step = members[-1].step - 1 if best else max(m.step for m in steps)
        looks = {look_of(member) for member in members}
        look = looks.pop() if len(looks) == 1 else ""
        found.append(Band(phase, position, last, last_step, name, best, look))
        position = last + 1
    return found


def look_of(moment: Moment) -> str:
    """The title of the one closer look that a moment is of; "" where it is of none, or of more than one."""
    looks = {LOOKS.get(topic, "") for topic in getattr(moment, "topics", ())}
    look = looks.pop() if len(looks) == 1 else ""
    return job_title(look) if look and moment.phase == "measure" else ""


def moment_text(moment: Moment, last_step: int, name: str = "", best: bool = False) -> str:
    """A moment in words: "PGD: step 23 / 40", "PGD: best found", "Reconciliation", "at initialisation"."""
    match moment.phase:
        case "train":
            return f"training step {moment.step} / {last_step}"
        case "attack":
            where = "best found" if best else f"step {moment.step} / {last_step}"
            return f"{name}: {where}" if name else f"attack: {where}" if best else f"attack {where}"
        case "init":
            return "at initialisation"
        case "measure" if tuple(getattr(moment, "topics", ())) == ("attack_checks",):
            return f"{name}: checks" if name else "attack checks"
        case "measure" if look := look_of(moment):
            return f"{name}: {look[:1].lower()}{look[1:]}" if name and look == job_title("takeover") else look
        case "measure":
            return f"{name}: final measurement" if name else "final measurement"
    what = PHASE_NAMES.get(moment.phase, moment.phase)
    return f"{name}: {what}" if name else what
