"""A command whose settings fold out below it."""

from __future__ import annotations

import pytest
from conftest import unnamed
from person import LEFT
from PySide6.QtWidgets import QPushButton, QWidget

from engine.specs import MaxLikelihoodSpec
from gui.chrome.step_form import StepForm
from gui.forms.form import SpecForm


@pytest.fixture
def step(qtbot, theme):
    made = StepForm("entangle", "Entangle", theme)
    form = SpecForm("max_likelihood", MaxLikelihoodSpec(), theme)
    made.add_folded(QPushButton("Fit noise"), form)
    made.resize(made.width(), 500)
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_settings_stay_folded_until_they_are_asked_for(step, qtbot):
    folded = step.folded["max_likelihood"]
    assert not folded.form.isVisible()
    qtbot.mouseClick(folded.toggle, LEFT)
    assert folded.form.isVisible() and "linear networks on noise" in folded.about.text()
    qtbot.mouseClick(folded.toggle, LEFT)
    assert not folded.form.isVisible()
    step.reveal("max_likelihood")
    assert folded.form.isVisible()
    assert unnamed(step) == []


def test_settings_that_fold_out_below_the_lower_end_come_into_view(step, qtbot):
    folded, above = step.folded["max_likelihood"], QWidget()
    above.setFixedHeight(300)
    step.add_widget(above)  # the command is near the lower end
    field, seen = folded.form.field("candidates"), step._area.viewport()
    qtbot.wait(20)
    folded.toggle.click()
    qtbot.wait(60)
    assert all(seen.rect().contains(each.mapTo(seen, each.rect().center())) for each in (folded.toggle, field))


def test_an_entry_that_cannot_be_used_is_never_folded_away(step, qtbot):
    folded = step.folded["max_likelihood"]
    step.reveal("max_likelihood")
    field = folded.form.field("candidates")
    field.selectAll()
    qtbot.keyClicks(field, "32")  # fewer than the rows to be kept
    assert "cannot be kept of" in folded.form.error("candidates")
    assert not step.action_button.isEnabled() and not folded.toggle.isEnabled()
    assert not step.commit() and folded.form.isVisible()
    field.selectAll()
    qtbot.keyClicks(field, "128")
    assert step.commit() and folded.toggle.isEnabled()


def test_edits_there_are_edits_of_the_experiment_and_undone_like_all(person, window):
    window.navigation.show_settings("max_likelihood")
    assert window.rail.current == "entangle"
    field = person.type("max_likelihood", "depth", "7")
    assert window.editor.spec.max_likelihood.depth == 7
    person.press("Ctrl+Z", field)
    assert window.editor.spec.max_likelihood.depth == 20 and field.text() == "20"
    description = window.step_forms["entangle"]._description.text()
    assert "linear networks" not in description, "the step's own description stays"
