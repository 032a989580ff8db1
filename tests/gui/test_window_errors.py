"""What goes wrong is said in a sentence, and the lab goes on."""

from __future__ import annotations

from person import TINY
from PySide6.QtWidgets import QPlainTextEdit

from engine.specs import GaussianNoiseSpec, IdxSpec, LinearSpec, ProbeSpec, TrainingSpec


def test_a_missing_idx_folder_is_told_and_the_next_run_works(open_lab, tmp_path):
    person = open_lab(spec=TINY.model_copy(update={"dataset": IdxSpec(folder=str(tmp_path / "gone"))}))
    window = person.window
    person.step("train")
    window.runner.run_step("train")
    person.wait_for_job()
    assert len(person.notices()) == 1
    assert str(tmp_path / "gone") in person.notices()[0]
    assert [run.status for run in window.lab.session.runs()] == ["failed"]
    person.click(window.notices.notices[0].close_button)
    person.step("data")
    person.choose(person.form("dataset").chooser, "digits")
    person.run("data")
    assert [run.status for run in window.lab.session.runs()] == ["failed", "finished"]


def test_an_empty_folder_is_told(open_lab, tmp_path):
    person = open_lab(spec=TINY.model_copy(update={"dataset": IdxSpec(folder=str(tmp_path))}))
    person.step("data")
    person.act()
    person.wait_for_job()
    assert str(tmp_path) in person.notices()[0]


def test_a_loss_that_is_not_a_number_is_told(open_lab):
    wild = TINY.model_copy(
        update={"model": LinearSpec(depth=3), "training": TrainingSpec(optimizer="sgd", learning_rate=100.0)}
    )
    person = open_lab(spec=wild)
    window = person.window
    person.step("train")
    person.act()
    person.wait_for_job()
    (notice,) = person.notices()
    assert "learning rate" in notice
    assert "step" in notice
    assert window.log.isVisible() or notice in window.log.text()
    assert len(window.stage.table("steps")), "what was recorded before stays on screen"
    person.type("training", "learning_rate", "0.01")
    window.notices.clear()
    person.run("train")


def test_a_bug_is_shown_with_its_traceback_and_the_lab_goes_on(person, window, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("seven by nothing")
        yield

    monkeypatch.setattr("engine.lab.open_experiment", broken)
    person.step("data")
    person.act()
    person.wait_for_job()
    (notice,) = window.notices.notices
    assert "seven by nothing" in notice.text
    assert "ZeroDivisionError" in notice.details
    assert "Traceback" in notice.details
    assert not notice.findChild(QPlainTextEdit).isVisible()
    person.click(notice.buttons["Details"])
    assert notice.findChild(QPlainTextEdit).isVisible()
    monkeypatch.undo()
    window.notices.clear()
    person.run("data")


def test_a_bug_of_the_window_itself_is_shown_too(window, person):
    try:
        raise ValueError("a button that does not know what to do")
    except ValueError as error:
        window.messages.show_exception(type(error), error, error.__traceback__)
    (notice,) = window.notices.notices
    assert "a button that does not know what to do" in notice.text
    assert "test_window_errors" in notice.details


def test_an_engine_that_cannot_start_is_told(open_lab, monkeypatch):
    def no_torch():
        raise ImportError("no torch here")

    monkeypatch.setattr("engine.lab.warm", no_torch)
    person = open_lab(start=False)
    person.window.start()
    person.wait(person.notices)
    assert "no torch here" in person.notices()[0]
    assert person.window.status.text("device") == "engine failed"


def test_a_working_copy_that_cannot_be_written_is_told_and_the_window_stays(open_lab, monkeypatch):
    from engine.errors import SessionError
    from engine.session import Recorder

    person = open_lab()
    window = person.window

    def full(*_):
        raise SessionError("the disk is full. Free some space, or use another disk.")

    monkeypatch.setattr(Recorder, "put", full)
    person.step("data")
    person.act()
    person.wait_for_job()
    assert [text for text in person.notices() if "the disk is full" in text]
    monkeypatch.undo()
    window.notices.clear()
    person.run("data")


def test_more_probe_samples_than_there_are_is_no_error(open_lab):
    small = GaussianNoiseSpec(features=4, classes=2, train_size=20, test_size=4)
    person = open_lab(spec=TINY.model_copy(update={"dataset": small, "probe": ProbeSpec(bootstrap=50)}))
    person.step("train")
    person.click(person.window.step_forms["train"].run_all_button)
    person.wait_for_job()
    assert not person.notices()
    person.drawn()
