"""A small card beside the pointer that says the numbers under it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QWidget

from gui.theme import Theme


class Readout(QLabel):
    """Lines of text over a plot. It takes no mouse events, stays inside its parent, and keeps off the pointer."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName("Numbers under the pointer")
        self.hide()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.setFont(theme.font(theme.small))
        self.setStyleSheet(
            f"QLabel {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.line_strong};"
            f" border-radius: 4px; padding: 4px 7px; }}"
        )

    def say(self, lines: str, at: QPoint) -> None:
        """Show ``lines`` near ``at`` (the parent's coordinates)."""
        if lines != self.text():
            self.setText(lines)
            self.adjustSize()
        box = self.parentWidget().rect()
        x, y = at.x() + 14, at.y() + 14
        if x + self.width() > box.width() - 2:
            x = at.x() - 14 - self.width()
        if y + self.height() > box.height() - 2:
            y = at.y() - 14 - self.height()
        self.move(max(2, min(x, box.width() - self.width() - 2)), max(2, min(y, box.height() - self.height() - 2)))
        self.show()

    def silence(self) -> None:
        """Say nothing."""
        self.hide()
        self.setText("")
