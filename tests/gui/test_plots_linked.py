"""Plots that share a range: it covers all of them, and a zoom of one is a zoom of all."""

from __future__ import annotations

import pytest

from gui.plots.linked import LinkedPlots
from gui.plots.plot import Plot


@pytest.fixture
def plots(qtbot, theme):
    made = [Plot(theme), Plot(theme)]
    for plot in made:
        plot.resize(200, 150)
        qtbot.addWidget(plot)
    made[0].set_home((0, 1), (0, 4))
    made[1].set_home((-2, 0.5), (1, 9))
    return made


def shown(plot):
    return [[pytest.approx(v) for v in side] for side in plot.getViewBox().viewRange()]


def test_the_common_range_covers_every_plot_and_follows_what_is_drawn(plots):
    LinkedPlots(plots, plots[0])
    for plot in plots:
        assert plot.getViewBox().viewRange() == [[-2, 1], [0, 9]]
    plots[0].set_home((0, 5), (0, 4))
    assert plots[1].getViewBox().viewRange() == [[-2, 5], [0, 9]]


def test_a_zoom_of_one_is_a_zoom_of_all_and_so_is_going_home(plots):
    LinkedPlots(plots, plots[0])
    plots[1].zoom(0.5)
    assert plots[0].getViewBox().viewRange() == shown(plots[1])
    assert plots[0].getViewBox().viewRange() != [[-2, 1], [0, 9]]
    plots[0].set_home((0, 7), (0, 4))  # what comes meanwhile moves nobody who has zoomed
    assert plots[0].getViewBox().viewRange() == shown(plots[1])
    plots[0].home()
    for plot in plots:
        assert plot.getViewBox().viewRange() == [[-2, 7], [0, 9]]


def test_dissolved_each_goes_by_what_it_draws(plots):
    links = LinkedPlots(plots, plots[0])
    links.dissolve()
    assert plots[0].getViewBox().viewRange() == [[0, 1], [0, 4]]
    plots[0].zoom(0.5)
    assert plots[1].getViewBox().viewRange() == [[-2, 0.5], [1, 9]]


def test_a_plot_with_nothing_on_it_has_no_say(plots, theme, qtbot):
    empty = Plot(theme)
    qtbot.addWidget(empty)
    LinkedPlots([*plots, empty], plots[0])
    assert plots[0].getViewBox().viewRange() == [[-2, 1], [0, 9]]
