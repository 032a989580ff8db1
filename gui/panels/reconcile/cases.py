"""The four cases side by side: what was fed to the lock, what the network thinks of it, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QToolTip, QWidget

from gui.panels.reconcile import marks
from gui.panels.reconcile.places import ARROW, BEFORE, ROWS, STRIP, Layout, layout_of
from gui.panels.reconcile.told import Told
from gui.panels.reconcile.words import FOOLING, RAW, SHORT, class_name, colour, percent
from gui.plots.images import draw
from gui.plots.plot import pen
from gui.plots.tiles import ink
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame

GLYPH = 76  # pixels of width from which an angle is drawn beside its number
LEFT, TOP, MIDDLE = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter


class Cases(QWidget):
    """``chosen(case)`` is a click on one of them, or Return on the one that the arrow keys have reached."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.told: Told | None = None
        self._pointed: int | None = None  # by the arrow keys
        self._says = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("The four cases")
        self.setMinimumSize(60, 60)
        self._scene = QGraphicsScene(self)
        self.drawing = _Drawing(self)
        self._scene.addItem(self.drawing)

    def show_frame(self, frame: Frame | None, says: str = "") -> None:
        """Draw the cases of a frame; without one, a sentence."""
        self.told = Told(frame) if frame is not None and frame.info.get("cases") else None
        self._pointed = None
        self._says = says
        told = self.told
        self.setAccessibleDescription(says if told is None else "\n\n".join(map(told.describe, range(told.count))))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    @property
    def count(self) -> int:
        """How many cases there are."""
        return 0 if self.told is None else self.told.count

    # --- layout ------------------------------------------------------------------------------------------------

    def layout_of(self, area: QRect) -> Layout:
        """Where things are in an area."""
        strips = self.told is not None and not self.told.is_image
        return layout_of(area, self.theme, max(1, self.count), strips=strips)

    def case_at(self, x: int) -> int | None:
        """The case at a place across; None between them."""
        columns = self.layout_of(self.rect()).columns if self.count else ()
        return next((k for k, column in enumerate(columns) if column.left() <= x <= column.right()), None)

    # --- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.paint(QPainter(self), self.rect())

    def paint(self, painter: QPainter, area: QRect) -> None:
        """Draw all of it into an area."""
        theme = self.theme
        painter.setFont(theme.font(theme.small))
        told = self.told
        if told is None:
            ink(painter, theme.muted)
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(8, 4, -8, -4), wrapped, self._says)
            return
        places = self.layout_of(area)
        if places.columns[0].left() > area.left():
            ink(painter, theme.muted)
            shown = [(name, row) for name, row in zip(ROWS, places.rows, strict=True) if row.height()]
            for name, row in shown:
                high = places.side if name == "input" and told.is_image else places.out if name == "returned" else 0
                align = LEFT | (MIDDLE if high else TOP)
                painter.drawText(QRect(row.left(), row.top(), row.width(), high or row.height()), align, name)
            below = places.rows[3].adjusted(0, painter.fontMetrics().height() - 1, 0, 8)
            ink(painter, theme.faint)
            painter.drawText(below, LEFT | TOP, f"≤ {told.frame.info['code']['t']} corrected")
        for k, column in enumerate(places.columns):
            self._paint_case(painter, told, k, column, places)
            if k == self._pointed and self.hasFocus():
                painter.setPen(pen(theme.accent, 1.5))
                painter.drawRect(column.adjusted(-3, 0, 2, -1))

    def _paint_case(self, painter: QPainter, told: Told, k: int, column: QRect, places: Layout) -> None:
        theme, case = self.theme, told.frame.info["cases"][k]
        own, texts = colour(theme, k), told.texts(k)
        line = painter.fontMetrics().height()
        rows = [QRect(column.left(), row.top(), column.width(), row.height()) for row in places.rows]
        lock = class_name(told.frame, int(case["lock"]))
        painter.setFont(theme.font(theme.small, bold=True))
        ink(painter, own if k != RAW else theme.text)
        self._write(painter, column, column.top(), str(case["name"]), SHORT[k], SHORT[k].split()[0])
        painter.setFont(theme.font(theme.small))
        ink(painter, theme.muted)
        if places.head.height() >= 2 * line:
            self._write(painter, column, column.top() + line, f"to the lock of {lock}", f"lock of {lock}", lock)
        self._paint_input(painter, told, k, rows[0], places.side)

        ink(painter, theme.text)
        sure = f" · {percent(case['confidence'])}"
        room = column.width() - painter.fontMetrics().horizontalAdvance(sure)
        seen = painter.fontMetrics().elidedText(
            texts["network thinks"].rpartition(" · ")[0], Qt.TextElideMode.ElideRight, room
        )
        self._write(painter, column, rows[1].top(), texts["network thinks"], f"{seen}{sure}", seen)
        track = QRect(column.left(), rows[1].top() + line + 1, min(column.width(), 150), marks.BAR)
        there = told.given(k) is not None
        if there and rows[1].height() > track.height() + line:
            marks.bar(painter, track, float(case["confidence"]), own, theme)

        if rows[2].height():
            drawn = column.width() >= GLYPH and np.isfinite(case["angle"])
            glyph = QRect(column.left(), rows[2].top(), 2 * line if drawn else 0, line - 1)
            if drawn:
                marks.angle(painter, glyph, float(case["angle"]), own, theme)
            beside = column.adjusted(glyph.width() + 5 if drawn else 0, 0, 0, 0)
            self._write(painter, beside, rows[2].top(), texts["angle to reference"])

        n, limit, wrong = told.frame.info["code"]["n"], int(case["corrects"]), int(case["wrong_code_bits"])
        more = f" > {limit}" if wrong > limit else ""
        self._write(
            painter, column, rows[3].top(), f"{texts['bits wrong']}{more}", texts["bits wrong"], f"{wrong}{more}"
        )
        track.moveTop(rows[3].top() + line + 1)
        verdict = theme.palette["green"] if 0 <= wrong <= limit else theme.palette["vermillion"]
        if wrong >= 0:
            marks.bar(painter, track, wrong / n, verdict, theme, limit / n)

        if rows[4].height():
            chance = texts["predicted chance"]
            named = places.columns[0].left() > places.head.left()  # the row says what it is
            self._write(painter, column, rows[4].top(), *((chance,) if named else (f"chance {chance}", f"p {chance}")))
        self._paint_output(painter, told, k, rows[5], places.out)

    def _paint_input(self, painter: QPainter, told: Told, k: int, row: QRect, side: int) -> None:
        wide = side if told.is_image else max(side, min(row.width(), 2 * side))
        high = side if told.is_image else min(STRIP, side)
        left, noise = row.left(), told.before() if k == FOOLING else None
        small = round(BEFORE * side)
        if noise is not None and row.width() >= side + small + ARROW - 2:
            if not told.is_image:
                small, wide = (max(side, (row.width() - ARROW) // 2),) * 2
            before = small if told.is_image else high
            draw(painter, noise, QRect(left, row.top() + (high - before) // 2, small, before))
            ink(painter, self.theme.muted)
            painter.drawText(QRect(left + small, row.top(), ARROW, high), Qt.AlignmentFlag.AlignCenter, "→")
            left += small + ARROW
        given, box = told.given(k), QRect(left, row.top(), wide, high)
        if given is not None:
            draw(painter, given, box)
        else:
            painter.setPen(pen(self.theme.line_strong, dash=True))
            painter.drawRect(box.adjusted(0, 0, -1, -1))

    def _paint_output(self, painter: QPainter, told: Told, k: int, row: QRect, side: int) -> None:
        theme, box = self.theme, QRect(row.left(), row.top(), side, side)
        image = told.image(k)
        if image is not None:
            draw(painter, image, box)
            painter.setPen(pen(theme.palette["green"], 2))
            painter.drawRect(box.adjusted(-1, -1, 1, 1))
        else:
            painter.setPen(pen(theme.line_strong, dash=True))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            middle = box.adjusted(side // 4, side // 4, -side // 4, -side // 4)
            if told.given(k) is not None:
                marks.padlock(painter, middle if side >= 56 else box.adjusted(3, 3, -3, -3), theme.muted)
        ink(painter, theme.palette["green"] if image is not None else theme.muted)
        below = QRect(row.left(), box.bottom() + 3, row.width(), max(0, row.bottom() - box.bottom() + 2))
        says, wrapped = told.texts(k)["returned"], LEFT | TOP | Qt.TextFlag.TextWordWrap
        needed = painter.fontMetrics().boundingRect(below.adjusted(0, 0, 0, 999), int(wrapped), says)
        if needed.height() > below.height() or needed.width() > below.width():
            says = "opens" if image is not None else "locked" if told.given(k) is not None else "no input"
        painter.drawText(below, wrapped, says)

    def _write(self, painter: QPainter, column: QRect, top: int, *texts: str) -> None:
        """The first of the texts that fits, else the last one cut."""
        metrics = painter.fontMetrics()
        fits = (text for text in texts if metrics.horizontalAdvance(text) <= column.width())
        shown = next(fits, None) or metrics.elidedText(texts[-1], Qt.TextElideMode.ElideRight, column.width())
        painter.drawText(QRect(column.left(), top, column.width() + 4, metrics.height()), LEFT | MIDDLE, shown)

    # --- pointer -----------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self.case_at(event.pos().x())
            QToolTip.showText(
                event.globalPos(), "" if found is None or self.told is None else self.told.describe(found), self
            )
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        found = self.case_at(event.position().toPoint().x())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from case to case, whose facts are then said; Return chooses its class."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        told, key = self.told, event.key()
        if told is not None and key in steps:
            before = -1 if self._pointed is None else self._pointed
            self._pointed = min(told.count - 1, max(0, before + steps[Qt.Key(key)]))
            self.setAccessibleDescription(told.describe(self._pointed))
            column = self.layout_of(self.rect()).columns[self._pointed]
            QToolTip.showText(self.mapToGlobal(column.center()), told.describe(self._pointed), self)
            self.update()
        elif self._pointed is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self._pointed)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 320)

    # --- export ------------------------------------------------------------------------------------------------

    def plots(self) -> Sequence[tuple[str, Any]]:
        """The drawing, where there is one."""
        return (("cases", self.drawing),) if self.count else ()

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a case."""
        return () if self.told is None else self.told.csv_rows()


class _Drawing(QGraphicsItem):
    """The cases as an item of a scene, so that they can be written as a drawing."""

    def __init__(self, cases: Cases) -> None:
        super().__init__()
        self._cases = cases

    def boundingRect(self) -> QRectF:
        return QRectF(self._cases.rect())

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        painter.fillRect(self.boundingRect(), QColor(self._cases.theme.surface))
        self._cases.paint(painter, self._cases.rect())
