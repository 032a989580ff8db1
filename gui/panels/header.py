"""The title line of a card: a bold title, a quiet subtitle that gives way, small buttons at the right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from gui.icons import icon
from gui.panels.labels import ElidedLabel
from gui.theme import Theme


class CardHeader(QFrame):
    """A title line. Its buttons take the keyboard's focus but not the mouse's."""

    double_clicked = Signal()

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="panelHeader")
        self._theme = theme
        self._icons: dict[QToolButton, str] = {}
        self.name = QLabel(title)
        self.name.setProperty("role", "title")
        self.subtitle = ElidedLabel()
        self.subtitle.setProperty("role", "muted")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(theme.pad, 4, 6, 4)
        self._row.setSpacing(0)
        self._row.addWidget(self.name)
        self._row.addSpacing(7)
        self._row.addWidget(self.subtitle, 1)
        self._tools = self._row.count()  # controls of a panel stand from here, left of the buttons

    def set_title(self, title: str) -> None:
        """Show another title."""
        self.name.setText(title)

    def add_tool(self, widget: QWidget) -> None:
        """Put a control left of the buttons."""
        self._row.insertWidget(self._tools, widget)
        self._tools += 1

    def add_button(self, icon_name: str, accessible: str, tip: str, *, first: bool = False) -> QToolButton:
        """Put a small quiet button at the right, or left of the buttons that are there."""
        button = QToolButton(autoRaise=True)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._row.insertWidget(self._tools if first else -1, button)
        self.show_button(button, icon_name, accessible, tip)
        return button

    def show_button(self, button: QToolButton, icon_name: str, accessible: str, tip: str) -> None:
        """Give a button another meaning."""
        self._icons[button] = icon_name
        button.setIcon(icon(icon_name, self._theme))
        button.setAccessibleName(accessible)
        button.setToolTip(tip)

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self._theme = theme
        for button, name in self._icons.items():
            button.setIcon(icon(name, theme))

    def mouseDoubleClickEvent(self, event: Any) -> None:
        # not passed on: a dock would take it as a wish to float
        event.accept()
        self.double_clicked.emit()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, super().minimumSizeHint().height())


class PanelHeader(CardHeader):
    """The title line of a panel, which is also the title bar of its dock: drag it to move the panel."""

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(title, theme, parent)
        self._title = title
        self.help_button = self.add_button("help", f"What am I looking at? {title}", "What am I looking at?")
        self.export_button = self.add_button("download", f"Export {title}", "Copy or save as image or numbers")
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.maximise_button = self.add_button("maximise", f"Maximise {title}", "Maximise")

    def set_maximised(self, on: bool) -> None:
        """Show what the last button will do."""
        word = "Restore" if on else "Maximise"
        self.show_button(self.maximise_button, word.lower(), f"{word} {self._title}", word)
