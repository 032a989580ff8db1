"""One widget for each kind of parameter. All share three things: ``edited``, ``read`` and ``write``.

``read`` gives the value or raises :class:`~gui.forms.numbers.NotValid` with a sentence; ``write`` shows a value and
emits nothing; ``edited`` comes when a person changed something, valid or not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from engine.specs import Parameter
from gui import files
from gui.forms.names import pretty
from gui.forms.numbers import NotValid, parse, shown, stepped
from gui.icons import icon
from gui.theme import Theme

UNIT_GAP = 8


class LineField(QLineEdit):
    """A line of text that leaves undo and redo to the window, where they undo the edit of the spec."""

    edited = Signal()

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.textEdited.connect(self._on_typed)

    @Slot()
    def _on_typed(self) -> None:
        self.edited.emit()

    def read(self) -> Any:
        """The text."""
        return self.text()

    def write(self, value: Any) -> None:
        """Show a value, from its beginning."""
        self.setText(str(value))
        self.setCursorPosition(0)

    def set_invalid(self, on: bool) -> None:
        """Mark the field as holding what cannot be used."""
        if bool(self.property("invalid")) != on:
            self.setProperty("invalid", on)
            self.style().unpolish(self)
            self.style().polish(self)

    def event(self, event: QEvent) -> bool:
        undo = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
        if event.type() == QEvent.Type.ShortcutOverride and any(event.matches(key) for key in undo):
            event.ignore()
            return False
        return super().event(event)


class NumberField(LineField):
    """A number with its unit inside at the right.

    Up and Down step (finely with Shift), Page Up and Page Down step coarsely, Esc brings the last valid number back.
    """

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._last: int | float = parameter.default
        self.write(parameter.default)

    def read(self) -> int | float:
        """The number typed. Raises NotValid."""
        self._last = parse(self.text(), self.parameter)
        return self._last

    def write(self, value: int | float) -> None:
        """Show a number."""
        self._last = value
        self.setText(shown(value))

    def keyPressEvent(self, event: Any) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self.text() != shown(self._last):
            self._put(self._last)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            up = key in (Qt.Key.Key_Up, Qt.Key.Key_PageUp)
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            coarse = key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
            self._put(stepped(self._last, 1 if up else -1, self.parameter, fine=fine, coarse=coarse))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        unit = self.parameter.unit
        taken = self.fontMetrics().horizontalAdvance(self.text()) + 2 * UNIT_GAP
        room = self.width() - taken - UNIT_GAP
        if not unit or room < self.fontMetrics().averageCharWidth() * 3:
            return
        painter = QPainter(self)
        small = QFont(self.font())
        small.setPixelSize(max(8, small.pixelSize() - 1))
        painter.setFont(small)
        painter.setPen(QApplication.palette().placeholderText().color())
        text = painter.fontMetrics().elidedText(unit, Qt.TextElideMode.ElideRight, room)
        box = QRect(taken, 0, room, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _put(self, value: int | float) -> None:
        if self.text() != shown(value):
            self.setText(shown(value))
            self.edited.emit()


class CheckField(QCheckBox):
    """Yes or no."""

    edited = Signal()

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # in line at the right, however long the labels are
        self.write(parameter.default)
        self.clicked.connect(self._on_clicked)

    @Slot()
    def _on_clicked(self) -> None:
        self.edited.emit()

    def read(self) -> bool:
        """Whether it is ticked."""
        return self.isChecked()

    def write(self, value: bool) -> None:
        """Tick it or not."""
        self.setChecked(bool(value))

    def set_invalid(self, on: bool) -> None:
        """A tick cannot be wrong by itself."""

    def hitButton(self, pos: Any) -> bool:
        return self.rect().contains(pos)  # the whole row, not the small square alone


class ChoiceField(QComboBox):
    """One of a few named values."""

    edited = Signal()

    def __init__(self, choices: tuple[tuple[str, str], ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for value, name in choices:
            self.addItem(pretty(name), value)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setEnabled(len(choices) != 1)  # what cannot be otherwise is there to be read
        self.activated.connect(self._on_chosen)

    @Slot()
    def _on_chosen(self) -> None:
        self.edited.emit()

    def read(self) -> str:
        """The value of the choice, not its name."""
        return self.currentData()

    def write(self, value: str) -> None:
        """Show a choice."""
        self.setCurrentIndex(self.findData(value))

    def set_invalid(self, on: bool) -> None:
        """A choice cannot be wrong by itself."""

    def showPopup(self) -> None:
        # long names are read whole in the list, however narrow the field is
        widest = max((self.fontMetrics().horizontalAdvance(self.itemText(i)) for i in range(self.count())), default=0)
        self.view().setMinimumWidth(max(self.width(), widest + 36))
        super().showPopup()

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002
        # as Qt draws it, but a name that is too long ends in "…"
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, room.width() - 2
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def wheelEvent(self, event: Any) -> None:
        # scrolling the form must not change what the pointer happens to pass over
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FolderField(QWidget):
    """A folder: typed, chosen with the button, or dropped."""

    edited = Signal()

    def __init__(self, parameter: Parameter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.ask_folder: Callable[[QWidget, str, str], str] = files.ask_folder  # replaced in tests
        self._taken = ""
        self.line = LineField(parameter)
        self.line.setPlaceholderText("Choose, or drop it here")
        self.line.setAcceptDrops(False)
        self.line.editingFinished.connect(self.finish)
        self.button = QToolButton(toolTip="Choose a folder…")
        self.button.setAccessibleName(f"Choose {parameter.label.lower()}")
        self.button.setIconSize(QSize(16, 16))
        self.button.setIcon(icon("folder", theme))
        self.button.clicked.connect(self._choose)
        self.setAcceptDrops(True)
        self.setFocusProxy(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.line.setAccessibleName(name)

    def read(self) -> str:
        """The path. Raises NotValid where something is typed and no such folder exists."""
        text = self.line.text().strip()
        if text and not Path(text).expanduser().is_dir():
            raise NotValid(f"There is no folder “{text}”.")
        return str(Path(text).expanduser()) if text else ""

    def write(self, value: str) -> None:
        """Show a path, its end where it is too long."""
        self._taken = value
        self.line.setText(value)

    def set_invalid(self, on: bool) -> None:
        """Mark the field as holding what cannot be used."""
        self.line.set_invalid(on)

    def dragEnterEvent(self, event: Any) -> None:
        if self._dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        if folder := self._dropped(event):
            event.acceptProposedAction()
            self.write(folder)
            self.edited.emit()

    @staticmethod
    def _dropped(event: Any) -> str:
        """The folder dropped, or the folder of the file dropped."""
        for url in event.mimeData().urls():
            path = Path(url.toLocalFile())
            if url.isLocalFile() and path.exists():
                return str(path if path.is_dir() else path.parent)
        return ""

    @Slot()
    def finish(self) -> None:
        """Take what was typed. Not key by key: on the way to /data/mnist stands /data, which was not meant."""
        if self.line.text() != self._taken:
            self._taken = self.line.text()
            self.edited.emit()

    @Slot()
    def _choose(self) -> None:
        folder = self.ask_folder(self, f"Choose {self.parameter.label.lower()}", self.line.text())
        if folder:
            self.write(folder)
            self.edited.emit()


Field = NumberField | LineField | CheckField | ChoiceField | FolderField


def field_for(parameter: Parameter, theme: Theme) -> Field:
    """The widget for a parameter."""
    if parameter.widget == "folder":
        return FolderField(parameter, theme)
    match parameter.kind:
        case "bool":
            return CheckField(parameter)
        case "choice":
            return ChoiceField(parameter.choices)
        case "int" | "float":
            return NumberField(parameter)
    return LineField(parameter)
