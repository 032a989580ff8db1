"""A long list to choose from: in groups, narrowed by typing, with what the line at hand is below it.

The keyboard stays in the line that is typed into: the arrow keys walk through what is left, Return takes it, Esc leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

KEY = Qt.ItemDataRole.UserRole
NOTE = Qt.ItemDataRole.UserRole + 1
WORDS = Qt.ItemDataRole.UserRole + 2

MARGIN = 6
INSET = 8  # of the text in a line
LEAST_WIDTH = 330
MOST_HEIGHT = 420  # of the list


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    key: str
    title: str
    group: str
    help: str
    note: str = ""
    """A few quiet words at the right of the line."""
    words: str = ""
    """What else it is found by."""


def model_of(entries: Sequence[Entry], parent: QWidget) -> QStandardItemModel:
    """The lines with a heading, which cannot be chosen, above each group. Entries of a group stand together."""
    model = QStandardItemModel(parent)
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            heading = QStandardItem(group)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            model.appendRow(heading)
        line = QStandardItem(entry.title)
        line.setEditable(False)
        line.setData(entry.key, KEY)
        line.setData(entry.note, NOTE)
        line.setToolTip(entry.help)
        line.setData(
            _plain(" ".join((entry.title, entry.key, entry.group, entry.note, entry.words, entry.help))), WORDS
        )
        model.appendRow(line)
    return model


class Finder(QFrame):
    """The list over the window. ``chosen`` brings the key of the line taken; closed otherwise it says nothing."""

    chosen = Signal(str)

    def __init__(self, title: str, hint: str, model: QAbstractItemModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup, objectName="popover")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # a click on what opened it closes it, and only that
        self.setAccessibleName(title)
        self.line = _Line(self)
        self.line.setPlaceholderText(hint)
        self.line.setAccessibleName(f"Find in: {title}")
        self.line.textChanged.connect(self._narrow)
        self.view = QListView(mouseTracking=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setObjectName("finder")
        self.view.setAccessibleName(title)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setModel(model)
        self.view.setItemDelegate(_Delegate(self.view))
        self.view.entered.connect(self._at)
        self.view.clicked.connect(self._take)
        self.nothing = ""  # a sentence for an empty list, where it is not the typing that emptied it
        self.help = QLabel(wordWrap=True)
        self.help.setProperty("role", "small")
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.help.setContentsMargins(INSET - 2, 0, INSET - 2, 0)
        rule = QFrame(objectName="rule")
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN + 2)
        column.setSpacing(MARGIN)
        for widget in (self.line, self.view, rule, self.help):
            column.addWidget(widget)

    def open_under(self, anchor: QWidget, key: str = "", typed: str = "") -> None:
        """Open below a widget, kept on the screen, at the line with this key and with this text typed already."""
        self.line.clear()
        self._narrow("")
        self._fit(anchor)
        for row in self._lines():
            if self.view.model().index(row, 0).data(KEY) == key:
                self._at(self.view.model().index(row, 0))
        self.show()
        self._show_line()
        self.line.setFocus()
        self.line.setText(typed)

    def take(self) -> None:
        """Choose the line at hand."""
        self._take(self.view.currentIndex())

    def walk(self, steps: int) -> None:
        """Go on by so many lines of those that are left, not beyond the first or last."""
        lines = self._lines()
        if lines:
            row = self.view.currentIndex().row()
            here = lines.index(row) if row in lines else 0
            self._at(self.view.model().index(lines[max(0, min(len(lines) - 1, here + steps))], 0))

    def page(self) -> int:
        """How many lines are seen at a time."""
        return max(1, self.view.viewport().height() // max(1, self.view.sizeHintForRow(0)) - 1)

    @Slot(str)
    def _narrow(self, text: str) -> None:
        """Leave the lines in which every word typed occurs, and go to the one that is meant most likely."""
        model, words = self.view.model(), _plain(text).split()
        heading, best = -1, (4, -1)
        for row in range(model.rowCount()):
            index = model.index(row, 0)
            if index.data(KEY) is None:
                heading = row
                self.view.setRowHidden(row, True)
                continue
            fits = all(word in index.data(WORDS) for word in words)
            self.view.setRowHidden(row, not fits)
            if fits:
                self.view.setRowHidden(heading, False)
                best = min(best, (_rank(index, words), row))
        self._at(model.index(best[1], 0))
        self._show_line()
        if best[1] < 0:
            self.help.setText(self.nothing or f"Nothing here is called “{text.strip()}”.")

    def _show_line(self) -> None:
        """Scroll to the line at hand, and no further from the beginning than that needs."""
        self.view.scrollToTop()
        self.view.scrollTo(self.view.currentIndex())

    def _lines(self) -> list[int]:
        model = self.view.model()
        rows = range(model.rowCount())
        return [r for r in rows if not self.view.isRowHidden(r) and model.index(r, 0).data(KEY) is not None]

    @Slot(QModelIndex)
    def _at(self, index: QModelIndex) -> None:
        if index.data(KEY) is None and index.isValid():
            return  # the pointer is over a heading
        self.view.setCurrentIndex(index)
        help = index.data(Qt.ItemDataRole.ToolTipRole) or ""
        self.help.setText(help)
        self.line.setAccessibleDescription(f"{index.data()}. {help}" if index.isValid() else "")

    @Slot(QModelIndex)
    def _take(self, index: QModelIndex) -> None:
        key = index.data(KEY)
        if key is not None:
            self.close()
            self.chosen.emit(key)

    def _fit(self, anchor: QWidget) -> None:
        """Take a size that holds every line and every help, so that nothing moves while a person types."""
        self.ensurePolished()
        screen = (anchor.screen() or QGuiApplication.primaryScreen()).availableGeometry()
        width = min(max(LEAST_WIDTH, anchor.width(), self.view.sizeHintForColumn(0) + 30), screen.width())
        self.setFixedWidth(width)
        model, rows = self.view.model(), range(self.view.model().rowCount())
        metrics, room = QFontMetrics(self.help.font()), width - 2 * MARGIN - 2 * INSET
        helps = [model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) or "" for row in rows]
        tallest = max(_height(metrics, help, room) for help in (self.nothing, *helps))
        self.help.setFixedHeight(tallest + 4)
        wanted = sum(self.view.sizeHintForRow(row) for row in rows) + 2 * self.view.frameWidth() + 8
        below = anchor.mapToGlobal(QPoint(0, anchor.height() + 3))
        self.view.setFixedHeight(min(wanted, MOST_HEIGHT, screen.height() - tallest - 120))
        height = self.layout().totalSizeHint().height()
        self.setFixedHeight(height)
        x = max(screen.left(), min(below.x(), screen.right() - width))
        self.move(x, max(screen.top(), min(below.y(), screen.bottom() - height)))


class _Line(QLineEdit):
    """What is typed here narrows the list; the keys that walk go to the list."""

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self._finder = finder

    def keyPressEvent(self, event: Any) -> None:
        page = self._finder.page()
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_PageUp: -page,
        }
        if event.key() in steps:
            self._finder.walk(steps[event.key()])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finder.take()
        elif event.key() == Qt.Key.Key_Escape:
            self._finder.close()
        else:
            super().keyPressEvent(event)


class _Delegate(QStyledItemDelegate):
    """Headings small and quiet; lines with their note at the right."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        quiet = option.palette.placeholderText().color()
        box = option.rect.adjusted(INSET, 0, -INSET, 0)
        painter.save()
        if index.data(KEY) is None:
            painter.setFont(_small(option.font, bold=True))
            painter.setPen(quiet)
            painter.drawText(
                box.adjusted(0, 0, 0, -4), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, index.data()
            )
        else:
            super().paint(painter, option, index)
            painter.setFont(_small(option.font))
            painter.setPen(quiet)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data(NOTE))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        lines = option.fontMetrics
        wide = lines.horizontalAdvance(f"{index.data()}      {index.data(NOTE) or ''}") + 2 * INSET
        return QSize(wide, lines.height() + (14 if index.data(KEY) is None else 8))


def _small(font: Any, bold: bool = False) -> Any:
    made = type(font)(font)
    made.setPixelSize(max(8, font.pixelSize() - 2))
    made.setWeight(font.Weight.DemiBold if bold else font.Weight.Normal)
    return made


def _height(metrics: QFontMetrics, text: str, width: int) -> int:
    return metrics.boundingRect(QRect(0, 0, width, 10_000), Qt.TextFlag.TextWordWrap, text).height()


def _rank(index: QModelIndex, words: list[str]) -> int:
    """0 where the title begins with what was typed, 1 where a word of it does, 2 where it is in it, 3 elsewhere."""
    title, typed = _plain(index.data()), " ".join(words)
    if title.startswith(typed) or _plain(index.data(KEY)) == typed:
        return 0
    if any(each.startswith(typed) for each in title.split()):
        return 1
    return 2 if typed in title else 3


def _plain(text: str) -> str:
    """As it is compared: small letters, hyphens as blanks, no ampersands."""
    return text.casefold().replace("-", " ").replace("&", "").replace("∞", "inf")
