"""The command ``sweep``, and what report and export make of its file."""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pace
import pytest

from engine.cli import main
from engine.cli import sweep as command
from engine.cli.terminal import write_json
from engine.errors import ReportError, SweepError
from engine.report.sweeps import export_points
from engine.report.whole import whole_file
from engine.spec_files import dump_spec, load_spec
from engine.specs import AxisSpec, ExperimentSpec, GaussianNoiseSpec, LinearSpec, ProbeSpec, SweepSpec
from engine.sweep.store import SweepStore
from engine.sweep.work import Outcome
from tests.engine.sweep import tiny

ROOT = Path(__file__).resolve().parents[2]
LAW = ExperimentSpec(
    title="Widths & depths",
    dataset=GaussianNoiseSpec(features=16, classes=2, train_size=8, test_size=12),
    model=LinearSpec(depth=2, width=8, bias=False, init="lecun", normalise="none"),
    probe=ProbeSpec(samples=12, reference=8),
    sweep=SweepSpec(
        axes=(
            AxisSpec(field="model.width", values=(6, 12)),
            AxisSpec(field="model.depth", values=(2, 4)),
            AxisSpec(field="seed", values=(0, 1, 2, 3, 4)),
        ),
        reach="initial",
    ),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPIDITY_LAB_HOME", str(tmp_path / "home"))


@contextmanager
def one_thread(options: Any, slots: int) -> Iterator[tuple[ThreadPoolExecutor, int]]:
    """Points are computed in this process."""
    with ThreadPoolExecutor(1) as executor:
        yield executor, 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point takes no time, and no process."""
    monkeypatch.setattr(command, "_executor", one_thread)
    monkeypatch.setattr("engine.sweep.run.sweep.__kwdefaults__", {"measure": tiny.FAILING})


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "law.toml"
    path.write_text(dump_spec(LAW), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that one whole sweep wrote."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "law.toml").write_text(dump_spec(LAW), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "_executor", one_thread)
        assert main(["sweep", str(folder / "law.toml"), "--out", str(folder)]) == 0
    return folder / "law.sweep"


# --- sweep -----------------------------------------------------------------------------------------------------------


def test_a_sweep_writes_one_file_with_every_point(done: Path) -> None:
    assert sorted(path.name for path in done.parent.glob("[!.]*")) == ["law.sweep", "law.toml"]
    with SweepStore.open(done) as store:
        assert store.spec == LAW
        assert store.counts()["finished"] == 20
        columns = store.column("initial_change", "theory_change", "model.width")
    assert set(columns["model.width"]) == {6, 12}
    assert (columns["theory_change"] > 0).all()


def test_axes_are_named_in_the_terminal(toml: Path, tmp_path: Path, quick: None) -> None:
    out = tmp_path / "out"
    over = ["--over", "model.width=4 .. 6 : 3", "--over", "probe.samples=4, 8", "--set", "model.depth=3"]
    assert main(["sweep", str(toml), "--out", str(out), *over]) == 0
    with SweepStore.open(out / "law.sweep") as store:
        assert store.points.fields == ("model.width", "model.depth", "seed", "probe.samples")
        assert len(store.points) == 3 * 2 * 5 * 2
        assert store.points.values(0)["model.width"] == 4


def test_the_summary_is_json_and_nothing_else(
    toml: Path, tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["points"] == said["counts"]["finished"] == 20
    assert said["axes"]["model.width"] == "6, 12"


def test_failed_points_are_told_and_computed_again_when_asked(
    toml: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", str(toml), "--out", str(tmp_path / "out"), "--over", "model.width=12, 13"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "model.width = 13" in said and "Choose a lower learning rate" in said
    assert "And 7 more points failed." in said
    assert "--retry" in said
    assert main(arguments) == 2, "they are left as they are"
    monkeypatch.setattr("engine.sweep.run.sweep.__kwdefaults__", {"measure": tiny.MEASURE})
    assert main([*arguments, "--retry", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["finished"] == 20


def test_it_goes_on_where_it_was_left(toml: Path, tmp_path: Path, quick: None) -> None:
    out = tmp_path / "out"
    assert main(["sweep", str(toml), "--out", str(out)]) == 0
    with SweepStore.open(out / "law.sweep") as store:
        before = store.page(0, 100)
    assert main(["sweep", str(toml), "--out", str(out)]) == 0
    with SweepStore.open(out / "law.sweep") as store:
        assert store.page(0, 100) == before, "nothing is computed twice"


def test_nothing_is_started_where_nothing_is_left(
    toml: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sweep", str(toml), "--out", str(tmp_path / "out"), "--json"]
    assert main(arguments) == 0
    capsys.readouterr()
    monkeypatch.setattr(command, "_executor", Mock(side_effect=AssertionError))
    monkeypatch.setattr("engine.sweep.cost.ASK_FROM", 20)
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["finished"] == 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--over", "model.widht=1, 2"], "Did you mean model.width"),
        (["--over", "model.width"], "NAME=VALUES"),
        (["--over", "model.width=1 .. wide"], "model.width"),
        (["--set", "model.depth=-1"], "model.depth"),
        (["--scheduler", "nowhere"], "tcp://HOST:8786"),
    ],
)
def test_a_mistake_is_said_in_a_sentence_with_exit_code_2(
    toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    if "--scheduler" in arguments:
        pytest.importorskip("distributed")
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--json", *arguments]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert json.loads(said.out)["error"]


@pytest.mark.parametrize("arguments", [["--workers", "many"], ["--workers", "0"], ["--nonsense"]])
def test_a_command_that_cannot_be_read_is_said_as_json_too(
    toml: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(toml), "--json", *arguments])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert json.loads(said.out)["error"] in said.err and arguments[-1] in said.err and "_count" not in said.err


def test_json_is_readable_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": [math.nan, np.float64(math.inf), np.int64(3), 1.5], "b": Path("x"), "ε": (True, None, "γ")}
    write_json(argparse.Namespace(json=True), value)
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"a": [None, None, 3, 1.5], "b": "x", "ε": [True, None, "γ"]}


def test_other_settings_do_not_go_into_the_same_file(
    toml: Path, tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["sweep", str(toml), *out]) == 0
    assert main(["sweep", str(toml), *out, "--set", "model.bias=true"]) == 2
    assert "model.bias" in capsys.readouterr().err
    assert main(["sweep", str(toml), *out, "--over", "model.width=3, 4"]) == 2
    assert "model.width over 6, 12" in capsys.readouterr().err


def test_without_axes_there_is_nothing_to_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.toml").write_text(dump_spec(ExperimentSpec()), encoding="utf-8")
    assert main(["sweep", str(tmp_path / "one.toml"), "--out", str(tmp_path)]) == 2
    assert "--over" in capsys.readouterr().err


def test_a_long_sweep_asks_first(
    toml: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.sweep.cost.ASK_FROM", 20)
    arguments = ["sweep", str(toml), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "--yes" in capsys.readouterr().err
    with SweepStore.create(tmp_path / "out" / "law.sweep", load_spec(toml)) as store:
        store.cancel([3])
    assert main(arguments) == 0, "what is left is not long"
    assert "19 of 20 points: about" in capsys.readouterr().err
    assert main([*arguments, "--yes"]) == 0


PROGRAM = f"""
import sys
from engine.sweep import run
run.sweep.__kwdefaults__["measure"] = {tiny.MEASURE!r}
from engine.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(tmp_path: Path) -> None:
    """By processes of its own, as from a terminal; each point takes a few milliseconds."""
    spec = LAW.model_copy(update={"sweep": LAW.sweep.model_copy(update={"mode": "random", "points": 50_000})})
    (tmp_path / "law.toml").write_text(dump_spec(spec), encoding="utf-8")
    arguments = ["sweep", str(tmp_path / "law.toml"), "--out", str(tmp_path), "--workers", "1", "--yes"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_points(tmp_path / "law.sweep", process)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=240)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert out == ""
    assert re.search(r"Interrupted with [\d,]+ of 50,000 points finished. Run the\s+same\s+command", said), said
    with SweepStore.open(tmp_path / "law.sweep") as store:
        counts = store.counts()
    assert 1 <= counts["finished"] < 50_000
    assert counts["running"] == 0


def wait_for_points(path: Path, process: subprocess.Popen[str]) -> None:
    """Until one is finished."""
    until = time.monotonic() + 240
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.1)
        try:
            with SweepStore.open(path) as store:
                if store.counts()["finished"]:
                    return
        except SweepError:
            continue


# --- report and export -----------------------------------------------------------------------------------------------


def test_its_report_is_one_page_with_figures_and_every_point(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(done), "--out", str(tmp_path / "report"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert Path(said["report"]) == tmp_path / "report" / "report.html"
    cells = {(cell["model.width"], cell["model.depth"]): cell for cell in said["law"]}
    assert set(cells) == {(6, 2), (6, 4), (12, 2), (12, 4)}
    assert all(cell["n"] == 5 and abs(cell["t"]) < 8 for cell in cells.values())
    names = {str(path.relative_to(tmp_path / "report")) for path in (tmp_path / "report").rglob("*") if path.is_file()}
    figures = {f"figures/{name}.{end}" for name in ("geometry", "scatter") for end in ("svg", "png")}
    assert names == {"report.html", "tables/points.csv"} | figures
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "Widths &amp; depths" in page
    assert "<td>model.width<td>6, 12" in page
    assert page.count("<svg") == 2
    assert "The largest |t| of 4" in page
    assert "20 rows" in page
    assert "<th>p<th>Holm" in page


def test_export_writes_points_and_what_all_have_in_common(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert main(["export", str(done), "--out", str(tmp_path / "out"), "--figures", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {Path(path).name for path in said["files"]} >= {"points.csv", "points.parquet", "spec.toml", "geometry.png"}
    assert all(Path(path).is_file() for path in said["files"])
    assert load_spec(tmp_path / "out" / "spec.toml") == LAW
    with (tmp_path / "out" / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with SweepStore.open(done) as store:
        columns = store.column("initial_change", "model.width")
    assert [float(row["initial_change"]) for row in rows] == columns["initial_change"].tolist()
    table = parquet.read_table(tmp_path / "out" / "points.parquet")
    assert table["initial_change"].to_pylist() == columns["initial_change"].tolist()
    assert str(table.schema.field("model.width").type) == "int64"


def test_few_points_of_a_million_are_exported_at_once(tmp_path: Path) -> None:
    axes = (AxisSpec(field="seed", low=0, high=9_999, count=10_000), AxisSpec(field="model.width", values=(8, 16)))
    spec = ExperimentSpec(sweep=SweepSpec(mode="random", points=1_000_000, axes=axes))
    with SweepStore.create(tmp_path / "a.sweep", spec) as store:
        for index in (999_999, 7, 500_000):
            store.finish(Outcome(index, {"rank": float(index)}))
        store.start(8)
        began = time.monotonic()
        (written,) = export_points(store, tmp_path)
        assert time.monotonic() - began < 5 * pace.slowness(pace.perf_counter)
    with written.open(newline="") as file:
        rows = [(row["id"], row["status"], row["rank"]) for row in csv.DictReader(file)]
    assert [row[0] for row in rows] == ["7", "8", "500000", "999999"]
    assert rows[0] == ("7", "finished", "7.0") and rows[1] == ("8", "running", "")


def test_without_pyarrow_a_sentence_says_so(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.report.parquet.there", lambda: False)
    assert main(["export", str(done), "--out", str(tmp_path / "out")]) == 0
    assert "pyarrow" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"points.csv", "spec.toml"}


def test_a_failed_point_is_in_the_report_with_its_reason(toml: Path, tmp_path: Path, quick: None) -> None:
    assert main(["sweep", str(toml), "--out", str(tmp_path), "--over", "model.width=12, 13"]) == 2
    assert main(["report", str(tmp_path / "law.sweep"), "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "The loss is not a number." in page
    assert "<td class=n>10<td>The loss" in page


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("report", "export"):
        assert main([name, str(tmp_path / "gone.sweep"), "--out", str(tmp_path / "out")]) == 2
        assert "gone.sweep" in capsys.readouterr().err


def test_a_sweep_that_was_not_begun_leaves_no_file(toml: Path, tmp_path: Path) -> None:
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert not list((tmp_path / "out").glob("*.sweep*"))


def test_values_that_can_never_work_are_told_before_anything_is_computed(
    toml: Path, tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    over = ["--over", "model.width=6, 0", "--over", "attack.restarts=1, -1", "--set", "model.depth=2"]
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--json", *over]) == 2
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[0].startswith("model.width = 0 can never work: every point with this value fails. model.width is 0:")
    assert lines[1].startswith("attack.restarts = -1 can never work")
    found = json.loads(said.out)
    assert [(each["field"], each["values"]) for each in found["impossible"]] == [
        ("model.width", [0]),
        ("attack.restarts", [-1]),
    ]
    assert found["impossible"][0]["sentence"] == lines[0]
    assert found["counts"]["finished"] == 10, "the others are computed"


@pytest.mark.parametrize(
    ("widths", "helps", "said"),
    [
        ("6, 0", False, "of no use: leave such values out"),
        ("6, 13", True, "Run the same command with --retry to compute them again."),
        ("0, 13", True, "those whose settings are impossible will fail again."),
    ],
)
def test_retry_is_advised_where_it_can_help(
    widths: str, helps: bool, said: str, toml: Path, tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--over", f"model.width={widths}"]) == 2
    (advice,) = [line for line in capsys.readouterr().err.splitlines() if "retry" in line and str(tmp_path) not in line]
    assert said in advice and ("--retry" in advice) == helps


def test_a_sweep_that_is_not_begun_without_an_answer_still_says_what_can_never_work(
    toml: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.sweep.cost.ASK_FROM", 10)
    assert main(["sweep", str(toml), "--out", str(tmp_path / "out"), "--over", "model.width=6, 0"]) == 2
    assert "model.width = 0 can never work" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["points.csv", "points.parquet", "spec.toml"])
def test_an_export_that_cannot_be_written_says_which_file_and_leaves_nothing_half_done(
    done: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / name).mkdir()
    assert main(["export", str(done), "--out", str(tmp_path), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)["error"]
    assert said == f"{tmp_path / name} could not be written: Is a directory. Choose another folder."
    assert not list(tmp_path.glob(".*")), "nothing half done is left"


def test_two_that_write_one_table_at_once_do_not_take_it_from_each_other(tmp_path: Path) -> None:
    with whole_file(tmp_path / "points.csv") as one, whole_file(tmp_path / "points.csv") as other:
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "points.csv").read_text() == "one", "the last to be done"
    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]


def test_a_table_that_the_disk_cuts_off_leaves_the_earlier_one_whole(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["export", str(done), "--out", str(tmp_path)]) == 0
    before = (tmp_path / "points.csv").read_bytes()

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def writerow(self, row: Any) -> None:
            self.file.write("id,")

        def writerows(self, rows: Any) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.report.export.csv.writer", Full)
    with SweepStore.open(done) as store, pytest.raises(ReportError, match="No space left on device"):
        export_points(store, tmp_path)
    assert (tmp_path / "points.csv").read_bytes() == before
