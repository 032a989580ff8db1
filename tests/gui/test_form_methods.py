"""Choosing one attack among many, and attacks ready to use: by mouse, by keyboard, and narrowed by typing."""

from __future__ import annotations

import pytest
from conftest import unnamed
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from engine.catalogue import attacks
from engine.errors import SpecError
from engine.presets import attack_presets
from engine.specs import FgsmSpec, PgdSpec
from gui.forms import methods
from gui.forms.finder import KEY, NOTE, Entry, Finder, model_of
from gui.forms.form import SpecForm

LEFT = Qt.MouseButton.LeftButton
MANY = (
    Entry("fgsm", "FGSM", "White box", "One step (Goodfellow 2015).", "L∞ L2", "Linf"),
    Entry("pgd", "PGD", "White box", "Many steps (Madry 2018).", "L∞ L2", "Linf"),
    Entry("cw", "C&W", "Minimal norm", "By optimisation (Carlini & Wagner 2017).", "L2"),
    Entry("fmn", "FMN", "Minimal norm", "Fast (Pintor et al. 2021).", "L∞ L2 L1 L0", "Linf"),
    Entry("square", "Square", "Black box", "Random squares, unlike pgd (Andriushchenko et al. 2020).", "L∞ L2", "Linf"),
)


@pytest.fixture
def form(qtbot, theme):
    made = SpecForm("attack", PgdSpec(eps=0.3, steps=7, samples=21), theme)
    qtbot.addWidget(made)
    made.resize(260, 600)
    made.show()
    made.said = []
    made.edited.connect(lambda *args: made.said.append(args))
    yield made
    for opened in (made.chooser.finder, made.presets.finder):
        opened.close()


@pytest.fixture
def finder(qtbot, theme):
    anchor = QWidget()
    anchor.resize(140, 28)
    qtbot.addWidget(anchor)
    made = Finder("Method", "Name or author", model_of(MANY, anchor), anchor)
    made.taken = []
    made.chosen.connect(made.taken.append)
    made.open_under(anchor, "pgd")
    yield made
    made.close()


def seen(finder):
    """The lines that are there to see, headings in brackets."""
    model, shown = finder.view.model(), []
    for row in range(model.rowCount()):
        if not finder.view.isRowHidden(row):
            index = model.index(row, 0)
            shown.append(index.data() if index.data(KEY) else f"[{index.data()}]")
    return shown


def test_every_attack_stands_under_its_family_with_its_norms(form):
    expected, family = [], ""
    for attack in attacks():
        if attack.family != family:
            family = attack.family
            expected.append(f"[{family}]")
        expected.append(attack.title)
    assert seen(form.chooser.finder) == expected
    index = form.chooser.model().index(form.chooser.findData("pgd"), 0)
    assert index.data(methods.Qt.ItemDataRole.UserRole + 1) == "L∞ L2 L1"


def test_a_list_opens_at_what_is_chosen_and_explains_it(finder):
    assert seen(finder) == ["[White box]", "FGSM", "PGD", "[Minimal norm]", "C&W", "FMN", "[Black box]", "Square"]
    assert finder.view.currentIndex().data() == "PGD"
    assert finder.help.text() == "Many steps (Madry 2018)."
    assert finder.line.hasFocus() or finder.focusWidget() is finder.line
    assert unnamed(finder) == []


@pytest.mark.parametrize(
    ("typed", "left", "at"),
    [
        ("fg", ["[White box]", "FGSM"], "FGSM"),
        ("pgd", ["[White box]", "PGD", "[Black box]", "Square"], "PGD"),
        ("carlini", ["[Minimal norm]", "C&W"], "C&W"),
        ("C&W", ["[Minimal norm]", "C&W"], "C&W"),
        ("l1", ["[Minimal norm]", "FMN"], "FMN"),
        ("inf 2020", ["[Black box]", "Square"], "Square"),
        ("Linf minimal", ["[Minimal norm]", "FMN"], "FMN"),
        ("BLACK", ["[Black box]", "Square"], "Square"),
    ],
)
def test_typing_leaves_what_fits_every_word_and_goes_to_the_likeliest(finder, qtbot, typed, left, at):
    qtbot.keyClicks(finder.line, typed)
    assert seen(finder) == left
    assert finder.view.currentIndex().data() == at
    qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert finder.taken == [next(entry.key for entry in MANY if entry.title == at)]
    assert not finder.isVisible()


def test_a_name_comes_before_a_mention(finder, qtbot):
    finder.open_under(finder.parentWidget(), "square", "pgd")
    assert finder.view.currentIndex().data() == "PGD"


def test_where_nothing_fits_it_is_said_and_nothing_is_taken(finder, qtbot):
    qtbot.keyClicks(finder.line, "nothing like it")
    assert seen(finder) == []
    assert finder.help.text() == "Nothing here is called “nothing like it”."
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(finder.line, key)
    assert finder.isVisible()
    qtbot.keyClick(finder.line, Qt.Key.Key_Escape)
    assert not finder.isVisible()
    assert finder.taken == []


def test_the_arrow_keys_walk_over_the_headings_and_stop_at_the_ends(finder, qtbot):
    walked = []
    for _ in range(5):
        walked.append(finder.view.currentIndex().data())
        qtbot.keyClick(finder.line, Qt.Key.Key_Down)
    assert walked == ["PGD", "C&W", "FMN", "Square", "Square"]
    assert finder.help.text().startswith("Random squares")
    assert finder.line.accessibleDescription().startswith("Square. Random squares")
    qtbot.keyClick(finder.line, Qt.Key.Key_PageUp)
    assert finder.view.currentIndex().data() == "FGSM"


def test_a_heading_cannot_be_taken(finder, qtbot):
    heading, line = (finder.view.visualRect(finder.view.model().index(row, 0)).center() for row in (0, 4))
    qtbot.mouseClick(finder.view.viewport(), LEFT, pos=heading)
    assert finder.isVisible()
    assert finder.taken == []
    qtbot.mouseClick(finder.view.viewport(), LEFT, pos=line)
    assert finder.taken == ["cw"]


def test_nothing_moves_while_a_person_types(finder, qtbot):
    before = finder.geometry(), finder.view.geometry(), finder.help.geometry()
    for typed in ("s", "q", "x"):
        qtbot.keyClicks(finder.line, typed)
        assert (finder.geometry(), finder.view.geometry(), finder.help.geometry()) == before


def test_the_list_stays_on_the_screen(finder, qtbot):
    anchor, screen = finder.parentWidget(), finder.screen().availableGeometry()
    anchor.move(screen.bottomRight() - QPoint(20, 20))
    finder.open_under(anchor)
    assert screen.contains(finder.geometry())


def test_typing_on_the_method_opens_the_list_narrowed_by_it(form, qtbot):
    chooser = form.chooser
    chooser.setFocus()
    qtbot.keyClicks(chooser, "f")
    assert chooser.finder.isVisible()
    qtbot.keyClicks(chooser.finder.line, "gsm")
    assert chooser.finder.line.text() == "fgsm"
    qtbot.keyClick(chooser.finder.line, Qt.Key.Key_Return)
    assert form.spec == FgsmSpec(eps=0.3, samples=21)
    assert form.said == [("attack", form.spec, "method")]
    assert chooser.currentText() == "FGSM"
    assert form.about.text().startswith("Fast gradient sign method")


def test_another_method_keeps_the_shared_settings_and_each_remembers_its_own(form, qtbot):
    for typed, wanted in (("fgsm", FgsmSpec(eps=0.3, samples=21)), ("pgd", PgdSpec(eps=0.3, steps=7, samples=21))):
        qtbot.keyClicks(form.chooser, typed[0])
        qtbot.keyClicks(form.chooser.finder.line, typed[1:])
        qtbot.keyClick(form.chooser.finder.line, Qt.Key.Key_Return)
        assert form.spec == wanted


def test_the_method_stays_where_the_list_is_left_or_the_same_is_taken(form, qtbot):
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        qtbot.keyClick(form.chooser, Qt.Key.Key_Space)
        assert form.chooser.finder.isVisible()
        qtbot.keyClick(form.chooser.finder.line, key)
        assert not form.chooser.finder.isVisible()
    assert form.said == []
    assert form.spec.steps == 7


def test_arrow_keys_on_the_closed_method_never_stop_at_a_heading(form, qtbot):
    chooser = form.chooser
    titles = [attack.title for attack in attacks()]
    chooser.write(attacks()[0].method)
    walked = [chooser.currentText()]
    for _ in titles[1:]:
        qtbot.keyClick(chooser, Qt.Key.Key_Down)
        walked.append(chooser.currentText())
    assert walked == titles
    assert form.spec.method == attacks()[-1].method


# --- attacks ready to use --------------------------------------------------------------------------------------


def preset(key):
    return next(each for each in attack_presets() if each.key == key)


def test_no_two_presets_look_alike(form, qtbot):
    qtbot.mouseClick(form.presets, LEFT)
    model = form.presets.finder.view.model()
    lines = [(model.index(row, 0).data(), model.index(row, 0).data(NOTE)) for row in range(model.rowCount())]
    lines = [line for line in lines if line[1]]
    assert len(set(lines)) == len(lines) == len(attack_presets())
    of = {each.title: each for each in attack_presets()}
    for title, note in lines:
        if note.split(" · ")[0] == "PGD":
            assert of[title].authors in note
            assert of[title].budget in title + note


def test_every_preset_is_in_the_list_with_its_reason_and_source(form, qtbot):
    qtbot.mouseClick(form.presets, LEFT)
    finder = form.presets.finder
    assert finder.isVisible()
    lines = [text for text in seen(finder) if not text.startswith("[")]
    assert sorted(lines) == sorted(each.title for each in attack_presets())
    headings = [text[1:-1] for text in seen(finder) if text.startswith("[")]
    used = {each.spec.family for each in attack_presets()}
    assert headings == [family for family in dict.fromkeys(each.family for each in attacks()) if family in used]
    qtbot.keyClicks(finder.line, "takeover")
    assert "Every sample goes on after its first success" in finder.help.text()
    assert "Lai, Dong & Jin 2023" in finder.help.text()


def test_a_preset_sets_the_whole_attack_and_keeps_the_number_of_samples(form, qtbot):
    qtbot.mouseClick(form.presets, LEFT)
    qtbot.keyClicks(form.presets.finder.line, "takeover")
    qtbot.keyClick(form.presets.finder.line, Qt.Key.Key_Return)
    wanted = preset("pgd-5-takeover").spec.model_copy(update={"samples": 21})
    assert form.spec == wanted
    assert form.said == [("attack", wanted, f"the attack to “{preset('pgd-5-takeover').title}”")]
    assert form.field("alpha").text() == "0.015"
    assert not form.field("stop").isChecked()


def test_a_preset_replaces_what_could_not_be_used(form, qtbot):
    field = form.field("eps")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "many")
    assert not form.is_valid
    qtbot.mouseClick(form.presets, LEFT)
    qtbot.keyClicks(form.presets.finder.line, "fgsm")
    qtbot.keyClick(form.presets.finder.line, Qt.Key.Key_Return)
    assert form.is_valid
    assert form.field("eps").text() == "0.25"
    assert form.chooser.currentText() == "FGSM"


def test_the_list_opens_at_the_preset_that_is_set(form, qtbot):
    wanted = preset("pgd-4-cifar-l2")
    form.set_spec(wanted.spec.model_copy(update={"samples": 5}))
    qtbot.mouseClick(form.presets, LEFT)
    assert form.presets.finder.view.currentIndex().data() == wanted.title


def test_presets_that_cannot_be_read_are_told_in_the_list(form, qtbot, monkeypatch):
    def broken():
        raise SpecError("presets/attacks/x.toml: title is missing.")

    monkeypatch.setattr(methods, "attack_presets", broken)
    qtbot.mouseClick(form.presets, LEFT)
    assert form.presets.finder.help.text() == "presets/attacks/x.toml: title is missing."
    qtbot.keyClick(form.presets.finder.line, Qt.Key.Key_Return)
    assert form.said == []
