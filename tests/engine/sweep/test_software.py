"""What of a worker's software must be as it is here, so that all points of a sweep come from one kind of computing."""

from __future__ import annotations

import sys

import pytest

from engine.sweep import software
from engine.sweep.software import compared, here

HERE = {"Rapidity Lab": "1.2.0", "Python": "3.11.7", "torch": "2.13.0", "numpy": "2.3.1"}
WORKER = "tcp://10.0.0.7:40001"


def told(**there: str) -> str:
    return compared(WORKER, HERE | there, HERE).refused


def test_the_same_software_is_taken_without_a_word() -> None:
    found = compared(WORKER, HERE, HERE)
    assert (found.refused, found.note) == ("", "")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("torch", "2.12.0"), ("torch", "3.13.0"), ("numpy", "2.2.1"), ("Python", "3.12.7"), ("Python", "4.11.7"),
        ("Rapidity Lab", "1.2.1"), ("torch", "unknown"), ("numpy", "2"),
    ],
)  # fmt: skip
def test_another_version_is_refused_with_the_worker_both_versions_and_what_to_do(name: str, version: str) -> None:
    said = told(**{name: version})
    assert said.startswith(f"The worker {WORKER} has {name} {version}, and this program")
    assert HERE[name] in said
    assert "start it again" in said


def test_all_that_differs_is_named_at_once() -> None:
    said = told(torch="2.12.0", numpy="2.2.0", Python="3.12.0")
    assert "Python 3.12.0, torch 2.12.0 and numpy 2.2.0" in said
    assert "Python 3.11.7, torch 2.13.0 and numpy 2.3.1" in said
    assert "pip install torch==2.13.0 numpy==2.3.1" in said


@pytest.mark.parametrize(("name", "version"), [("torch", "2.13.1"), ("numpy", "2.3.0"), ("torch", "2.13.1+cu126")])
def test_another_patch_of_what_computes_is_taken_with_a_note(name: str, version: str) -> None:
    found = compared(WORKER, HERE | {name: version}, HERE)
    assert found.refused == ""
    assert WORKER in found.note and version in found.note and HERE[name] in found.note and "last digits" in found.note


@pytest.mark.parametrize(("name", "version"), [("Python", "3.11.1"), ("torch", "2.13.0+cpu")])
def test_another_patch_of_python_and_another_build_of_torch_are_no_matter(name: str, version: str) -> None:
    found = compared(WORKER, HERE | {name: version}, HERE)
    assert (found.refused, found.note) == ("", "")


def test_what_is_not_said_is_not_known_to_fit() -> None:
    assert (
        "torch unknown"
        in compared(WORKER, {name: HERE[name] for name in ("Rapidity Lab", "Python", "numpy")}, HERE).refused
    )


def test_what_is_here_is_read_from_what_is_installed() -> None:
    import numpy
    import torch

    found = here()
    assert found["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["numpy"] == numpy.__version__
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert found["Rapidity Lab"] == software.version()
    assert compared(WORKER, found, found) == software.Comparison()
