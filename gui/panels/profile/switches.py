"""Which groups and references of a profile are drawn, and the chips that switch them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gui.panels.profile.reading import Reading
from gui.panels.profile.references import BASELINE_CHIP
from gui.plots.chips import Entry
from gui.plots.groups import BEFORE_ATTACK, OF_ATTACK, short
from gui.theme import Theme

INIT_CHIP, MORE_CHIP = "/init", "/more"


class Switches:
    """What a person switched; the rest follows the data."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._wanted: dict[str, bool] = {}
        self._expanded = False  # whether chips of groups not drawn are shown

    def turn(self, key: str, on: bool) -> None:
        """A chip was pressed."""
        if key == MORE_CHIP:
            self._expanded = not self._expanded
        else:
            self._wanted[key] = on

    def forget(self, key: str) -> None:
        """Nobody has switched this."""
        self._wanted.pop(key, None)

    def wants(self, key: str) -> bool:
        """Whether one of the references is to be drawn where there is one."""
        return self._wanted.get(key, True)

    def groups(self) -> list[str]:
        """The groups that are drawn: those of an attack once there is one, as far as nobody switched them."""
        present = self._reading.present()
        return [name for name in present if self._wanted.get(name, name in _usual(present))]

    @property
    def init(self) -> bool:
        """Whether the network before training is drawn."""
        # it is one draw from the null: it steps back where the null itself is there
        return self._wanted.get(INIT_CHIP, self._reading.beside.null is None)

    @property
    def baseline(self) -> bool:
        """Whether another run is drawn."""
        return self._reading.beside.baseline is not None and self.wants(BASELINE_CHIP) and not self._reading.excess

    def chips(self, shown: Sequence[str], there: Collection[str], theme: Theme) -> tuple[list[Entry], list[str]]:
        """All chips, and which of them are on; ``there`` are the references that there is something to draw of."""
        labels, present = self._reading.labels(), self._reading.present()
        known = OF_ATTACK + BEFORE_ATTACK
        order = sorted(present, key=lambda n: known.index(n) if n in known else 99)  # those drawn by default first
        waiting = [n for n in order if n not in _usual(order) and n not in shown]
        if not self._expanded:
            order = [n for n in order if n not in waiting]
        entries = [Entry(n, short(n, labels[n]), theme.group_colour(n), labels[n]) for n in order]
        tip = "The same measurement on the network before training"
        entries.append(Entry(INIT_CHIP, "at initialisation", theme.muted, tip, "dash"))
        on = [*shown, *([INIT_CHIP] if self.init else [])]
        for entry in self._reading.beside.entries(there, theme.muted, excess=self._reading.excess):
            entries.append(entry)
            if self.wants(entry.key):
                on.append(entry.key)
        if waiting:
            text = "fewer" if self._expanded else f"+{len(waiting)} groups"
            entries.append(Entry(MORE_CHIP, text, theme.muted, "Further groups of pairs to draw", "tag"))
        return entries, on


def _usual(present: Sequence[str]) -> tuple[str, ...]:
    return OF_ATTACK if "adv_target" in present else BEFORE_ATTACK
