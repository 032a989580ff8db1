"""Axes: labels never touch, and say the values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.plots.axes import NameAxis, PlainAxis, ScaleAxis, log_label, log_ticks, nice_step, number
from gui.plots.plot import Plot


@given(low=st.floats(-8, 5), span=st.floats(0.01, 12), size=st.floats(30, 1200))
def test_labels_of_a_logarithmic_axis_never_touch(low, span, size):
    places = log_ticks(low, low + span, size, 24.0)
    scale = size / span
    assert all(low <= place <= low + span for place in places)
    assert all((b - a) * scale >= 24.0 - 1e-6 for a, b in pairwise(places))


@pytest.mark.parametrize(("low", "high"), [(-2, 1), (-0.4, 0.1), (-6, 0)])
def test_a_logarithmic_axis_of_ordinary_height_has_at_least_two_labels(low, high):
    assert len(log_ticks(low, high, 160, 24.0)) >= 2


def test_logarithmic_labels_say_the_values():
    assert [log_label(np.log10(v)) for v in (0.02, 1, 5, 300)] == ["0.02", "1", "5", "300"]
    assert log_label(-5) == "10⁻⁵"
    assert log_label(np.log10(2e-6)) == "2·10⁻⁶"


def test_a_plain_axis_has_two_labels_even_in_a_low_plot(qapp):
    (_, values), *_ = PlainAxis("left").tickValues(0.6, 1.02, 60)
    assert len(values) >= 2


def test_an_axis_that_runs_downwards_has_labels(qapp):
    (_, up), *_ = PlainAxis("left").tickValues(0, 10, 200)
    (_, down), *_ = PlainAxis("left").tickValues(10, 0, 200)
    assert len(up) > 2
    assert np.array_equal(up, down)


def test_numbers_use_a_true_minus_and_no_negative_zero():
    assert number(-0.25, 2) == "−0.25"
    assert number(-0.0, 1) == "0.0"
    assert number(20_000, 0) == "20k"


@pytest.mark.parametrize(("rough", "nice"), [(0.011, 0.02), (3, 5), (1, 1), (70, 100)])
def test_steps_are_one_two_or_five(rough, nice):
    assert nice_step(rough) == pytest.approx(nice)


def test_layer_names_give_way_to_short_ones_then_to_fewer(qapp):
    axis = NameAxis()
    axis.set_names(["input", "relu 1", "relu 2", "logits"], ["in", "1", "2", "out"])
    (_, wide), *_ = axis.tickValues(-0.1, 3.1, 600)
    assert axis.tickStrings(wide, 1, 1) == ["input", "relu 1", "relu 2", "logits"]
    (_, narrow), *_ = axis.tickValues(-0.1, 3.1, 130)
    assert axis.tickStrings(narrow, 1, 1) == ["in", "1", "2", "out"]
    (_, few), *_ = axis.tickValues(-0.1, 3.1, 50)
    assert len(few) < 4
    assert axis.tickStrings(few, 1, 1)[-1] == "out"


def test_a_scale_axis_switches_between_plain_and_logarithmic(qapp):
    axis = ScaleAxis("left")
    assert axis.tickStrings([2.0], 1, 1) == ["2"]
    axis.set_log(True)
    assert axis.tickStrings([2.0], 1, 1) == ["100"]


def test_a_name_longer_than_its_axis_is_cut_and_comes_back(qtbot, theme):
    plot = Plot(theme)
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    plot.set_axis_text("left", "to sample 342 (L2, input units)")
    plot.grab()
    label = plot.getPlotItem().getAxis("left").label
    assert label.toPlainText().strip() == "to sample 342 (L2, input units)"
    plot.resize(400, 120)
    plot.grab()
    assert label.toPlainText().strip().endswith("…")
    plot.resize(400, 300)
    plot.grab()
    assert label.toPlainText().strip() == "to sample 342 (L2, input units)"
