"""The experiment as it is edited: every edit can be undone, and the session keeps what stands."""

from __future__ import annotations

import pytest

from engine.session import Session
from engine.specs import CnnSpec, ExperimentSpec, MlpSpec, TrainingSpec
from gui.editor import Editor


@pytest.fixture
def session(tmp_path):
    with Session.create(tmp_path, ExperimentSpec(title="One")) as made:
        yield made


@pytest.fixture
def editor(qapp, session):
    return Editor(session)


def test_an_edit_is_kept_in_the_session_and_told(editor, session, qtbot):
    with qtbot.waitSignal(editor.changed) as told:
        editor.edit("training", TrainingSpec(epochs=3), "epochs")
    assert told.args == [session.spec]
    assert session.spec.training.epochs == 3
    assert session.dirty


def test_an_edit_that_changes_nothing_is_none(editor, qtbot):
    with qtbot.assertNotEmitted(editor.changed):
        editor.edit("training", editor.spec.training, "epochs")
    assert not editor.undo_stack.canUndo()


def test_undo_and_redo_go_through_the_session(editor, session):
    before = session.spec
    editor.edit("training", TrainingSpec(epochs=3), "epochs")
    editor.undo_stack.undo()
    assert session.spec == before
    editor.undo_stack.redo()
    assert session.spec.training.epochs == 3


def test_typing_in_one_field_is_one_edit(editor, session):
    before = session.spec
    for epochs in (1, 12, 123):
        editor.edit("training", TrainingSpec(epochs=epochs), "epochs")
    assert editor.undo_stack.count() == 1
    assert editor.undo_stack.undoText() == "Change epochs"
    editor.undo_stack.undo()
    assert session.spec == before


def test_another_field_is_another_edit(editor, session):
    editor.edit("training", TrainingSpec(epochs=3), "epochs")
    editor.edit("training", TrainingSpec(epochs=3, batch_size=8), "batch_size")
    editor.undo_stack.undo()
    assert session.spec.training == TrainingSpec(epochs=3)


def test_each_choice_of_a_family_is_its_own_step(editor, session):
    editor.edit("model", CnnSpec(), "family")
    editor.edit("model", MlpSpec(), "family")
    editor.undo_stack.undo()
    assert isinstance(session.spec.model, CnnSpec)


def test_undoing_the_title_leaves_the_parts_as_they_were_edited_since(editor, session):
    editor.edit("experiment", session.spec.model_copy(update={"title": "Two"}), "title")
    editor.edit("training", TrainingSpec(epochs=3), "epochs")
    seed = session.spec.model_copy(update={"seed": 9})
    editor.edit("experiment", seed, "seed")
    editor.undo_stack.undo()
    assert (session.spec.title, session.spec.seed, session.spec.training.epochs) == ("Two", 0, 3)
    editor.undo_stack.undo()
    editor.undo_stack.undo()
    assert session.spec == ExperimentSpec(title="One")


def test_a_whole_experiment_is_replaced_in_one_step(editor, session):
    before = session.spec
    other = ExperimentSpec(title="Other", seed=4, model=CnnSpec())
    editor.replace(other, "Take another experiment")
    assert session.spec == other
    editor.undo_stack.undo()
    assert session.spec == before


def test_edits_of_one_session_cannot_be_undone_in_the_next(editor, session, tmp_path, qtbot):
    editor.edit("training", TrainingSpec(epochs=3), "epochs")
    with Session.create(tmp_path / "other", ExperimentSpec(title="Two")) as other:
        with qtbot.waitSignal(editor.changed) as told:
            editor.attach(other)
        assert told.args == [other.spec]
        assert not editor.undo_stack.canUndo()
        editor.edit("training", TrainingSpec(epochs=5), "epochs")
        assert other.spec.training.epochs == 5
        assert session.spec.training.epochs == 3
