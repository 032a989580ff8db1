"""The same spec and seed give the same numbers, bit for bit, from the window and from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from person import TINY

from engine.cli import main
from engine.events import Artifact, Frame
from engine.experiments import artifact_keys
from engine.session import Session
from engine.spec_files import dump_spec
from engine.specs import CnnSpec, ExperimentSpec, FgsmSpec
from gui.steps import MAKES

TABLES = ("steps", "epochs", "attack", "profile")
SMALL_CNN = TINY.model_copy(
    update={"model": CnnSpec(depth=1, channels=4, width=8), "attack": FgsmSpec(norm="L2", eps=1.0, samples=16)}
)


@pytest.fixture
def by_window(open_lab, tmp_path):
    """Runs an experiment in a window, step by step as a person does, and gives the saved session."""

    def run(spec: ExperimentSpec, *, all_at_once: bool = False) -> Path:
        person = open_lab(spec=spec)
        if all_at_once:
            person.press("F5")
            person.wait_for_job()
        else:
            for step in ("data", "train", "attack", "entangle"):
                person.run(step)
        person.saves_to = str(tmp_path / "window.rapidity")
        person.press("Ctrl+S")
        person.wait_for_files()
        assert person.close()
        return tmp_path / "window.rapidity"

    return run


def by_command(spec: ExperimentSpec, folder: Path) -> Path:
    folder.mkdir()
    (folder / "command.toml").write_text(dump_spec(spec), encoding="utf-8")
    assert main(["run", str(folder / "command.toml"), "--out", str(folder), "--no-report"]) == 0
    return folder / "command.rapidity"


def bits(found: Artifact | Frame) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in found.arrays.items()}


def same_numbers(first: Path, second: Path, spec: ExperimentSpec, tmp_path: Path, *, tables=TABLES) -> None:
    with Session.open(first, tmp_path / "a") as one, Session.open(second, tmp_path / "b") as other:
        for name in tables:
            left, right = one.latest_table(name), other.latest_table(name)
            assert len(left) == len(right) > 0, name
            assert left.columns == right.columns
            for column in left.columns:
                assert np.array_equal(
                    left.column(column), right.column(column), equal_nan=left.column(column).dtype != object
                ), (name, column)
        keys = artifact_keys(spec)
        for name, key in ((name, keys[name]) for name in MAKES):  # those that the steps make
            left, right = one.artifact(name, key), other.artifact(name, key)
            assert left is not None and right is not None, name
            assert bits(left) == bits(right), name
        if tables == TABLES:
            for topic in ("profile", "matrix/clean", "matrix/adversarial", "pairs", "gallery"):
                left, right = one.frame(topic), other.frame(topic)
                assert bits(left) == bits(right), topic


@pytest.mark.parametrize("spec", [TINY, SMALL_CNN], ids=["mlp-pgd", "cnn-fgsm"])
def test_step_by_step_in_the_window_gives_what_the_command_line_gives(by_window, tmp_path, spec):
    same_numbers(by_window(spec), by_command(spec, tmp_path / "command"), spec, tmp_path)


def test_how_often_is_probed_changes_no_number_of_training_and_attack(by_window, tmp_path):
    often = TINY.model_copy(update={"probe": TINY.probe.model_copy(update={"every": 1})})
    seldom = TINY.model_copy(update={"probe": TINY.probe.model_copy(update={"every": 1000})})
    first, second = by_window(often, all_at_once=True), by_command(seldom, tmp_path / "command")
    same_numbers(first, second, TINY, tmp_path, tables=("steps", "epochs", "attack"))


def test_another_seed_gives_other_numbers(tmp_path):
    other = TINY.model_copy(update={"seed": 1})
    first, second = by_command(TINY, tmp_path / "one"), by_command(other, tmp_path / "two")
    with Session.open(first, tmp_path / "a") as one, Session.open(second, tmp_path / "b") as two:
        assert not np.array_equal(one.latest_table("steps").column("loss"), two.latest_table("steps").column("loss"))
