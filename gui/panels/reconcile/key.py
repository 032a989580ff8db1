"""What a person chooses before the lock is opened: class, layer, repetition, and the image to hide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.specs import ReconcileSpec, parameters
from gui import files
from gui.forms.fields import ChoiceField, NumberField
from gui.forms.form import sentence
from gui.forms.numbers import NotValid
from gui.icons import icon
from gui.panels.reconcile.message import PATTERN, MessageError, digits_of, pixels_of, read_pixels
from gui.panels.reconcile.painter import MessagePainter
from gui.panels.reconcile.words import default_layer
from gui.plots.boxes import fill_box
from gui.theme import Theme

WIDTH = 164  # pixels of the column
STRIP = 96  # pixels of the image beside the choices
FEW = 10  # classes offered while nobody knows yet how many there are


class KeyForm(QWidget):
    """``edited(spec, field)`` is every valid edit; ``asked()`` the press of the button; ``failed`` a sentence."""

    edited = Signal(object, str)
    asked = Signal()
    settings_asked = Signal()
    failed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._spec = ReconcileSpec()
        self._classes: tuple[str, ...] = ()
        self._taps: tuple[Mapping[str, Any], ...] = ()
        self._sample: np.ndarray | None = None
        self.ask_open: Callable[[QWidget, str, str, str], str] = files.ask_open  # replaced in tests
        fields = {parameter.name: parameter for parameter in parameters(ReconcileSpec)}
        self.class_box, self.layer_box = ChoiceField(()), ChoiceField(())
        self.repetition = NumberField(fields["repetition"])
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        rows = (
            ("Class", self.class_box, "chosen_class"),
            ("Layer", self.layer_box, "layer"),
            ("r", self.repetition, "repetition"),
        )
        for row, (text, field, name) in enumerate(rows):
            label = QLabel(text)
            label.setBuddy(field)
            label.setProperty("role", "small")
            field.setToolTip(f"<p>{fields[name].help}</p>")
            field.setAccessibleName(fields[name].label)
            field.edited.connect(partial(self._on_field, name))
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        self.painter = MessagePainter(theme)
        self.painter.painted.connect(self._on_painted)
        self.sample_button = _link("sample", "Hide a training sample of the class", self._on_sample)
        self.load_button = _link(
            "load…", "Load any image file: its middle square, reduced to 8 × 8 pixels of 4 levels", self._on_load
        )
        self.settings_button = QToolButton()
        self.settings_button.setAccessibleName("All settings of the lock")
        self.settings_button.setToolTip("Budget of the noise, code, number of inputs: everything else that is set")
        self.settings_button.clicked.connect(self.settings_asked)
        self.button = QPushButton("Open the lock")
        self.button.setProperty("role", "primary")
        self.button.setToolTip("Change pure noise until the network is sure of the class, and feed it to the lock")
        self.button.clicked.connect(self.asked)
        self.message = QLabel(wordWrap=True, visible=False)
        self.message.setProperty("role", "error")
        links = QHBoxLayout()
        links.setContentsMargins(0, 0, 0, 0)
        links.setSpacing(0)
        for link in (self.sample_button, self.load_button):
            links.addWidget(link)
        links.addStretch(1)
        image = QVBoxLayout()
        image.setSpacing(1)
        image.addWidget(self.painter, 100)
        image.addLayout(links)
        image.addStretch(1)
        choices = QVBoxLayout()
        choices.setSpacing(4)
        choices.addLayout(grid)
        choices.addWidget(self.message)
        below = QHBoxLayout()
        below.setSpacing(2)
        below.addWidget(self.button, 1)
        below.addWidget(self.settings_button)
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self._box.addLayout(choices)
        self._box.addLayout(image, 1)
        self._box.addLayout(below)
        self._upright = True
        self.set_theme(theme)
        self._fill()

    # --- what is shown -----------------------------------------------------------------------------------------

    @property
    def spec(self) -> ReconcileSpec:
        """The last valid settings."""
        return self._spec

    def set_spec(self, spec: ReconcileSpec) -> None:
        """Show settings and emit nothing."""
        elsewhere = spec != self._spec or not self.repetition.text()
        self._spec = spec
        self._fill()
        if elsewhere:
            self.forget_entry()

    def forget_entry(self) -> None:
        """Take back what was typed and cannot be."""
        self.repetition.write(self._spec.repetition)
        self._say("")

    def set_known(self, classes: Sequence[str], taps: Sequence[Mapping[str, Any]]) -> None:
        """The classes and taps that there are to choose from, as far as they are known."""
        self._classes, self._taps = tuple(map(str, classes)), tuple(taps)
        self._fill()

    def set_sample(self, pixels: np.ndarray | None) -> None:
        """The training sample that was hidden where no image was given."""
        self._sample = pixels
        self._fill()

    def set_upright(self, upright: bool) -> None:
        """One below the other in a slim column, or side by side in a low strip."""
        self._upright = upright
        self._box.setDirection(QBoxLayout.Direction.TopToBottom if upright else QBoxLayout.Direction.LeftToRight)
        if upright:
            wide = round(WIDTH * max(1.0, self.theme.scale))
            self.setFixedWidth(wide)
            self.painter.setMaximumSize(wide, wide)
            self.setMaximumHeight(16_777_215)
        else:
            self.setMinimumWidth(0)
            self.painter.setMaximumSize(STRIP, STRIP)
            self.setMaximumWidth(16_777_215)
            self.setMaximumHeight(round(118 * max(1.0, self.theme.scale)))
        vertical = QSizePolicy.Policy.Preferred if upright else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Preferred, vertical)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.painter.set_theme(theme)
        self.settings_button.setIcon(icon("settings", theme))
        self.set_upright(self._upright)

    def _fill(self) -> None:
        now = self._spec
        there = self._classes or tuple(map(str, range(FEW)))
        classes = [(name, k) for k, name in enumerate(there)]
        if now.chosen_class >= len(there):
            absent = f"{now.chosen_class}: no such class" if self._classes else str(now.chosen_class)
            classes.append((absent, now.chosen_class))
        fill_box(self.class_box, classes, now.chosen_class)
        default = default_layer(self._taps)
        layers = [(f"last: {default}" if default else "last hidden", "")]
        layers += [(str(tap["name"]), str(tap["name"])) for tap in self._taps]
        if now.layer and now.layer not in (name for _, name in layers):
            layers.append((now.layer, now.layer))
        fill_box(self.layer_box, layers, now.layer)
        self.painter.set_pixels(pixels_of(now.message) if now.message else self._sample)
        self.sample_button.setEnabled(bool(now.message))

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.repetition.set_invalid(bool(text))
        self.button.setEnabled(not text)

    # --- edits -------------------------------------------------------------------------------------------------

    def _on_field(self, name: str) -> None:
        field = {"chosen_class": self.class_box, "layer": self.layer_box, "repetition": self.repetition}[name]
        try:
            value = field.read()
        except NotValid as error:
            self._say(str(error))
        else:
            self._edit(name, value)

    def _edit(self, name: str, value: Any, what: str = "") -> None:
        try:
            new = ReconcileSpec(**{**self._spec.model_dump(), name: value})
        except ValidationError as error:
            self._say(sentence(error).removeprefix("Repetition: "))
            return
        if name == "repetition":
            self._say("")
        if new != self._spec:
            self._spec = new
            self._fill()
            self.edited.emit(new, what or name)

    def choose_layer(self, name: str) -> None:
        """Lock at a layer, as if it were chosen from the list."""
        self._edit("layer", name)

    @Slot(object, str)
    def _on_painted(self, pixels: np.ndarray, where: str) -> None:
        self._edit("message", digits_of(pixels), where)

    @Slot()
    def _on_sample(self) -> None:
        self._edit("message", "", "the image to a training sample")

    @Slot()
    def _on_load(self) -> None:
        name = self.ask_open(self, "An image to hide", "", PATTERN)
        if not name:
            return
        try:
            pixels = read_pixels(Path(name))
        except MessageError as error:
            self.failed.emit(str(error))
        else:
            self._edit("message", digits_of(pixels), f"the image to “{Path(name).name}”")

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 280)


def _link(text: str, tip: str, slot: Any) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "link")
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.clicked.connect(slot)
    return button
