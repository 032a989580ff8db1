import numpy as np
import pytest

from gui.selection import Selection


def record(selection):
    said = []
    selection.sample_changed.connect(lambda value: said.append(("sample", value)))
    selection.pair_changed.connect(lambda value: said.append(("pair", value)))
    selection.tap_changed.connect(lambda value: said.append(("tap", value)))
    selection.klass_changed.connect(lambda value: said.append(("klass", value)))
    selection.view_changed.connect(lambda value: said.append(("view", value)))
    selection.changed.connect(lambda value: said.append(("changed", value)))
    return said


def test_each_choice_is_told_once_with_its_value(qapp):
    selection = Selection()
    said = record(selection)
    selection.set_sample(np.int64(3))
    selection.set_sample(3)
    selection.set_pair((4, -1))
    selection.set_tap("relu 2")
    selection.set_klass(7)
    selection.set_view("uncentred")
    assert [entry for entry in said if entry[0] != "changed"] == [
        ("sample", 3), ("pair", (4, -1)), ("tap", "relu 2"), ("klass", 7), ("view", "uncentred"),
    ]  # fmt: skip
    assert [value for name, value in said if name == "changed"] == ["sample", "pair", "tap", "klass", "view"]
    assert type(selection.sample) is int
    assert selection.view_index == 1


def test_choosing_the_same_sample_again_after_a_pair_brings_it_back_to_the_front(qapp):
    selection = Selection()
    selection.set_sample(3)
    selection.set_pair((1, 2))
    said = record(selection)
    selection.set_sample(3)
    assert said == [("changed", "sample")]
    assert selection.latest == "sample"


def test_clear_chooses_nothing_and_keeps_the_view(qapp):
    selection = Selection()
    selection.set_sample(3)
    selection.set_view("uncentred")
    selection.clear()
    assert (selection.sample, selection.pair, selection.tap, selection.klass) == (None, None, None, None)
    assert selection.latest is None
    assert selection.view == "uncentred"


def test_an_unknown_view_is_refused(qapp):
    with pytest.raises(ValueError, match="centred and uncentred"):
        Selection().set_view("sideways")


def test_listeners_already_see_the_new_state_when_they_are_told(qapp):
    selection = Selection()
    seen = []
    selection.sample_changed.connect(lambda _: seen.append((selection.sample, selection.latest)))
    selection.set_sample(5)
    assert seen == [(5, "sample")]
