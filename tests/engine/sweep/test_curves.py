"""Curves through the networks of a sweep, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.sweep.curves import MOST_GROUPS, codes, curve, curves, groups, places


def test_the_interval_of_each_mean_is_students():
    rng = np.random.default_rng(1)
    x = np.repeat([8.0, 16.0, 32.0], 7)
    y = rng.normal(size=21)
    found = curve(places(x), y, np.ones(21, bool))
    assert found.x.tolist() == [8, 16, 32] and found.n.tolist() == [7, 7, 7]
    for k, value in enumerate(found.x):
        mine = y[x == value]
        low, high = stats.t.interval(0.95, 6, mine.mean(), stats.sem(mine))
        assert np.allclose([found.mean[k], found.low[k], found.high[k]], [mine.mean(), low, high])


def test_fewer_than_three_networks_have_no_interval_but_stand_each_for_itself():
    x, y = np.array([1.0, 2, 2, 2, np.nan, 4, 4, 4]), np.array([5.0, 1, np.nan, 3, 3, 1, 2, 3])
    found = curve(places(x), y, np.ones(8, bool))
    assert found.mean.tolist() == [5, 2, 2] and found.n.tolist() == [1, 2, 3], "a missing number is left out"
    assert np.isnan(found.low).tolist() == np.isnan(found.high).tolist() == [True, True, False]
    assert [each.tolist() for each in found.few] == [[1, 2, 2], [5, 1, 3]]


def test_an_interval_ends_where_the_quantity_does():
    x, shares = np.repeat([1.0, 2.0], 3), np.array([0.98, 1.0, 0.9, 0.0, 0.02, 0.1])
    free = curve(places(x), shares, np.ones(6, bool))
    assert free.high[0] > 1 and free.low[1] < 0
    held = curve(places(x), shares, np.ones(6, bool), (0.0, 1.0))
    assert held.high[0] == 1 and held.low[1] == 0 and held.mean.tolist() == free.mean.tolist()
    assert held.low[0] == free.low[0] and held.high[1] == free.high[1]


def test_each_value_of_the_second_column_has_its_curve():
    x = np.array([1.0, 1, 2, 2])
    split = groups(np.array(["tanh", "relu", "tanh", None], object), 4)
    assert split.labels == ("relu", "tanh") and split.of.tolist() == [1, 0, 1, -1]
    relu, tanh = curves(places(x), np.array([1.0, 2, 3, 4]), split)
    assert tanh.x.tolist() == [1, 2] and tanh.mean.tolist() == [1, 3]
    assert relu.x.tolist() == [1] and relu.mean.tolist() == [2]


def test_many_numbers_are_taken_together():
    values = np.linspace(1, 100, 99)
    split = groups(values, 99)
    assert len(split.labels) == 3 <= MOST_GROUPS and np.bincount(split.of).tolist() == [33, 33, 33]
    where = places(values)
    assert len(where.x) == 12 and set(where.of) == set(range(12))
    assert np.all(np.diff(where.x) > 0)
    log = places(10 ** np.linspace(-4, -1, 200), log=True)
    assert np.allclose(np.diff(np.log10(log.x)), 0.25, atol=0.02)
    assert groups(None, 3).of.tolist() == [0, 0, 0]


@pytest.mark.parametrize("values", [np.full(3, np.nan), np.array([None, None], object)])
def test_a_column_without_a_value_has_no_group(values):
    split = groups(values, len(values))
    assert split.labels == () and (split.of == -1).all()


def test_texts_have_places():
    values, names = codes(np.array(["b", None, "a"], object))
    assert names == ["a", "b"] and values[0] == 1 and np.isnan(values[1])
