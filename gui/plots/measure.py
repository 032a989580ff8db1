"""The small "Measure" of a panel's header: one thing, or a menu of a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from gui.icons import icon
from gui.theme import Theme


class MeasureButton(QToolButton):
    """Asks for a measurement; with more than one to choose from it opens a menu."""

    def __init__(self, theme: Theme, parent: QWidget, says: str, entries: Sequence[tuple[str, str, Any]]) -> None:
        """``entries`` are (text, tip, the panel's signal that asks for it)."""
        super().__init__(parent, text="Measure", autoRaise=True)
        self.setAccessibleName(says)
        self.setToolTip(says)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if len(entries) == 1:
            self.clicked.connect(entries[0][2])
        else:
            menu = QMenu(self)
            menu.setAccessibleName(says)
            menu.setToolTipsVisible(True)
            for text, tip, asked in entries:
                action = menu.addAction(text)
                action.setToolTip(tip)
                action.triggered.connect(asked)
            self.setMenu(menu)
            self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.setFont(theme.font(theme.small))
        if self.menu() is not None:
            self.setIcon(icon("chevron-down", theme))
