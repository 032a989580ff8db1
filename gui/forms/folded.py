"""A command whose settings fold out below it: seldom needed, and then at hand where the command is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui.forms.form import SpecForm, description
from gui.icons import icon
from gui.theme import Theme


class Folded(QWidget):
    """A link with a small switch for its settings beside it; below them the form, which stays open while it is not valid."""

    def __init__(self, link: QPushButton, form: SpecForm, theme: Theme) -> None:
        super().__init__()
        self.form = form
        self.toggle = QToolButton(checkable=True, autoRaise=True)
        self.toggle.setAccessibleName(f"Settings of: {link.text()}")
        self.toggle.setToolTip(f"What is set for “{link.text()}”")
        self.toggle.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.toggle.setIconSize(QSize(16, 16))
        self.about = QLabel(description(type(form.spec)), wordWrap=True)
        self.about.setProperty("role", "small")
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(link, 1)
        head.addWidget(self.toggle)
        self._folding = QWidget()
        inner = QVBoxLayout(self._folding)
        inner.setContentsMargins(0, 2, 0, 6)
        inner.setSpacing(6)
        inner.addWidget(self.about)
        inner.addWidget(form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._folding)
        self._folding.hide()
        self.toggle.toggled.connect(self._folding.setVisible)
        form.validity_changed.connect(self._on_validity)
        self.set_theme(theme)

    @property
    def is_open(self) -> bool:
        """Whether the settings are shown."""
        return self.toggle.isChecked()

    @Slot()
    def open(self) -> None:
        """Show the settings."""
        self.toggle.setChecked(True)

    def set_theme(self, theme: Theme) -> None:
        """Colour the icon; the form is told by who holds it."""
        self.toggle.setIcon(icon("settings", theme))

    @Slot(bool)
    def _on_validity(self, valid: bool) -> None:
        if not valid:
            self.open()
        self.toggle.setEnabled(valid)  # what is to be mended must not be folded away
