"""Small controls that panels share: a choice between neighbours, and a slider with a name and a value."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSizePolicy, QSlider, QToolButton, QWidget

from gui.theme import Theme


class Segmented(QWidget):
    """Two or three words side by side, one of them chosen. ``chosen(key)`` is what a person did."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, options: Sequence[tuple[str, str, str]]) -> None:
        """``options`` are (key, text, tip)."""
        super().__init__()
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        for key, text, tip in options:
            button = QToolButton(self)
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(f"{name}: {text}")
            button.setCheckable(True)
            button.setProperty("key", key)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            self._group.addButton(button)
            self._buttons[key] = button
            row.addWidget(button)
        self._group.setExclusive(True)
        self._group.buttonClicked.connect(self._on_click)
        next(iter(self._buttons.values())).setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        keys = list(self._buttons)
        for key, button in self._buttons.items():
            left = theme.radius - 2 if key == keys[0] else 0
            right = theme.radius - 2 if key == keys[-1] else 0
            button.setStyleSheet(
                f"QToolButton {{ background: transparent; color: {theme.muted}; border: 1px solid {theme.line_strong};"
                f" border-left-width: {1 if key == keys[0] else 0}px; padding: 1px 7px; font-size: {theme.small}px;"
                f" border-top-left-radius: {left}px; border-bottom-left-radius: {left}px;"
                f" border-top-right-radius: {right}px; border-bottom-right-radius: {right}px; }}"
                f"QToolButton:checked {{ background: {theme.accent_soft}; color: {theme.text}; }}"
                f"QToolButton:hover {{ color: {theme.text}; }}"
                f"QToolButton:focus {{ color: {theme.accent}; }}"
                f"QToolButton:disabled {{ color: {theme.faint}; }}"
            )

    def set_key(self, key: str) -> None:
        """Choose silently."""
        self._buttons[key].setChecked(True)

    def key(self) -> str:
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def button(self, key: str) -> QToolButton:
        return self._buttons[key]

    def _on_click(self, button: QToolButton) -> None:
        self.chosen.emit(str(button.property("key")))


class NamedSlider(QWidget):
    """A horizontal slider with a name before it and its value after it. ``moved(int)`` is what a person did."""

    moved = Signal(int)

    def __init__(self, theme: Theme, name: str, longest: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.label = QLabel(name)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(name)
        self.slider.setPageStep(1)
        self.slider.setMinimumWidth(50)
        self.value_label = QLabel("")
        self.value_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._longest = longest
        row.addWidget(self.label)
        row.addWidget(self.slider, 1)
        row.addWidget(self.value_label)
        self.slider.valueChanged.connect(self.moved)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        for label, colour in ((self.label, theme.muted), (self.value_label, theme.text)):
            label.setFont(theme.font(theme.small))
            label.setStyleSheet(f"color: {colour}; background: transparent;")
        self.value_label.setMinimumWidth(self.value_label.fontMetrics().horizontalAdvance(self._longest))

    def set_state(self, value: int, maximum: int, text: str) -> None:
        """Range, position and text, all silently."""
        blocker = QSignalBlocker(self.slider)
        self.slider.setRange(0, max(0, maximum))
        self.slider.setValue(value)
        blocker.unblock()
        if self.value_label.text() != text:
            self.value_label.setText(text)
            self.slider.setAccessibleDescription(text)
        self.slider.setEnabled(maximum > 0)


def view_choice(theme: Theme) -> Segmented:
    """Centred or uncentred features, the choice that all panels share."""
    return Segmented(
        theme,
        "Features",
        [
            ("centred", "centred", "Features minus their mean over training samples"),
            ("uncentred", "uncentred", "Features as they are; after a ReLU everything then looks alike"),
        ],
    )
