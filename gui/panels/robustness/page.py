"""What the pages of the robustness panel have in common: the frame, the network looked at, and names with their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.experiments.robustness.curves import APGD, FGSM, MINIMAL, NOISE, PGD, SQUARE, TRANSFERRED
from gui.panels.pieces import PiecewisePage
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

COLOURS = {
    NOISE: "grey",
    FGSM: "sky",
    PGD: "blue",
    APGD: "green",
    MINIMAL: "orange",
    SQUARE: "purple",
    TRANSFERRED: "vermillion",
}
NETWORKS = ("blue", "vermillion", "green", "orange", "purple", "sky", "grey")
"""Colours of networks, in order."""
ALL = -1  # networks, instead of one
SIGNS = {"Linf": "∞", "L2": "₂"}


class Page(PiecewisePage):
    """One way to look at a frame: at one network, or at all."""

    topic = "robustness"
    empty_text = "Not measured yet."
    button_text = "Measure robustness"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.network = 0

    def look_at(self, network: int) -> None:
        """Draw this network by its position, or all of them, from the next frame on."""
        self.network = network

    @property
    def shown(self) -> list[int]:
        """Positions of the networks looked at."""
        if self.frame is None:
            return []
        return list(range(len(self.frame.info["networks"]))) if self.network == ALL else [self.network]

    def label(self, network: int) -> str:
        """What a network is called."""
        assert self.frame is not None
        return str(self.frame.info["networks"][network]["label"])


def network_colour(theme: Theme, network: int) -> str:
    """The colour of a network by its position."""
    return theme.palette[NETWORKS[network % len(NETWORKS)]]


def norm_axis(frame: Frame) -> str:
    """The name of the axis of budgets."""
    return f"ε: ‖x_adv − x‖{SIGNS[frame.info['norm']]} (input units)"
