"""Panels take turns: one a tick, only those that can be seen, only what is new."""

from __future__ import annotations

import numpy as np
import pytest

from engine.events import Frame, Record
from engine.runtime import Delivery
from engine.session import Session
from engine.specs import ExperimentSpec
from gui import redraw
from gui.panels.base import Panel
from gui.redraw import Rotation
from gui.stage import Stage, read_opening


class Watched(Panel):
    """Writes down what it is told."""

    def __init__(self, selection, theme) -> None:
        super().__init__(selection, theme)
        self.told: list[str] = []

    def show_frame(self, frame: Frame) -> None:
        self.told.append(frame.topic)

    def show_records(self, name: str, table) -> None:
        self.told.append(f"{name} {len(table)}")

    def clear(self) -> None:
        self.told.append("clear")


class First(Watched):
    topics = ("profile",)


class Second(Watched):
    topics = ("profile", "gallery")
    tables = ("steps",)


def frame(topic: str, phase="train") -> Frame:
    return Frame(topic, phase, 1, {"x": np.zeros(1)}, {})


def row(step: int) -> Record:
    return Record("steps", {"step": step})


@pytest.fixture
def stage(qapp, tmp_path):
    with Session.create(tmp_path, ExperimentSpec()) as session:
        yield Stage(session)


@pytest.fixture
def panels(qtbot, selection, theme):
    made = [First(selection, theme), Second(selection, theme)]
    for panel in made:
        qtbot.addWidget(panel)
        panel.show()
    return made


@pytest.fixture
def rotation(panels, stage):
    return Rotation(panels, stage)


def told(panels) -> list[list[str]]:
    found = [list(panel.told) for panel in panels]
    for panel in panels:
        panel.told.clear()
    return found


def test_one_panel_a_tick_and_each_in_its_turn(rotation, panels, stage):
    stage.take(Delivery(frames={"profile": frame("profile")}))
    assert rotation.draw_one()
    assert told(panels) == [["profile"], []]
    assert rotation.draw_one()
    assert told(panels) == [[], ["profile"]]
    assert not rotation.draw_one()
    assert told(panels) == [[], []]


def test_a_busy_panel_does_not_keep_the_others_from_their_turn(rotation, panels, stage):
    for _ in range(4):
        stage.take(Delivery(frames={"profile": frame("profile")}))
        rotation.draw_one()
    assert told(panels) == [["profile", "profile"], ["profile", "profile"]]


def test_many_frames_between_two_turns_are_drawn_once(rotation, panels, stage):
    for step in range(10):
        stage.take(Delivery(frames={"profile": frame("profile")}, records=[row(step)]))
    rotation.draw_one()
    rotation.draw_one()
    assert told(panels) == [["profile"], ["steps 10", "profile"]]


def test_only_what_is_new_is_drawn(rotation, panels, stage):
    stage.take(Delivery(frames={"profile": frame("profile"), "gallery": frame("gallery", "attack")}))
    rotation.draw_all()
    told(panels)
    stage.take(Delivery(frames={"gallery": frame("gallery", "attack")}))
    rotation.draw_all()
    assert told(panels) == [[], ["gallery"]]


def test_a_hidden_panel_is_drawn_when_it_is_seen_again(rotation, panels, stage):
    panels[0].hide()
    stage.take(Delivery(frames={"profile": frame("profile")}))
    assert rotation.draw_one()
    assert not rotation.draw_one()
    assert told(panels) == [[], ["profile"]]
    panels[0].show()
    assert rotation.draw_one()
    assert told(panels) == [["profile"], []]


def test_what_is_not_there_any_more_leaves_the_panel_with_the_rest(rotation, panels, stage):
    stage.take(Delivery(frames={"profile": frame("profile"), "gallery": frame("gallery", "attack")}, records=[row(1)]))
    rotation.draw_all()
    told(panels)
    stage.take(Delivery(frames={"profile": frame("profile")}))  # a new training: the attack is gone
    rotation.draw_all()
    assert told(panels) == [["profile"], ["clear", "steps 1", "profile"]]


class Curves(Watched):
    tables = ("steps",)


def test_a_moment_before_the_first_row_leaves_the_curves_empty(qtbot, selection, theme, stage):
    panels = [Curves(selection, theme)]
    qtbot.addWidget(panels[0])
    rotation = Rotation(panels, stage)
    session = stage.session
    for events in ([frame("dataset", "data")], [row(1), frame("profile")]):
        recorder = session.recorder(session.begin_run("x", ExperimentSpec()))
        for event in events:
            recorder.put(event)
        recorder.close("finished")
    stage.attach(read_opening(session))
    rotation.draw_all()
    assert told(panels)[0][-1] == "steps 1"
    stage.go_to(stage.instants[0].id)
    rotation.draw_all()
    assert told(panels) == [["clear"]]
    stage.go_live()
    rotation.draw_all()
    assert told(panels) == [["steps 1"]]


def test_another_session_clears_every_panel(rotation, panels, stage, tmp_path):
    stage.take(Delivery(frames={"profile": frame("profile")}))
    with Session.create(tmp_path / "other", ExperimentSpec()) as other:
        stage.attach(read_opening(other))
        assert told(panels) == [["clear"], ["clear"]]
        assert not rotation.draw_one(), "what was new in the session before is not drawn in this one"


def test_while_the_engine_works_drawing_keeps_to_its_share_of_the_time(rotation, panels, stage, monkeypatch, qtbot):
    now = [100.0]
    monkeypatch.setattr(redraw, "perf_counter", lambda: now[0])
    monkeypatch.setattr(First, "show_frame", lambda *_: now.__setitem__(0, now[0] + 0.007))
    stage.take(Delivery(frames={"profile": frame("profile")}))
    assert rotation.draw_one(sparing=True)
    qtbot.waitUntil(lambda: rotation._not_before > 0)
    stage.take(Delivery(frames={"profile": frame("profile")}))
    assert not rotation.draw_one(sparing=True)
    assert rotation.draw_one(), "a person who looks at the past need not wait"
    qtbot.waitUntil(lambda: rotation._not_before > 0)
    now[0] += 0.007 / redraw.SHARE
    assert rotation.draw_one(sparing=True)
