"""Closing the window: while training, with unsaved work, and what is asked."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pace
import pytest
from person import LONG
from shiboken6 import getCppPointer
from sweep_files import made

from engine.session import Session, recoverable
from gui.panels.complexity.panel import AGAINST, RELATE


def train_a_while(person) -> None:
    person.step("train")
    person.act()
    person.wait(lambda: len(person.window.stage.table("steps")) > 20)


@pytest.fixture
def busy(open_lab, tmp_path):
    """A person whose window trains."""
    person = open_lab(spec=LONG)
    person.saves_to = str(tmp_path / "kept.rapidity")
    train_a_while(person)
    return person


def test_closing_while_training_ends_cleanly_and_the_saved_run_can_be_read(busy, tmp_path):
    busy.when_unsaved = "save"
    seen = busy.window.stage.table("steps").column("loss").tolist()
    began = time.perf_counter()
    assert busy.close()
    assert time.perf_counter() - began < 5 * pace.slowness(pace.perf_counter)
    assert busy.asked == ["unsaved", "save"]
    names = [t.name for t in threading.enumerate()]
    assert not [n for n in names if n == "engine" or n.startswith(("files", "recorder"))], names
    with Session.open(tmp_path / "kept.rapidity", tmp_path / "copies") as session:
        (run,) = session.runs()
        assert (run.experiment, run.status) == ("train", "interrupted")
        steps = session.table(run.id, "steps")
        assert steps.column("loss").tolist()[: len(seen)] == seen, "nothing that was on screen is lost"
        assert steps.column("step").tolist() == list(range(1, len(steps) + 1))
        assert {"profile", "matrix/clean"} <= set(session.instants(run.id)[-1].topics)


def test_everything_recorded_up_to_the_end_is_in_the_file(busy, tmp_path):
    busy.when_unsaved = "save"
    heard = []
    recorder_for = busy.window.lab.engine.mailbox.post

    def listen(job, event):
        heard.append(event)
        return recorder_for(job, event)

    busy.window.lab.mailbox.post = listen
    busy.wait(lambda: len(heard) > 50)
    assert busy.close()
    rows = [event.row["loss"] for event in heard if getattr(event, "table", "") == "steps"]
    with Session.open(tmp_path / "kept.rapidity", tmp_path / "copies") as session:
        assert session.table(1, "steps").column("loss").tolist()[-len(rows) :] == rows


def test_closing_and_discarding_leaves_nothing_behind(busy, home):
    busy.when_unsaved = "discard"
    assert busy.close()
    assert busy.asked == ["unsaved"]
    assert list((home / "sessions").iterdir()) == []
    assert recoverable(home / "sessions") == []


def test_cancel_keeps_the_window_and_the_training_goes_on(busy):
    busy.when_unsaved = "cancel"
    assert not busy.close()
    assert busy.window.isVisible()
    rows = len(busy.window.stage.table("steps"))
    busy.wait(lambda: busy.window.jobs.state == "running" and len(busy.window.stage.table("steps")) > rows + 20)


def test_a_save_that_is_not_given_a_name_keeps_the_window(busy):
    busy.when_unsaved = "save"
    busy.saves_to = ""
    assert not busy.close()
    busy.wait(lambda: busy.window.jobs.state == "running")


def test_a_paused_job_stays_paused_when_the_close_is_cancelled(busy):
    busy.press("F6")
    busy.wait(lambda: busy.window.jobs.state == "paused")
    busy.when_unsaved = "cancel"
    assert not busy.close()
    rows = len(busy.window.stage.table("steps"))
    busy.window.bridge.tick()
    assert busy.window.jobs.state == "paused"
    assert len(busy.window.stage.table("steps")) == rows


def test_nothing_is_asked_where_nothing_was_changed(person, window):
    person.step("train")
    assert person.close()
    assert person.asked == []


def test_edited_settings_are_not_dropped_unasked(person, window):
    person.step("train")
    person.type("training", "epochs", "7")
    assert person.close()
    assert len(person.asked) == 1


def test_nothing_is_asked_where_everything_is_saved(person, tmp_path):
    person.run("data")
    person.saves_to = str(tmp_path / "a.rapidity")
    person.press("Ctrl+S")
    person.wait_for_files()
    assert person.close()
    assert person.asked == ["save"]


def test_closing_before_the_engine_is_ready(open_lab):
    person = open_lab(start=False)
    person.window.start()
    assert person.close()


def test_a_closed_window_leaves_no_widget_in_memory(open_lab, qapp):
    """Panels hold much: what keeps one of them alive keeps them all."""
    before = {getCppPointer(widget) for widget in qapp.allWidgets()}  # what Python has of a widget may be made anew
    person = open_lab()
    person.run("data")
    window = weakref.ref(person.window)
    person.leave()
    del person.window
    gc.collect()
    assert window() is None
    assert [type(widget).__name__ for widget in qapp.allWidgets() if getCppPointer(widget) not in before] == []


def look_at_networks(person, path) -> None:
    """Open a sweep and both pages of the Complexity panel."""
    person.open(path)
    panel = person.window.docks.complexity
    person.window.docks.show_panel("complexity")
    for page in (AGAINST, RELATE):
        panel.show_page(page)
        person.wait(lambda: panel.networks is not None and panel.page.at_rest)


def test_a_closed_window_on_a_sweep_leaves_no_widget_in_memory(open_lab, qapp, tmp_path):
    made(tmp_path / "known.sweep").close()
    before = {getCppPointer(widget) for widget in qapp.allWidgets()}
    person = open_lab(start=False)
    person.window.bridge.start()
    look_at_networks(person, tmp_path / "known.sweep")
    window = weakref.ref(person.window)
    person.leave()
    del person.window
    gc.collect()
    assert window() is None
    assert [type(widget).__name__ for widget in qapp.allWidgets() if getCppPointer(widget) not in before] == []
