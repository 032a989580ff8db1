"""The names of what is measured: pair groups, quantities and how they are said on screen. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A kind of pair of inputs; ``colour`` names one of :data:`OKABE_ITO`, the same wherever the group is drawn."""

    name: str
    label: str
    colour: str


@dataclass(frozen=True)
class Quantity:
    """A number of a pair that is averaged over a group."""

    name: str
    label: str
    unit: str


# colours that stay apart for colour-blind readers (Okabe & Ito, "Color Universal Design", 2008), and a grey and a violet
OKABE_ITO = {
    "sky": "#56b4e9",
    "orange": "#e69f00",
    "green": "#009e73",
    "vermillion": "#d55e00",
    "blue": "#0072b2",
    "grey": "#999999",
    "purple": "#cc79a7",
    "yellow": "#f0e442",
    "ink": "#222222",
    "violet": "#7a3db8",
}

GROUPS: tuple[Group, ...] = (
    Group("same", "two inputs of the same class", "sky"),
    Group("different", "two inputs of different classes", "orange"),
    Group("target_members", "two inputs of the target class (ceiling)", "green"),
    Group("adv_target", "x_adv with target class", "vermillion"),
    Group("adv_success", "x_adv with target class, successes only", "violet"),
    Group("clean_target", "x with target class", "blue"),
    Group("random_target", "random perturbation, same norm (control)", "grey"),
    Group("adv_true", "x_adv with true class", "purple"),
    Group("clean_adv", "x with x_adv", "yellow"),
    Group("clean_random", "x with random perturbation, same norm (control)", "ink"),
)

QUANTITIES: tuple[Quantity, ...] = (
    Quantity("C", "correlation C", ""),
    Quantity("angle", "angle θ", "rad"),
    Quantity("chord", "chord d", ""),
    Quantity("antipode", "distance to the antipode d′", ""),
    Quantity("rapidity", "rapidity η", ""),
    Quantity("ln_gamma", "ln γ", ""),
)

LEAST = (-1.0, 0.0, 0.0, 0.0, -math.inf, 0.0)
MOST = (1.0, math.pi, 2.0, 2.0, math.inf, math.inf)
"""What each of :data:`QUANTITIES` can be at least and at most: no interval reaches beyond."""

GROUP_POSITION = {group.name: position for position, group in enumerate(GROUPS)}


def group_colours() -> dict[str, str]:
    """The colour of each group on white paper, by group name."""
    return {group.name: OKABE_ITO[group.colour] for group in GROUPS}
