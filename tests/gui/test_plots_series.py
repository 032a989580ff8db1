"""Series: what is thinned and smoothed says the same as the whole."""

from __future__ import annotations

import numpy as np
import pytest

from gui.plots.series import Series


def filled(n: int, seed: int = 0) -> tuple[Series, np.ndarray, np.ndarray]:
    x = np.arange(1, n + 1, dtype=float)
    y = np.random.default_rng(seed).random(n)
    series = Series()
    series.update(x, y)
    return series, x, y


def test_a_short_series_is_drawn_whole():
    series, x, y = filled(500)
    drawn = series.envelope()
    assert np.array_equal(drawn[0], x)
    assert np.array_equal(drawn[1], y)


def test_the_envelope_of_a_long_series_keeps_every_extreme():
    series, _, y = filled(50_000)
    x_drawn, drawn = series.envelope()
    assert len(x_drawn) < 2500
    assert drawn.min() == y.min()
    assert drawn.max() == y.max()


def test_zooming_in_shows_every_value():
    series, x, y = filled(50_000)
    x_drawn, drawn = series.envelope(20_000.5, 20_100.5)
    inside = (x > 20_000.5) & (x < 20_100.5)
    assert set(x[inside]) <= set(x_drawn)
    assert set(y[inside]) <= set(drawn)


def test_the_running_mean_is_the_mean_of_the_last_values():
    series, x, y = filled(3000)
    w = series.window()
    at, mean = series.smoothed()
    for place in (5, len(at) // 2, len(at) - 1):
        k = int(np.flatnonzero(x == at[place])[0])
        assert mean[place] == pytest.approx(y[max(0, k + 1 - w) : k + 1].mean())
        assert series.smooth_at(k) == pytest.approx(mean[place])


def test_growing_row_by_row_gives_what_growing_at_once_gives():
    once, x, y = filled(5000)
    grown = Series()
    for n in range(0, 5001, 37):
        grown.update(x[:n], y[:n])
    grown.update(x, y)
    for a, b in zip((*once.smoothed(), *once.envelope()), (*grown.smoothed(), *grown.envelope()), strict=True):
        assert np.allclose(a, b)


def test_a_prefix_is_taken_back_and_another_series_is_taken_anew():
    series, x, y = filled(100)
    series.update(x[:40], y[:40])
    assert np.array_equal(series.y, y[:40])
    series.update(x, y)
    assert np.array_equal(series.y, y)
    series.update(x, y + 1)
    assert np.array_equal(series.y, y + 1)
    assert series.smooth_at(99) == pytest.approx((y + 1)[-series.window() :].mean())


def test_missing_values_do_not_spoil_the_rest():
    series = Series()
    y = np.ones(100)
    y[50] = np.nan
    series.update(np.arange(100.0), y)
    _, mean = series.smoothed()
    assert np.allclose(mean, 1)


def test_an_empty_series_has_nothing_to_draw():
    series = Series()
    assert series.at(3) is None
    assert len(series.smoothed()[0]) == 0
    assert len(series.envelope()[0]) == 0
