"""The controls of a claim in one quiet row, so that the claim is never seen without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from gui.plots.flow import FlowRow
from gui.theme import Theme


@dataclass(frozen=True)
class Control:
    """One control: what it is, the number found, and what it tells."""

    name: str
    value: str
    tip: str


class Strip(FlowRow):
    """ "Controls", and each of them by name and number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(gap=12, line_gap=1)
        self.setAccessibleName("Controls")
        self.theme = theme
        self.controls: list[Control] = []
        self._head = self._label()
        self._labels: list[QLabel] = []
        self.set_widgets([self._head])

    @property
    def text(self) -> str:
        """All of it, as it is read."""
        return " · ".join(f"{each.name} {each.value}" for each in self.controls)

    def set_controls(self, controls: Sequence[Control]) -> None:
        """Show these."""
        if list(controls) == self.controls:
            return
        self.controls = list(controls)
        while len(self._labels) < len(self.controls):
            self._labels.append(self._label())
        for label in self._labels[len(self.controls) :]:
            label.hide()
        self._write()
        self.set_widgets([self._head, *self._labels[: len(self.controls)]])

    def _label(self) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setProperty("role", "small")
        return label

    def _write(self) -> None:
        self._head.setText(f'<span style="color:{self.theme.accent}">Controls</span>')
        for label, control in zip(self._labels, self.controls, strict=False):
            value = f'<span style="color:{self.theme.text}">{escape(control.value)}</span>'
            label.setText(f"{escape(control.name)} {value}")
            label.setToolTip(f"<p>{escape(control.tip)}</p>")
            label.setAccessibleName(f"{control.name} {control.value}. {control.tip}")
            label.show()

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.theme = theme
        self._write()
        self.arrange()
