"""The command line: what it writes, what it says, and its exit codes."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main
from engine.experiments.claims import CLAIMS
from engine.session import Session, recoverable
from engine.spec_files import dump_spec, load_spec
from engine.specs import (
    PARTS,
    ExperimentSpec,
    GaussianNoiseSpec,
    MaxLikelihoodSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
    parameters,
    variants,
)

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("steps", "epochs", "attack", "attack_samples", "attacked", "profile")
TINY = ExperimentSpec(
    title="Tiny",
    model=MlpSpec(depth=2, width=16),
    training=TrainingSpec(epochs=1, learning_rate=0.01),
    attack=PgdSpec(eps=0.3, alpha=0.1, steps=4, samples=16),
    probe=ProbeSpec(samples=20, reference=40, bootstrap=50, pairs=8, every=5),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working copies go to a folder of the test's own."""
    monkeypatch.setenv("RAPIDITY_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def spec_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(dump_spec(TINY), encoding="utf-8")
    return path


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without figures: drawing them takes longer than all else, and is tested elsewhere."""
    monkeypatch.setattr("engine.report.html.FIGURES", {})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that one whole run wrote."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny.toml").write_text(dump_spec(TINY), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAPIDITY_LAB_HOME", str(folder / "home"))
        assert main(["run", str(folder / "tiny.toml"), "--out", str(folder / "out")]) == 0
    return folder / "out"


# --- run -------------------------------------------------------------------------------------------------------


def test_a_run_writes_session_report_figures_and_tables(done: Path) -> None:
    names = {str(path.relative_to(done)) for path in done.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.{end}"
        for name in ("training", "gallery", "attacks", "profile", "matrices", "spacetime")
        for end in ("svg", "png")
    }
    tables = {f"tables/{name}.csv" for name in TABLES}
    assert names == {"tiny.rapidity", "report.html"} | figures | tables
    assert not list(done.parent.glob("home/sessions/*")), "nothing is left behind"


def test_the_session_of_a_run_is_whole(done: Path, tmp_path: Path) -> None:
    with Session.open(done / "tiny.rapidity", tmp_path) as session:
        assert session.spec == TINY
        (run,) = session.runs()
        assert (run.experiment, run.status) == ("story", "finished")
        assert session.frame("profile") is not None
        assert len(session.table(1, "steps")) == -(-1347 // 64)


def test_a_part_of_the_way_and_changed_parameters(
    spec_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results" / "deep"
    arguments = ["run", str(spec_file), "--out", str(out), "--experiment", "train", "--no-report", "--json"]
    assert (
        main([*arguments, "--set", "model.width=8", "--set", "training.epochs=2", "--set", "attack.method=fgsm"]) == 0
    )
    shown = capsys.readouterr()
    assert "attack.method = 'fgsm' in place of 'pgd': kept" in shown.err
    said = json.loads(shown.out)
    assert said["runs"] == [["train", "finished"]]
    accuracy = said["test_accuracy"]
    assert 0 <= accuracy["low"] < accuracy["value"] < accuracy["high"] <= 1
    assert "attack_success" not in said
    assert [path.name for path in out.iterdir()] == ["tiny.rapidity"]
    with Session.open(out / "tiny.rapidity", tmp_path / "copies") as session:
        assert session.spec.model == MlpSpec(depth=2, width=8)
        assert len(session.table(1, "epochs")) == 2


def test_the_json_summary_holds_the_profile(
    spec_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(spec_file), "--out", str(tmp_path / "out"), "--no-report", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    row = next(row for row in said["profile"] if row["group"] == "adv_target" and row["quantity"] == "C")
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["n"] == TINY.attack.samples


def test_closer_looks_are_run_by_name_one_after_the_other(spec_file: Path, tmp_path: Path, undrawn: None) -> None:
    out = tmp_path / "out"
    named = ["--experiment", "layers", "--experiment", "bell", "--experiment", "layers"]
    assert main(["run", str(spec_file), "--out", str(out), *named, "--set", "controls.rows=200"]) == 0
    with Session.open(out / "tiny.rapidity", tmp_path / "copies") as session:
        assert [(run.experiment, run.status) for run in session.runs()] == [
            ("layers", "finished"),
            ("bell", "finished"),
        ]
        assert "steps" in session.tables(1)
        assert "steps" not in session.tables(2), "what the first look trained serves the second"
    assert {"layers.csv", "bell.csv"} <= {path.name for path in (out / "tables").iterdir()}


def test_all_that_claims_are_tested_by_is_run_with_one_word(
    spec_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def told(experiment: str, *_: object) -> Iterator[object]:
        asked.append(experiment)
        yield from ()

    monkeypatch.setattr("engine.lab.open_experiment", told)
    arguments = ["run", str(spec_file), "--out", str(tmp_path / "out"), "--no-report", "--claims"]
    assert main([*arguments, "--experiment", "takeover"]) == 0
    assert asked[0] == "takeover"
    assert len(asked) == len(set(asked)), "each once"
    assert set(asked) == {name for claim in CLAIMS for name in claim.tested_by}


def test_what_was_asked_for_and_could_not_be_had_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = ExperimentSpec(
        dataset=GaussianNoiseSpec(features=8, classes=2, train_size=20, test_size=10),
        max_likelihood=MaxLikelihoodSpec(
            candidates=8, rows=4, depth=1, samples=50, unseen=10, descent_depth=1, descent_steps=2
        ),
    )
    (tmp_path / "few.toml").write_text(dump_spec(spec), encoding="utf-8")
    arguments = ["--experiment", "max_likelihood", "--no-report", "--out", str(tmp_path / "out")]
    assert main(["run", str(tmp_path / "few.toml"), *arguments]) == 0
    said = capsys.readouterr().err
    assert "50" in said and "20" in said, said


def test_a_look_that_fails_ends_what_was_to_come_after_it_and_says_so(
    spec_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def broken(experiment: str, *_: object) -> object:
        asked.append(experiment)
        raise ZeroDivisionError

    monkeypatch.setattr("engine.lab.open_experiment", broken)
    named = ["--experiment", "bell", "--experiment", "layers"]
    assert main(["run", str(spec_file), "--out", str(tmp_path / "out"), "--no-report", *named]) == 1
    assert asked == ["bell"]
    assert "Not run after bell: layers." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "{tmp}/nothing.toml"], "nothing.toml"),
        (["run", "{tmp}"], "is a folder"),
        (["run", "{tmp}/bad.toml"], "attack.eps"),
        (["run", "{tmp}/broken.toml"], "line 1"),
        (["run", "{spec}", "--set", "model.widht=3"], "Did you mean width"),
        (["run", "{spec}", "--set", "model.width"], "field=value"),
        (["run", "{spec}", "--set", "training.learning_rate=-1"], "learning_rate"),
        (["run", "{spec}", "--out", "{spec}/sub"], "--out"),
        (["report", "{tmp}/nothing.rapidity"], "no file"),
        (["report", "{spec}"], "not a Rapidity Lab session"),
        (["export", "{tmp}/nothing.rapidity"], "no file"),
    ],
)
def test_a_mistake_is_said_in_a_sentence_with_exit_code_2(
    spec_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    (tmp_path / "bad.toml").write_text("[attack]\neps = -0.1\n")
    (tmp_path / "broken.toml").write_text("seed = = 3\n")
    filled = [each.replace("{tmp}", str(tmp_path)).replace("{spec}", str(spec_file)) for each in arguments]
    assert main(filled) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run"], ["run", "x.toml", "--experiment", "walk"]])
def test_a_command_that_is_none_ends_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_data_that_are_not_there_end_with_code_2_and_a_sentence(
    spec_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", str(spec_file), "--out", str(tmp_path / "out"), "--set", "dataset.source=idx"]
    assert main([*arguments, "--set", f"dataset.folder={tmp_path / 'gone'}"]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "gone") in said
    assert "Traceback" not in said


def test_a_loss_that_is_not_a_number_ends_with_code_2_and_what_was_recorded_is_saved(
    spec_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ["model.family=linear", "model.depth=3", "training.optimizer=sgd", "training.learning_rate=100"]
    arguments = ["run", str(spec_file), "--out", str(tmp_path / "out"), "--no-report"]
    assert main([*arguments, *(part for each in wild for part in ("--set", each))]) == 2
    assert "learning rate" in capsys.readouterr().err
    with Session.open(tmp_path / "out" / "tiny.rapidity", tmp_path / "copies") as session:
        assert session.runs()[0].status == "failed"
        assert len(session.table(1, "steps"))


def test_a_bug_shows_its_traceback_and_ends_with_code_1(
    spec_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError("seven by nothing")

    monkeypatch.setattr("engine.lab.open_experiment", broken)
    assert main(["run", str(spec_file), "--out", str(tmp_path / "out"), "--no-report"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: seven by nothing" in said
    assert "bug" in said


def test_a_save_that_fails_keeps_the_work_to_be_recovered(
    spec_file: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.session.database.Database.copy_into", full)
        assert main(["run", str(spec_file), "--out", str(tmp_path / "out"), "--experiment", "data"]) == 2
    said = capsys.readouterr().err
    assert "disk is full" in said
    assert "recover" in said
    (found,) = recoverable(home / "sessions")
    assert found.unsaved
    assert found.runs == 1


def test_ctrl_c_saves_what_was_done_and_ends_with_code_130(spec_file: Path, tmp_path: Path, home: Path) -> None:
    arguments = [
        "run",
        str(spec_file),
        "--out",
        str(tmp_path / "out"),
        "--set",
        "training.epochs=10000",
        "--set",
        "probe.every=1000",
    ]
    process = subprocess.Popen(
        [sys.executable, "main.py", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "epoch 2" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=240)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert "Interrupted" in rest
    with Session.open(tmp_path / "out" / "tiny.rapidity", tmp_path / "copies") as session:
        (run,) = session.runs()
        assert run.status == "cancelled"
        assert len(session.table(run.id, "epochs")) >= 2
    assert (tmp_path / "out" / "report.html").is_file()
    assert not list((home / "sessions").iterdir())


# --- help ------------------------------------------------------------------------------------------------------


def test_help_lists_every_parameter_with_its_default_range_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    for p in parameters(ExperimentSpec):
        assert f"  {p.name} = " in said
    for part in PARTS:
        for name, spec in variants(part).items():
            assert not name or f"= {name}" in said
            for p in parameters(spec):
                assert f"  {part}.{p.name} = " in said
                assert p.help in said
                assert p.range_text in said


def test_every_example_of_the_project_can_be_read() -> None:
    examples = sorted((ROOT / "resources" / "examples").glob("*.toml"))
    assert examples
    for path in examples:
        load_spec(path)


# --- report and export -----------------------------------------------------------------------------------------


def test_the_report_of_a_saved_session_is_that_of_the_run(done: Path, tmp_path: Path) -> None:
    assert main(["report", str(done / "tiny.rapidity"), "--out", str(tmp_path / "again")]) == 0
    for name in ("profile.svg", "training.svg"):
        assert (tmp_path / "again" / "figures" / name).is_file()
    for name in ("steps", "profile"):
        assert (tmp_path / "again" / "tables" / f"{name}.csv").read_bytes() == (
            done / "tables" / f"{name}.csv"
        ).read_bytes()


def test_export_writes_the_tables_and_the_spec(done: Path, tmp_path: Path) -> None:
    assert main(["export", str(done / "tiny.rapidity"), "--out", str(tmp_path / "numbers")]) == 0
    assert {path.name for path in (tmp_path / "numbers").iterdir()} == {
        *(f"{name}.{end}" for name in TABLES for end in ("csv", "parquet")), "spec.toml",
    }  # fmt: skip
    assert load_spec(tmp_path / "numbers" / "spec.toml") == TINY
    with (tmp_path / "numbers" / "steps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with Session.open(done / "tiny.rapidity", tmp_path / "copies") as session:
        losses = session.table(1, "steps").column("loss").tolist()
    assert [float(row["loss"]) for row in rows] == losses
    assert {row["run"] for row in rows} == {"1"}


def test_export_writes_figures_too_when_asked_and_tells_files_as_json(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(done / "tiny.rapidity"), "--out", str(tmp_path / "out"), "--figures", "--json"]) == 0
    files = [Path(path) for path in json.loads(capsys.readouterr().out)["files"]]
    assert {path.name for path in files} >= {"training.svg", "training.png", "steps.parquet", "spec.toml"}
    assert all(path.is_file() for path in files)
    columns = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "out" / "epochs.parquet").to_pydict()
    with Session.open(done / "tiny.rapidity", tmp_path / "copies") as session:
        assert columns["test_accuracy"] == session.table(1, "epochs").column("test_accuracy").tolist()
    assert columns["run"] == [1]


def test_a_mistake_is_json_where_json_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "sweep", "report", "export"):
        assert main([command, str(tmp_path / "gone.toml"), "--json"]) == 2
        assert "gone.toml" in json.loads(capsys.readouterr().out)["error"]


def test_the_same_command_gives_the_same_numbers(done: Path, spec_file: Path, tmp_path: Path, undrawn: None) -> None:
    assert main(["run", str(spec_file), "--out", str(tmp_path / "out"), "--set", "probe.every=1000"]) == 0
    for name in ("steps", "epochs", "attack", "profile"):
        assert (tmp_path / "out" / "tables" / f"{name}.csv").read_bytes() == (
            done / "tables" / f"{name}.csv"
        ).read_bytes(), name


def test_a_run_that_fails_leaves_the_results_of_an_earlier_one_alone(
    spec_file: Path, tmp_path: Path, undrawn: None
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(spec_file), "--out", str(out)]) == 0
    before = {path: path.read_bytes() for path in (out / "tiny.rapidity", out / "report.html")}
    broken = ["--set", "dataset.source=idx", "--set", f"dataset.folder={tmp_path / 'nowhere'}"]
    assert main(["run", str(spec_file), "--out", str(out), *broken]) == 2
    assert {path: path.read_bytes() for path in before} == before
    with Session.open(out / "tiny.partial.rapidity", tmp_path / "copies") as session:
        assert [run.status for run in session.runs()] == ["failed"]
