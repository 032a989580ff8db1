"""An 8x8 grid of 4 grey levels that a person paints on."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.panels.reconcile.message import LEVELS, SIDE, picture_of
from gui.plots.images import draw
from gui.plots.plot import pen
from gui.plots.tiles import ink
from gui.theme import Theme

CELL = 5  # pixels of a cell at least


class MessagePainter(QWidget):
    """``painted(pixels, where)`` comes at the end of a stroke, with where it began in words.

    A click gives a pixel the next brighter level, after white comes black; the right button goes the other way; dragging
    paints on in the level of the first pixel. Arrow keys move, Space and 0 to 3 paint. ``pixels`` is None where nothing
    is painted yet: a stroke then begins on black.
    """

    painted = Signal(object, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._pixels: np.ndarray | None = None
        self._stroke: tuple[int, int] | None = None  # where it began
        self._level = 0
        self._cursor = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setMinimumSize(SIDE * CELL, SIDE * CELL)
        self.setToolTip("Click a pixel for the next brighter level, right-click for the darker one; drag to paint on")
        self._say()

    @property
    def pixels(self) -> np.ndarray | None:
        """What is shown, [8, 8] with values 0 to 3."""
        return self._pixels

    def set_pixels(self, pixels: np.ndarray | None) -> None:
        """Show an image, or that there is none; silent. A stroke that is being painted is not disturbed."""
        if self._stroke is None:
            self._pixels = None if pixels is None else np.array(pixels, dtype=np.uint8)
            self._say()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    # --- painting ----------------------------------------------------------------------------------------------

    def cell(self, at: QPoint) -> tuple[int, int] | None:
        """The pixel (row, column) at a place of this widget; None outside."""
        box = self._square()
        if not box.contains(at):
            return None
        scale = box.width() / SIDE
        row, column = int((at.y() - box.top()) / scale), int((at.x() - box.left()) / scale)
        return min(row, SIDE - 1), min(column, SIDE - 1)

    def place(self, row: int, column: int) -> QRect:
        """Where a pixel lies in this widget."""
        box = self._square()
        edges = [box.left() + round(k * box.width() / SIDE) for k in range(SIDE + 1)]
        tops = [box.top() + round(k * box.height() / SIDE) for k in range(SIDE + 1)]
        return QRect(edges[column], tops[row], edges[column + 1] - edges[column], tops[row + 1] - tops[row])

    def _square(self) -> QRect:
        side = min(self.width(), self.height())
        return QRect((self.width() - side) // 2, 0, side, side)

    def _put(self, row: int, column: int, level: int) -> None:
        if self._pixels is None:
            self._pixels = np.zeros((SIDE, SIDE), dtype=np.uint8)
        self._pixels[row, column] = level
        self._cursor = (row, column)
        self._say()
        self.update()

    def _next(self, row: int, column: int, by: int) -> int:
        now = 0 if self._pixels is None else int(self._pixels[row, column])
        return (now + by) % LEVELS

    def _done(self, row: int, column: int) -> None:
        assert self._pixels is not None
        self.painted.emit(self._pixels.copy(), f"pixel {row + 1}, {column + 1}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.cell(event.position().toPoint())
        if found is None or event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return
        self._level = self._next(*found, 1 if event.button() == Qt.MouseButton.LeftButton else -1)
        self._put(*found, self._level)
        self._stroke = found

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.cell(event.position().toPoint())
        if self._stroke is not None and found is not None and found != self._cursor:
            self._put(*found, self._level)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self._stroke is not None:
            began, self._stroke = self._stroke, None
            self._done(*began)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, (row, column) = event.key(), self._cursor
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        if key in steps:
            down, across = steps[Qt.Key(key)]
            self._cursor = min(SIDE - 1, max(0, row + down)), min(SIDE - 1, max(0, column + across))
            self._say()
            self.update()
            return
        if key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            level = self._next(row, column, 1)
        elif event.text() in ("0", "1", "2", "3"):
            level = int(event.text())
        else:
            super().keyPressEvent(event)
            return
        self._put(row, column, level)
        self._done(row, column)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # --- look --------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        row, column = self._cursor
        level = "empty" if self._pixels is None else f"level {self._pixels[row, column]} of {LEVELS - 1}"
        self.setAccessibleName("Image to hide, 8 by 8 pixels")
        self.setAccessibleDescription(f"Row {row + 1}, column {column + 1}: {level}")

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme, box = QPainter(self), self.theme, self._square()
        if self._pixels is not None:
            draw(painter, picture_of(self._pixels), box)
        painter.setPen(pen(theme.line_strong, alpha=0.6))
        for k in range(1, SIDE):
            across, down = self.place(0, k).left(), self.place(k, 0).top()
            painter.drawLine(across, box.top(), across, box.bottom())
            painter.drawLine(box.left(), down, box.right(), down)
        painter.setPen(pen(theme.line_strong))
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        if self._pixels is None:
            painter.setFont(theme.font(theme.small))
            ink(painter, theme.muted)
            painter.fillRect(box.adjusted(6, box.height() // 3, -6, -box.height() // 3), QColor(theme.surface))
            words = "a training sample" if box.width() > 90 else "sample"
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
        if self.hasFocus():
            painter.setPen(pen(theme.accent, 2))
            painter.drawRect(self.place(*self._cursor).adjusted(0, 0, -1, -1))

    def sizeHint(self) -> QSize:
        return QSize(120, 120)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return width
