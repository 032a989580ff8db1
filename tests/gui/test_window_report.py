"""The report and the settings file, from the window."""

from __future__ import annotations

from engine.spec_files import load_spec


def test_the_report_is_written_beside_the_work_and_offered_to_be_opened(open_lab, story_file, tmp_path, monkeypatch):
    person = open_lab(story_file)
    window = person.window
    opened = []
    monkeypatch.setattr("gui.reporting.open_page", opened.append)
    window.reporting.ask_folder = lambda *_: str(tmp_path / "report")
    person.step("report")
    person.act()
    person.wait_for_files()
    page = tmp_path / "report" / "report.html"
    assert page.read_text(encoding="utf-8").count("<svg") == 6
    (notice,) = window.notices.notices
    assert str(page) in notice.text
    person.click(notice.buttons["Open"])
    assert opened == [page]
    assert person.notices() == []


def test_a_report_of_nothing_is_refused_in_words(person, window):
    person.step("report")
    person.act()
    assert "Run a step first" in person.notices()[0]


def test_a_report_that_cannot_be_written_is_told(open_lab, story_file, tmp_path):
    (tmp_path / "taken").write_text("a file")
    person = open_lab(story_file)
    person.window.reporting.ask_folder = lambda *_: str(tmp_path / "taken")
    person.step("report")
    person.act()
    person.wait_for_files()
    assert "could not be written" in person.notices()[0]


def test_settings_are_exported_and_imported(person, window, tmp_path):
    file = tmp_path / "mine.toml"
    person.step("train")
    person.type("training", "epochs", "9")
    person.saves_to = str(file)
    window.actions_["file.export_spec"].trigger()
    assert load_spec(file) == window.editor.spec
    file.write_text(file.read_text(encoding="utf-8").replace("epochs = 9", "epochs = 11"), encoding="utf-8")
    person.opens = str(file)
    window.actions_["file.import_spec"].trigger()
    assert window.editor.spec.training.epochs == 11
    assert person.form("training").field("epochs").text() == "11"


def test_settings_that_cannot_be_written_are_told(person, window, tmp_path):
    person.saves_to = str(tmp_path / "gone" / "mine.toml")
    window.actions_["file.export_spec"].trigger()
    assert "could not be written" in person.notices()[0]
