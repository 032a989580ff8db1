"""What the attack form chooses from: the methods by their family, and attacks ready to use."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from engine.catalogue import attacks
from engine.errors import UserError
from engine.presets import Preset, attack_presets
from engine.specs import AttackSpec
from gui.forms.fields import ChoiceField
from gui.forms.finder import Entry, Finder, model_of
from gui.icons import icon
from gui.theme import Theme


@lru_cache
def method_entries() -> tuple[Entry, ...]:
    """Every attack, family by family, with its norms at the right."""
    return tuple(
        Entry(
            key=attack.method,
            title=attack.title,
            group=attack.family,
            help=attack.help,
            note=" ".join(name for _, name in attack.norms),
            words=" ".join(
                (
                    *(value for value, _ in attack.norms),
                    "minimal norm" if attack.minimal else "",
                    "gradient free" if attack.gradient_free else "",
                )
            ),
        )
        for attack in attacks()
    )


class MethodField(ChoiceField):
    """A choice among many: up and down step through them, typing or a click opens a list that typing narrows."""

    def __init__(self, title: str, entries: tuple[Entry, ...], parent: QWidget | None = None) -> None:
        super().__init__((), parent)
        self._title = title
        self._finder: Finder | None = None
        self.setModel(model_of(entries, self))

    def view(self) -> Any:
        """The list that opens."""
        return self.finder.view

    @property
    def finder(self) -> Finder:
        """The list that opens, with the line that narrows it."""
        if self._finder is None:
            # not a child of the box: a style sheet draws those as it draws the box's own list
            self._finder = Finder(self._title, "Name, author, norm or family", self.model(), self.parentWidget())
            self._finder.chosen.connect(self._on_taken)
        return self._finder

    def showPopup(self) -> None:
        self._open("")

    def hidePopup(self) -> None:
        if self._finder is not None:
            self._finder.close()

    def keyPressEvent(self, event: Any) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        if plain and event.text().strip() and event.text().isprintable():
            self._open(event.text())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open("")
        else:
            super().keyPressEvent(event)

    def _open(self, typed: str) -> None:
        self.finder.open_under(self, self.read(), typed)

    @Slot(str)
    def _on_taken(self, key: str) -> None:
        if key != self.read():
            self.write(key)
            self.edited.emit()


class PresetButton(QPushButton):
    """Opens the list of attacks ready to use; ``chosen`` brings the one taken."""

    chosen = Signal(object)  # Preset

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Presets", parent)
        self.setAccessibleName("Presets: attacks ready to use")
        self.setToolTip("Attacks ready to use, as papers and benchmarks run them")
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow at the right, as on a list
        self.setIconSize(QSize(12, 12))
        self.attack: AttackSpec | None = None  # the attack as it is set: the preset that it equals is the line at hand
        self._presets: dict[str, Preset] = {}
        self._finder: Finder | None = None
        self.clicked.connect(self.open)
        self.set_theme(theme)

    @property
    def finder(self) -> Finder:
        """The list that opens; it is read from its files the first time."""
        if self._finder is None:
            nothing = ""
            try:
                self._presets = {preset.key: preset for preset in attack_presets()}
            except UserError as error:  # only where the installation is damaged
                nothing = str(error)
            entries = preset_entries(tuple(self._presets.values()))
            self._finder = Finder("Presets", "Data, norm, method or author", model_of(entries, self), self)
            self._finder.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            self._finder.nothing = nothing
            self._finder.chosen.connect(self._on_taken)
        return self._finder

    def set_theme(self, theme: Theme) -> None:
        """Colour the arrow."""
        self.setIcon(icon("chevron-down", theme))

    @Slot()
    def open(self) -> None:
        """Open the list below the button."""
        finder, now = self.finder, self.attack
        equal = (key for key, preset in self._presets.items() if now is not None and preset.applied_to(now) == now)
        finder.open_under(self, next(equal, ""))

    @Slot(str)
    def _on_taken(self, key: str) -> None:
        self.chosen.emit(self._presets[key])


def preset_entries(presets: tuple[Preset, ...]) -> tuple[Entry, ...]:
    """Presets as lines of a list, family by family; at the right the attack, its budget and whose settings they are."""
    known = {attack.method: (place, attack) for place, attack in enumerate(attacks())}
    made = []
    for preset in sorted(presets, key=lambda preset: known[preset.spec.method][0]):
        attack = known[preset.spec.method][1]
        budget = "" if preset.budget in preset.title else preset.budget
        note = " · ".join(part for part in (attack.title, budget, preset.authors) if part)
        help = f"{preset.reason} ({preset.source})."
        made.append(Entry(preset.key, preset.title, attack.family, help, note=note, words=attack.method))
    return tuple(made)
