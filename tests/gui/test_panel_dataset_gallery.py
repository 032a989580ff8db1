"""The dataset gallery: tiles, classes, and the selection it shares."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt

from gui.panels.dataset_gallery import DatasetPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = DatasetPanel(selection, theme)
    made.resize(420, 360)
    qtbot.addWidget(made)
    made.show()
    return made


def click(qtbot, panel, row):
    where = panel.tiles.visualRect(panel.tiles.model().index(row)).center()
    qtbot.mouseClick(panel.tiles.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_it_is_empty_until_there_is_data_and_after_it_is_gone(panel):
    assert panel.is_empty
    panel.show_frame(frames.dataset_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty
    assert panel.tiles.count() == 0


def test_the_subtitle_says_the_data(panel):
    panel.show_frame(frames.dataset_frame())
    assert panel.subtitle == "toy · 3,003 train · 903 test · 1 × 8 × 8"


def test_clicking_a_tile_chooses_its_sample(qtbot, panel, selection):
    panel.show_frame(frames.dataset_frame())
    click(qtbot, panel, 4)
    assert selection.sample == 104


def test_a_sample_chosen_elsewhere_is_highlighted(panel, selection):
    panel.show_frame(frames.dataset_frame())
    selection.set_sample(105)
    assert panel.tiles.chosen_row() == 5
    selection.set_sample(7)
    assert panel.tiles.chosen_row() is None


def test_arrow_keys_choose_samples(qtbot, panel, selection):
    panel.show_frame(frames.dataset_frame())
    click(qtbot, panel, 0)
    qtbot.keyClick(panel.tiles, Qt.Key.Key_Right)
    assert selection.sample == 101


def test_a_chip_shows_one_class_and_shares_it(qtbot, panel, selection):
    panel.show_frame(frames.dataset_frame())
    qtbot.mouseClick(panel.chips.chip("1"), Qt.MouseButton.LeftButton)
    assert selection.klass == 1
    assert panel.tiles.count() == 3
    click(qtbot, panel, 1)
    assert selection.sample == 104
    qtbot.mouseClick(panel.chips.chip("1"), Qt.MouseButton.LeftButton)
    assert selection.klass is None
    assert panel.tiles.count() == 9


def test_a_class_chosen_elsewhere_filters_the_tiles(panel, selection):
    panel.show_frame(frames.dataset_frame())
    selection.set_klass(2)
    assert panel.tiles.count() == 3
    assert panel.chips.on() == ["2"]


def test_chips_say_how_many_samples_a_class_has(panel):
    panel.show_frame(frames.dataset_frame())
    assert panel.chips.chip("2").text() == "two · 302"
    assert "1,002 training" in panel.chips.chip("2").toolTip()


def test_very_many_classes_become_a_list(panel, selection):
    panel.show_frame(frames.dataset_frame(n=60, classes=[str(k) for k in range(30)]))
    assert panel.chips.isHidden()
    assert panel.class_box.count() == 31
    panel.class_box.setCurrentIndex(3)
    panel.class_box.activated.emit(3)
    assert selection.klass == 2
    assert panel.tiles.count() == 2


def test_a_wider_panel_has_more_columns(qtbot, panel):
    panel.show_frame(frames.dataset_frame(n=200))
    few = panel.tiles.columns
    panel.resize(900, 360)
    qtbot.waitUntil(lambda: panel.tiles.columns > few)
    first = panel.tiles.visualRect(panel.tiles.model().index(0)).top()
    tops = [panel.tiles.visualRect(panel.tiles.model().index(k)).top() for k in range(panel.tiles.columns + 1)]
    assert tops[:-1] == [first] * panel.tiles.columns
    assert tops[-1] > first


def test_vectors_are_rows_of_a_heat_strip(qtbot, panel, selection):
    panel.show_frame(frames.dataset_frame(shape=(16,)))
    assert panel.tiles.columns == 1
    assert panel.grab().width() > 0
    click(qtbot, panel, 2)
    assert selection.sample == 102


def test_hover_says_the_sample_and_its_numbers(panel):
    frame = frames.dataset_frame()
    panel.show_frame(frame)
    said = panel.describe(4)
    assert "test sample 104 · class one" in said
    assert f"mean {frame.arrays['images'][4].mean():.3f}" in said
    panel._on_hover(4, QPoint(20, 20))
    assert panel.tiles.readout.isVisible()


def test_zoom_makes_tiles_larger_and_0_resets_it(qtbot, panel):
    panel.show_frame(frames.dataset_frame(n=200))
    before = panel.tiles.gridSize()
    qtbot.keyClick(panel.tiles, Qt.Key.Key_Plus)
    qtbot.keyClick(panel.tiles, Qt.Key.Key_Plus)
    qtbot.keyClick(panel.tiles, Qt.Key.Key_Plus)
    assert panel.tiles.gridSize().width() > before.width()
    qtbot.keyClick(panel.tiles, Qt.Key.Key_0)
    assert panel.tiles.gridSize() == before


def test_csv_holds_the_samples_shown(panel, selection):
    frame = frames.dataset_frame()
    panel.show_frame(frame)
    selection.set_klass(1)
    head, *rows = panel.csv_rows()
    assert head[:4] == ["index", "label", "class", "x0"]
    assert [row[0] for row in rows] == [101, 104, 107]
    assert np.array_equal(np.array(rows[0][3:], dtype=np.float32), frame.arrays["images"][1].ravel())


def test_no_samples_and_undefined_pixels_do_no_harm(panel):
    panel.show_frame(frames.dataset_frame(n=0))
    assert panel.is_empty
    frame = frames.dataset_frame()
    frame.arrays["images"][:] = np.nan
    panel.show_frame(frame)
    panel.grab()


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.dataset_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel.tiles.theme is other
    assert panel.chips.chip("0").theme is other
