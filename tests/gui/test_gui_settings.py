import json

import pytest

from engine import paths
from gui.settings import Settings, Values


def test_settings_live_in_the_folder_of_the_environment(home):
    assert paths.settings_file() == home / "settings.json"
    assert paths.working_copies() == home / "sessions"


def test_without_the_environment_they_live_where_the_system_keeps_them(monkeypatch):
    monkeypatch.delenv("RAPIDITY_LAB_HOME")
    assert "rapidity-lab" in str(paths.settings_file())


def test_the_first_start_has_defaults_and_writes_nothing(home):
    assert Settings().values == Values()
    assert not home.exists()


def test_what_is_saved_is_read_again(home):
    settings = Settings()
    settings.update(theme="dark", text_scale=1.25, step="attack")
    settings.save()
    assert Settings().values == settings.values
    assert json.loads((home / "settings.json").read_text())["version"] == 1
    assert [path.name for path in home.iterdir()] == ["settings.json"]


def test_one_bad_key_falls_back_alone(home):
    home.mkdir()
    bad = {"version": 1, "theme": "purple", "text_scale": True, "recent": [1], "step": "train"}
    (home / "settings.json").write_text(json.dumps(bad))
    settings = Settings()
    assert settings.values == Values(step="train")
    assert len(settings.problems) == 3
    assert any("“theme”" in problem for problem in settings.problems)


@pytest.mark.parametrize("content", ["{", "[]", "\x00\x01", "null"])
def test_a_file_that_is_no_settings_file_never_blocks_a_start(home, content):
    home.mkdir()
    (home / "settings.json").write_text(content)
    settings = Settings()
    assert settings.values == Values()
    assert len(settings.problems) == 1


def test_keys_of_a_newer_version_are_kept(home):
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"version": 9, "theme": "light", "hologram": True}))
    settings = Settings()
    assert settings.values.theme == "light"
    settings.save()
    assert json.loads((home / "settings.json").read_text())["hologram"] is True


def test_a_value_that_is_not_allowed_is_refused(home):
    with pytest.raises(ValueError, match="theme"):
        Settings().update(theme="purple")


def test_recent_files_are_latest_first_without_doubles_and_drop_what_is_gone(home, tmp_path):
    settings = Settings()
    files = [tmp_path / f"{name}.rapidity" for name in "abc"]
    for file in files:
        file.write_bytes(b"")
        settings.add_recent(file)
    settings.add_recent(files[0])
    assert settings.recent() == [files[0], files[2], files[1]]
    files[2].unlink()
    assert settings.recent() == [files[0], files[1]]
    settings.clear_recent()
    assert settings.recent() == []


def test_a_folder_that_cannot_be_written_raises_and_keeps_the_old_file(home, monkeypatch, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    settings = Settings(blocker / "settings.json")
    with pytest.raises(OSError):  # noqa: PT011  the kind differs from system to system
        settings.save()
