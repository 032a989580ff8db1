"""Side by side in the window: opened by clicking, files dropped on it, and what it leaves behind."""

from __future__ import annotations

import shutil

import pytest
from person import TINY, run_headless
from test_window_drop import drop

from engine.paths import working_copies
from engine.specs import PgdSpec

OTHER = TINY.model_copy(
    update={"title": "Other", "attack": PgdSpec(eps=0.2, alpha=0.1, steps=4, samples=16), "seed": 5}
)


@pytest.fixture(scope="session")
def other_file(tmp_path_factory):
    return run_headless(tmp_path_factory.mktemp("other") / "other.rapidity", OTHER, "story")


@pytest.fixture
def side(window):
    return window.docks.sidebyside


def copies():
    return sorted(folder.name for folder in working_copies().iterdir() if folder.is_dir())


def wait(person, side):
    person.wait_for_files()
    person.wait(lambda: side.is_made)


def test_two_sessions_are_opened_by_clicking_zoomed_together_and_leave_nothing(
    person, window, side, story_file, other_file
):
    own = copies()
    person.step("compare")
    window.actions_["view.side_by_side"].trigger()
    assert window.docks.maximised == "sidebyside"
    assert not window.step_stack.isVisible() and not window.inspector.isVisible()
    files = iter([str(story_file), str(other_file)])
    window.columns.ask_open = lambda *_: next(files)
    person.click(side.first_file_button)
    wait(person, side)
    side.file_action.trigger()
    wait(person, side)
    assert [column.name.full_text for column in side.columns] == ["1 · story, run 1", "2 · other, run 1"]
    assert copies() == own  # both were closed again

    # one axis for both
    a, b = (each.plot for each in side.panels())
    assert a.getViewBox().viewRange() == b.getViewBox().viewRange()
    person.qtbot.keyClicks(a, "+")
    assert a.zoomed and a.getViewBox().viewRange() == b.getViewBox().viewRange()
    a.home()

    # what differs, and what of it is unfair
    person.click(side.page_choice.button("differences"))
    rows = {name: (values, mark) for _, name, values, mark in side.table.rows()}
    assert rows["Seed"] == (("0", "5"), "other seed")
    assert rows["ε (input units)"] == (("0.3", "0.2"), "other eps")
    assert "[" in rows["test accuracy"][0][0]
    person.click(side.page_choice.button("panels"))

    # another kind of panel, then each goes
    side.set_kind("training")
    wait(person, side)
    assert [each.key for each in side.panels()] == ["training", "training"]
    person.click(side.columns[0].remove_button)
    wait(person, side)
    assert [column.name.full_text for column in side.columns] == ["1 · other, run 1"]
    person.click(side.columns[0].remove_button)
    assert side.is_empty
    assert window.columns._contents == {}
    person.step("data")
    assert window.docks.maximised == "" and window.step_stack.isVisible() and window.inspector.isVisible()


def test_a_session_dropped_on_it_is_added_and_the_open_one_stays(person, window, side, story_file):
    session = window.documents.session
    window.navigation.show_side_by_side()
    assert drop(side, story_file)
    wait(person, side)
    assert window.documents.session is session
    assert [column.source.label for column in side.columns] == ["story"]
    side.set_kind("profile")
    assert drop(side.panels()[0].plot.viewport(), story_file)  # the same file stands there already
    assert len(window.columns.sources) == 1
    drop(side, story_file.with_suffix(".png"))  # what is no session is the window's to refuse
    assert len(window.columns.sources) == 1
    assert "cannot be opened here" in person.notices()[0]


def test_runs_of_this_session_stand_beside_files_and_go_with_it(person, window, side, story_file, other_file, tmp_path):
    copy = tmp_path / "copy.rapidity"
    shutil.copy(story_file, copy)
    person.open(copy)
    window.compare.choose(1, None)
    window.docks.show_panel("compare")
    person.click(window.compare.side_button)
    assert window.docks.maximised == "sidebyside"
    side.dropped.emit([other_file])
    wait(person, side)
    assert [column.source.label for column in side.columns] == ["run 1", "other"]
    side.runs_menu.aboutToShow.emit()
    assert [action.isEnabled() for action in side.runs_menu.actions()] == [False]  # it is there already
    first = side.columns[0].source.key
    side.move_wanted.emit(first, 1)
    wait(person, side)
    assert [column.source.label for column in side.columns] == ["other", "run 1"]
    person.open(story_file)
    wait(person, side)
    assert [column.source.label for column in side.columns] == ["other"]


def test_a_file_that_cannot_be_read_says_so_in_its_column(person, window, side, story_file, tmp_path):
    own = copies()
    bad = tmp_path / "bad.rapidity"
    bad.write_bytes(story_file.read_bytes()[:4000])
    window.navigation.show_side_by_side()
    side.dropped.emit([bad, story_file])
    wait(person, side)
    assert "bad" in side.columns[0].message.text() and side.columns[0].panel is None
    assert side.columns[1].panel is not None
    assert person.notices() == []
    assert copies() == own


def test_a_source_removed_before_it_was_read_is_never_opened(person, window, side, story_file):
    window.navigation.show_side_by_side()
    side.dropped.emit([story_file])
    side.remove_wanted.emit(side.columns[0].source.key)
    person.wait_for_files()
    assert side.is_empty and window.columns._contents == {}


def test_sources_are_compared_by_whoever_has_them(person, window, side, story_file, other_file):
    from gui.sidebyside import Source

    window.beside.compare([Source.of_file(story_file), Source.of_file(other_file)])
    wait(person, side)
    assert len(side.panels()) == 2
    kept = side.panels()[1]
    window.beside.compare([Source.of_file(other_file)])
    wait(person, side)
    assert side.panels() == [kept]
