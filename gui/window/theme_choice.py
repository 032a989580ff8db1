"""The person's choice of colours and of the size of text."""

from __future__ import annotations

from collections.abc import Callable

from gui.settings import Settings
from gui.theme import Theme, system_theme

SMALLEST, LARGEST = 0.8, 2.0  # times the ordinary size of text


class ThemeChoice:
    """Remembers what is chosen and has ``dress`` put it on."""

    def __init__(self, settings: Settings, dress: Callable[[Theme], None]) -> None:
        self._settings, self._dress = settings, dress

    @property
    def theme(self) -> Theme:
        """What is chosen; where that is the system's, what the system has now."""
        values = self._settings.values
        return system_theme(values.theme, values.text_scale)

    def choose(self, name: str, _on: bool = True) -> None:
        """Take "light", "dark" or what the "system" has."""
        self._settings.update(theme=name)
        self._dress(self.theme)

    def scale(self, factor: float) -> None:
        """Make every text larger or smaller by a factor."""
        scale = min(max(round(self._settings.values.text_scale * factor, 2), SMALLEST), LARGEST)
        self._settings.update(text_scale=scale)
        self._dress(self.theme)
