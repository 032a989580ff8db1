"""The axes of a sweep as they are typed: values with which every point would fail are said in words, at once."""

from __future__ import annotations

import pytest

from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
from gui.forms.axes import AxesEditor
from gui.theme import system_theme


@pytest.fixture
def editor_of(qtbot):
    def make(*axes: AxisSpec, mode: str = "grid") -> AxesEditor:
        made = AxesEditor(ExperimentSpec(sweep=SweepSpec(axes=axes, mode=mode)), system_theme("dark"))
        qtbot.addWidget(made)
        return made

    return make


def test_a_number_out_of_range_is_said_in_the_words_of_its_form(editor_of):
    editor = editor_of(AxisSpec(field="model.width", values=(0, 16)))
    (row,) = editor.rows
    assert row.wrong
    assert row.words.text() == "0 cannot be used: Width is at least 1 and at most 16384. Such points fail."


def test_a_field_of_another_family_is_said_and_is_right_once_that_family_varies_too(editor_of):
    channels = AxisSpec(field="model.channels", values=(4, 8))
    (row,) = editor_of(channels).rows
    assert row.wrong and "4, 8 cannot be used: model.channels is unknown." in row.words.text()
    family, row = editor_of(AxisSpec(field="model.family", values=("cnn",)), channels).rows
    assert not family.wrong and not row.wrong and row.words.text() == "2 values: 4, 8"


def test_what_depends_on_another_setting_is_said_again_when_that_changes(editor_of):
    editor = editor_of(AxisSpec(field="attack.restarts", values=(1, 4)))
    (row,) = editor.rows
    assert not row.wrong
    spec = ExperimentSpec(sweep=editor.spec)
    editor.set_experiment(spec.model_copy(update={"attack": spec.attack.model_copy(update={"random_start": False})}))
    assert row.wrong and "4 cannot be used" in row.words.text() and "random start" in row.words.text()


def test_an_end_of_a_range_that_points_are_drawn_from_is_looked_at(editor_of):
    (row,) = editor_of(AxisSpec(field="attack.eps", low=-1.0, high=0.5), mode="random").rows
    assert row.wrong and row.words.text().startswith("-1 cannot be used: ")
