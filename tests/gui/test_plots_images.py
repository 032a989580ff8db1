"""Pictures: a colour means the same number everywhere."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor

from gui.plots.band import band_path
from gui.plots.images import DEAD, difference, indices, mapped, picture, table


def test_zero_is_the_middle_of_the_diverging_map_and_the_ends_are_the_ends():
    found = indices(np.array([-1.0, 0.0, 1.0, -7.0, 7.0]), -1, 1)
    assert found.tolist() == [0, 127, 254, 0, 254]


def test_undefined_is_grey_and_no_value_is():
    assert indices(np.array([np.nan]), -1, 1)[0] == DEAD
    assert indices(np.linspace(-2, 2, 999), -1, 1).max() < DEAD
    red, green, blue = (int(v) for v in table("diverging")[DEAD])
    assert red == green == blue


def test_a_grey_image_keeps_its_pixels(qapp):
    image = picture(np.array([[[0.0, 1.0], [0.5, 2.0]]], dtype=np.float32))
    values = [image.pixelColor(x, y).red() for y in range(2) for x in range(2)]
    assert values == [0, 255, 128, 255]


def test_a_colour_image_keeps_its_channels(qapp):
    pixels = np.zeros((3, 1, 2), dtype=np.float32)
    pixels[0, 0, 0] = pixels[2, 0, 1] = 1
    image = picture(pixels)
    assert image.pixelColor(0, 0) == QColor(255, 0, 0)
    assert image.pixelColor(1, 0) == QColor(0, 0, 255)


def test_a_perturbation_is_red_where_brighter_and_blue_where_darker(qapp):
    image = difference(np.array([[[0.1, -0.1, 0.0]]], dtype=np.float32), 0.1)
    brighter, darker, same = (image.pixelColor(x, 0) for x in range(3))
    assert brighter.red() > brighter.blue()
    assert darker.blue() > darker.red()
    assert same.lightnessF() > 0.9


def test_a_vector_is_one_row(qapp):
    image = mapped(np.arange(5.0), 0, 4, "viridis")
    assert (image.width(), image.height()) == (5, 1)


def test_a_band_has_a_gap_where_numbers_are_missing():
    x = np.arange(6.0)
    low = np.zeros(6)
    high = np.ones(6)
    whole = band_path(x, low, high)
    high[3] = np.nan
    broken = band_path(x, low, high)
    assert len(whole.toSubpathPolygons()) == 1
    assert len(broken.toSubpathPolygons()) == 2
    assert band_path(x, low, np.full(6, np.nan)).isEmpty()
