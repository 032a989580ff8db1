"""Notices at the top of the window: what went wrong or needs a choice, in a sentence, never in the way of the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.icons import icon, pixmap
from gui.theme import Theme

Level = Literal["info", "warning", "error"]
LIMIT = 3
Button = tuple[str, Callable[[], Any]]


class NoticeBar(QWidget):
    """A stack of at most three notices, the latest on top; it takes no room while there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._notices: list[Notice] = []
        self.setAccessibleName("Notices")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self.hide()

    @property
    def notices(self) -> Sequence[Notice]:
        """What is shown, the latest first."""
        return tuple(self._notices)

    def show_notice(
        self,
        text: str,
        *,
        level: Level = "info",
        buttons: Sequence[Button] = (),
        details: str = "",
        key: str = "",
    ) -> Notice:
        """Show a sentence, with buttons that do something and dismiss it.

        Args:
            text: what happened and what to do.
            level: info, warning or error: its colour and icon.
            buttons: (label, what to call) pairs.
            details: longer text that can be opened and copied, as a traceback.
            key: a notice with the same key is replaced, so that one cause never shows twice.
        """
        if key:
            self.dismiss(key)
        notice = Notice(text, level, buttons, details, key or text, self._theme)
        notice.closed.connect(self._on_closed)
        self._notices.insert(0, notice)
        self._column.insertWidget(0, notice)
        for old in self._notices[LIMIT:]:
            self._remove(old)
        self.show()
        return notice

    def show_error(self, sentence: str, *, buttons: Sequence[Button] = (), key: str = "") -> Notice:
        """An error that the person can mend: its sentence says how."""
        return self.show_notice(sentence, level="error", buttons=buttons, key=key or sentence)

    def show_bug(self, message: str, traceback: str) -> Notice:
        """An error of the program: what it was doing, with the traceback to copy."""
        text = f"Something in the program went wrong: {message} Your work is kept. The details help to mend it."
        return self.show_notice(text, level="error", details=traceback, key=f"bug:{message}")

    def dismiss(self, key: str) -> None:
        """Take away the notice with this key, if it is there."""
        for notice in [n for n in self._notices if n.key == key]:
            self._remove(notice)

    def clear(self) -> None:
        """Take all notices away."""
        for notice in list(self._notices):
            self._remove(notice)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        self._theme = theme
        for notice in self._notices:
            notice.set_theme(theme)

    @Slot(object)
    def _on_closed(self, notice: Notice) -> None:
        self._remove(notice)

    def _remove(self, notice: Notice) -> None:
        if notice in self._notices:
            self._notices.remove(notice)
            self._column.removeWidget(notice)
            notice.hide()
            notice.deleteLater()
        self.setVisible(bool(self._notices))


class Notice(QFrame):
    """One notice."""

    closed = Signal(object)

    def __init__(
        self, text: str, level: Level, buttons: Sequence[Button], details: str, key: str, theme: Theme
    ) -> None:
        super().__init__(objectName="notice")
        self.key = key
        self.level = level
        self.text = text
        self.details = details
        self.setProperty("level", level)
        self.setAccessibleName(f"{level}: {text}")
        self._picture = QLabel()
        label = QLabel(text, wordWrap=True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons: dict[str, QPushButton] = {}
        self.close_button = QToolButton(autoRaise=True, toolTip="Dismiss (Esc)")
        self.close_button.setIconSize(QSize(16, 16))
        self.close_button.setAccessibleName("Dismiss")
        self.close_button.clicked.connect(self._close)

        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label, 1)
        for name, call in buttons:
            row.addWidget(self._button(name, call, closes=True))
        if details:
            self._toggle = self._button("Details", self._show_details, closes=False)
            self._toggle.setCheckable(True)
            row.addWidget(self._toggle)
            row.addWidget(self._button("Copy", self.copy_details, closes=False))
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 6, 6)
        column.addLayout(row)
        self._details = QPlainTextEdit(details, readOnly=True, visible=False)
        self._details.setAccessibleName("Details")
        self._details.setProperty("role", "fixed")
        lines = min(10, details.count("\n") + 1)
        self._details.setFixedHeight(lines * self._details.fontMetrics().lineSpacing() + 24)
        column.addWidget(self._details)
        QShortcut(QKeySequence("Esc"), self, self._close, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Colour the icons."""
        colour = {"info": theme.accent, "warning": theme.warning, "error": theme.error}[self.level]
        ratio = self.devicePixelRatioF()
        picture = pixmap(self.level, colour, round(18 * ratio))
        picture.setDevicePixelRatio(ratio)
        self._picture.setPixmap(picture)
        self._picture.setFixedHeight(26)
        self.close_button.setIcon(icon("close", theme))

    @Slot()
    def copy_details(self) -> None:
        """Put the sentence and the details on the clipboard."""
        QGuiApplication.clipboard().setText(f"{self.text}\n\n{self.details}")

    def _button(self, name: str, call: Callable[[], Any], closes: bool) -> QPushButton:
        button = QPushButton(name)
        button.setAccessibleName(name)

        def pressed() -> None:
            if closes:
                self._close()
            call()

        button.clicked.connect(pressed)
        self.buttons[name] = button
        return button

    @Slot()
    def _show_details(self) -> None:
        self._details.setVisible(self._toggle.isChecked())

    @Slot()
    def _close(self) -> None:
        self.closed.emit(self)
