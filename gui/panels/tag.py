"""A word in a frame that must not be overlooked: "reconstruction", "other settings"."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from gui.theme import Theme

OTHER = "other settings"


class Tag(QLabel):
    """Says in its tip what the word means here."""

    def __init__(self, text: str, theme: Theme, tip: str = "") -> None:
        super().__init__(text)
        self.set_tip(tip)
        self.set_theme(theme)

    def set_tip(self, tip: str) -> None:
        """What it means."""
        self.setToolTip(f"<p>{tip}</p>" if tip else "")
        self.setAccessibleDescription(tip)

    def say_made_with(self, differences: list[str]) -> None:
        """Shown where what is seen was made with settings other than those that stand now."""
        self.setVisible(bool(differences))
        self.set_tip(f"What is shown was made with other settings: {', '.join(differences)}." if differences else "")

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.setStyleSheet(
            f"QLabel {{ color: {theme.warning}; background: transparent; border: 1px solid {theme.warning};"
            f" font-size: {theme.small}px; border-radius: 4px; padding: 0px 5px; }}"
        )
