"""The adversarial gallery: cards, steps, and the selection it shares."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt

from engine.session.table import Table
from gui.panels.attack_gallery import GalleryPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = GalleryPanel(selection, theme)
    made.resize(530, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_is_empty_until_there_is_an_attack(panel):
    assert panel.is_empty
    panel.show_frame(frames.gallery_frame())
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty


def test_the_slider_follows_the_frames_and_says_the_step(panel):
    panel.show_frame(frames.gallery_frame(step=3))
    assert panel.slider.value_label.text() == "3 / 10"
    panel.show_frame(frames.gallery_frame(step=4))
    assert panel.slider.slider.value() == 4


def test_moving_the_slider_asks_for_that_step_and_frames_ask_for_none(qtbot, panel):
    asked = []
    panel.step_requested.connect(asked.append)
    panel.show_frame(frames.gallery_frame(step=3))
    panel.show_frame(frames.gallery_frame(step=5))
    assert asked == []
    panel.slider.slider.setFocus()
    qtbot.keyClick(panel.slider.slider, Qt.Key.Key_Right)
    assert asked == [6]


def test_restarts_lengthen_the_slider(panel):
    panel.show_frame(frames.gallery_frame(step=17))
    assert panel.slider.slider.maximum() == 17


def test_clicking_a_card_chooses_its_sample_and_back(qtbot, panel, selection):
    panel.show_frame(frames.gallery_frame())
    where = panel.tiles.visualRect(panel.tiles.model().index(2)).center()
    qtbot.mouseClick(panel.tiles.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert selection.sample == 30
    selection.set_sample(10)
    assert panel.tiles.chosen_row() == 0
    selection.set_sample(999)
    assert panel.tiles.chosen_row() is None


def test_success_is_counted_here_and_over_all(panel):
    panel.show_frame(frames.gallery_frame())
    assert "40% of 20 fooled" in panel.subtitle
    assert "2 of the 4 here" in panel.subtitle


def test_the_amplification_is_the_inverse_of_the_linf_radius(panel):
    panel.show_frame(frames.gallery_frame())
    assert panel.factor == "×10"
    assert "perturbation ×10" in panel.subtitle


def test_an_l2_attack_takes_a_round_full_scale_that_holds_every_pixel(panel):
    frame = frames.gallery_frame(norm="L2", eps=2.0)
    panel.show_frame(frame)
    largest = float(np.abs(frame.arrays["x_adv"] - frame.arrays["x"]).max())
    assert 1 / float(panel.factor[1:]) >= largest
    assert panel.factor == "×5"


def test_hover_says_the_frame_s_numbers(panel):
    panel.show_frame(frames.gallery_frame())
    said = panel.describe(0)
    assert "test sample 10 · true class zero · target one" in said
    assert "clean zero · 75%, adversarial one · 50%" in said
    assert "L∞ norm 0.1 · loss 1" in said
    assert "fooled first at step 2" in said
    assert "not fooled yet" in panel.describe(1)
    panel._on_hover(0, QPoint(5, 5))
    assert panel.tiles.readout.text() == said


def test_pictures_are_as_large_as_the_panel_allows(panel):
    panel.show_frame(frames.gallery_frame(m=24))
    clean, _, adversarial, *_ = panel.parts(panel.tiles.visualRect(panel.tiles.model().index(0)))
    assert min(clean.width(), clean.height()) >= 70
    assert adversarial.bottom() <= panel.tiles.viewport().height()


def test_vectors_are_strips(panel):
    panel.show_frame(frames.gallery_frame(shape=(1, 8, 8)))
    panel.show_frame(frames.gallery_frame(shape=(32,)))
    assert panel.tiles.columns == 1
    panel.grab()


def test_csv_equals_the_frame(panel):
    frame = frames.gallery_frame(step=6)
    panel.show_frame(frame)
    head, *rows = panel.csv_rows()
    assert len(rows) == 4
    for column in ("index", "prediction", "confidence", "success", "norm"):
        assert [row[head.index(column)] for row in rows] == frame.arrays[column].tolist()
    assert {row[0] for row in rows} == {6}


def test_undefined_numbers_and_no_samples_do_no_harm(panel):
    frame = frames.gallery_frame()
    frame.arrays["x_adv"][0] = np.nan
    frame.arrays["confidence"][0] = np.nan
    panel.show_frame(frame)
    panel.grab()
    assert panel.prediction(0, adversarial=True) == "one · ?"
    panel.show_frame(frames.gallery_frame(m=0))
    assert panel.is_empty


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    panel.show_frame(frames.gallery_frame())
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel.tiles.theme is other


def course(names, per=3):
    """An attack table of ``per`` steps of each part, and the best points found as its last row."""
    attack, _ = frames.attack_steps(steps=per * len(names) + 1)
    stages = [name for name in names for _ in range(per)] + ["best found"]
    return Table({**attack.row(k), "stage": stage} for k, stage in enumerate(stages))


def test_the_best_points_found_stand_after_the_last_step_and_are_none(panel):
    panel.show_records("attack", course(["", ""]))  # steps 0 to 5, then the best found
    panel.show_frame(frames.gallery_frame(step=5))
    assert panel.slider.value_label.text() == "5 / 5"
    panel.show_frame(frames.gallery_frame(step=6, stage="best found"))
    assert panel.slider.value_label.text() == "best found"
    assert (panel.slider.slider.value(), panel.slider.slider.maximum()) == (6, 6)
    assert panel.stages.isHidden(), "an attack of one piece has no parts"


def test_the_parts_of_an_ensemble_are_named_below_the_slider(panel):
    names = ["APGD-CE", "APGD-T", "FAB-T", "Square"]
    panel.show_records("attack", course(names))
    panel.show_frame(frames.gallery_frame(step=4, stage="APGD-T"))
    panel.grab()
    assert panel.stages.isVisible()
    assert names[panel.stages.current] == "APGD-T"
    boxes = [box for box, _ in panel.stages.named()]
    assert [text for _, text in panel.stages.named()] == names
    assert not any(a.intersects(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    panel.resize(180, 380)
    panel.grab()
    boxes = [box for box, _ in panel.stages.named()]
    assert "APGD-T" in [text for _, text in panel.stages.named()], "the part at hand is named however narrow it is"
    assert not any(a.intersects(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])


def test_what_begins_at_noise_is_not_called_clean(panel):
    panel.show_frame(frames.gallery_frame(method="noise"))
    assert panel.first == "noise"
    assert "noise" in panel.describe(0)
    assert "clean" not in panel.describe(0)
    panel.show_frame(frames.gallery_frame())
    assert panel.first == "clean"
