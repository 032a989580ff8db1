"""The log: what happened and when, in lines that can be filtered and copied."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui.forms.fields import ChoiceField
from gui.panels.base import Panel
from gui.selection import Selection
from gui.theme import Theme

Level = Literal["info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("info", "warning", "error")
LIMIT = 5000


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    time: datetime
    level: Level
    text: str

    def __str__(self) -> str:
        return f"{self.time:%H:%M:%S}  {self.level:<7}  {self.text}"


class LogPanel(Panel):
    """Keeps the latest 5,000 lines."""

    key = "log"
    title = "Log"
    empty_text = "Nothing has happened yet."

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._lines: deque[Line] = deque(maxlen=LIMIT)
        self.view = QPlainTextEdit(readOnly=True, maximumBlockCount=LIMIT)
        self.view.setProperty("role", "fixed")
        self.view.setAccessibleName("Log")
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.view.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.filter = ChoiceField((("info", "everything"), ("warning", "warnings and errors"), ("error", "errors")))
        self.filter.setProperty("quiet", True)
        self.filter.setAccessibleName("Lines shown")
        self.filter.setMinimumContentsLength(12)
        self.filter.edited.connect(self._redraw)
        self.add_tool(self.filter)
        copy = self.header.add_button("copy", "Copy the log", "Copy the lines shown", first=True)
        copy.clicked.connect(self.copy_text)
        self.set_body(self.view)

    @property
    def lines(self) -> Sequence[Line]:
        """All lines kept, oldest first."""
        return tuple(self._lines)

    def append(self, level: Level, text: str, time: datetime | None = None) -> None:
        """Add a line, with the time of now where none is given."""
        line = Line(time or datetime.now(), level, text)
        self._lines.append(line)
        if self._is_shown(line):
            self._draw(line)
            self.show_content()
        self.set_subtitle(f"{len(self._lines)} lines")

    def text(self) -> str:
        """The lines shown."""
        return "\n".join(str(line) for line in self._lines if self._is_shown(line))

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()
        self.view.clear()
        super().clear()

    def set_theme(self, theme: Theme) -> None:
        """Colour the levels."""
        super().set_theme(theme)
        self._redraw()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Time, level and text of every line."""
        yield ("time", "level", "text")
        for line in self._lines:
            yield (line.time.isoformat(timespec="seconds"), line.level, line.text)

    @Slot()
    def copy_text(self) -> None:
        """Put the lines shown on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def _is_shown(self, line: Line) -> bool:
        return LEVELS.index(line.level) >= LEVELS.index(self.filter.read())

    @Slot()
    def _redraw(self) -> None:
        self.view.clear()
        for line in self._lines:
            if self._is_shown(line):
                self._draw(line)

    def _draw(self, line: Line) -> None:
        bar = self.view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.view.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.view.document().isEmpty():
            cursor.insertBlock()
        tones = {"info": self.theme.text, "warning": self.theme.warning, "error": self.theme.error}
        cursor.insertText(f"{line.time:%H:%M:%S}  ", ink(self.theme.muted))
        # further lines of one entry stand under its first
        cursor.insertText(line.text.replace("\n", "\n          "), ink(tones[line.level]))
        if at_end:
            bar.setValue(bar.maximum())


def ink(colour: str) -> QTextCharFormat:
    """Text in a colour."""
    made = QTextCharFormat()
    made.setForeground(QColor(colour))
    return made
