"""A plot without pyqtgraph's hidden forms: it looks the same, takes the same items, and has far fewer widgets."""

from __future__ import annotations

import numpy as np
import pace
import pyqtgraph as pg
import pytest
from PySide6.QtWidgets import QApplication, QCheckBox, QMenu

from gui.plots import plot as plots
from gui.plots.axes import PlainAxis
from gui.plots.bare import PLACES, BarePlotItem
from gui.plots.plot import Plot, pen
from gui.plots.steps import StepMap


def full(view, axes):
    """pyqtgraph's own, with all that it builds."""
    made = pg.PlotItem(viewBox=view, axisItems=axes, enableMenu=False)
    made.hideButtons()
    return made


def curve(theme):
    made = Plot(theme)
    made.resize(360, 240)
    made.set_axis_text("left", "rapidity η")
    made.set_axis_text("bottom", "width")
    made.set_grid(True, True)
    made.addItem(pg.PlotCurveItem([0, 1, 2], [0, 3, 1], pen=pen("#ff0000", 2)), ignoreBounds=True)
    made.set_home((0, 2), (-1, 4))
    return made


def no_left_axis(theme):
    made = Plot(theme)
    made.resize(300, 200)
    made.getPlotItem().hideAxis("left")
    made.set_home((0, 1e5), (0, 1))
    return made


def axis_above(theme):
    made = Plot(theme, {"top": PlainAxis("top")})
    made.resize(300, 200)
    made.set_home((0, 10), (0, 1))
    return made


def with_a_bar(theme):
    made = StepMap(theme)
    made.resize(360, 240)
    made.set_values(np.linspace(-1, 1, 12).reshape(3, 4), (["a", "b", "c"], ["a", "b", "c"]), ["0", "1", "2", "3"])
    return made


@pytest.mark.parametrize("make", [curve, no_left_axis, axis_above, with_a_bar])
def test_it_looks_as_pyqtgraphs_own_does(make, theme, qtbot, monkeypatch):
    pictures = []
    for kind in (BarePlotItem, full):
        monkeypatch.setattr(plots, "BarePlotItem", kind)
        made = make(theme)
        qtbot.addWidget(made)
        made.show()
        for _ in range(6):
            QApplication.processEvents()
        assert isinstance(made.getPlotItem(), pg.PlotItem)
        pictures.append(made.grab().toImage())
    assert pictures[0] == pictures[1]


def test_axes_stand_where_pyqtgraph_puts_them(qapp):
    theirs = pg.PlotItem()
    assert {side: axis["pos"] for side, axis in theirs.axes.items()} == PLACES


def test_no_form_and_no_menu_is_built(theme, qtbot):
    QApplication.processEvents()
    before = set(QApplication.allWidgets())
    made = Plot(theme)
    qtbot.addWidget(made)
    new = [widget for widget in QApplication.allWidgets() if widget not in before]
    assert not [widget for widget in new if isinstance(widget, QCheckBox | QMenu)]
    assert len(new) < 12, "pyqtgraph's own makes some eighty"
    assert made.getPlotItem().getContextMenus(None) is None


def test_items_come_once_and_go(theme, qtbot):
    made = Plot(theme)
    qtbot.addWidget(made)
    item = made.getPlotItem()
    line, dots, picture = pg.PlotCurveItem([0, 1], [0, 1]), pg.ScatterPlotItem(), pg.ImageItem()
    for each in (line, dots, picture, line):
        made.addItem(each, ignoreBounds=True)
    assert item.items == [line, dots, picture] and item.listDataItems() == item.curves == [line, dots]
    made.removeItem(dots)
    made.removeItem(dots)
    assert item.items == [line, picture] and item.curves == [line] and dots.scene() is None
    made.clear()
    assert item.items == [] and line.scene() is None


def test_it_tells_when_its_range_changes(theme, qtbot):
    made = Plot(theme)
    qtbot.addWidget(made)
    item = made.getPlotItem()
    heard: list[str] = []
    item.sigRangeChanged.connect(lambda *_: heard.append("both"))
    item.sigXRangeChanged.connect(lambda *_: heard.append("x"))
    item.sigYRangeChanged.connect(lambda *_: heard.append("y"))
    made.sigRangeChanged.connect(lambda *_: heard.append("widget"))
    made.set_home((0, 3), (0, 4))
    assert set(heard) == {"both", "x", "y", "widget"}


def test_a_plot_is_made_in_a_fraction_of_a_frame(theme, qtbot):
    Plot(theme).deleteLater()  # fonts and icons are read once
    assert pace.least(lambda: qtbot.addWidget(Plot(theme)), 0.025) < 0.025
