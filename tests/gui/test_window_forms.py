"""Settings as a person edits them: undo and redo by keyboard, and entries that cannot be used."""

from __future__ import annotations

import pytest
from person import LEFT

from engine.specs import CnnSpec, FgsmSpec, PgdSpec, ResidualSpec


def test_edits_are_undone_and_redone_by_keyboard(person, window):
    person.step("train")
    before = window.editor.spec
    person.type("training", "epochs", "7")
    field = person.type("training", "learning_rate", "0.5")
    assert (window.editor.spec.training.epochs, window.editor.spec.training.learning_rate) == (7, 0.5)
    person.press("Ctrl+Z", field)
    assert window.editor.spec.training.learning_rate == 0.01
    assert field.text() == "0.01"
    person.press("Ctrl+Z", field)
    assert window.editor.spec == before
    assert person.form("training").field("epochs").text() == "2"
    person.press("Ctrl+Shift+Z")
    person.press("Ctrl+Shift+Z")
    assert (window.editor.spec.training.epochs, window.editor.spec.training.learning_rate) == (7, 0.5)
    assert not window.actions_["edit.redo"].isEnabled()
    assert window.lab.session.spec == window.editor.spec


def test_another_family_is_undone_in_one_step(person, window):
    person.step("model")
    before = window.editor.spec.model
    person.choose(person.form("model").chooser, "cnn")
    assert isinstance(window.editor.spec.model, CnnSpec)
    person.press("Ctrl+Z")
    assert window.editor.spec.model == before
    assert person.form("model").field("depth").text() == "2"


def test_a_choice_can_be_made_by_keyboard(person, window):
    person.step("model")
    chooser = person.form("model").chooser
    chooser.setFocus()
    person.press("Down", chooser)
    assert chooser.currentText() == "Residual"
    assert isinstance(window.editor.spec.model, ResidualSpec)


@pytest.mark.parametrize(
    ("step", "part", "field", "text", "sentence"),
    [
        ("attack", "attack", "eps", "-5", "ε must be at least 0 and at most 1000."),
        ("attack", "attack", "steps", "", "Steps is empty. Type a number, at least 1 and at most 10000."),
        ("train", "training", "epochs", "2.5", "“2.5” is not a whole number."),
        ("model", "model", "width", "many", "“many” is not a whole number."),
    ],
)
def test_an_entry_that_cannot_be_used_is_said_in_a_sentence_and_nothing_runs(
    person, window, step, part, field, text, sentence
):
    person.step(step)
    before = window.editor.spec
    widget = person.type(part, field, text)
    if not text:
        person.press("Backspace", widget)
    form = window.step_forms[step]
    assert person.form(part).error(field) == sentence
    assert not form.action_button.isEnabled()
    assert not form.run_all_button.isEnabled()
    assert window.editor.spec == before
    # and no key goes round it
    for keys in ("Ctrl+Return", "Shift+F5", "F5", "F7"):
        person.press(keys)
    assert window.jobs.all == []
    assert window.lab.session.runs() == []
    # a good entry makes it usable again
    person.type(part, field, "3")
    assert person.form(part).error(field) == ""
    assert form.action_button.isEnabled()


def test_a_key_that_cannot_run_shows_the_field_that_is_in_the_way(person, window):
    person.step("attack")
    person.type("attack", "eps", "-1")
    person.step("data")
    person.press("F5")
    assert window.jobs.all == []
    assert window.rail.current == "attack"
    assert len(person.notices()) == 1
    assert "Attack" in person.notices()[0]


def test_restarts_without_a_random_start_are_refused_in_words(person, window):
    person.step("attack")
    person.click(person.form("attack").field("random_start"))
    assert not window.editor.spec.attack.random_start
    person.type("attack", "restarts", "3")
    assert "random start" in person.form("attack").error("restarts")
    assert not window.step_forms["attack"].action_button.isEnabled()
    person.click(person.form("attack").field("random_start"))
    person.type("attack", "restarts", "3")
    assert window.editor.spec.attack == PgdSpec(eps=0.3, alpha=0.1, steps=4, samples=16, restarts=3)


def test_the_buttons_say_what_they_will_do(person, window):
    person.step("train")
    button = window.step_forms["train"].action_button
    assert button.text() == "Train 2 epochs"
    person.type("training", "epochs", "1")
    assert button.text() == "Train 1 epoch"


def test_a_result_goes_out_of_date_with_an_edit_and_comes_back_with_undo(person, window):
    person.run("train")
    done = [key for key in ("data", "model", "train", "attack") if window.rail.is_done(key)]
    assert done == ["data", "model", "train"]
    person.step("model")
    field = person.type("model", "width", "17")
    assert [key for key in done if window.rail.is_done(key)] == ["data"]
    person.press("Ctrl+Z", field)
    assert [key for key in done if window.rail.is_done(key)] == done


def test_typing_in_a_field_is_not_taken_for_a_key_of_the_window(person, window):
    person.step("data")
    person.type("experiment", "title", "Live, 1. c")
    assert window.editor.spec.title == "Live, 1. c"
    assert window.rail.current == "data"
    assert window.selection.view == "centred"


def test_a_preset_is_one_edit_however_much_it_changes(person, window):
    person.step("attack")
    before = window.editor.spec
    form = person.form("attack")
    for title in ("MNIST, L∞ 0.3", "CIFAR-10, L2 0.5"):
        person.click(form.presets)
        finder = form.presets.finder
        model = finder.view.model()
        row = next(row for row in range(model.rowCount()) if model.index(row, 0).data() == title)
        person.qtbot.mouseClick(finder.view.viewport(), LEFT, pos=finder.view.visualRect(model.index(row, 0)).center())
        person.come_back()
    assert window.editor.spec.attack == PgdSpec(
        norm="L2", eps=0.5, alpha=0.0625, steps=20, goal="untargeted", samples=before.attack.samples
    )
    assert window.editor.undo_stack.undoText() == "Change the attack to “CIFAR-10, L2 0.5”"
    person.press("Ctrl+Z")
    assert window.editor.spec.attack.eps == 0.3
    assert form.field("eps").text() == "0.3"
    person.press("Ctrl+Z")
    assert window.editor.spec == before
    person.press("Ctrl+Shift+Z")
    assert window.editor.spec.attack.steps == 40


def test_a_method_is_found_by_its_author_and_undone_in_one_step(person, window):
    person.step("attack")
    before = window.editor.spec
    chooser = person.form("attack").chooser
    chooser.setFocus()
    person.press("Space", chooser)
    person.qtbot.keyClicks(chooser.finder.line, "goodfellow one step")
    person.press("Return", chooser.finder.line)
    person.come_back()
    assert window.editor.spec.attack == FgsmSpec(eps=0.3, samples=16)
    person.press("Ctrl+Z")
    assert window.editor.spec == before
    assert chooser.currentText() == "PGD"
