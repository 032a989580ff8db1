"""What a person chooses in one column is chosen in all: the same controls of the same panel, found by place and name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtWidgets import QComboBox, QWidget

from gui.panels.profile.switches import MORE_CHIP
from gui.plots.chips import Chips, Entry
from gui.plots.controls import Segmented

Place = tuple[str, str, int]  # kind of control, its name, which of those of this name
Choices = dict[Place, Any]


class Mirror:
    """The controls of several panels of one class. ``changed()`` is called when a person has chosen something."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._panels: list[Choices] = []
        self._chosen: dict[Place, Any] = {}  # what a person chose, for columns that come later
        self._chips: dict[tuple[Place, str], bool] = {}
        self._busy = False

    def join(self, choices: Choices) -> None:
        """Take in the choices of a panel that has its data now, and choose there what was chosen in the others."""
        self._busy = True
        for place, control in choices.items():
            if place in self._chosen:
                _choose(control, self._chosen[place])
            if isinstance(control, Chips):
                for (where, key), on in self._chips.items():
                    if where == place:
                        _toggle(control, key, on)
        self._busy = False
        self._panels.append(choices)
        for place, control in choices.items():
            if isinstance(control, Segmented):
                control.chosen.connect(partial(self._on_choice, place))
            elif isinstance(control, Chips):
                control.toggled.connect(partial(self._on_chip, place))
            else:
                control.activated.connect(partial(self._on_choice, place))

    def keep(self, panels: Sequence[Choices]) -> None:
        """Forget the panels but these; what was chosen stays."""
        self._panels = [choices for choices in self._panels if any(choices is each for each in panels)]

    def forget(self) -> None:
        """Forget what was chosen as well: another kind of panel is shown."""
        self._panels, self._chosen, self._chips = [], {}, {}

    def toggle(self, name: str, key: str, on: bool) -> None:
        """A chip of the legend that all share; ``name`` is that of the panels' own chips."""
        self._on_chip((Chips.__name__, name, 0), key, on)

    def _on_choice(self, place: Place, value: Any) -> None:
        if self._busy:
            return
        self._busy = True
        self._chosen[place] = value
        for controls in self._panels:
            if place in controls:
                _choose(controls[place], value)
        self._busy = False
        self._changed()

    def _on_chip(self, place: Place, key: str, on: bool) -> None:
        if self._busy:
            return
        self._busy = True
        if key != MORE_CHIP:  # unfolds each time
            self._chips[place, key] = on
        for controls in self._panels:
            if place in controls:
                _toggle(controls[place], key, on)
        self._busy = False
        self._changed()


def choices_of(panel: QWidget) -> Choices:
    """The choices of a panel; panels of one class have the same."""
    found: Choices = {}
    seen: Counter[tuple[str, str]] = Counter()
    for kind in (Segmented, QComboBox, Chips):
        for control in panel.findChildren(kind):
            name = kind.__name__, control.accessibleName()
            found[*name, seen[name]] = control
            seen[name] += 1
    return found


def _choose(control: Any, value: Any) -> None:
    if isinstance(control, Segmented):
        button = control.button(value)
        if control.key() != value and button.isEnabled():  # one that has not got it keeps what it shows
            control.set_key(value)
            control.chosen.emit(value)
    elif control.currentIndex() != value and value < control.count():
        control.setCurrentIndex(value)
        control.activated.emit(value)


def _toggle(chips: Chips, key: str, on: bool) -> None:
    if key in (entry.key for entry in chips.entries()) and (key in chips.on()) != on:
        chips.set_on([*chips.on(), key] if on else [each for each in chips.on() if each != key])
        chips.toggled.emit(key, on)


def legend(rows: Sequence[Chips]) -> tuple[list[Entry], list[str]]:
    """Several rows of chips as one: each key once, named without the numbers that one column alone has."""
    entries: dict[str, list[Entry]] = {}
    on: set[str] = set()
    for chips in rows:
        on.update(chips.on())
        for entry in chips.entries():
            entries.setdefault(entry.key, []).append(entry)
    return [_common(each) for each in entries.values()], list(on)


def _common(entries: Sequence[Entry]) -> Entry:
    if len({entry.text for entry in entries}) == 1:
        return entries[0]
    head = entries[0].text.split(" · ")[0]
    return replace(entries[0], text=head, tip=head)
