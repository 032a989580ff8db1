import pace
import pytest
from conftest import interactive, unnamed
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeyEvent, QUndoStack

from engine.specs import (
    PARTS,
    CarliniWagnerSpec,
    ControlsSpec,
    DigitsSpec,
    ExperimentSpec,
    FgsmSpec,
    IdxSpec,
    LinearSpec,
    MlpSpec,
    PgdSpec,
    TrainingSpec,
    parameters,
    variants,
)
from gui.forms.form import SpecForm, carry_over, description
from gui.undo import SpecEdit

EVERY = [(part, cls) for part in PARTS for cls in variants(part).values()] + [("experiment", ExperimentSpec)]


@pytest.fixture
def make(qtbot, theme):
    def make(part, spec):
        form = SpecForm(part, spec, theme)
        qtbot.addWidget(form)
        form.resize(260, 500)
        form.show()
        said = []
        form.edited.connect(lambda *args: said.append(args))
        form.said = said
        return form

    return make


def retype(qtbot, field, text):
    field.setFocus()
    field.selectAll()
    if text:
        qtbot.keyClicks(field, text)
    else:
        qtbot.keyClick(field, Qt.Key.Key_Delete)


@pytest.mark.parametrize(("part", "cls"), EVERY, ids=lambda value: getattr(value, "__name__", value))
def test_every_spec_gets_a_form_with_a_named_explained_field_for_each_parameter(make, part, cls):
    form = make(part, cls())
    assert parameters(cls)
    for parameter in parameters(cls):
        field = form.field(parameter.name)
        assert field.accessibleName()
        assert parameter.help in field.toolTip()
        assert parameter.help in field.whatsThis()
        assert field.read() == parameter.default
        assert field.isHidden() is False
    assert unnamed(form) == []
    assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in interactive(form) if widget.isEnabled())
    assert form.is_valid
    assert form.said == []


@pytest.mark.parametrize(("part", "cls"), EVERY, ids=lambda value: getattr(value, "__name__", value))
def test_a_form_is_made_faster_than_the_eye_notices(qtbot, theme, part, cls):
    assert pace.least(lambda: qtbot.addWidget(SpecForm(part, cls(), theme)), 0.05) < 0.05


def test_typing_a_valid_number_tells_the_new_spec(make, qtbot):
    form = make("attack", PgdSpec())
    retype(qtbot, form.field("eps"), "0.3")
    assert form.spec == PgdSpec(eps=0.3)
    assert form.said[-1] == ("attack", PgdSpec(eps=0.3), "eps")


def test_a_number_out_of_range_is_said_in_words_and_the_last_valid_value_stays(make, qtbot):
    form = make("attack", PgdSpec())
    with qtbot.waitSignal(form.validity_changed) as told:
        retype(qtbot, form.field("eps"), "-1")
    assert told.args == [False]
    assert form.error("eps") == "ε must be at least 0 and at most 1000."
    assert form.spec == PgdSpec()
    assert form.said == []
    assert form.field("eps").text() == "-1", "what was typed is not taken away or clamped"
    assert form.field("eps").accessibleDescription() == form.error("eps")
    qtbot.keyClick(form.field("eps"), Qt.Key.Key_Escape)
    assert form.field("eps").text() == "0.1"
    assert form.error("eps") == ""
    assert form.is_valid


def test_another_field_can_be_edited_while_one_is_not_valid(make, qtbot):
    form = make("attack", PgdSpec())
    retype(qtbot, form.field("steps"), "many")
    retype(qtbot, form.field("eps"), "0.2")
    assert form.spec == PgdSpec(eps=0.2)
    assert form.error("steps")
    retype(qtbot, form.field("steps"), "7")
    assert form.spec == PgdSpec(eps=0.2, steps=7)
    assert form.is_valid


def test_fields_that_do_not_fit_each_other_are_said_under_the_one_edited_and_heal_together(make, qtbot):
    form = make("attack", PgdSpec(random_start=False))
    retype(qtbot, form.field("restarts"), "3")
    assert "need a random start" in form.error("restarts")
    assert form.spec == PgdSpec(random_start=False)
    qtbot.mouseClick(form.field("random_start"), Qt.MouseButton.LeftButton)
    assert form.spec == PgdSpec(restarts=3)
    assert form.error("restarts") == ""
    assert form.is_valid


def test_arrow_keys_step_and_tell(make, qtbot):
    form = make("attack", PgdSpec())
    field = form.field("eps")
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert form.spec.eps == 0.2
    qtbot.keyClick(field, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert form.spec.eps == pytest.approx(0.19)
    qtbot.keyClick(form.field("steps"), Qt.Key.Key_PageUp)
    assert form.spec.steps == 80


def test_setting_a_spec_shows_it_and_tells_nothing(make):
    form = make("attack", PgdSpec())
    form.set_spec(PgdSpec(eps=0.5, goal="untargeted", random_start=False))
    assert form.field("eps").text() == "0.5"
    assert form.field("goal").currentText() == "Untargeted: any other class"
    assert not form.field("random_start").isChecked()
    assert form.said == []


def test_text_being_typed_survives_the_echo_of_its_own_edit(make, qtbot):
    form = make("attack", PgdSpec())
    form.edited.connect(lambda part, spec, name: form.set_spec(spec))
    retype(qtbot, form.field("eps"), "0.30")
    assert form.field("eps").text() == "0.30"
    assert form.spec.eps == 0.3


def test_choosing_another_variant_keeps_what_both_have_and_remembers_the_rest(make, qtbot):
    form = make("model", MlpSpec(width=7, activation="tanh"))
    form.chooser.setFocus()
    qtbot.keyClick(form.chooser, Qt.Key.Key_Up)
    assert form.spec == LinearSpec(width=7)
    assert form.said[-1] == ("model", LinearSpec(width=7), "family")
    retype(qtbot, form.field("width"), "9")
    qtbot.keyClick(form.chooser, Qt.Key.Key_Down)
    assert form.spec == MlpSpec(width=9, activation="tanh")


def test_values_that_do_not_fit_the_new_variant_are_left_at_its_own():
    assert carry_over(MlpSpec(depth=100), variants("model")["cnn"]()).depth == 2
    assert carry_over(MlpSpec(width=7), variants("model")["cnn"]()).width == 7


def test_rare_settings_hide_until_asked_for(make, qtbot):
    form = make("training", TrainingSpec())
    assert not form.field("weight_decay").isVisible()
    qtbot.mouseClick(form.more, Qt.MouseButton.LeftButton)
    assert form.field("weight_decay").isVisible()


def test_a_field_that_another_choice_makes_idle_is_greyed(make, qtbot):
    form = make("training", TrainingSpec())
    assert not form.field("momentum").isEnabled()
    form.set_spec(TrainingSpec(optimizer="sgd"))
    assert form.field("momentum").isEnabled()


def test_a_choice_of_one_is_shown_and_not_offered(make):
    form = make("attack", CarliniWagnerSpec())
    assert form.field("norm").currentText() == "L2"
    assert not form.field("norm").isEnabled()
    assert form.field("goal").isEnabled()


def test_a_label_longer_than_its_column_goes_on_in_a_second_line_or_beside_its_tick(make):
    form = make("attack", PgdSpec())
    form.more.setChecked(True)
    rows = form._rows
    assert all(row.label.width() == form.label_width for row in rows.values() if not row.is_tick)
    wide = [
        row for row in rows.values() if row.label.fontMetrics().horizontalAdvance(row.label.text()) > form.label_width
    ]
    assert {row.parameter.name for row in wide} >= {"stop", "eot"}
    assert rows["eot"].label.wordWrap()
    assert not rows["stop"].label.wordWrap()
    assert rows["stop"].field.geometry().right() == rows["random_start"].field.geometry().right()


def test_a_folder_can_be_chosen_dropped_and_must_exist(make, qtbot, tmp_path):
    form = make("dataset", IdxSpec())
    field = form.field("folder")
    field.ask_folder = lambda *_: str(tmp_path)
    qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    assert form.spec.folder == str(tmp_path)
    retype(qtbot, field.line, "/no/such/folder")
    assert form.spec.folder == str(tmp_path), "the folders on the way there were not meant"
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert "no folder" in form.error("folder")
    assert form.spec.folder == str(tmp_path)

    inside = tmp_path / "train-images-idx3-ubyte"
    inside.write_bytes(b"")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(inside))])
    where = QPointF(5, 5)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    field.dropEvent(QDropEvent(where, Qt.DropAction.CopyAction, data, buttons, keys))
    assert form.spec.folder == str(tmp_path)
    assert form.is_valid


def test_units_are_part_of_what_a_screen_reader_says(make):
    form = make("model", MlpSpec())
    assert form.field("width").accessibleName() == "Width, units"


def test_title_seed_and_threads_have_a_form_too(make, qtbot):
    form = make("experiment", ExperimentSpec(dataset=DigitsSpec(test_fraction=0.5)))
    assert form.chooser is None
    retype(qtbot, form.field("seed"), "12345678901")
    assert form.spec.seed == 12345678901
    assert form.spec.dataset.test_fraction == 0.5
    retype(qtbot, form.field("title"), "x" * 201)
    assert "200 characters" in form.error("title")


def test_typing_is_one_undo_step_and_undo_shows_in_the_form(make, qtbot):
    form = make("attack", PgdSpec())
    stack = QUndoStack()
    state = {"attack": PgdSpec()}

    def apply(part, spec):
        state[part] = spec
        form.set_spec(spec)

    form.edited.connect(lambda part, spec, field: stack.push(SpecEdit(part, field, state[part], spec, apply)))
    retype(qtbot, form.field("eps"), "0.25")
    retype(qtbot, form.field("steps"), "9")
    assert stack.count() == 2
    stack.undo()
    assert state["attack"] == PgdSpec(eps=0.25)
    assert form.field("steps").text() == "40"
    stack.undo()
    assert state["attack"] == PgdSpec() == form.spec
    assert form.field("eps").text() == "0.1"
    stack.redo()
    assert form.field("eps").text() == "0.25"
    assert stack.undoText() == "Change eps"


def test_an_edit_back_to_the_start_leaves_nothing_to_undo(qapp):
    stack = QUndoStack()
    a, b = PgdSpec(), PgdSpec(eps=0.2)
    for old, new in ((a, b), (b, a)):
        stack.push(SpecEdit("attack", "eps", old, new, lambda *_: None))
    assert stack.count() == 0


def test_choosing_variants_is_never_merged_into_one_undo_step(qapp):
    stack = QUndoStack()
    a, b = PgdSpec(), FgsmSpec()
    for old, new in ((a, b), (b, a)):
        stack.push(SpecEdit("attack", "method", old, new, lambda *_: None))
    assert stack.count() == 2


def test_undo_keys_in_a_field_are_left_to_the_window(make, qtbot):
    form = make("attack", PgdSpec())
    field = form.field("eps")
    retype(qtbot, field, "0.5")
    press = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.event(press) is False
    assert not press.isAccepted()


def test_a_description_is_one_line_from_the_spec_itself():
    assert description(ControlsSpec).startswith("Networks drawn or trained anew")
    assert "\n" not in description(ControlsSpec)


def test_what_is_chosen_is_explained_below_the_choice_and_not_again(make):
    form = make("dataset", IdxSpec())
    assert form.about.text().startswith("Images and labels in IDX files")
    form.set_spec(DigitsSpec())
    assert form.about.text().startswith("Handwritten digits")
    assert description(IdxSpec) == ""


def test_a_new_theme_keeps_what_is_shown(make, theme, qtbot):
    form = make("attack", PgdSpec(eps=0.7))
    form.set_theme(type(theme).light())
    assert form.field("eps").text() == "0.7"
    assert form.said == []


def test_a_folder_still_being_typed_is_taken_before_a_run(make, qtbot, tmp_path):
    form = make("dataset", IdxSpec())
    retype(qtbot, form.field("folder").line, str(tmp_path))
    assert form.spec.folder == ""
    assert form.commit()
    assert form.spec.folder == str(tmp_path)
    retype(qtbot, form.field("folder").line, "/no/such/folder")
    assert not form.commit()
