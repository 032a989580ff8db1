"""What a frame of transfer says of one attack and one similarity: matrices over pairs of networks, points, and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from engine.events import Frame

SIMILARITIES = ("cka", "rsa", "gradient_cosine")
TRANSFER, CORRECTED = "transfer", "corrected"
OLD = ({"name": "pgd", "label": "PGD"},)
"""The attacks of a frame that names none, recorded when there was but one."""


class Transfers:
    """A frame, and what a person chose to see of it. Most may only be asked while there is a frame."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.similarity = "cka"
        """The array that transfer is held against."""
        self.every = False
        """Similarity is shown, each in a map of its own."""
        self.wanted_attack = ""
        """Chosen by name; the first where there is no such."""
        self.view = TRANSFER
        """Of which inputs transfer is the share: of those both see rightly, or :data:`CORRECTED`."""

    @property
    def names(self) -> list[str]:
        """The networks."""
        return [str(each["name"]) for each in self.frame.info["networks"]] if self.frame is not None else []

    # --- attacks -----------------------------------------------------------------------------------------------

    @property
    def attacks(self) -> Sequence[Mapping[str, Any]]:
        """The attacks of the frame, the first being the one that the tests without a prefix are of."""
        return (self.frame.info.get("attacks") or OLD) if self.frame is not None else OLD

    @property
    def attack(self) -> int:
        """Position of the attack drawn."""
        names = [each["name"] for each in self.attacks]
        return names.index(self.wanted_attack) if self.wanted_attack in names else 0

    @property
    def attack_info(self) -> Mapping[str, Any]:
        """What is known of the attack drawn."""
        return self.attacks[self.attack]

    @property
    def attack_label(self) -> str:
        """What it is called."""
        return str(self.attack_info["label"])

    def of_attack(self, name: str) -> np.ndarray | None:
        """A matrix of the attack drawn by its name, None where the frame has none; older frames hold one attack's alone."""
        assert self.frame is not None
        found = self.frame.arrays.get(name)
        if found is None:
            return None
        return np.asarray(found[self.attack] if found.ndim == 3 else found, float)

    # --- matrices ----------------------------------------------------------------------------------------------

    @property
    def maps(self) -> int:
        """How many matrices are shown: transfer, and one similarity or all of them."""
        return 1 + len(SIMILARITIES) if self.every else 2

    def similarity_of(self, which: int) -> str:
        """The array that a map shows."""
        return SIMILARITIES[which - 1] if self.every else self.similarity

    @property
    def transfer(self) -> np.ndarray:
        """Transfer of the attack drawn, among inputs that both see rightly; NaN where it is not measured yet."""
        found = self.of_attack(TRANSFER)
        assert found is not None
        return found

    def matrix(self, which: int) -> np.ndarray:
        """What a map shows: transfer (0) or a similarity, NaN where it is not known."""
        if which:
            return self._similarity(self.similarity_of(which))
        corrected = self.of_attack(CORRECTED) if self.view == CORRECTED else None
        return self.transfer if corrected is None else corrected

    @property
    def related(self) -> np.ndarray:
        """The similarity that transfer is held against."""
        return self._similarity(self.similarity)

    def _similarity(self, name: str) -> np.ndarray:
        assert self.frame is not None
        known = self.frame.arrays.get(name)
        return np.full((len(self.names),) * 2, np.nan) if known is None else np.asarray(known, float)

    def entry(self, name: str, row: int, column: int) -> float:
        """One entry of a matrix of the attack drawn, NaN where the frame has none."""
        found = self.of_attack(name)
        return float(found[row, column]) if found is not None else np.nan

    # --- points ------------------------------------------------------------------------------------------------

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Similarity and transfer of every ordered pair of different networks, NaN where one is not known."""
        transfer, similar = self.matrix(0), self.related
        off = ~np.eye(len(transfer), dtype=bool)
        return similar[off], transfer[off]

    def pair(self, k: int) -> tuple[int, int]:
        """(source, target) of a point."""
        row, column = divmod(k, len(self.names) - 1)
        return row, column + (column >= row)

    # --- tests -------------------------------------------------------------------------------------------------

    def statistics(self) -> list[dict[str, Any]]:
        """The tests of the attack drawn, by their names without a prefix."""
        assert self.frame is not None
        prefix = f"{self.attack_info['name']}: " if self.attack else ""
        found = []
        for each in self.frame.info["statistics"]:
            name = str(each["name"])
            if name.startswith(prefix) and ": " not in name.removeprefix(prefix):
                found.append({**each, "name": name.removeprefix(prefix)})
        return found


def similarity_tested(name: str) -> str:
    """The similarity that a test is of."""
    return name.split(" | ")[0].removesuffix(" naive")
