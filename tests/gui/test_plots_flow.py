"""A row that wraps: in order, within its width, each line about its middle."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from gui.plots.boxes import fill_box, quiet_box
from gui.plots.flow import FlowRow


class Box(QWidget):
    """A widget that asks for a size."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self._size = QSize(width, height)

    def sizeHint(self) -> QSize:
        return self._size


def test_lines_wrap_and_low_widgets_stand_at_the_middle_of_their_line(qtbot):
    boxes = [Box(60, 26), Box(50, 20), Box(80, 16), Box(300, 10)]
    row = FlowRow(boxes, gap=4, line_gap=3)
    qtbot.addWidget(row)
    row.resize(150, 10)
    row.arrange()
    placed = [(box.x(), box.y(), box.width(), box.height()) for box in boxes]
    assert placed == [(0, 0, 60, 26), (64, 3, 50, 20), (0, 29, 80, 16), (0, 48, 150, 10)]
    assert row.height() == 58
    boxes[0].hide()
    row.arrange()
    assert [(box.x(), box.y()) for box in boxes[1:]] == [(0, 0), (54, 2), (0, 23)]


def test_lists_take_the_width_of_what_they_show_and_the_row_follows_the_choice(qtbot):
    columns = [("rank", 0), ("a column that has a very long name, longer than a narrow panel is wide", 1)]
    first, second = quiet_box("Up", "The column drawn upwards"), quiet_box("Across", "The column drawn across")
    for box in (first, second):
        fill_box(box, columns, 0)
    row = FlowRow([first, second], gap=2)
    qtbot.addWidget(row)
    row.resize(260, 10)
    row.show()
    assert second.y() == first.y(), "two short names stand on one line"
    assert first.fontMetrics().horizontalAdvance("rank") < first.width()
    first.setCurrentIndex(1)
    assert second.y() > first.y(), "the line is full now"
    first.showPopup()
    assert first.view().width() >= first.fontMetrics().horizontalAdvance(columns[1][0])
    first.hidePopup()
