"""Where the parts of the four cases are: a column a case, a row a fact, however much room there is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics

from gui.panels.reconcile.marks import BAR
from gui.panels.reconcile.words import FOOLING
from gui.theme import Theme

GAP = 12  # pixels between cases
BEFORE = 0.62  # of a picture's side: the noise that it began with
ARROW = 16  # pixels of the arrow between the noise before and after
ROOMY = 12  # pixels between two rows at most
NAMED = 470  # pixels of width from which on the rows have names
TEXTS = 112  # pixels of width in which the texts of a case are whole
LOW = 215  # pixels of height below which rows are left out
STRIP = 26  # height of a vector's strip at most
SMALLEST, LARGEST = 22, 132  # side of a picture
ROWS = ("input", "network thinks", "angle to reference", "bits wrong", "predicted chance", "returned")


@dataclass(frozen=True)
class Layout:
    """Where things are: the columns of the cases, the top and height of each row, the side of the pictures."""

    columns: tuple[QRect, ...]
    head: QRect
    rows: tuple[QRect, ...]  # as wide as all, one for each of ROWS
    side: int
    out: int


def layout_of(area: QRect, theme: Theme, count: int, *, strips: bool) -> Layout:
    """Where things are in an area, for so many cases; ``strips`` where inputs are vectors."""
    metrics = QFontMetrics(theme.font(theme.small))
    line = metrics.height()
    named = max(metrics.horizontalAdvance(row) for row in ROWS) + 14 if area.width() >= NAMED else 0
    wide = area.width() - named
    free = wide - (count - 1) * GAP
    others = max((free - ARROW) / (count + BEFORE), min(TEXTS, free / (count + 0.4)))  # the first has two pictures
    first = free - (count - 1) * others
    unit = min(others, (first - ARROW) / (1 + BEFORE))
    low = area.height() < LOW  # then only what decides
    texts = (
        (1 if low else 2) * line + 4,
        line + (3 if low else BAR + 8),
        0 if low else line + 5,
        line + BAR + 8,
        0 if low else line + 5,
    )
    spare = area.height() - sum(texts) - (1 if low else 2) * line - 12
    side = max(SMALLEST, min(LARGEST, int(unit), int(spare * 0.56)))
    out = max(SMALLEST, min(side, spare - side, LARGEST))
    shown = min(STRIP, side) if strips else side
    lines = 1 if low else 2 if others >= 90 or area.height() < 300 else 3
    heights = (shown + 6, *texts[1:], out + lines * line + 4)
    air = max(0, min(ROOMY, (area.height() - texts[0] - sum(heights)) // len(heights)))
    left, columns = area.left() + named, []
    for k in range(count):
        column = round(first if k == FOOLING else others)
        columns.append(QRect(left, area.top(), column, area.height()))
        left += column + GAP
    top, rows = area.top() + texts[0], []
    for height in heights:
        rows.append(QRect(area.left(), top, area.width(), height))
        top += height + (air if height else 0)
    head = QRect(area.left(), area.top(), area.width(), texts[0])
    return Layout(tuple(columns), head, tuple(rows), side, out)
