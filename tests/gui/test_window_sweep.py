"""A person sweeps: chooses what varies, runs it, takes points out and back, opens one, leaves, and comes back to it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pace
import pytest
from person import TINY
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from sweep_files import grid, made
from test_window_drop import drop

from engine.events import Events
from engine.paths import working_copies
from engine.session import Session, pack
from engine.specs import AxisSpec, ExperimentSpec, IdxSpec, MlpSpec, SweepSpec, TrainingSpec
from engine.sweep.run import sweep
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome
from gui.sweeps import Computer

REAL = TINY.model_copy(
    update={"model": MlpSpec(depth=1, width=8), "training": TrainingSpec(epochs=1, learning_rate=0.01)}
)
PATIENCE = 180_000  # ms; a worker loads torch first
gate = threading.Event()


def quick(spec: ExperimentSpec, _reach: str, _geometry: bool) -> Iterator[None]:
    """Measures nothing, at once; seed 3 and above wait for the gate."""
    while spec.seed >= 3 and not gate.is_set():
        time.sleep(0.002)
        yield None
    if spec.seed == 1:
        raise ValueError("one is a bad seed")
    return SimpleNamespace(row={"test_accuracy": spec.seed / 10, "seconds": 0.0}, weights={})


def threads(store: SweepStore, _computer: Computer) -> Events:
    """The sweep in two threads of this process."""
    with ThreadPoolExecutor(2) as pool:
        yield from sweep(store, pool, 2, measure=f"{__name__}:quick")


@pytest.fixture
def quickly(monkeypatch):
    """Points are computed here, at once or when the gate opens."""
    from engine.sweep import work

    gate.clear()
    monkeypatch.setattr(work, "_function", lambda _name: quick)
    monkeypatch.setattr("gui.sweeps.events_of", threads)
    yield gate
    gate.set()


def seeds(count: int, **others) -> ExperimentSpec:
    axes = (AxisSpec(field="seed", values=tuple(range(count))),)
    return TINY.model_copy(update={"sweep": SweepSpec(axes=axes, **others)})


def counts(window) -> dict[str, int]:
    window.sweep_desk.sweeps.tick()
    return {status: n for status, n in window.docks.sweep.model.counts.items() if n}


def is_idle(window) -> bool:
    desk = window.sweep_desk
    return desk.sweeps.state == "idle" and not desk.sweeps.busy


def sit(open_lab, file=None, **how):
    """At a window whose engine is not needed, but whose files are."""
    person = open_lab(file, start=False, **how)
    person.window.bridge.start()
    return person


def add_axis(person, typed: str, values: str):
    """Choose a field from the list by typing, and type its values."""
    axes = person.window.axes
    person.click(axes.add_button)
    person.wait(axes.finder.isVisible)
    person.qtbot.keyClicks(axes.finder.line, typed)
    QTest.keyClick(axes.finder.line, Qt.Key.Key_Return)
    person.wait(lambda: not axes.finder.isVisible())
    person.come_back()
    row = axes.rows[-1]
    person.press("Ctrl+A", row.line)
    person.qtbot.keyClicks(row.line, values)
    return row


# --- the axes --------------------------------------------------------------------------------------------------


def test_axes_are_chosen_typed_and_undone(open_lab):
    person = sit(open_lab)
    window = person.window
    person.step("sweep")
    form, axes = window.step_forms["sweep"], window.axes
    assert not form.action_button.isEnabled() and form.action_button.text() == "Run sweep"

    width = add_axis(person, "model.width", "4, 8, 16")
    assert width.words.text() == "3 values: 4, 8, 16" and not width.wrong
    rate = add_axis(person, "learning", "1e-4 .. 1e-1 : 4 log")
    assert rate.field == "training.learning_rate" and rate.words.text() == "4 values: 0.0001, 0.001, 0.01, 0.1"
    assert window.editor.spec.sweep.axes[1] == AxisSpec(
        field="training.learning_rate", low=1e-4, high=1e-1, count=4, scale="log"
    )
    assert form.action_button.text() == "Run sweep of 12 points" and form.action_button.isEnabled()
    person.wait(lambda: form._note.text().startswith("= 12 points: about"))

    # what cannot be used is said at once, and the sweep keeps what was last right
    person.press("Ctrl+A", width.line)
    person.qtbot.keyClicks(width.line, "4, wide")
    assert width.wrong and "'wide' is not a whole number" in width.words.text()
    assert not form.action_button.isEnabled() and window.editor.spec.sweep.axes[0].values == (4,)
    person.press("Ctrl+A", width.line)
    person.qtbot.keyClicks(width.line, "4, 1000000")
    assert width.wrong and "Such points fail." in width.words.text() and form.action_button.isEnabled()
    person.press("Ctrl+A", width.line)
    person.qtbot.keyClicks(width.line, "1 .. 8 : 8")
    assert width.words.text() == "8 values: 1, 2, 3, …, 8"

    # reorder, remove, and take all of it back
    person.click(rate.up_button)
    assert [axis.field for axis in window.editor.spec.sweep.axes] == ["training.learning_rate", "model.width"]
    QTest.keyClick(rate.line, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert [row.field for row in axes.rows] == ["model.width", "training.learning_rate"]
    person.click(width.remove_button)
    assert [row.field for row in axes.rows] == ["training.learning_rate"]
    person.press("Ctrl+Z")
    assert (axes.rows[0].field, axes.rows[0].text) == ("model.width", "1 .. 8 : 8")
    while window.editor.undo_stack.canUndo():
        person.press("Ctrl+Z")
    assert axes.rows == [] and window.editor.spec.sweep.axes == ()


def test_a_field_has_one_axis_and_a_random_sample_draws_from_its_range(open_lab):
    person = sit(open_lab, spec=seeds(3))
    window = person.window
    person.step("sweep")
    rate = add_axis(person, "training.learning", "1e-4 .. 1e-1 : 4 log")
    person.choose(window.step_forms["sweep"].forms[1].field("mode"), "random")
    assert rate.words.text() == "drawn at random between 0.0001 and 0.1, evenly in its logarithm"
    assert window.step_forms["sweep"].action_button.text() == "Run sweep of 100 points"
    before = window.editor.spec.sweep.axes
    person.click(window.axes.add_button)
    person.qtbot.keyClicks(window.axes.finder.line, "seed")
    QTest.keyClick(window.axes.finder.line, Qt.Key.Key_Return)
    assert window.editor.spec.sweep.axes == before and len(window.axes.rows) == 2
    assert window.axes.rows[0].line.selectedText() == "0, 1, 2"


def test_what_this_computer_gives_is_remembered_and_no_part_of_the_experiment(open_lab):
    person = sit(open_lab, spec=seeds(2))
    window = person.window
    person.step("sweep")
    before = window.editor.spec
    field = window.machine.field("workers")
    person.click(field)
    person.press("Ctrl+A", field)
    person.qtbot.keyClicks(field, "3")
    assert window.settings.values.workers == 3 and window.editor.spec == before


# --- running ---------------------------------------------------------------------------------------------------


def test_a_small_real_sweep_equals_the_engines_own_run_and_its_point_opens_as_a_session(open_lab, tmp_path):
    person = open_lab(spec=REAL)
    window, panel = person.window, person.window.docks.sweep
    window.settings.update(workers=1)
    person.step("sweep")
    add_axis(person, "model.width", "4, 8")
    add_axis(person, "seed", "0, 1")
    spec = window.editor.spec
    person.act()
    person.wait(lambda: window.sweep_desk.sweeps.state == "running", PATIENCE)
    assert panel.isVisible()

    # the last point is taken out while the others run; the session's own engine stays free meanwhile
    person.wait(lambda: counts(window).get("waiting"))
    panel.table.choose(3, 3)
    person.press("Del", panel.table)
    person.run("data")
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 3, "cancelled": 1}, PATIENCE)
    panel.table.choose(3, 3)
    panel.offer()
    panel.row_actions["retry"].trigger()
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 4}, PATIENCE)
    assert not person.notices(), person.notices()

    # the same settings by the engine alone
    with SweepStore.create(tmp_path / "own.sweep", spec) as own, ThreadPoolExecutor(1) as pool:
        for _ in sweep(own, pool, 1):
            pass
        theirs = [own.row(k).row for k in range(4)]
        weights = own.weights(2)
    store = window.sweep_desk.sweeps.store
    mine = [store.row(k).row for k in range(4)]
    for one, other in zip(mine, theirs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    panel.table.grab()
    person.wait(lambda: is_idle(window))
    shown = {panel.model.key(c): panel.model.data(panel.model.index(2, c)) for c in range(panel.model.columnCount())}
    assert shown["model.width"] == "8" and shown["test_accuracy"] == f"{theirs[2]['test_accuracy']:.4g}"

    # a point as a session: asked about unsaved work, then its network is there and can be attacked
    person.when_unsaved = "cancel"
    panel.table.choose(2, 2)
    person.press("Return", panel.table)
    person.wait_for_files()
    assert person.asked[-1] == "unsaved" and window.editor.spec == spec
    person.when_unsaved = "discard"
    person.press("Return", panel.table)
    person.wait_for_files()
    assert window.editor.spec.model.width == 8 and window.editor.spec.seed == 0
    person.wait(lambda: window.rail.is_done("train"))
    held = window.documents.session.artifact("weights", _weights_key(window.editor.spec)).arrays
    assert held.keys() == weights.keys() and all((held[name] == weights[name]).all() for name in held)
    assert window.sweep_desk.sweeps.store is store, "the sweep stays open"

    # its data and its network are shown without being asked for, and a file saved from it shows them again
    person.wait_for_job()
    assert not person.notices(), person.notices()
    assert all(window.rail.is_done(step) for step in ("data", "model", "train"))
    drawn, moments = of_session(person), person.recorded()
    by_key = {panel.key: panel for panel in window.panels}
    assert not by_key["dataset"].is_empty and not by_key["model"].is_empty
    assert f"{theirs[2]['test_accuracy']:.1%} on the test set" in by_key["training"]._empty.text()
    assert [phase for _, phase, *_ in moments][-1] == "train"
    person.saves_to = str(tmp_path / "point.rapidity")
    person.press("Ctrl+S")
    person.wait_for_files()
    window.documents.new(TINY)
    assert by_key["model"].is_empty
    person.open(tmp_path / "point.rapidity")
    assert not window.jobs.all, "nothing is made twice"
    assert of_session(person) == drawn and person.recorded() == moments
    person.run("attack")
    person.run("entangle")
    assert not by_key["gallery"].is_empty and not by_key["profile"].is_empty


def of_session(person) -> dict[str, list[str]]:
    """What the panels show of the session; Complexity follows the sweep, at its own pace."""
    return {key: rows for key, rows in person.drawn().items() if key != "complexity"}


def _weights_key(spec: ExperimentSpec) -> str:
    from engine.experiments import artifact_keys

    return artifact_keys(spec)["weights"]


def test_the_session_works_on_while_a_sweep_runs(open_lab, quickly):
    person = open_lab(spec=seeds(6))
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(person.window).get("running"))
    person.run("data")
    assert person.window.sweep_desk.sweeps.state == "running", "each has an engine of its own"
    gate.set()
    person.wait(lambda: is_idle(person.window))


def test_a_sweep_is_paused_resumed_and_stopped_and_a_failed_point_says_why(open_lab, quickly):
    person = sit(open_lab, spec=seeds(8))
    window, panel = person.window, person.window.docks.sweep
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(window).get("finished") == 2 and counts(window).get("running"))
    assert panel.pause_button.isEnabled()
    person.click(panel.pause_button)
    person.wait(lambda: window.sweep_desk.sweeps.state == "paused")
    gate.set()  # what runs is finished and kept although nothing is handed out any more
    person.wait(lambda: counts(window).get("finished", 0) >= 4)
    kept = counts(window)
    assert kept["waiting"] and window.sweep_desk.sweeps.state == "paused"
    gate.clear()
    person.click(panel.run_button)
    person.wait(lambda: counts(window).get("running"))
    began = time.perf_counter()
    person.click(panel.stop_button)
    person.wait(lambda: is_idle(window))
    assert time.perf_counter() - began < 2 * pace.slowness(pace.perf_counter)
    left = counts(window)["waiting"]
    note = window.step_forms["sweep"]._note
    person.wait(
        lambda: note.text().startswith(f"= {left} of 8 points: about") and "finished points took" in note.text()
    )
    assert window.step_forms["sweep"].action_button.text() == f"Go on with {left} point{'s' if left > 1 else ''}"
    assert "running" not in counts(window) and counts(window)["failed"] == 1
    gate.set()
    person.click(panel.run_button)
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 7, "failed": 1})
    panel.table.choose(1, 1)
    person.wait(lambda: "one is a bad seed" in panel.reason.full_text)
    assert panel.left_label.text() == "all points are done"
    assert window.status.message == "The sweep is finished: 7 of 8 points, 1 failed."

    # the step has nothing left to run but what failed
    form = window.step_forms["sweep"]
    assert form.action_button.text() == "Retry 1 failed point"
    assert form._note.text() == "All 8 points are done: 7 finished, 1 failed."
    states: list[str] = []
    window.sweep_desk.sweeps.state_changed.connect(states.append)
    person.act()
    person.wait(lambda: "running" in states and is_idle(window))
    assert counts(window) == {"finished": 7, "failed": 1}


def test_closing_the_window_loses_nothing_and_the_sweep_goes_on_where_it_was(open_lab, quickly, tmp_path):
    person = sit(open_lab, spec=seeds(6))
    window = person.window
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(window).get("finished") == 2 and counts(window).get("failed") == 1)
    path = window.sweep_desk.sweeps.path
    person.saves_to = str(tmp_path / "mine.rapidity")
    person.press("Ctrl+S")
    person.wait_for_files()
    assert person.close()
    with SweepStore.open(path) as left:
        assert left.counts()["finished"] == 2 and left.counts()["running"] == 0
    gate.set()

    # the session remembers its sweep; one press goes on
    again = sit(open_lab, tmp_path / "mine.rapidity")
    again.wait(lambda: again.notices())
    assert "wait" in again.notices()[0]
    again.click(again.window.notices.notices[0].buttons["Go on"])
    again.wait(lambda: is_idle(again.window) and counts(again.window) == {"finished": 5, "failed": 1})

    # the same settings are the same file: nothing is computed again
    started = again.window.sweep_desk.sweeps.store.row(0).started
    again.window.sweep_desk.sweeps.close_sweep()
    again.wait(lambda: again.window.sweep_desk.sweeps.state == "none")
    again.step("sweep")
    again.act()
    again.wait(lambda: again.window.sweep_desk.sweeps.path == path and is_idle(again.window))
    assert again.window.sweep_desk.sweeps.store.row(0).started == started


def test_closing_the_window_right_after_run_closes_it_and_keeps_the_file(open_lab, quickly):
    person = sit(open_lab, spec=seeds(2))
    window = person.window
    person.step("sweep")
    person.act()
    person.wait(lambda: is_idle(window) and counts(window).get("finished"))
    first = window.sweep_desk.sweeps.path

    row = window.axes.rows[0]
    person.press("Ctrl+A", row.line)
    person.qtbot.keyClicks(row.line, "0, 2, 4")
    window.step_forms["sweep"].action_button.click()  # and before its file is there
    assert window.sweep_desk.sweeps.path == first and window.sweep_desk.sweeps.busy
    assert person.close()
    (made,) = [path for path in first.parent.glob("*.sweep") if path != first]
    with SweepStore.open(made) as left:
        assert left.counts()["waiting"] == 3


def test_a_point_whose_data_are_gone_says_so_and_has_its_network_all_the_same(open_lab, tmp_path):
    spec = seeds(2).model_copy(update={"dataset": IdxSpec(folder=str(tmp_path / "nowhere"))})
    with SweepStore.create(tmp_path / "known.sweep", spec) as store:
        store.finish(Outcome(1, {"test_accuracy": 0.5, "test_samples": 10}, pack({"w": np.zeros(3, np.float32)})))
    person = open_lab()
    window = person.window
    person.open(tmp_path / "known.sweep")
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 1, "waiting": 1})
    window.notices.clear()
    window.sweep_desk.open_point(1)
    person.wait(person.notices)
    assert str(tmp_path / "nowhere") in person.notices()[0] and len(person.notices()) == 1, person.notices()
    person.wait_for_job()
    assert window.rail.is_done("train") and window.docks.sweep.model.counts["finished"] == 1


# --- files -----------------------------------------------------------------------------------------------------


def test_a_sweep_file_is_opened_dropped_copied_and_its_settings_taken(open_lab, tmp_path):
    spec = grid(("model.width", (4, 8)), ("seed", (0, 1)))
    made(tmp_path / "first.sweep", spec).close()
    made(tmp_path / "second.sweep", spec, finished=3).close()
    person = sit(open_lab)
    window, desk, panel = person.window, person.window.sweep_desk, person.window.docks.sweep
    person.open(tmp_path / "first.sweep")
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 4})
    assert panel.subtitle == "first · 4 points" and panel.isVisible() and not person.notices()
    assert drop(window, tmp_path / "second.sweep")
    person.wait(lambda: panel.subtitle == "second · 4 points" and is_idle(window))
    assert "1 point waits" in person.notices()[0]
    person.click(panel.settings_button)
    assert window.editor.spec == spec and window.rail.current == "sweep" and len(window.axes.rows) == 2
    person.press("Ctrl+Z")
    assert window.editor.spec == TINY
    desk.ask_save = lambda *_: str(tmp_path / "copy")
    window.actions_["file.save_sweep"].trigger()
    person.wait(lambda: (tmp_path / "copy.sweep").exists() and is_idle(window))
    with SweepStore.open(tmp_path / "copy.sweep") as copy:
        assert copy.counts()["finished"] == 3


def test_a_window_opened_on_a_sweep_shows_it_whatever_was_in_front_when_the_last_one_was_closed(open_lab, tmp_path):
    made(tmp_path / "known.sweep", grid(("seed", (0, 1)))).close()
    before = sit(open_lab)
    before.window.docks.show_panel("compare")
    assert before.close()
    person = sit(open_lab, tmp_path / "known.sweep")
    person.wait(lambda: is_idle(person.window) and counts(person.window) == {"finished": 2})
    assert person.window.docks.sweep.isVisible()


def test_a_point_that_is_clicked_in_the_plot_is_chosen_in_the_table(open_lab, tmp_path):
    made(tmp_path / "known.sweep").close()
    person = sit(open_lab)
    window = person.window
    person.open(tmp_path / "known.sweep")
    person.wait(lambda: is_idle(window) and window.docks.sweep.model.rowCount() == 48)
    window.docks.show_panel("complexity")
    window.docks.complexity.show_page("relate")
    person.wait(lambda: window.docks.complexity.networks is not None and is_idle(window))
    page = window.docks.complexity.relate
    person.wait(lambda: page.relation is not None)
    x, y = page.points()
    person.wait(lambda: page.plot.isVisible() and page.plot.shows(x[30], y[30]) and page.plot.pixel()[0] > 0)
    page.plot.clicked.emit(float(x[30]), float(y[30]))
    chosen = int(page.networks.ids[30])
    assert window.docks.sweep.table.chosen == [chosen]
    assert window.docks.sweep.table.currentIndex().row() == chosen and not page.open_button.isHidden()


def test_chosen_points_are_put_side_by_side_with_their_numbers_first(open_lab, tmp_path):
    store = made(tmp_path / "known.sweep", grid(("model.width", (4, 8)), ("seed", (0, 1))))
    store.close()
    person = sit(open_lab)
    window, panel, side = person.window, person.window.docks.sweep, person.window.docks.sidebyside
    person.open(tmp_path / "known.sweep")
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 4})
    panel.table.grab()
    person.wait(lambda: is_idle(window))
    panel.table.choose(1, 1)
    QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    panel.offer()
    panel.row_actions["compare"].trigger()
    person.wait(lambda: len(side.columns) == 2)
    person.wait_for_files()
    person.wait(lambda: side.is_made)
    assert window.docks.maximised == "sidebyside" and not person.notices()
    assert [c.name.full_text for c in side.columns] == ["1 · known, point 1", "2 · known, point 2"]
    assert side.table.isVisible()
    rows = {name: values for _, name, values, _ in side.table.rows()}
    assert rows["Width (units)"] == ("4", "8") and rows["Seed"] == ("1", "0") and "%" in rows["test accuracy"][0]
    assert "Effective rank" in rows and not {"id", "model.width", "seed"} & set(rows), "each setting stands there once"


# --- what goes wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"not a sweep at all", "is a text, not a sweep")])
def test_what_is_no_sweep_is_refused_in_words_and_costs_nothing(open_lab, tmp_path, content, said):
    (tmp_path / "bad.sweep").write_bytes(content)
    made(tmp_path / "known.sweep", grid(("seed", (0, 1)))).close()
    person = sit(open_lab)
    window = person.window
    person.open(tmp_path / "bad.sweep")
    person.wait(person.notices)
    assert said in person.notices()[0]
    assert window.docks.sweep.is_empty and window.sweep_desk.sweeps.state == "none"
    person.open(tmp_path / "known.sweep")
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 2})
    window.notices.clear()
    person.open(tmp_path / "bad.sweep")
    person.wait(person.notices)
    assert window.sweep_desk.sweeps.path == tmp_path / "known.sweep" and is_idle(window)


def test_opening_something_else_while_a_sweep_runs_loses_nothing(open_lab, quickly, tmp_path):
    made(tmp_path / "other.sweep", grid(("seed", (0, 1)))).close()
    other = Session.create(working_copies(), TINY)
    other.set_state("sweep", str(tmp_path / "other.sweep"))
    other.save(tmp_path / "other.rapidity")
    other.close(discard=True)
    person = sit(open_lab, spec=seeds(6))
    window, sweeps = person.window, person.window.sweep_desk.sweeps
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(window).get("finished") == 2 and counts(window).get("failed") == 1)
    store, path = sweeps.store, sweeps.path

    # its own file again, and one that is none: it runs on
    person.open(path)
    (tmp_path / "bad.sweep").write_bytes(b"no")
    person.open(tmp_path / "bad.sweep")
    person.wait(person.notices)
    person.wait(lambda: not sweeps.busy)
    assert sweeps.store is store and sweeps.state == "running"
    window.notices.clear()

    # another session, whose own sweep waits for its turn and is not forgotten
    person.open(tmp_path / "other.rapidity")
    person.wait_for_files()
    assert sweeps.store is store and sweeps.state == "running"
    assert "can be opened when the sweep that runs is done" in window.status.message
    assert window.documents.session.state("sweep") == str(tmp_path / "other.sweep")

    # another sweep, or other settings: it is asked first whether this one may be stopped
    asked: list[str] = []
    window.sweep_desk.ask_stop = lambda _window, sentence: bool(asked.append(sentence))
    person.open(tmp_path / "other.sweep")
    person.wait(lambda: asked and not sweeps.busy)
    assert sweeps.store is store and sweeps.state == "running"
    before = sorted(path.parent.iterdir())
    window.editor.replace(seeds(7), "Another sweep")
    person.step("sweep")
    assert window.step_forms["sweep"].action_button.text() == "Run sweep of 7 points"
    person.act()
    person.wait(lambda: len(asked) == 2 and not sweeps.busy)
    assert sweeps.store is store and sweeps.state == "running" and sorted(path.parent.iterdir()) == before
    for sentence in asked:
        assert f"“{path.stem}” is under way: 3 of 6 points are done." in sentence and str(path) in sentence

    # this one is stopped then, and keeps what is finished
    window.sweep_desk.ask_stop = lambda *_: True
    person.open(tmp_path / "other.sweep")
    person.wait(lambda: sweeps.path == tmp_path / "other.sweep" and is_idle(window))
    with SweepStore.open(path) as left:
        assert left.counts()["finished"] == 2 and left.counts()["running"] == 0


def test_a_sweep_that_another_program_runs_is_watched_and_says_so_when_it_is_to_be_run(open_lab, quickly, tmp_path):
    with made(tmp_path / "theirs.sweep", seeds(4), finished=2) as theirs, theirs.claimed(to_run=True):
        person = sit(open_lab)
        window = person.window
        person.open(tmp_path / "theirs.sweep")
        person.wait(lambda: is_idle(window) and counts(window) == {"finished": 2, "waiting": 2})
        theirs.start(2)
        person.wait(lambda: counts(window) == {"finished": 2, "running": 1, "waiting": 1})
        window.notices.clear()
        window.sweep_desk.resume()
        person.wait(person.notices)
        assert person.notices()[0].startswith("Another program runs the sweep")
        window.notices.clear()
        window.docks.sweep.cancel_requested.emit([3])
        person.wait(person.notices)
        assert person.notices()[0].startswith("Another program runs the sweep")
        assert theirs.counts()["running"] == 1 and theirs.counts()["waiting"] == 1


def test_a_running_sweep_whose_file_is_moved_is_paused_and_can_be_saved_or_put_back(open_lab, quickly, tmp_path):
    person = sit(open_lab, spec=seeds(6))
    window, sweeps = person.window, person.window.sweep_desk.sweeps
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(window).get("finished") == 2 and counts(window).get("failed") == 1)
    path = sweeps.path
    path.rename(tmp_path / "away.sweep")
    person.wait(lambda: person.notices() and sweeps.state == "paused")
    assert f"not at {path} any more" in person.notices()[0] and len(person.notices()) == 1
    gate.set()  # what runs by now is kept too
    person.wait(lambda: counts(window)["finished"] > 2 and "running" not in counts(window))
    kept = counts(window)["finished"]
    window.sweep_desk.ask_save = lambda *_: str(tmp_path / "saved.sweep")
    person.click(window.notices.notices[0].buttons["Save a copy…"])
    person.wait(lambda: (tmp_path / "saved.sweep").exists() and not sweeps.busy)
    with SweepStore.open(tmp_path / "saved.sweep") as saved:
        assert saved.counts()["finished"] >= kept, "one that was not noted as running may have come since"
    # it is not run while nobody would find what comes of it
    window.sweep_desk.resume()
    assert sweeps.state == "paused" and f"not at {path} any more" in person.notices()[0]
    (tmp_path / "away.sweep").rename(path)
    person.wait(lambda: not person.notices())
    window.sweep_desk.resume()
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 5, "failed": 1})


def test_a_disk_that_fills_up_stops_the_sweep_with_a_sentence_and_it_goes_on_when_there_is_room(
    open_lab, quickly, monkeypatch
):
    from engine.sweep import work

    def heavy(spec: ExperimentSpec, reach: str, geometry: bool) -> Iterator[None]:
        found = yield from quick(spec, reach, geometry)
        if spec.seed >= 3:
            found.weights["w"] = np.zeros(10**6, np.float32)
        return found

    monkeypatch.setattr(work, "_function", lambda _name: heavy)
    person = sit(open_lab, spec=seeds(6))
    window, sweeps = person.window, person.window.sweep_desk.sweeps
    person.step("sweep")
    person.act()
    person.wait(lambda: counts(window).get("finished") == 2)
    with sweeps.store._database.setup() as connection:
        connection.execute("PRAGMA max_page_count = 1")
    gate.set()
    person.wait(person.notices)
    assert "the disk is full. Free some space" in person.notices()[0] and "finished stays" in person.notices()[0]
    person.wait(lambda: is_idle(window))
    assert counts(window)["finished"] == 2 and "running" not in counts(window)
    with sweeps.store._database.setup() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    person.wait(lambda: window.step_forms["sweep"].action_button.text() == "Go on with 3 points")
    person.act()
    person.wait(lambda: is_idle(window) and counts(window) == {"finished": 5, "failed": 1})


def test_a_session_whose_sweep_was_deleted_says_so(open_lab, tmp_path):
    session = Session.create(working_copies(), TINY)
    session.set_state("sweep", str(tmp_path / "gone.sweep"))
    session.save(tmp_path / "mine.rapidity")
    session.close(discard=True)
    person = sit(open_lab, tmp_path / "mine.rapidity")
    person.wait(person.notices)
    assert f"not at {tmp_path / 'gone.sweep'} any more" in person.notices()[0]
    assert person.window.sweep_desk.sweeps.state == "none"


def test_a_scheduler_that_nobody_answers_at_is_told(open_lab):
    person = sit(open_lab, spec=seeds(2))
    person.window.settings.update(scheduler="tcp://127.0.0.1:9")
    person.step("sweep")
    person.act()
    person.wait(person.notices, PATIENCE)
    assert "distributed" in person.notices()[0] or "127.0.0.1:9" in person.notices()[0]
    person.wait(lambda: is_idle(person.window))
    assert counts(person.window) == {"waiting": 2}


def test_a_large_grid_asks_first_and_tells_its_cost(open_lab, quickly):
    person = sit(open_lab, spec=seeds(10_000))
    window = person.window
    asked: list[str] = []
    window.sweep_desk.ask_large = lambda _window, sentence: bool(asked.append(sentence))
    person.step("sweep")
    person.act()
    person.wait(lambda: asked)
    assert asked[0].startswith("10,000 points: about ") and window.sweep_desk.sweeps.state == "none"
    window.sweep_desk.ask_large = lambda *_: True
    person.act()
    person.wait(lambda: window.sweep_desk.sweeps.state == "running")
    window.actions_["run.sweep_stop"].trigger()
    person.wait(lambda: is_idle(window))


def test_a_file_that_is_taken_away_is_told_once_and_the_window_stays_usable(open_lab, tmp_path):
    folder: Path = tmp_path / "gone"
    folder.mkdir()
    made(folder / "known.sweep").close()
    person = sit(open_lab)
    window = person.window
    person.open(folder / "known.sweep")
    person.wait(lambda: is_idle(window))
    shutil.rmtree(folder)
    window.docks.sweep.table.horizontalHeader().setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    window.docks.sweep.table.grab()
    QCoreApplication.processEvents()
    person.step("data")
    assert window.rail.current == "data"
