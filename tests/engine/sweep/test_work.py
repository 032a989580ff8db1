"""One point goes out as a task, and comes back as an outcome whatever happens."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from engine.session import unpack
from engine.specs import DigitsSpec, ExperimentSpec, MlpSpec, TrainingSpec
from engine.sweep import work
from engine.sweep.work import Outcome, Task, run_point
from tests.engine.sweep import tiny

ROOT = Path(__file__).resolve().parents[3]


def task(folder: Path, spec: ExperimentSpec | None = None, **given: Any) -> Task:
    fields: dict[str, Any] = {
        "index": 3,
        "spec": (spec or ExperimentSpec(seed=5)).model_dump_json(),
        "reach": "trained",
        "geometry": False,
        "keep_weights": True,
        "version": work.version(),
        "stop_file": str(folder / "stop"),
        "measure": tiny.MEASURE,
    }
    return Task(**(fields | given))


def test_a_task_and_its_outcome_go_through_a_pickle(tmp_path: Path) -> None:
    asked = pickle.loads(pickle.dumps(task(tmp_path)))
    outcome = pickle.loads(pickle.dumps(run_point(asked)))
    assert asked == task(tmp_path)
    assert (outcome.index, outcome.error, outcome.stopped) == (3, "", False)
    assert outcome.row == tiny.row_of(ExperimentSpec(seed=5))
    assert unpack(outcome.weights)["w"].tolist() == [5.0, 5.0, 5.0]
    assert outcome.seconds > 0


def test_weights_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    assert run_point(task(tmp_path, keep_weights=False)).weights is None


def test_what_goes_wrong_is_part_of_the_outcome(tmp_path: Path) -> None:
    user, bug = (
        run_point(task(tmp_path, ExperimentSpec(model=MlpSpec(width=width)), measure=tiny.FAILING))
        for width in (13, 14)
    )
    assert (user.error, user.is_bug, user.traceback) == (
        "The loss is not a number. Choose a lower learning rate.",
        False,
        "",
    )
    assert (bug.error, bug.is_bug) == ("ZeroDivisionError: one over nothing", True)
    assert "tiny.py" in bug.traceback


def test_lack_of_memory_is_said_in_a_sentence_whoever_lacks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")):
        monkeypatch.setattr(tiny, "row_of", Mock(side_effect=error))
        outcome = run_point(task(tmp_path))
        assert outcome.error.startswith("Out of memory. Use a smaller model") and not outcome.is_bug


def test_a_network_too_large_to_keep_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MOST_WEIGHTS", 10)
    assert "sweep.keep_weights" in run_point(task(tmp_path)).error
    assert run_point(task(tmp_path, keep_weights=False)).error == ""


def test_a_worker_of_another_version_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = task(tmp_path, version="9.9")
    monkeypatch.setattr(work, "version", lambda: "1.2")
    outcome = run_point(asked)
    assert "1.2" in outcome.error and "9.9" in outcome.error and not outcome.is_bug


def test_it_stops_where_it_is_told_to_and_not_where_it_cannot_see(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    assert run_point(task(tmp_path)) == Outcome(3, stopped=True, seconds=pytest.approx(0, abs=1))  # type: ignore[arg-type]
    assert run_point(task(tmp_path / "elsewhere")).error == ""


@pytest.mark.parametrize("name", ["os:system", "builtins:eval", "engineering:x", "enginee.x:y"])
def test_only_functions_of_this_program_measure(tmp_path: Path, name: str) -> None:
    outcome = run_point(task(tmp_path, measure=name))
    assert "no measuring function" in outcome.error and outcome.is_bug


def test_the_real_measurement_makes_a_real_network(tmp_path: Path) -> None:
    spec = ExperimentSpec(
        dataset=DigitsSpec(), model=MlpSpec(depth=1, width=8), training=TrainingSpec(epochs=1, batch_size=512)
    )
    outcome = run_point(task(tmp_path, spec, measure=work.MEASURE))
    assert outcome.error == "" and outcome.weights is not None
    assert 0 <= outcome.row["test_accuracy"] <= 1  # type: ignore[operator]
    assert {name for name in unpack(outcome.weights) if name.startswith("layers")}


def test_the_room_loads_no_torch_before_it_measures() -> None:
    modules = "axes, columns, cost, file, gaps, local, points, run, store, work"
    code = f"import sys; from engine.sweep import {modules}; print('torch' in sys.modules, 'gui' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]
