from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.plots.fit import FitColumn


class Block(QWidget):
    def __init__(self, height):
        super().__init__()
        self.high = height

    def sizeHint(self):
        return QSize(80, self.high)

    minimumSizeHint = sizeHint


def held(qtbot, height):
    head, plot, legend, caption = Block(20), Block(60), Block(30), Block(50)
    column = FitColumn([head, plot, legend, caption], plot, [caption, legend], least=60)
    window = QWidget()
    QVBoxLayout(window).addWidget(column)
    window.layout().setContentsMargins(0, 0, 0, 0)
    qtbot.addWidget(window)
    window.resize(200, height)
    window.show()
    return window, plot, legend, caption


def test_what_can_be_spared_is_shown_where_there_is_room(qtbot):
    _window, _, legend, caption = held(qtbot, 200)
    assert legend.isVisible() and caption.isVisible()


def test_what_is_shown_does_not_hold_the_window_open(qtbot):
    window, plot, legend, caption = held(qtbot, 200)
    assert window.minimumSizeHint().height() == 20 + 3 + 60
    window.resize(200, 125)
    qtbot.waitUntil(lambda: caption.isHidden() and plot.height() >= 60)
    assert legend.isVisible()
    window.resize(200, 10)
    qtbot.waitUntil(lambda: legend.isHidden() and plot.height() >= 60)
    assert window.height() == 83
    window.resize(200, 200)
    qtbot.waitUntil(lambda: legend.isVisible() and caption.isVisible())
