"""What the inspector says: the numbers of the frames on stage, and plain words where there are none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import frames
import numpy as np
import pytest

from engine.events import Frame
from engine.experiments.groups import GROUPS
from engine.experiments.views import pair_eta, readings, square
from gui.inspect import describe, number

MINUS = "−"


@dataclass
class FixedStage:
    """A stage with these frames on it."""

    shown: dict[str, Frame] = field(default_factory=dict)

    def frame(self, topic: str) -> Frame | None:
        return self.shown.get(topic)


@pytest.fixture
def stage():
    made = (frames.dataset_frame(), frames.model_frame(), frames.gallery_frame(), frames.matrix_frame())
    more = (frames.profile_frame(), frames.pairs_frame())
    return FixedStage({frame.topic: frame for frame in (*made, *more)})


def rows(content) -> dict[str, str]:
    found = [*content.rows, *(row for section in content.sections for row in section.rows)]
    return {row.name: row.value for row in found}


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.5, "+0.500"), (-0.25, f"{MINUS}0.250"), (math.inf, "+∞"), (-math.inf, f"{MINUS}∞"), (math.nan, "dead")],
)
def test_numbers_are_signed_and_what_is_none_is_said_in_words(value, said):
    assert number(value) == said


def test_nothing_is_said_before_anything_is_chosen(selection, stage):
    assert describe(selection, stage) is None


def test_an_attacked_sample_has_its_pictures_predictions_and_norm(selection, stage):
    selection.set_sample(10)
    content = describe(selection, stage)
    assert content.title == "Sample 10"
    assert [caption for _, caption in content.image] == ["x", "x_adv"]
    gallery = stage.frame("gallery").arrays
    assert np.array_equal(content.image[1][0], gallery["x_adv"][0])
    said = rows(content)
    assert said["true class"] == "zero"
    assert said["clean prediction"] == "zero · 75%"
    assert said["x_adv prediction"] == "one · 50%"
    assert said["target"] == "one"
    assert said["‖δ‖∞"] == "0.100"
    assert said["first success"] == "step 2"


def test_a_sample_s_neighbours_are_the_means_of_its_row_of_the_matrix(selection, stage):
    selection.set_sample(30)
    selection.set_tap("relu 1")
    selection.set_sample(30)
    matrix = stage.frame("matrix/clean")
    row = square(matrix, 2, 0)[2]
    said = rows(describe(selection, stage))
    assert said["own class"] == number(float(row[3]))
    assert said["other classes"] == number(float(row[[0, 1, 4, 5]].mean()))


def test_dead_features_leave_the_means_out_without_a_warning(selection, stage, recwarn):
    eta = frames.matrix_eta()
    eta[:] = np.nan
    stage.shown["matrix/clean"] = frames.matrix_frame(eta=eta)
    selection.set_sample(30)
    assert rows(describe(selection, stage))["own class"] == "–"
    selection.set_pair((40, 10))
    assert rows(describe(selection, stage))["correlation C"] == "dead"
    assert not recwarn.list


@pytest.mark.parametrize("view", ["centred", "uncentred"])
def test_a_pair_has_all_its_readings_in_both_views_the_chosen_one_first(selection, stage, view):
    selection.set_view(view)
    selection.set_tap("relu 2")
    selection.set_pair((30, 60))
    content = describe(selection, stage)
    assert content.title == "Samples 30 and 60"
    assert content.subtitle == "relu 2"
    assert content.sections[0].title == view
    eta = pair_eta(stage.frame("matrix/clean"), 30, 60)[0 if view == "centred" else 1, 4]
    wanted = readings(eta)
    said = {row.name: row.value for row in content.sections[0].rows}
    assert said["correlation C"] == number(float(wanted["C"]))
    assert said["rapidity η"] == number(float(eta))
    assert said["angle θ"] == f"{math.degrees(float(wanted['angle'])):.1f}°"
    assert said["chord d"] == f"{float(wanted['chord']):.3f}"
    assert math.tanh(float(eta)) == pytest.approx(float(wanted["C"]))
    d, far = float(said["chord d"]), float(said["antipode d′"])
    assert d * d + far * far == pytest.approx(4, abs=0.01)


def test_a_pair_with_a_training_sample_is_read_from_the_world_lines(selection, stage):
    selection.set_pair((30, -1))
    content = describe(selection, stage)
    assert content.title == "Sample 30 and a training sample"
    # two lines have these ends, x and x_adv with a member of the target class: both are shown, each by its name
    labels = {group.name: group.label for group in GROUPS}
    found = {section.title: {row.name: row.value for row in section.rows} for section in content.sections}
    assert found[f"{labels['adv_target']} · centred"]["rapidity η"] == number(1.0)
    assert found[f"{labels['clean_target']} · centred"]["rapidity η"] == number(-1.2)


def test_a_pair_of_attacked_samples_is_shown_clean_and_adversarial(selection, stage):
    attacked = frames.matrix_frame("adversarial", eta=frames.matrix_eta() + 1)
    stage.shown["matrix/adversarial"] = attacked
    selection.set_pair((30, 60))
    found = {
        section.title: {row.name: row.value for row in section.rows} for section in describe(selection, stage).sections
    }
    clean = pair_eta(stage.frame("matrix/clean"), 30, 60)[0, 4]
    assert found["clean inputs · centred"]["rapidity η"] == number(float(clean))
    assert found["adversarial inputs · centred"]["rapidity η"] == number(float(clean) + 1)


def test_a_pair_that_was_not_measured_is_said_so(selection, stage):
    selection.set_pair((1, 2))
    assert rows(describe(selection, stage)) == {"not measured at this moment": ""}


def test_a_layer_has_its_shape_and_the_mean_of_every_group(selection, stage):
    selection.set_tap("linear 1")
    content = describe(selection, stage)
    assert content.title == "linear 1"
    said = rows(content)
    assert (said["kind"], said["shape"], said["parameters"]) == ("linear", "4 × 64", "260")
    profile = stage.frame("profile")
    label = profile.info["groups"][1]["label"]
    (row,) = [row for section in content.sections for row in section.rows if row.tip.startswith(f"{label}:")]
    assert row.value == number(float(profile.arrays["mean"][0, 0, 0, 1, 1]))
    assert "95% interval" in row.tip


def test_a_class_has_its_counts(selection, stage):
    selection.set_klass(1)
    content = describe(selection, stage)
    assert content.title == "Class one"
    assert rows(content)["training samples"] == "1,001"


def test_what_is_not_on_stage_is_said_in_words(selection):
    selection.set_sample(3)
    assert rows(describe(selection, FixedStage())) == {"not among the samples shown": ""}
    selection.set_tap("relu 9")
    assert describe(selection, FixedStage()).title in ("relu 9", "Sample 3")


def test_a_long_heading_does_not_push_the_numbers_out_of_the_card(qtbot):
    from PySide6.QtWidgets import QScrollArea

    from gui.chrome.inspector import Inspector, Section
    from gui.theme import Theme

    inspector = Inspector(Theme.light())
    qtbot.addWidget(inspector)
    inspector.set_content(
        "Samples", sections=[Section("C by layer: adversarial inputs, centred", [("input", "+0.439")] * 60)]
    )
    inspector.resize(inspector.sizeHint())
    inspector.show()
    area = inspector.findChild(QScrollArea)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
