"""The three inputs that span the plane of a decision map, under each other, with what the network says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from gui.plots.images import draw, fitted, mapped, picture
from gui.plots.tiles import ink
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

X, X_ADV, THIRD = 0, 1, 2
NAMES = ("x", "x_adv", "third")
NARROW, WIDEST = 58, 104  # pixels of their column, at least and at most
LOW = 26  # pixels of a picture below which the line above it gives way


class Thumbnails(QWidget):
    """Pictures of x, x_adv and the third input of a frame."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._frame: Frame | None = None
        self.setFixedWidth(NARROW)
        self.setAccessibleName("The three inputs of the plane")

    def show_frame(self, frame: Frame | None) -> None:
        """Another map, or none."""
        self._frame = frame
        self.update()

    def give_way(self, width: int) -> None:
        """Take a share of the panel's width, so that the map has the most of it."""
        words = QFontMetrics(self.theme.font(self.theme.small))
        least = max(NARROW, max((words.horizontalAdvance(self.says(k)) for k in range(3)), default=0) + 6)
        self.setFixedWidth(min(WIDEST, max(least, width // 5)))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def image(self, which: int) -> QImage | None:
        """The picture of one of the three."""
        frame = self._frame
        if frame is None:
            return None
        values = frame.arrays["images"][which]
        if values.ndim == 3:
            return picture(values)
        held = frame.arrays["images"]
        low, high = float(np.nanmin(held)), float(np.nanmax(held))
        return mapped(values.reshape(1, -1), low, high if high > low else low + 1, "viridis")

    def says(self, which: int) -> str:
        """What the network sees in one of the three, and how sure it is."""
        frame = self._frame
        if frame is None or "point_prediction" not in frame.arrays:
            return ""
        sure = float(frame.arrays["point_confidence"][which])
        return f"{class_name(frame, int(frame.arrays['point_prediction'][which]))} · {sure:.0%}"

    def paintEvent(self, _event: QPaintEvent) -> None:
        frame = self._frame
        if frame is None:
            return
        theme = self.theme
        painter = QPainter(self)
        painter.setFont(theme.font(theme.small))
        text = painter.fontMetrics().height() + 1
        high = self.height() // 3
        third = frame.info["third_index"]
        heads = ("x", "x_adv", f"sample {third}" if third >= 0 else "random")
        metrics = painter.fontMetrics()
        low = high - 2 * text - 6 < LOW  # in a low panel one line says both
        for which, head in enumerate(heads):
            card = self.rect().adjusted(2, which * high, -2, 0)
            card.setHeight(high)
            room = card.adjusted(0, 0 if low else text, 0, -text - (2 if low else 6))
            align = Qt.AlignmentFlag.AlignHCenter
            painter.setPen(QColor(theme.muted))
            fits = metrics.horizontalAdvance(head) <= card.width()
            if not low:
                painter.drawText(card, align | Qt.AlignmentFlag.AlignTop, head if fits else NAMES[which])
            image = self.image(which)
            if image is not None and room.height() > 4:
                place = fitted(image.size(), room) if frame.arrays["images"].ndim == 4 else room
                draw(painter, image, place)
                card.setBottom(place.bottom() + 1 + text)
                card.setTop(place.bottom() + 1)
            fooled = which == X_ADV and bool(frame.info.get("success"))
            ink(painter, theme.group_colour("adv_target") if fooled else theme.text)
            says = f"{NAMES[which]}: {self.says(which)}" if low else self.says(which)
            if low and metrics.horizontalAdvance(says) > card.width():
                says = f"{NAMES[which]}: {self.says(which).partition(' · ')[0]}"
            says = metrics.elidedText(says, Qt.TextElideMode.ElideRight, card.width())
            painter.drawText(card, align | Qt.AlignmentFlag.AlignTop, says)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            which = min(2, event.pos().y() * 3 // max(1, self.height()))
            QToolTip.showText(event.globalPos(), self.describe(which), self)
            return True
        return super().event(event)

    def describe(self, which: int) -> str:
        """All that is said of one of the three, however little of it has room."""
        frame = self._frame
        if frame is None:
            return ""
        number = int(frame.info["third_index" if which == THIRD else "index"])
        who = f"sample {number}" if number >= 0 else "random direction"
        return f"{NAMES[which]} ({who}): {self.says(which)}"


def class_name(frame: Frame | None, number: int) -> str:
    """What the data of a map calls a class; a number that is none stands for a network without an answer."""
    classes = frame.info["classes"] if frame is not None else ()
    return str(classes[number]) if 0 <= number < len(classes) else "no answer"
