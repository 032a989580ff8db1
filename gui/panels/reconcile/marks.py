"""Small drawings of a case: a padlock, an angle, a bar with a mark that must not be passed."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gui.plots.plot import pen
from gui.theme import Theme

BAR = 5  # pixels of a bar's height


def padlock(painter: QPainter, box: QRect, colour: str) -> None:
    """A closed padlock in the middle of a box."""
    side = min(box.width(), box.height())
    body = QRectF(0, 0, side * 0.62, side * 0.46)
    body.moveCenter(QPointF(box.center().x() + 0.5, box.center().y() + side * 0.17))
    ring = QRectF(0, 0, side * 0.38, side * 0.52)
    ring.moveCenter(QPointF(body.center().x(), body.top() - side * 0.01))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen(colour, max(1.4, side / 14)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(ring, 0, 180 * 16)
    painter.drawRoundedRect(body, side / 14, side / 14)
    painter.drawLine(body.center() - QPointF(0, side * 0.06), body.center() + QPointF(0, side * 0.06))
    painter.restore()


def angle(painter: QPainter, box: QRect, degrees: float, colour: str, theme: Theme) -> None:
    """The angle between a feature and the reference, which points to the right; upright is 90 degrees."""
    reach = min(box.width() / 2, box.height()) - 1
    foot = QPointF(box.left() + box.width() / 2, box.bottom() - 0.5)
    turn = math.radians(min(180.0, max(0.0, degrees)))
    end = foot + QPointF(reach * math.cos(turn), -reach * math.sin(turn))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen(theme.line_strong))
    painter.drawLine(foot - QPointF(reach, 0), foot + QPointF(reach, 0))
    painter.drawArc(QRectF(foot.x() - reach, foot.y() - reach, 2 * reach, 2 * reach), 0, 180 * 16)
    painter.setPen(pen(colour, 1.8))
    painter.drawLine(foot, end)
    painter.restore()


def bar(painter: QPainter, box: QRect, share: float, colour: str, theme: Theme, mark: float | None = None) -> None:
    """A share of a bar, with a mark across it."""
    track = QRectF(box.left(), box.top(), box.width(), BAR)
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.line))
    painter.drawRect(track)
    painter.setBrush(QColor(colour))
    painter.drawRect(QRectF(track.left(), track.top(), track.width() * min(1.0, max(0.0, share)), BAR))
    if mark is not None:
        at = track.left() + track.width() * mark
        painter.setBrush(QColor(theme.text))
        painter.drawRect(QRectF(at - 0.75, track.top() - 2, 1.5, BAR + 4))
    painter.restore()
