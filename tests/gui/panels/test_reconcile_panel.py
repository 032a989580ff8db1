"""The reconciliation panel: choosing a key, opening the lock, and what every page says of frames with known numbers."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import reconcile_frames as made
from conftest import unnamed
from frames import TAPS
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage

from engine.events import Frame
from engine.specs import ExperimentSpec, ReconcileSpec
from gui.helptext import read_help
from gui.panels.reconcile.message import digits_of, pixels_of
from gui.panels.reconcile.panel import ReconcilePanel
from gui.panels.reconcile.words import KINDS, percent
from gui.theme import Theme

LEFT = Qt.MouseButton.LeftButton
SPEC = ExperimentSpec(reconcile=ReconcileSpec(chosen_class=3))
"""The settings that the frames were made with."""


@pytest.fixture
def panel(qtbot, selection, theme):
    built = ReconcilePanel(selection, theme)
    built.resize(900, 640)
    built.set_experiment(SPEC)
    qtbot.addWidget(built)
    built.show()
    return built


@pytest.fixture
def full(panel):
    for frame in (made.reconciliation_frame(), made.curve_frame(), made.price_frame()):
        panel.show_frame(frame)
    panel.grab()
    return panel


@pytest.fixture
def edits(panel):
    """Every edit, taken up as the window does."""
    found = []

    def take(part, spec, field):
        found.append((part, spec, field))
        panel.set_experiment(SPEC.model_copy(update={part: spec}))

    panel.edited.connect(take)
    return found


def choose(qtbot, box, data):
    """Choose from a list as the arrow keys do."""
    box.setFocus()
    wanted = box.findData(data)
    while box.currentIndex() != wanted:
        qtbot.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < wanted else Qt.Key.Key_Up)


def without(frame: Frame, *names: str) -> Frame:
    """A frame of which some arrays are missing."""
    return Frame(frame.topic, frame.phase, 0, {k: v for k, v in frame.arrays.items() if k not in names}, frame.info)


def page(qtbot, panel, key):
    qtbot.mouseClick(panel.page_choice.button(key), LEFT)
    panel.grab()
    return panel.page


# --- the key -----------------------------------------------------------------------------------------------------


def test_before_anything_is_made_a_key_can_be_chosen_and_the_button_asks_for_it(qtbot, panel):
    assert panel.is_empty and panel.lock.key.isVisible() and list(panel.csv_rows()) == [] and panel.plots() == ()
    with qtbot.waitSignal(panel.reconciliation_requested):
        qtbot.mouseClick(panel.lock.key.button, LEFT)
    with qtbot.waitSignal(panel.settings_requested) as told:
        qtbot.mouseClick(panel.lock.key.settings_button, LEFT)
    assert told.args == ["reconcile"]


def test_a_page_without_numbers_says_so_and_offers_to_make_them(qtbot, panel):
    for key, signal in (("layers", "reconciliation"), ("angle", "reconciliation"), ("price", "price")):
        shown = page(qtbot, panel, key)
        assert shown.button.isVisible() and "Not measured yet" in shown.empty_text
        with qtbot.waitSignal(getattr(panel, f"{signal}_requested")):
            qtbot.mouseClick(shown.button, LEFT)


def test_choosing_sets_the_experiment_and_runs_nothing(qtbot, panel, edits):
    asked = []
    panel.reconciliation_requested.connect(lambda: asked.append(1))
    panel.set_known(made.DIGITS, TAPS)
    key = panel.lock.key
    choose(qtbot, key.class_box, 5)
    choose(qtbot, key.layer_box, "linear 2")
    key.repetition.selectAll()
    qtbot.keyClicks(key.repetition, "7")
    assert (edits[-1][0], edits[-1][2]) == ("reconcile", "repetition")
    assert edits[-1][1] == ReconcileSpec(chosen_class=5, layer="linear 2", repetition=7)
    assert not asked


def test_the_default_layer_is_named_once_it_is_known(panel):
    box = panel.lock.key.layer_box
    assert box.currentText() == "last hidden"
    panel.set_known(made.DIGITS, TAPS)
    assert box.currentText() == "last: relu 2" and box.currentData() == ""


def test_a_repetition_that_cannot_be_is_said_and_the_button_waits(qtbot, panel, edits):
    key = panel.lock.key
    for typed, says in (("4", "even"), ("", "empty"), ("x", "not a whole number"), ("0", "at least 1")):
        key.repetition.selectAll()
        qtbot.keyClick(key.repetition, Qt.Key.Key_Delete)
        qtbot.keyClicks(key.repetition, typed)
        assert says in key.message.text() and key.message.isVisible() and not key.button.isEnabled()
        assert not edits
    key.repetition.selectAll()
    qtbot.keyClicks(key.repetition, "3")
    assert key.button.isEnabled() and not key.message.isVisible() and edits[-1][1].repetition == 3


def test_an_entry_that_cannot_be_is_gone_with_undo_and_with_another_session(qtbot, panel, edits):
    key = panel.lock.key
    for forget in (lambda: panel.set_experiment(SPEC.model_copy(update={"reconcile": ReconcileSpec()})), panel.clear):
        key.repetition.selectAll()
        qtbot.keyClicks(key.repetition, "4")
        assert not key.button.isEnabled()
        forget()
        assert key.repetition.text() == "15" and key.button.isEnabled() and not key.message.isVisible()


def test_classes_and_layers_are_those_at_hand_and_not_those_of_an_older_network(panel):
    panel.show_frame(made.reconciliation_frame())
    other = [tap | {"name": f"{tap['name']} of another"} for tap in TAPS]
    panel.set_known(["cat", "dog"], other)
    box, layers = panel.lock.key.class_box, panel.lock.key.layer_box
    assert [box.itemText(k) for k in range(box.count())] == ["cat", "dog", "3: no such class"]
    assert [layers.itemText(k) for k in range(1, layers.count())] == [tap["name"] for tap in other]
    panel.set_known((), ())  # a session without any
    assert box.itemText(9) == "9" and layers.itemText(1) == TAPS[0]["name"], "then those of what is shown"
    panel.clear()
    assert layers.count() == 1


def test_settings_from_elsewhere_are_shown_and_emit_nothing(panel, edits):
    message = digits_of(made.MESSAGE)
    panel.set_experiment(
        ExperimentSpec(reconcile=ReconcileSpec(chosen_class=7, layer="conv 1", repetition=31, message=message))
    )
    key = panel.lock.key
    assert (key.class_box.currentText(), key.layer_box.currentText(), key.repetition.text()) == ("7", "conv 1", "31")
    assert np.array_equal(key.painter.pixels, made.MESSAGE) and edits == []


# --- the image to hide -------------------------------------------------------------------------------------------


def test_painting_hides_that_image_and_each_pixel_is_an_edit_of_its_own(qtbot, panel, edits):
    painter = panel.lock.key.painter
    assert painter.pixels is None
    for row, column in ((0, 0), (7, 3)):
        qtbot.mouseClick(painter, LEFT, pos=painter.place(row, column).center())
    pixels = pixels_of(edits[-1][1].message)
    assert pixels[0, 0] == 1 and pixels[7, 3] == 1 and pixels.sum() == 2
    assert [field for *_, field in edits] == ["pixel 1, 1", "pixel 8, 4"]
    qtbot.mouseClick(panel.lock.key.sample_button, LEFT)
    assert edits[-1][1].message == "" and painter.pixels is None and not panel.lock.key.sample_button.isEnabled()


def test_an_image_file_is_hidden_and_a_bad_one_is_said_in_a_sentence(qtbot, panel, edits, tmp_path):
    image = QImage(40, 40, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 255, 255))
    assert image.save(str(tmp_path / "white.png"))
    key = panel.lock.key
    key.ask_open = lambda *_: str(tmp_path / "white.png")
    qtbot.mouseClick(key.load_button, LEFT)
    assert edits[-1][1].message == "f" * 32 and "white.png" in edits[-1][2]
    (tmp_path / "bad.png").write_bytes(b"nothing of the kind")
    key.ask_open = lambda *_: str(tmp_path / "bad.png")
    with qtbot.waitSignal(panel.failed) as told:
        qtbot.mouseClick(key.load_button, LEFT)
    assert "bad.png cannot be hidden" in told.args[0] and len(edits) == 1
    key.ask_open = lambda *_: ""
    qtbot.mouseClick(key.load_button, LEFT)
    assert len(edits) == 1


def test_the_sample_that_was_hidden_is_shown_and_painting_goes_on_from_it(qtbot, full, edits):
    painter = full.lock.key.painter
    assert np.array_equal(painter.pixels, made.MESSAGE)
    qtbot.mouseClick(painter, LEFT, pos=painter.place(0, 0).center())
    changed = pixels_of(edits[-1][1].message)
    assert np.count_nonzero(changed != made.MESSAGE) == 1


def test_the_sample_of_another_class_is_not_shown(full):
    full.set_experiment(ExperimentSpec(reconcile=ReconcileSpec(chosen_class=4)))
    assert full.lock.key.painter.pixels is None


# --- the four cases ----------------------------------------------------------------------------------------------


def test_what_opens_returns_the_image_and_what_does_not_returns_nothing(full):
    cases = full.lock.cases
    assert cases.count == 4
    levels = [[cases.told.image(0).pixelColor(c, r).red() // 85 for c in range(8)] for r in range(8)]
    assert levels == made.MESSAGE.tolist()
    assert cases.told.image(1) is None and cases.told.image(3) is None
    assert [cases.told.texts(k)["returned"] for k in range(4)] == [
        "opens: the image is returned",
        "stays locked: nothing is returned",
        "opens: the image is returned",
        "stays locked: nothing is returned",
    ]
    assert full.subtitle == "class 3 at relu 2, r = 15 · fooling noise opens the lock · raw noise stays locked"


def test_a_case_whose_check_failed_never_shows_an_image(panel):
    frame = made.reconciliation_frame()
    frame.info["cases"][0]["recovered"] = False
    frame.arrays["case_image"][2, 3, 3] = -1
    panel.show_frame(frame)
    for k in range(4):
        assert (
            panel.lock.cases.told.image(k) is None
            and "nothing is returned" in panel.lock.cases.told.texts(k)["returned"]
        )


def test_each_case_says_what_is_known_of_it(full):
    cases = full.lock.cases
    assert cases.told.texts(0) == {
        "input": "",
        "network thinks": "3 · 99.99%",
        "angle to reference": "40.6°",
        "bits wrong": "9 of 255",
        "predicted chance": ">99%",
        "returned": "opens: the image is returned",
    }
    told = cases.told.describe(3).splitlines()
    assert told[0] == "wrong-class lock, fed to the lock of class 4"
    assert "131 of 255 bits wrong after the majority of 15; up to 18 are corrected" in told
    assert cases.told.describe(1) in cases.accessibleDescription()


def test_the_noise_before_and_after_stand_side_by_side(full):
    cases = full.lock.cases
    assert cases.told.before() is not None and cases.told.given(0).size() == cases.told.before().size()
    columns = cases.layout_of(cases.rect()).columns
    assert columns[0].width() > columns[1].width() and columns[-1].right() <= cases.width()


def test_a_click_on_a_case_chooses_the_class_that_is_seen(qtbot, full, selection):
    cases = full.lock.cases
    raw = cases.layout_of(cases.rect()).columns[1]
    qtbot.mouseClick(cases, LEFT, pos=QPoint(raw.center().x(), 40))
    assert selection.klass == 8


def test_the_sentence_that_must_not_be_missed_stands_below(full):
    assert full.lock.caption.isVisible()
    assert full.lock.caption.text() == (
        "Every pixel of the output comes from the helper and the code; the noise contributes only the key “the network thinks "
        "this is class 3”. Reconciliation, not encryption."
    )


def test_an_input_without_a_hash_is_said_to_be_dead(panel):
    frame = made.reconciliation_frame()
    frame.info["cases"][1] |= {
        "angle": float("nan"),
        "wrong_bits": float("nan"),
        "wrong_code_bits": -1,
        "predicted": float("nan"),
    }
    panel.show_frame(frame)
    panel.grab()
    texts = panel.lock.cases.told.texts(1)
    assert (texts["angle to reference"], texts["bits wrong"], texts["predicted chance"]) == (
        "none: dead",
        "no hash",
        "–",
    )


def test_a_kind_of_which_there_is_no_input_is_said_to_be_missing(panel):
    frame = made.reconciliation_frame()
    frame.arrays["case_input"][2] = np.nan
    frame.arrays["case_image"][2] = -1
    nothing = dict.fromkeys(("confidence", "angle", "wrong_bits", "predicted"), float("nan"))
    said = "The data has no test sample of this class, so nothing was fed to the lock."
    frame.info["cases"][2] |= nothing | {"seen": -1, "wrong_code_bits": -1, "recovered": False, "sentence": said}
    panel.show_frame(frame)
    panel.grab()
    assert panel.lock.cases.told.texts(2)["returned"] == "no such input: nothing was fed to the lock"
    assert panel.lock.cases.told.describe(2) == f"clean test image\n{said}"


def test_a_click_on_what_was_not_there_chooses_no_class(qtbot, panel, selection):
    frame = made.reconciliation_frame()
    frame.info["cases"][2]["seen"] = -1
    panel.show_frame(frame)
    panel.grab()
    cases = panel.lock.cases
    selection.set_klass(4)
    qtbot.mouseClick(cases, LEFT, pos=QPoint(cases.layout_of(cases.rect()).columns[2].center().x(), 40))
    assert selection.klass == 4


def test_cases_are_gone_through_and_chosen_by_keyboard(qtbot, full, selection):
    cases = full.lock.cases
    assert cases.focusPolicy() & Qt.FocusPolicy.TabFocus
    cases.setFocus()
    qtbot.keyClick(cases, Qt.Key.Key_Right)
    qtbot.keyClick(cases, Qt.Key.Key_Right)
    assert cases.accessibleDescription().startswith("raw noise, fed to the lock of class 3")
    qtbot.keyClick(cases, Qt.Key.Key_Return)
    assert selection.klass == 8


# --- other settings ----------------------------------------------------------------------------------------------


def test_what_was_made_with_other_settings_says_which(full):
    assert not full.lock.stale and not full.lock.note.isVisible()
    for change, says in (
        ({"chosen_class": 5}, "class 3 → 5"),
        ({"layer": "relu 1"}, "layer relu 2 → relu 1"),
        ({"repetition": 7}, "r 15 → 7"),
        ({"eps": 2.0}, "ε 1.5 → 2"),
        ({"corrects": 10}, "corrects 18 → 10"),
        ({"message": "0" * 32}, "another message"),
    ):
        full.set_experiment(ExperimentSpec(reconcile=ReconcileSpec(**{"chosen_class": 3, **change})))
        full.grab()
        assert full.lock.note.isVisible() and says in full.lock.note.text()
    full.set_experiment(SPEC.model_copy(update={"seed": 9}))
    assert "seed 0 → 9" in full.lock.note.text()
    full.set_experiment(SPEC)
    assert not full.lock.stale


def test_every_page_says_what_was_made_with_other_settings_or_of_another_network(qtbot, full):
    other_net = SPEC.model_copy(update={"training": SPEC.training.model_copy(update={"epochs": 77})})
    priced = SPEC.reconcile.model_copy(update={"price_ratio": 32})
    for key in ("layers", "angle", "price"):
        page(qtbot, full, key)
        full.set_experiment(SPEC)
        assert not full.other.isVisible()
        full.set_experiment(other_net)
        assert full.other.isVisible() and "another network" in full.other.accessibleDescription()
        full.set_experiment(SPEC.model_copy(update={"reconcile": priced}))
        assert full.other.isVisible() == (key == "price")
    assert "N/n 16 → 32" in full.other.accessibleDescription()
    page(qtbot, full, "lock")
    full.set_experiment(other_net)
    assert "another network" in full.lock.note.text() and not full.other.isVisible()


# --- layers ------------------------------------------------------------------------------------------------------


def test_layers_are_drawn_with_intervals_beside_the_law(qtbot, full):
    layers = page(qtbot, full, "layers")
    frame = full.lock.frame
    x, y = layers.drawn.measured[0].dots.getData()
    assert y.tolist() == frame.arrays["recovered"][0].tolist() and len(x) == made.T
    assert layers.drawn.predicted[0].line.getData()[1].tolist() == frame.arrays["predicted"][0].tolist()
    assert layers.drawn.measured[2].bars.getData()[1].tolist() == pytest.approx(
        np.stack([frame.arrays["recovered_low"][2], frame.arrays["recovered_high"][2]], 1).ravel().tolist()
    )
    assert layers.drawn.angle[3].dots.getData()[1].tolist() == made.ANGLES[3].tolist()
    assert layers.drawn.controls[0].getData()[1].tolist() == [0.74] and layers.drawn.controls[1].getData()[
        1
    ].tolist() == [0.03]
    assert (
        "raw noise opens the lock in 74% [65%, 82%]" in layers.caption.text()
        and "untrained network: fooling noise opens it in 3% [1%, 8%]" in layers.caption.text()
    )


def test_layers_are_a_table_as_well(qtbot, full, selection):
    layers = page(qtbot, full, "layers")
    assert layers.table.isVisible()
    assert [layers.table.cell(4, c) for c in range(3)] == ["relu 2", "1.00 (1.00)", "40.6°"]
    assert layers.table.cell(3, 1) == "0.88 (0.88)"
    cell = layers.table.visualItemRect(layers.table.item(3, 1)).center()
    qtbot.mouseClick(layers.table.viewport(), LEFT, pos=cell)
    assert selection.tap == "linear 2"


def test_where_there_is_little_height_it_is_the_plot_or_the_table(qtbot, full):
    full.resize(500, 330)
    layers = page(qtbot, full, "layers")
    assert layers.drawn.plot.isVisible() and not layers.table.isVisible()
    qtbot.mouseClick(layers.shown_choice.button("table"), LEFT)
    assert layers.table.isVisible() and not layers.drawn.plot.isVisible()


def test_a_layer_is_chosen_in_all_panels_and_can_become_the_lock_s(qtbot, full, selection, edits):
    layers = page(qtbot, full, "layers")
    assert not layers.lock_button.isVisible()
    at = layers.drawn.plot.at(2.0, 0.5)
    qtbot.mouseClick(layers.drawn.plot.viewport(), LEFT, pos=QPoint(at.x(), at.y()))
    qtbot.waitUntil(lambda: selection.tap == "relu 1")
    assert layers.drawn.marks[0].isVisible() and layers.drawn.marks[0].value() == 2
    full.grab()
    assert layers.lock_button.text() == "Lock at relu 1"
    qtbot.mouseClick(layers.lock_button, LEFT)
    assert edits[-1][1].layer == "relu 1" and full.page is full.lock
    selection.set_tap("a layer of another network")
    assert not layers.drawn.marks[0].isVisible()


def test_kinds_are_switched_off_by_their_chips(qtbot, full):
    layers = page(qtbot, full, "layers")
    qtbot.mouseClick(layers.chips.chip(KINDS[0]), LEFT)
    assert not layers.drawn.measured[0].dots.isVisible() and not layers.drawn.predicted[0].line.isVisible()
    assert layers.drawn.measured[1].dots.isVisible()
    qtbot.mouseClick(layers.chips.chip("law"), LEFT)
    assert not layers.drawn.predicted[1].line.isVisible()
    layers.drawn.plot.hovered.emit(4.1, 0.5)
    assert (
        layers.drawn.plot.readout.text().splitlines()[0] == "relu 2"
        and "fooling noise" not in layers.drawn.plot.readout.text()
    )


def test_numbers_read_out_are_those_of_the_frame_that_is_shown(qtbot, full):
    layers = page(qtbot, full, "layers")
    layers.drawn.plot.hovered.emit(4.1, 0.5)
    assert "fooling noise: 100%" in layers.drawn.plot.readout.text()
    frame = made.reconciliation_frame(repetition=1)
    full.show_frame(frame)
    assert "fooling noise: 0%" in layers.drawn.plot.readout.text()
    frame.info["taps"] = TAPS[:3]
    for name in (
        "angle",
        "angle_low",
        "angle_high",
        "recovered",
        "recovered_low",
        "recovered_high",
        "predicted",
        "count",
    ):
        frame.arrays[name] = frame.arrays[name][:, :3]
    frame.info["chosen"]["tap"] = 1
    full.show_frame(frame)
    assert not layers.drawn.plot.readout.isVisible()
    price = page(qtbot, full, "price")
    price.drawn.hashes.hovered.emit(40.0, 1.0)
    assert price.drawn.hashes.readout.text().startswith("after 40 layers")
    shorter = made.price_frame()
    for name, array in shorter.arrays.items():
        if array.shape[-1] == 41:
            shorter.arrays[name] = array[..., :3]
    full.show_frame(shorter)
    assert not price.drawn.hashes.readout.isVisible()


# --- angle -------------------------------------------------------------------------------------------------------


def test_every_repetition_has_points_law_and_limit(qtbot, full):
    curve = page(qtbot, full, "angle").curve
    frame = full.angle.frame
    assert curve.repetitions == list(made.REPETITIONS)
    assert curve._laws[3].getData()[1].tolist() == frame.arrays["law"][3].tolist()
    assert [limit.value() for limit in curve._limits] == pytest.approx(made.SHANNON)
    assert curve._points[1].dots.getData()[1].tolist() == frame.arrays["measured"][1].tolist()
    assert (
        f"largest |z| = {frame.info['agree']:.1f}" in full.angle.caption.text()
        and "They agree" in full.angle.caption.text()
    )
    assert curve._laws[3].opts["pen"].widthF() > curve._laws[2].opts["pen"].widthF(), "the r that is set stands out"


def test_a_decoder_off_its_law_is_said_to_disagree(panel):
    frame = made.curve_frame()
    frame.info["agree"] = 4.2
    panel.show_frame(frame)
    assert "do not all agree" in panel.angle.caption.text()


def test_a_measured_point_is_read_out_and_hidden_with_its_chip(qtbot, full):
    curve = page(qtbot, full, "angle").curve
    a = 4
    y = float(full.angle.frame.arrays["measured"][1, a])
    curve.hovered.emit(25.0, y)
    assert curve.readout.text().startswith("r = 3, θ = 25°")
    qtbot.mouseClick(curve.chips.chip("r 3"), LEFT)
    assert not curve._laws[1].isVisible() and not curve._limits[1].isVisible()
    curve.hovered.emit(25.0, y)
    assert not curve.readout.text().startswith("r = 3,")


def test_a_frame_of_fewer_repetitions_leaves_nothing_of_the_last_one(qtbot, full):
    curve = page(qtbot, full, "angle").curve
    frame = made.curve_frame()
    for name in ("repetitions", "measured", "low", "high", "predicted", "z", "law", "half", "shannon"):
        frame.arrays[name] = frame.arrays[name][:2]
    full.show_frame(frame)
    assert [limit.isVisible() for limit in curve._limits] == [True, True, False, False, False, False]
    full.show_frame(made.curve_frame())
    assert all(limit.isVisible() for limit in curve._limits)


def test_curves_and_added_noise_are_read_by_keyboard_as_well(qtbot, full):
    shown = page(qtbot, full, "angle")
    qtbot.keyClick(shown.curve, Qt.Key.Key_Right)
    assert shown.curve.readout.text().startswith("r = 15, θ = 5°"), "the repetition that is set comes first"
    qtbot.keyClick(shown.curve, Qt.Key.Key_Right)
    qtbot.keyClick(shown.curve, Qt.Key.Key_Up)
    assert shown.curve.readout.text().startswith("r = 31, θ = 10°")
    qtbot.mouseClick(shown.curve.chips.chip("r 15"), LEFT)
    qtbot.keyClick(shown.curve, Qt.Key.Key_Down)
    assert shown.curve.readout.text().startswith("r = 7, θ = 10°"), "what is hidden is passed over"
    for _ in range(2):
        qtbot.keyClick(shown.robust, Qt.Key.Key_Right)
    assert shown.robust.readout.text().splitlines()[0] == "noise of norm 0.50 added"
    qtbot.mouseClick(shown.robust.chips.chip(KINDS[1]), LEFT)
    qtbot.keyClick(shown.robust, Qt.Key.Key_Right)
    assert "raw noise" not in shown.robust.readout.text()


def test_added_noise_is_drawn_for_three_kinds_with_bands_and_law(qtbot, full):
    robust = page(qtbot, full, "angle").robust
    frame = full.lock.frame
    for k in range(3):
        assert robust._curves[k].line.getData()[1].tolist() == frame.arrays["robust_share"][k].tolist()
        assert robust._laws[k].line.getData()[1].tolist() == frame.arrays["robust_predicted"][k].tolist()
    robust.hovered.emit(2.0, 0.5)
    assert robust.readout.text().splitlines()[0] == "noise of norm 2.00 added"
    qtbot.mouseClick(robust.chips.chip(KINDS[1]), LEFT)
    assert not robust._curves[1].line.isVisible() and robust._curves[0].line.isVisible()


def test_one_of_the_two_alone_is_a_tidy_answer(qtbot, panel):
    panel.show_frame(made.curve_frame())
    shown = page(qtbot, panel, "angle")
    assert shown.curve.repetitions and "not measured yet" in shown._titles[1].title.full_text
    panel.clear()
    panel.show_frame(made.reconciliation_frame())
    assert "not measured yet" in shown._titles[0].title.full_text
    assert [row[0] for row in list(panel.csv_rows())[:2]] == ["kind", "fooling noise"]


# --- price -------------------------------------------------------------------------------------------------------


def test_the_price_is_drawn_with_its_limits_and_marked_as_a_reconstruction(qtbot, full):
    price = page(qtbot, full, "price")
    frame = price.frame
    assert price.drawn.curves["genuine"][0].line.getData()[1].tolist() == frame.arrays["genuine"][0].tolist()
    assert price.drawn.curves["impostor"][1].line.getData()[1].tolist() == frame.arrays["impostor"][1].tolist()
    assert 10 ** price.drawn.counts[0].getData()[1][-1] == pytest.approx(2) and 10 ** price.drawn.counts[1].getData()[
        1
    ][-1] == pytest.approx(1)
    assert [level.line.value() for level in price.drawn.limits] == pytest.approx([0.7048, 0.5], abs=1e-3)
    assert (
        "reconstruction" in price.drawn.titles[0].title.full_text
        and "reconciliation, not encryption" in price.caption.text()
    )
    assert price.summary == "after 40 layers · 2 hashes left (zero-mean) · 1 hash left (uniform)"


def test_the_residual_entropy_bound_is_a_table_and_a_negative_one_warns(qtbot, full, theme):
    price = page(qtbot, full, "price")
    assert [price.table.cell(0, c) for c in range(5)] == ["64", "255", "202.7", "124", "78.7"]
    assert price.table.cell(1, 4) == "−1264.1"
    assert price.table.item(1, 4).foreground().color().name() == theme.warning


def test_without_a_network_the_price_says_so_and_draws_two_series(qtbot, panel):
    panel.show_frame(made.price_frame(layers=False))
    assert panel.page is panel.price, "the only thing that there is to see"
    assert "No network’s features" in panel.price.caption.text()
    assert [entry.key for entry in panel.price.chips.entries()] == ["series 0", "series 1", "genuine", "impostor"]
    panel.price.drawn.plot.hovered.emit(40.0, 0.5)
    assert len(panel.price.drawn.plot.readout.text().splitlines()) == 3


def test_shares_are_read_out_with_their_intervals(qtbot, full):
    price = page(qtbot, full, "price")
    price.drawn.plot.hovered.emit(0.0, 0.5)
    assert "zero-mean identities: genuine 1.0% [0.3%, 3.6%], impostor 0.0% [0.0%, 1.9%], 200 hashes" in (
        price.drawn.plot.readout.text()
    )


def test_a_missing_price_leaves_its_page_empty(qtbot, panel):
    panel.show_frame(made.reconciliation_frame())
    assert page(qtbot, panel, "price").button.isVisible() and panel.plots() == () and list(panel.csv_rows()) == []


# --- other data, other moments -----------------------------------------------------------------------------------


def test_vectors_are_strips_and_everything_else_stays(qtbot, panel):
    panel.show_frame(made.reconciliation_frame(shape=(30,)))
    panel.grab()
    cases = panel.lock.cases
    assert not cases.told.is_image and cases.told.given(0).height() == 1 and cases.told.given(0).width() == 30
    assert cases.told.image(0) is not None


def test_many_classes_with_long_names_are_all_offered_and_none_breaks_the_page(qtbot, panel, edits):
    names = [f"a rather long name of class number {k}" for k in range(25)]
    panel.show_frame(made.reconciliation_frame(classes=names))
    panel.resize(480, 360)
    panel.grab()
    box = panel.lock.key.class_box
    assert [box.itemText(k) for k in range(box.count())] == names and box.width() < 164
    choose(qtbot, box, 24)
    assert edits[-1][1].chosen_class == 24 and names[24] in panel.lock.note.text()


def test_a_frame_still_being_made_draws_what_it_has(panel):
    frame = without(made.reconciliation_frame(done=False), "robust_norm", "case_before")
    frame.info["cases"] = []
    for name in ("recovered", "recovered_low", "recovered_high", "predicted", "angle", "angle_low", "angle_high"):
        frame.arrays[name] = np.where(np.arange(made.T) < 3, frame.arrays[name], np.nan)
    panel.show_frame(frame)
    for key in ("lock", "layers", "angle"):
        panel.show_page(key)
        panel.grab()
    assert panel.lock.cases.count == 0 and len(panel.layers.drawn.measured[0].dots.getData()[0]) == 3


def test_clearing_forgets_all_but_the_key(full):
    for key in ("layers", "angle", "price", "lock"):
        full.show_page(key)
    full.set_experiment(ExperimentSpec(reconcile=ReconcileSpec(chosen_class=5)))
    full.clear()
    assert full.is_empty and full.subtitle == "" and full.plots() == () and list(full.csv_rows()) == []
    assert full.lock.cases.count == 0 and not full.lock.stale and full.lock.key.class_box.currentData() == 5
    assert len(full.layers.drawn.measured[0].dots.getData()[0]) == 0 and full.angle.curve.repetitions == []
    assert full.price.frame is None and full.price.table.rowCount() == 0


def test_a_page_first_looked_at_later_draws_what_came_before_it(qtbot, full, selection):
    selection.set_tap("linear 1")
    layers = page(qtbot, full, "layers")
    assert layers.frame is full.lock.frame and layers.drawn.marks[0].value() == 1


def test_a_page_made_piece_by_piece_in_a_low_dock_shows_its_plots_alone(qtbot, full):
    full.resize(500, 330)
    for key in ("layers", "price"):
        qtbot.mouseClick(full.page_choice.button(key), LEFT)
        shown = full._pages[key]
        qtbot.waitUntil(lambda shown=shown: shown.made and not shown._timer.isActive())
        assert shown.drawn.plot.isVisible() and not shown.table.isVisible()


def test_a_page_is_made_piece_by_piece_while_the_window_goes_on(qtbot, full):
    qtbot.mouseClick(full.page_choice.button("layers"), LEFT)
    layers = full._pages["layers"]
    assert not layers.made and full._stacked.currentWidget() is not layers
    qtbot.mouseClick(full.page_choice.button("price"), LEFT)  # another one before it is made
    price = full._pages["price"]
    qtbot.waitUntil(lambda: layers.made and price.made and not price._timer.isActive() and not layers._timer.isActive())
    assert full._stacked.currentWidget() is price and price.frame is not None and layers.frame is full.lock.frame
    assert price.drawn.plot.isVisible() and price.table.isVisible()
    full.resize(500, 330)
    qtbot.mouseClick(full.page_choice.button("layers"), LEFT)
    assert layers.drawn.plot.isVisible() and layers.drawn.angles.isVisible() and not layers.table.isVisible()
    full.show_page("angle")
    full.clear()  # while it is being made
    angle = full._pages["angle"]
    qtbot.waitUntil(lambda: angle.made and not angle._timer.isActive())
    assert angle.frame is None and not angle.curve.repetitions


# --- look and export ---------------------------------------------------------------------------------------------


def test_every_page_gives_its_numbers_and_drawings(full, tmp_path):
    full.ask_save = lambda *_: str(tmp_path / "out.csv")
    heads = {}
    for key in ("lock", "layers", "angle", "price"):
        full.show_page(key)
        full.save_csv()
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            heads[key] = list(csv.reader(file))
        assert full.plots()
    assert heads["lock"][1][0] == "fooling noise" and heads["lock"][1][-1] == digits_of(made.MESSAGE)
    assert heads["lock"][2][-1] == "", "nothing came out"
    assert len(heads["layers"]) == 1 + 4 * made.T and heads["price"][0][:2] == ["series", "layers"]
    full.show_page("lock")
    full.ask_save = lambda *_: str(tmp_path / "cases.svg")
    full.save_svg()
    assert "stays locked" in (tmp_path / "cases.svg").read_text(encoding="utf-8")


def test_another_theme_recolours_everything(full):
    full.show_page("layers")
    full.set_theme(Theme.light())
    for key in ("lock", "layers", "angle", "price"):
        full.show_page(key)
        full.grab()
    assert full.layers.drawn.plot.backgroundBrush().color().name() == Theme.light().surface
    assert full.lock.cases.theme.name == "light" and full.lock.key.painter.theme.name == "light"


def test_everything_has_a_name_and_the_help_says_what_is_what(full):
    for key in ("layers", "angle", "price", "lock"):
        full.show_page(key)
    assert unnamed(full) == []
    text = read_help("reconcile")
    assert text is not None and set(text.kinds) == {"theorem", "measurement"}
    for author in ("Juels & Wattenberg (1999)", "Dodis, Reyzin & Smith (2004)", "Charikar (2002)", "Cover (1965)"):
        assert author in text.source
    assert "our reconstruction" in text.body and "not encryption" in text.body


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0%"), (1.0, "100%"), (0.001, "<1%"), (0.999, ">99%"), (np.nan, "–")]
)
def test_what_is_not_all_or_nothing_never_reads_as_if_it_were(value, shown):
    assert percent(value) == shown
