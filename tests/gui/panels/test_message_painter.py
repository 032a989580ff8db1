"""The image to hide: painted pixel by pixel, loaded from a file, and the digits that it is written as."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from engine.reconcile.message import from_hex, to_hex
from gui.panels.reconcile.message import MessageError, digits_of, pixels_of, read_pixels
from gui.panels.reconcile.painter import MessagePainter

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def painter(qtbot, theme):
    made = MessagePainter(theme)
    made.resize(160, 160)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def strokes(painter):
    """What came of each stroke."""
    found = []
    painter.painted.connect(lambda pixels, where: found.append((pixels.copy(), where)))
    return found


def middle(painter, row, column) -> QPoint:
    return painter.place(row, column).center()


def image_file(path, image):
    assert image.save(str(path))
    return path


# --- digits ------------------------------------------------------------------------------------------------------


def test_pixels_are_written_as_the_engine_reads_them():
    pixels = np.random.default_rng(0).integers(0, 4, (8, 8)).astype(np.uint8)
    assert digits_of(pixels) == to_hex(pixels)
    assert np.array_equal(from_hex(digits_of(pixels)), pixels)
    assert np.array_equal(pixels_of(to_hex(pixels)), pixels)


# --- painting ----------------------------------------------------------------------------------------------------


def test_a_click_makes_a_pixel_brighter_and_after_white_comes_black(qtbot, painter, strokes):
    for level in (1, 2, 3, 0):
        qtbot.mouseClick(painter, LEFT, pos=middle(painter, 2, 5))
        assert painter.pixels[2, 5] == level
    assert [where for _, where in strokes] == ["pixel 3, 6"] * 4
    assert np.count_nonzero(strokes[0][0]) == 1, "painting begins on black"


def test_the_right_button_makes_it_darker(qtbot, painter, strokes):
    qtbot.mouseClick(painter, RIGHT, pos=middle(painter, 0, 0))
    assert painter.pixels[0, 0] == 3


def test_dragging_paints_on_in_the_first_pixel_s_level_and_is_one_stroke(painter, strokes):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[4, 0], pixels[4, 1] = 1, 3
    painter.set_pixels(pixels)
    QTest.mousePress(painter, LEFT, pos=middle(painter, 4, 0))
    for column in (1, 2):
        QTest.mouseMove(painter, middle(painter, 4, column))
    QTest.mouseMove(painter, QPoint(-5, 500))
    QTest.mouseRelease(painter, LEFT, pos=QPoint(-5, 500))
    assert painter.pixels[4].tolist() == [2, 2, 2, 0, 0, 0, 0, 0]
    assert len(strokes) == 1 and strokes[0][1] == "pixel 5, 1"


def test_it_is_painted_by_keyboard_as_well(qtbot, painter, strokes):
    painter.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left):
        qtbot.keyClick(painter, key)
    qtbot.keyClick(painter, Qt.Key.Key_3)
    assert painter.pixels[2, 0] == 3 and len(strokes) == 1
    qtbot.keyClick(painter, Qt.Key.Key_Space)
    assert painter.pixels[2, 0] == 0
    assert "Row 3, column 1: level 0" in painter.accessibleDescription()


def test_what_is_shown_from_elsewhere_says_nothing_and_disturbs_no_stroke(painter, strokes):
    QTest.mousePress(painter, LEFT, pos=middle(painter, 0, 0))
    painter.set_pixels(np.full((8, 8), 2))
    assert painter.pixels[1, 1] == 0
    QTest.mouseRelease(painter, LEFT, pos=middle(painter, 0, 0))
    painter.set_pixels(np.full((8, 8), 2))
    assert (painter.pixels == 2).all() and len(strokes) == 1
    painter.set_pixels(None)
    assert painter.pixels is None and "empty" in painter.accessibleDescription()
    painter.grab()


def test_every_place_of_the_square_is_a_pixel_and_nothing_beside_it(painter):
    painter.resize(200, 123)
    found = {painter.cell(QPoint(x, y)) for x in range(200) for y in range(0, 123, 3)}
    assert found == {None, *((r, c) for r in range(8) for c in range(8))}
    assert painter.cell(QPoint(2, 2)) is None


# --- files -------------------------------------------------------------------------------------------------------


def test_a_file_is_reduced_to_its_middle_square_in_four_levels(qapp, tmp_path):
    image = QImage(96, 48, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 0, 0))
    for x in range(24, 72):  # the middle square: four bands of one level each
        for y in range(48):
            image.setPixelColor(x, y, QColor(*[85 * (y // 12)] * 3))
    pixels = read_pixels(image_file(tmp_path / "bands.png", image))
    assert (pixels == np.repeat(np.arange(4), 2)[:, None]).all()


@pytest.mark.parametrize("suffix", ["bmp", "jpg", "ppm"])
def test_other_formats_are_read_too(qapp, tmp_path, suffix):
    image = QImage(16, 16, QImage.Format.Format_RGB32)
    image.fill(QColor(170, 170, 170))
    assert (read_pixels(image_file(tmp_path / f"grey.{suffix}", image)) == 2).all()


def test_what_is_transparent_counts_as_black(qapp, tmp_path):
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    image.fill(QColor(255, 255, 255, 0))
    image.setPixelColor(3, 3, QColor(255, 255, 255))
    pixels = read_pixels(image_file(tmp_path / "clear.png", image))
    assert pixels[3, 3] == 3 and pixels.sum() == 3


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", b"no image at all", "it is no image that can be read"),
        ("empty.png", b"", "it is no image that can be read"),
        ("missing.png", None, "there is no such file"),
    ],
)
def test_a_file_that_is_no_image_is_said_in_a_sentence(qapp, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MessageError, match=says) as told:
        read_pixels(tmp_path / name)
    assert str(told.value).startswith(f"{name} cannot be hidden") and str(told.value).endswith(".")


def test_a_folder_and_a_giant_are_refused(qapp, tmp_path):
    with pytest.raises(MessageError, match="cannot be hidden"):
        read_pixels(tmp_path)
    (tmp_path / "giant.pgm").write_bytes(b"P5\n30000 30000\n255\n")
    with pytest.raises(MessageError, match="30,000 × 30,000"):
        read_pixels(tmp_path / "giant.pgm")


def test_an_image_too_large_to_read_is_told_its_size(tmp_path):
    (tmp_path / "huge.pgm").write_bytes(b"P5 12000 9000 255\n")
    with pytest.raises(MessageError, match="is 12,000 × 9,000 pixels"):
        read_pixels(tmp_path / "huge.pgm")
