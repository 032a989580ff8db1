"""A row of widgets that wraps to the width it gets."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, QTimer, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget


class FlowRow(QWidget):
    """Lays its widgets out from left to right, in as many rows as they need, and is exactly that high."""

    def __init__(self, widgets: Sequence[QWidget] = (), *, gap: int = 8, line_gap: int = 3) -> None:
        super().__init__()
        self._gap, self._line_gap = gap, line_gap
        self._widgets: list[QWidget] = []
        self._height = 0
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self.arrange)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_widgets(widgets)

    def set_widgets(self, widgets: Sequence[QWidget]) -> None:
        """What to lay out, in order; the caller lets go of those that are left out."""
        self._widgets = list(widgets)
        for widget in self._widgets:
            if widget.parentWidget() is not self:
                widget.setParent(self)
                widget.show()
                if isinstance(widget, QComboBox):
                    widget.currentTextChanged.connect(self.arrange)
        self.arrange()

    @Slot()
    def arrange(self) -> None:
        """Place everything; call it when a widget's size hint has changed."""
        x = y = row = 0
        width = max(40, self.width())
        line: list[tuple[QWidget, QRect]] = []
        for widget in self._widgets:
            if widget.isHidden():
                continue
            size = widget.sizeHint()
            wide = min(size.width(), width)
            if x and x + wide > width:
                _place(line, row)
                line, x, y, row = [], 0, y + row + self._line_gap, 0
            line.append((widget, QRect(x, y, wide, size.height())))
            x += wide + self._gap
            row = max(row, size.height())
        _place(line, row)
        if y + row != self._height:
            self._height = y + row
            self.setFixedHeight(self._height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.arrange()  # what came while nobody looked: other fonts, another style sheet

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._soon.start()  # the widgets are dressed after the row

    def sizeHint(self) -> QSize:
        return QSize(100, self._height)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._height)


def _place(line: Sequence[tuple[QWidget, QRect]], height: int) -> None:
    """Put the widgets of one line about its middle."""
    for widget, place in line:
        widget.setGeometry(place.translated(0, (height - place.height()) // 2))
