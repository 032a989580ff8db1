"""What --json promises: one JSON text on standard output whatever happens, and sentences on standard error."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import main as entry
from engine.cli import attacks, main
from engine.cli import sweep as sweeping
from engine.report.sweeps import summary
from engine.spec_files import dump_spec
from engine.specs import AxisSpec, ExperimentSpec, SweepSpec
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = ExperimentSpec(sweep=SweepSpec(axes=(AxisSpec(field="model.width", values=(8, 16)),)))


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "widths.toml"
    path.write_text(dump_spec(WIDTHS), encoding="utf-8")
    return path


def test_a_million_points_are_refused_with_what_they_would_cost(
    toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = ["--over", "seed=0 .. 9999 : 10000", "--over", "model.width=1 .. 100 : 100"]
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--json", *many]) == 2
    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert error.startswith("1,000,000 points: about ") and "on the disk." in error and "Add --yes to begin." in error
    assert said.err.count("1,000,000 points") == 1, "and it is said once"
    assert not list((tmp_path / "out").glob("*.sweep"))


def test_an_address_that_is_empty_is_not_taken_for_none(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweeping, "LocalProcesses", None)  # as when a variable of the shell is not set
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--json", "--scheduler", ""]) == 2
    assert "tcp://HOST:8786" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize("arguments", [["nonsense", "--json"], ["nonsense", "--j"]])
def test_a_command_that_is_none_is_json_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(arguments) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["error"] == said.err.strip()
    assert "nonsense" in said.err


@pytest.mark.parametrize("short", ["--jso", "--j"])
def test_json_that_is_cut_short_is_still_meant_where_the_command_cannot_be_read(
    short: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["attacks", short, "pgd", "bim"])
    assert "bim" in json.loads(capsys.readouterr().out)["error"]


def test_a_bug_is_json_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr(attacks, "attack_named", broken)
    with pytest.raises(ZeroDivisionError):  # its traceback is shown, and the exit code is 1
        main(["attacks", "pgd", "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "error": "This is a bug of Rapidity Lab: ZeroDivisionError: one over nothing"
    }


LOADING = """
import builtins, runpy, sys
real = builtins.__import__
def interrupted(name, *more):
    if name == "engine.cli":
        raise KeyboardInterrupt
    return real(name, *more)
builtins.__import__ = interrupted
sys.argv = ["main.py", *sys.argv[1:]]
runpy.run_path("main.py", run_name="__main__")
"""


def test_ctrl_c_while_the_program_is_loaded_shows_no_traceback() -> None:
    arguments = [sys.executable, "-c", LOADING, "sweep", "any.toml", "--json"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (130, "")
    assert json.loads(done.stdout) == {"error": "Interrupted."}


class Full(io.StringIO):
    """A file on a full disk: what is written stays in the buffer, which cannot be emptied."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("arguments", [["attacks", "--json"], ["attacks"], ["attacks", "pgd"]])
def test_standard_output_on_a_full_disk_is_said_in_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip() == "Standard output was not written: No space left on device."


@pytest.mark.parametrize("arguments", [["nonsense", "--json"], ["attacks", "nonsense", "--json"]])
def test_a_mistake_is_said_where_standard_output_is_full_too(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert entry.main(arguments) == 2
    assert "nonsense" in capsys.readouterr().err


def test_the_summary_of_a_large_sweep_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "LAW_ROWS", 3)
    spec = ExperimentSpec(sweep=SweepSpec(axes=(AxisSpec(field="model.width", low=1, high=50, count=50),)))
    with SweepStore.create(tmp_path / "a.sweep", spec) as store:
        for index in range(50):
            store.finish(Outcome(index, {"initial_change": 0.1 * index, "theory_change": 0.1}))
        told = summary.sweep_summary(store)
    assert [row["model.width"] for row in told["law"]] == [1, 2, 3]
    assert told["law_settings"] == 50
