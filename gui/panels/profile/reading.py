"""What is read off a profile: a quantity, in the view that all panels share, at the taps on the axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gui.panels.profile.references import Place, References, Values, three
from gui.plots.layers import places_of
from gui.selection import Selection

if TYPE_CHECKING:
    from engine.events import Frame

NOW, INIT = 0, 1  # the network as it is, and as it was before training


class Reading:
    """The frame shown with what it is held against. Most may only be asked while there is a frame."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.beside = References()
        self.frame: Frame | None = None
        self.quantity = "C"
        """By its name in the frame."""
        self.places: list[int] = []
        """Position in the frame's taps of each point on the axis."""
        self.has_null = False
        """For some group looked at."""
        self.wants_excess = False

    def clear(self) -> None:
        """Forget what was measured; another run, which a person has chosen, stays."""
        self.frame = None
        self.beside.clear()
        self.has_null = False

    def look(self, taps: str, groups: Iterable[str]) -> None:
        """Put taps on the axis ("layers" or "all"), and see whether some of the groups have a null there."""
        assert self.frame is not None
        self.places = places_of(self.frame.info["taps"], taps)
        at = self.place
        self.has_null = any(np.isfinite(self.beside.null_values(name, at)[0]).any() for name in groups)

    @property
    def excess(self) -> bool:
        """Whether the null's mean is subtracted from everything drawn."""
        return self.has_null and self.wants_excess

    @property
    def place(self) -> Place:
        """Which numbers are on the axis."""
        taps = [] if self.frame is None else self.frame.info["taps"]
        return Place(self.selection.view_index, self.quantity, tuple(str(taps[p]["name"]) for p in self.places))

    def quantities(self) -> list[dict[str, Any]]:
        """All quantities of the frame."""
        assert self.frame is not None
        return list(self.frame.info["quantities"])

    def quantity_info(self) -> dict[str, Any]:
        """Name, label and unit of the quantity read."""
        return next(each for each in self.quantities() if each["name"] == self.quantity)

    def present(self) -> list[str]:
        """The groups that have numbers now."""
        if self.frame is None:
            return []
        some = np.isfinite(self.frame.arrays["mean"][NOW]).any(axis=(0, 1, 3))
        return [group["name"] for group, there in zip(self.frame.info["groups"], some, strict=True) if there]

    def labels(self) -> dict[str, str]:
        """What each group is called, by its name."""
        assert self.frame is not None
        return {group["name"]: group["label"] for group in self.frame.info["groups"]}

    def group_place(self, group: str) -> int:
        """Position of a group in the frame."""
        assert self.frame is not None
        return [each["name"] for each in self.frame.info["groups"]].index(group)

    def count(self, group: str) -> int:
        """How many inputs a group's mean is over."""
        return 0 if self.frame is None else int(self.frame.arrays["count"][self.group_place(group)])

    def tap(self, place: int) -> str:
        """The name of the tap at a place on the axis."""
        assert self.frame is not None
        return str(self.frame.info["taps"][self.places[place]]["name"])

    def values(self, net: int, group: str) -> Values:
        """Mean, low and high of a group at the places on the axis."""
        assert self.frame is not None
        return three(self.frame, group, self.place, net)

    def shown_values(self, net: int, group: str) -> Values:
        """As drawn: the values, or their excess over the null's mean."""
        mean, low, high = self.values(net, group)
        zero = self.zero(group)
        return mean - zero, low - zero, high - zero

    def zero(self, group: str) -> np.ndarray | float:
        """What is subtracted from all that is drawn of a group."""
        return self.beside.null_values(group, self.place)[0] if self.excess else 0.0
