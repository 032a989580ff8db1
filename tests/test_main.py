"""The one entry point: a window where there is a display, the same example without one where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import main as entry
from engine.session import Session
from engine.spec_files import dump_spec
from engine.specs import ExperimentSpec, MlpSpec, PgdSpec, ProbeSpec, TrainingSpec

ROOT = Path(__file__).resolve().parents[1]
TINY = ExperimentSpec(
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=1),
    attack=PgdSpec(steps=4, samples=16),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=5),
)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system without a display; a folder to work in."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("RAPIDITY_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_display_the_example_runs_and_one_line_says_so(bare: Path) -> None:
    """On a bare server, where nothing of Qt can be imported either."""
    tiny = bare / "tiny.toml"
    tiny.write_text(dump_spec(TINY), encoding="utf-8")
    code = f"""
import sys
sys.modules["PySide6"] = None
sys.path.insert(0, {str(ROOT)!r})
import main, engine.cli
from pathlib import Path
engine.cli.ready_example = lambda: Path({str(tiny)!r})
sys.exit(main.main([]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    first, *others = done.stderr.splitlines()
    assert first.startswith("No display here")
    assert "out/" in first
    assert "No display here" not in "".join(others)
    assert (bare / "out" / "report.html").is_file()
    assert (bare / "out" / "figures" / "profile.svg").is_file()
    with Session.open(bare / "out" / "tiny.rapidity", bare / "copies") as session:
        assert [(run.experiment, run.status) for run in session.runs()] == [("story", "finished")]


@pytest.mark.parametrize(
    ("platform", "variables", "there"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":987654"}, False),
        ("linux", {"DISPLAY": "nonsense"}, False),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_where_a_display_is(
    bare: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], there: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert entry.has_display() is there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["walk"], "no command or file"), (["mine.rapidity"], "No display"), (["mine.toml"], "No display")],
)
def test_what_cannot_be_done_without_a_display_is_said(
    bare: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert entry.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not (bare / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "run | sweep | report | export"),
        (["run", "--help"], 0, "--set"),
        (["run", "/nowhere.toml"], 2, "/nowhere.toml"),
    ],
)
def test_a_command_needs_no_display(bare: Path, arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_display_is_one_that_answers(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    # an X server's socket of the abstract kind, which leaves nothing behind
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind("\0/tmp/.X11-unix/X987655")
        except OSError:
            pytest.skip("this system has no abstract sockets")
        monkeypatch.setenv("DISPLAY", ":987655.0")
        assert not entry.has_display(), "nobody listens yet"
        server.listen(1)
        assert entry.has_display()
